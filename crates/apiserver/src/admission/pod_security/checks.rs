//! The checks of the Pod Security Standards, one function each.

use std::collections::BTreeSet;

use registry::Object;
use registry::fields::{get, get_bool, get_i64, get_object, get_str, items, number, text, texts};
use serde_json::Value;

use super::level::{Level, Version};

/// What a pod does that it may not.
pub(super) struct Violation {
    pub(super) reason: &'static str,
    /// Which parts of the pod do it.
    pub(super) detail: String,
}

pub(super) struct Check {
    pub(super) level: Level,
    /// The first minor release of the standards that has it.
    pub(super) since_minor: u32,
    /// A stricter check of the next level says all that this one would.
    pub(super) is_covered_by_restricted: bool,
    pub(super) run: fn(&Object, Version) -> Option<Violation>,
}

const fn baseline(since_minor: u32, run: fn(&Object, Version) -> Option<Violation>) -> Check {
    Check { level: Level::Baseline, since_minor, is_covered_by_restricted: false, run }
}

const fn covered(run: fn(&Object, Version) -> Option<Violation>) -> Check {
    Check { level: Level::Baseline, since_minor: 0, is_covered_by_restricted: true, run }
}

const fn restricted(since_minor: u32, run: fn(&Object, Version) -> Option<Violation>) -> Check {
    Check { level: Level::Restricted, since_minor, is_covered_by_restricted: false, run }
}

/// Each level's checks in the order of upstream's names for them.
pub(super) static CHECKS: &[Check] = &[
    baseline(0, app_armor_profile),
    covered(baseline_capabilities),
    baseline(0, host_namespaces),
    covered(host_path_volumes),
    baseline(0, host_ports),
    baseline(34, probe_hosts),
    baseline(0, privileged),
    baseline(0, proc_mount),
    baseline(0, se_linux_options),
    covered(baseline_seccomp_profile),
    baseline(0, sysctls),
    baseline(0, windows_host_process),
    restricted(8, allow_privilege_escalation),
    restricted(22, restricted_capabilities),
    restricted(0, restricted_volumes),
    restricted(0, run_as_non_root),
    restricted(23, run_as_user),
    restricted(19, restricted_seccomp_profile),
];

/// From here on rules of Linux are not asked of pods for Windows.
const WINDOWS_MINOR: u32 = 25;
/// From here on a pod in a user namespace of its own may be root there.
const USER_NAMESPACES_MINOR: u32 = 35;

const APP_ARMOR_PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_PREFIX: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// Annotations that set a profile.
pub(super) fn profile_annotations(pod: &Object) -> Vec<(&str, &str)> {
    annotations(pod)
        .filter(|(name, _)| {
            *name == SECCOMP_POD || name.starts_with(SECCOMP_PREFIX) || name.starts_with(APP_ARMOR_PREFIX)
        })
        .collect()
}

fn annotations(pod: &Object) -> impl Iterator<Item = (&str, &str)> {
    let map = get_object(pod, "metadata.annotations").into_iter().flatten();
    map.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

fn containers(pod: &Object) -> impl Iterator<Item = &Object> {
    ["spec.initContainers", "spec.containers", "spec.ephemeralContainers"].into_iter().flat_map(|list| items(pod, list))
}

/// The names of the containers that something is true of.
fn named<'a>(pod: &'a Object, is_bad: impl FnMut(&&'a Object) -> bool) -> Vec<&'a str> {
    containers(pod).filter(is_bad).map(|container| text(container, "name")).collect()
}

fn plural<'a>(one: &'a str, many: &'a str, count: usize) -> &'a str {
    if count == 1 { one } else { many }
}

fn quote<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("\"{}\"", name.as_ref())).collect();
    quoted.join(", ")
}

/// `container "a"`, `containers "a", "b"`.
fn these_containers(names: &[&str]) -> String {
    format!("{} {}", plural("container", "containers", names.len()), quote(names))
}

/// `pod`, `containers …` or both, of what sets something by itself; none where nobody does.
fn setters(pod_does: bool, names: &[&str]) -> Option<String> {
    match (pod_does, names) {
        (false, []) => None,
        (true, []) => Some("pod".to_owned()),
        (false, names) => Some(these_containers(names)),
        (true, names) => Some(format!("pod and {}", these_containers(names))),
    }
}

fn is_for_windows(pod: &Object, version: Version) -> bool {
    version.minor() >= WINDOWS_MINOR && text(pod, "spec.os.name") == "windows"
}

fn has_own_users(pod: &Object, version: Version) -> bool {
    version.minor() >= USER_NAMESPACES_MINOR && get_bool(pod, "spec.hostUsers") == Some(false)
}

fn app_armor_profile(pod: &Object, _version: Version) -> Option<Violation> {
    let mut values = BTreeSet::new();
    let mut is_bad = |object: &Object, path: &str| {
        let profile = get_str(object, path).filter(|profile| !matches!(*profile, "RuntimeDefault" | "Localhost"));
        values.extend(profile.map(str::to_owned));
        profile.is_some()
    };
    let pod_does = is_bad(pod, "spec.securityContext.appArmorProfile.type");
    let names = named(pod, |container| is_bad(container, "securityContext.appArmorProfile.type"));
    let mut annotated: Vec<String> = annotations(pod)
        .filter(|(name, value)| {
            let fine = value.is_empty() || *value == "runtime/default" || value.starts_with("localhost/");
            name.starts_with(APP_ARMOR_PREFIX) && !fine
        })
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    annotated.sort();
    let mut who: Vec<String> = setters(pod_does, &names).into_iter().collect();
    if !annotated.is_empty() {
        who.push(plural("annotation", "annotations", annotated.len()).to_owned());
    }
    let values: Vec<String> = values.into_iter().chain(annotated).collect();
    (!who.is_empty()).then(|| Violation {
        reason: plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len()),
        detail: format!("{} must not set AppArmor profile type to {}", who.join(" and "), quote(values)),
    })
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn baseline_capabilities(pod: &Object, _version: Version) -> Option<Violation> {
    added_beyond(pod, &DEFAULT_CAPABILITIES).map(|detail| Violation { reason: "non-default capabilities", detail })
}

/// Which containers add capabilities other than these.
fn added_beyond(pod: &Object, allowed: &[&str]) -> Option<String> {
    let mut added = BTreeSet::new();
    let names = named(pod, |container| {
        let before = texts(container, "securityContext.capabilities.add").filter(|name| !allowed.contains(name));
        let mut bad = before.peekable();
        let is_bad = bad.peek().is_some();
        added.extend(bad);
        is_bad
    });
    (!names.is_empty()).then(|| {
        let who = these_containers(&names);
        format!("{who} must not include {} in securityContext.capabilities.add", quote(added))
    })
}

fn host_namespaces(pod: &Object, _version: Version) -> Option<Violation> {
    // In upstream's order: by name.
    let shared: Vec<String> = ["hostIPC", "hostNetwork", "hostPID"]
        .into_iter()
        .filter(|field| get_bool(pod, &format!("spec.{field}")).unwrap_or(false))
        .map(|field| format!("{field}=true"))
        .collect();
    (!shared.is_empty()).then(|| Violation { reason: "host namespaces", detail: shared.join(", ") })
}

fn host_path_volumes(pod: &Object, _version: Version) -> Option<Violation> {
    let names: Vec<&str> = items(pod, "spec.volumes")
        .filter(|volume| volume.contains_key("hostPath"))
        .map(|volume| text(volume, "name"))
        .collect();
    (!names.is_empty()).then(|| Violation {
        reason: "hostPath volumes",
        detail: format!("{} {}", plural("volume", "volumes", names.len()), quote(names)),
    })
}

fn host_ports(pod: &Object, _version: Version) -> Option<Violation> {
    // As texts, so that they are ordered as upstream orders them.
    let mut ports = BTreeSet::new();
    let names = named(pod, |container| {
        let bad: Vec<i64> =
            items(container, "ports").map(|port| number(port, "hostPort")).filter(|port| *port != 0).collect();
        ports.extend(bad.iter().map(i64::to_string));
        !bad.is_empty()
    });
    (!names.is_empty()).then(|| {
        let (who, uses) = (these_containers(&names), plural("uses", "use", names.len()));
        let word = plural("hostPort", "hostPorts", ports.len());
        let ports: Vec<String> = ports.into_iter().collect();
        Violation { reason: "hostPort", detail: format!("{who} {uses} {word} {}", ports.join(", ")) }
    })
}

fn probe_hosts(pod: &Object, _version: Version) -> Option<Violation> {
    const PLACES: [&str; 5] =
        ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"];
    let mut hosts = BTreeSet::new();
    let mut names = named(pod, |container| {
        let before = PLACES
            .iter()
            .flat_map(|place| [format!("{place}.httpGet.host"), format!("{place}.tcpSocket.host")])
            .filter_map(|path| get_str(container, &path).filter(|host| !host.is_empty()));
        let bad: Vec<&str> = before.collect();
        hosts.extend(bad.iter().copied());
        !bad.is_empty()
    });
    names.sort_unstable();
    (!names.is_empty()).then(|| {
        let (who, uses) = (these_containers(&names), plural("uses", "use", names.len()));
        let word = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len());
        Violation { reason: "probe or lifecycle host", detail: format!("{who} {uses} {word} {}", quote(hosts)) }
    })
}

fn privileged(pod: &Object, _version: Version) -> Option<Violation> {
    let names = named(pod, |container| get_bool(container, "securityContext.privileged").unwrap_or(false));
    (!names.is_empty()).then(|| Violation {
        reason: "privileged",
        detail: format!("{} must not set securityContext.privileged=true", these_containers(&names)),
    })
}

fn proc_mount(pod: &Object, version: Version) -> Option<Violation> {
    if has_own_users(pod, version) {
        return None;
    }
    let mut values = BTreeSet::new();
    let names = named(pod, |container| {
        let value = get_str(container, "securityContext.procMount").filter(|value| *value != "Default");
        values.extend(value);
        value.is_some()
    });
    (!names.is_empty()).then(|| Violation {
        reason: "procMount",
        detail: format!("{} must not set securityContext.procMount to {}", these_containers(&names), quote(values)),
    })
}

fn se_linux_options(pod: &Object, version: Version) -> Option<Violation> {
    let engine = if version.minor() >= 31 { "container_engine_t" } else { "container_t" };
    let allowed = ["", "container_t", "container_init_t", "container_kvm_t", engine];
    let (mut types, mut sets_user, mut sets_role) = (BTreeSet::new(), false, false);
    let mut is_bad = |object: &Object, path: &str| {
        let Some(options) = get_object(object, path) else { return false };
        let (kind, user, role) = (text(options, "type"), text(options, "user"), text(options, "role"));
        if !allowed.contains(&kind) {
            types.insert(kind.to_owned());
        }
        sets_user |= !user.is_empty();
        sets_role |= !role.is_empty();
        !allowed.contains(&kind) || !user.is_empty() || !role.is_empty()
    };
    let pod_does = is_bad(pod, "spec.securityContext.seLinuxOptions");
    let names = named(pod, |container| is_bad(container, "securityContext.seLinuxOptions"));
    let who = setters(pod_does, &names)?;
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", "types", types.len()), quote(types)));
    }
    what.extend(sets_user.then(|| "user may not be set".to_owned()));
    what.extend(sets_role.then(|| "role may not be set".to_owned()));
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {}", what.join("; "));
    Some(Violation { reason: "seLinuxOptions", detail })
}

fn is_good_seccomp(profile: &str) -> bool {
    matches!(profile, "RuntimeDefault" | "Localhost")
}

fn baseline_seccomp_profile(pod: &Object, version: Version) -> Option<Violation> {
    let detail = if version.minor() >= 19 { bad_seccomp_fields(pod) } else { bad_seccomp_annotations(pod) };
    detail.map(|detail| Violation { reason: "seccompProfile", detail })
}

fn bad_seccomp_fields(pod: &Object) -> Option<String> {
    let mut values = BTreeSet::new();
    let mut is_bad = |object: &Object, path: &str| {
        let profile = get_str(object, path).filter(|profile| !is_good_seccomp(profile));
        values.extend(profile.map(str::to_owned));
        profile.is_some()
    };
    let pod_does = is_bad(pod, "spec.securityContext.seccompProfile.type");
    let names = named(pod, |container| is_bad(container, "securityContext.seccompProfile.type"));
    let who = setters(pod_does, &names)?;
    Some(format!("{who} must not set securityContext.seccompProfile.type to {}", quote(values)))
}

fn bad_seccomp_annotations(pod: &Object) -> Option<String> {
    let is_ours = |name: &str| {
        let container = name.strip_prefix(SECCOMP_PREFIX);
        name == SECCOMP_POD || container.is_some_and(|name| containers(pod).any(|of| text(of, "name") == name))
    };
    let is_fine =
        |value: &str| matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/");
    let bad: BTreeSet<String> = annotations(pod)
        .filter(|(name, value)| is_ours(name) && !is_fine(value))
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let word = plural("annotation", "annotations", bad.len());
    (!bad.is_empty()).then(|| format!("forbidden {word} {}", bad.into_iter().collect::<Vec<_>>().join(", ")))
}

/// Settings of the kernel that stay within the pod, and the release that first knew each to be safe.
const SAFE_SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(pod: &Object, version: Version) -> Option<Violation> {
    let is_safe = |name: &str| SAFE_SYSCTLS.iter().any(|(safe, since)| *safe == name && version.minor() >= *since);
    let names: Vec<&str> = items(pod, "spec.securityContext.sysctls")
        .map(|sysctl| text(sysctl, "name"))
        .filter(|name| !is_safe(name))
        .collect();
    (!names.is_empty()).then(|| Violation { reason: "forbidden sysctls", detail: names.join(", ") })
}

fn windows_host_process(pod: &Object, _version: Version) -> Option<Violation> {
    let is_bad = |object: &Object, path: &str| get_bool(object, path).unwrap_or(false);
    let pod_does = is_bad(pod, "spec.securityContext.windowsOptions.hostProcess");
    let names = named(pod, |container| is_bad(container, "securityContext.windowsOptions.hostProcess"));
    let who = setters(pod_does, &names)?;
    let detail = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    Some(Violation { reason: "hostProcess", detail })
}

fn allow_privilege_escalation(pod: &Object, version: Version) -> Option<Violation> {
    if is_for_windows(pod, version) {
        return None;
    }
    let names = named(pod, |container| get_bool(container, "securityContext.allowPrivilegeEscalation").unwrap_or(true));
    (!names.is_empty()).then(|| Violation {
        reason: "allowPrivilegeEscalation != false",
        detail: format!("{} must set securityContext.allowPrivilegeEscalation=false", these_containers(&names)),
    })
}

fn restricted_capabilities(pod: &Object, version: Version) -> Option<Violation> {
    if is_for_windows(pod, version) {
        return None;
    }
    let keeping =
        named(pod, |container| !texts(container, "securityContext.capabilities.drop").any(|name| name == "ALL"));
    let mut details = Vec::new();
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", these_containers(&keeping)));
    }
    details.extend(added_beyond(pod, &["NET_BIND_SERVICE"]));
    (!details.is_empty()).then(|| Violation { reason: "unrestricted capabilities", detail: details.join("; ") })
}

const OPEN_VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn restricted_volumes(pod: &Object, _version: Version) -> Option<Violation> {
    let mut types = BTreeSet::new();
    let mut names = Vec::new();
    for volume in items(pod, "spec.volumes") {
        let source = volume.iter().find(|(field, value)| *field != "name" && !value.is_null());
        let source = source.map_or("unknown", |(field, _)| field.as_str());
        if !OPEN_VOLUMES.contains(&source) {
            names.push(text(volume, "name"));
            types.insert(source);
        }
    }
    (!names.is_empty()).then(|| {
        let (word, uses) = (plural("volume", "volumes", names.len()), plural("uses", "use", names.len()));
        let kind = plural("restricted volume type", "restricted volume types", types.len());
        let detail = format!("{word} {} {uses} {kind} {}", quote(names), quote(types));
        Violation { reason: "restricted volume types", detail }
    })
}

fn run_as_non_root(pod: &Object, version: Version) -> Option<Violation> {
    if has_own_users(pod, version) {
        return None;
    }
    let of_pod = get_bool(pod, "spec.securityContext.runAsNonRoot");
    let of = |container: &Object| get_bool(container, "securityContext.runAsNonRoot");
    let explicit = named(pod, |container| of(container) == Some(false));
    let reason = "runAsNonRoot != true";
    if let Some(who) = setters(of_pod == Some(false), &explicit) {
        return Some(Violation { reason, detail: format!("{who} must not set securityContext.runAsNonRoot=false") });
    }
    let silent = named(pod, |container| of(container).is_none() && of_pod != Some(true));
    (!silent.is_empty()).then(|| Violation {
        reason,
        detail: format!("pod or {} must set securityContext.runAsNonRoot=true", these_containers(&silent)),
    })
}

fn run_as_user(pod: &Object, version: Version) -> Option<Violation> {
    if has_own_users(pod, version) {
        return None;
    }
    let pod_does = get_i64(pod, "spec.securityContext.runAsUser") == Some(0);
    let names = named(pod, |container| get_i64(container, "securityContext.runAsUser") == Some(0));
    let who = setters(pod_does, &names)?;
    Some(Violation { reason: "runAsUser=0", detail: format!("{who} must not set runAsUser=0") })
}

fn restricted_seccomp_profile(pod: &Object, version: Version) -> Option<Violation> {
    if is_for_windows(pod, version) {
        return None;
    }
    let reason = "seccompProfile";
    if let Some(detail) = bad_seccomp_fields(pod) {
        return Some(Violation { reason, detail });
    }
    if get_object(pod, "spec.securityContext.seccompProfile").is_some() {
        return None;
    }
    let silent = named(pod, |container| get(container, "securityContext.seccompProfile").is_none_or(Value::is_null));
    (!silent.is_empty()).then(|| Violation {
        reason,
        detail: format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            these_containers(&silent)
        ),
    })
}
