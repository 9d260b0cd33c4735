//! What is wrong with security contexts, and what an operating system leaves no room for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{
    check_choice, check_range, check_supported, get, get_array, get_object, get_str, items, join, text, texts, truth,
    value,
};
use crate::kind::Object;

use super::volume_files::check_descending_path;

const IDS: std::ops::RangeInclusive<i64> = 0..=i32::MAX as i64;

pub(super) fn validate_pod_security(spec: &Object, spec_path: &str, faults: &mut Vec<FieldError>) {
    let Some(context) = get_object(spec, "securityContext") else { return };
    let path = join(spec_path, "securityContext");
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        check_range(context, field, IDS, &path, faults);
    }
    for (at, group) in get_array(context, "supplementalGroups").iter().filter_map(Value::as_i64).enumerate() {
        if !IDS.contains(&group) {
            let detail = format!("must be between {} and {}, inclusive", IDS.start(), IDS.end());
            faults.push(FieldError::invalid(format!("{path}.supplementalGroups[{at}]"), group, detail));
        }
    }
    if truth(spec, "hostPID") && truth(spec, "shareProcessNamespace") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        // Within Kubernetes the field is one of the security context.
        faults.push(FieldError::invalid(join(&path, "shareProcessNamespace"), true, detail));
    }
    validate_sysctls(spec, context, &join(&path, "sysctls"), faults);
    check_supported(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], &path, faults);
    validate_profiles(context, &path, faults);
    check_supported(context, "supplementalGroupsPolicy", &["Merge", "Strict"], &path, faults);
    check_supported(context, "seLinuxChangePolicy", &["MountOption", "Recursive"], &path, faults);
}

pub(super) fn validate_container_security(
    container: &Object,
    has_host_users: bool,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let Some(context) = get_object(container, "securityContext") else { return };
    let path = join(path, "securityContext");
    for field in ["runAsUser", "runAsGroup"] {
        check_range(context, field, IDS, &path, faults);
    }
    if get_str(context, "procMount").is_some() {
        check_choice(context, "procMount", &["Default", "Unmasked"], &path, faults);
        if has_host_users && text(context, "procMount") == "Unmasked" {
            let detail = "`hostUsers` must be false to use `Unmasked`";
            faults.push(FieldError::invalid(join(&path, "procMount"), "Unmasked", detail));
        }
    }
    if get(context, "allowPrivilegeEscalation") == Some(&Value::Bool(false)) {
        let whole = value(container, "securityContext");
        if truth(context, "privileged") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            faults.push(FieldError::invalid(path.as_str(), whole.clone(), detail));
        }
        if texts(context, "capabilities.add").any(|capability| capability == "CAP_SYS_ADMIN") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            faults.push(FieldError::invalid(path.as_str(), whole, detail));
        }
    }
    validate_profiles(context, &path, faults);
}

/// A pod in a user namespace of its own shares no other with its node.
pub(super) fn validate_host_users(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if get(spec, "hostUsers") != Some(&Value::Bool(false)) {
        return;
    }
    // The paths are upstream's.
    for (field, shown) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if truth(spec, field) {
            faults.push(FieldError::forbidden(join(path, shown), "when `pod.Spec.HostUsers` is false"));
        }
    }
}

const MAX_SYSCTL_BYTES: usize = 253;
const SYSCTL_PATTERN: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

fn validate_sysctls(spec: &Object, context: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for (at, sysctl) in items(context, "sysctls").enumerate() {
        let (name, path) = (text(sysctl, "name"), format!("{path}[{at}].name"));
        if name.is_empty() {
            faults.push(FieldError::required(path.as_str(), ""));
        } else if !is_sysctl_name(name) {
            let detail = format!("must have at most {MAX_SYSCTL_BYTES} characters and match regex {SYSCTL_PATTERN}");
            faults.push(FieldError::invalid(path.as_str(), name, detail));
        } else if !seen.insert(name) {
            faults.push(FieldError::duplicate(path.as_str(), name));
        }
        let dotted = name.replace('/', ".");
        if truth(spec, "hostNetwork") && dotted.starts_with("net.") {
            faults.push(FieldError::invalid(path, name, "may not be specified when 'hostNetwork' is true"));
        } else if truth(spec, "hostIPC") && is_ipc(&dotted) {
            faults.push(FieldError::invalid(path, name, "may not be specified when 'hostIPC' is true"));
        }
    }
}

fn is_sysctl_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= MAX_SYSCTL_BYTES
        && name.split(['.', '/']).map(str::as_bytes).all(|part| {
            part.first().copied().is_some_and(is_word)
                && part.last().copied().is_some_and(is_word)
                && part.iter().all(|&byte| is_word(byte) || byte == b'-' || byte == b'_')
        })
}

/// Settings that belong to the namespace of inter-process communication.
fn is_ipc(sysctl: &str) -> bool {
    sysctl == "kernel.sem" || ["kernel.shm", "kernel.msg", "fs.mqueue."].iter().any(|prefix| sysctl.starts_with(prefix))
}

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

fn validate_profiles(context: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(profile) = get_object(context, "seccompProfile") {
        let (path, local) = (join(path, "seccompProfile"), get_str(profile, "localhostProfile"));
        let local_path = join(&path, "localhostProfile");
        check_profile_type(profile, "type is required when seccompProfile is set", &path, faults);
        match (text(profile, "type") == "Localhost", local) {
            (true, None) => {
                faults.push(FieldError::required(local_path, "must be set when seccomp type is Localhost"));
            }
            (true, Some(place)) => check_descending_path(place, &local_path, faults),
            (false, Some(_)) => {
                let detail = "can only be set when seccomp type is Localhost";
                faults.push(FieldError::invalid(local_path, Value::Object(profile.clone()), detail));
            }
            (false, None) => {}
        }
    }
    if let Some(options) = get_object(context, "windowsOptions") {
        validate_windows_options(options, &join(path, "windowsOptions"), faults);
    }
    if let Some(profile) = get_object(context, "appArmorProfile") {
        validate_app_armor(profile, &join(path, "appArmorProfile"), faults);
    }
}

fn check_profile_type(profile: &Object, missing: &str, path: &str, faults: &mut Vec<FieldError>) {
    match text(profile, "type") {
        "" => faults.push(FieldError::required(join(path, "type"), missing)),
        _ => check_supported(profile, "type", &PROFILES, path, faults),
    }
}

const MAX_PROFILE_BYTES: usize = 4095;

fn validate_app_armor(profile: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (local, local_path) = (get_str(profile, "localhostProfile"), join(path, "localhostProfile"));
    match (text(profile, "type"), local) {
        ("Localhost", None) => {
            faults.push(FieldError::required(local_path, "must be set when AppArmor type is Localhost"));
        }
        ("Localhost", Some(name)) => {
            if name.trim() != name {
                faults.push(FieldError::invalid(local_path.as_str(), name, "must not be padded with whitespace"));
            } else if name.is_empty() {
                let detail = "must be set when AppArmor type is Localhost";
                faults.push(FieldError::required(local_path.as_str(), detail));
            }
            if name.len() > MAX_PROFILE_BYTES {
                faults.push(FieldError::too_long(local_path, MAX_PROFILE_BYTES));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            faults.push(FieldError::invalid(local_path, name, "can only be set when AppArmor type is Localhost"));
        }
        _ => check_profile_type(profile, "type is required when appArmorProfile is set", path, faults),
    }
}

const MAX_CREDENTIAL_SPEC_BYTES: usize = 64 * 1024;

fn validate_windows_options(options: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if let Some(name) = get_str(options, "gmsaCredentialSpecName") {
        let complaints = crate::names::dns_subdomain(name);
        crate::fields::invalid_all(&join(path, "gmsaCredentialSpecName"), name, complaints, faults);
    }
    if let Some(spec) = get_str(options, "gmsaCredentialSpec") {
        let path = join(path, "gmsaCredentialSpec");
        if spec.is_empty() {
            faults.push(FieldError::invalid(path, spec, "gmsaCredentialSpec cannot be an empty string"));
        } else if spec.len() > MAX_CREDENTIAL_SPEC_BYTES {
            let detail = format!("gmsaCredentialSpec size must be under {} KiB", MAX_CREDENTIAL_SPEC_BYTES / 1024);
            faults.push(FieldError::invalid(path, spec, detail));
        }
    }
    if let Some(user) = get_str(options, "runAsUserName") {
        let path = join(path, "runAsUserName");
        if user.is_empty() {
            faults.push(FieldError::invalid(path, user, "runAsUserName cannot be an empty string"));
        } else if user.chars().any(char::is_control) {
            faults.push(FieldError::invalid(path, user, "runAsUserName cannot contain control characters"));
        } else if user.matches('\\').count() > 1 {
            faults.push(FieldError::invalid(path, user, "runAsUserName cannot contain more than one backslash"));
        }
    }
}

/// Fields of a pod's security context that mean nothing on Windows, in upstream's order; and of a container's.
const NOT_WINDOWS_POD: [&str; 13] = [
    "securityContext.appArmorProfile",
    "securityContext.seLinuxOptions",
    "hostUsers",
    "hostPID",
    "hostIPC",
    "securityContext.seccompProfile",
    "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy",
    "securityContext.sysctls",
    "shareProcessNamespace",
    "securityContext.runAsUser",
    "securityContext.runAsGroup",
    "securityContext.supplementalGroups",
];
const NOT_WINDOWS_CONTAINER: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

pub(super) fn validate_operating_system(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let Some(system) = get_object(spec, "os") else { return };
    let containers = ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|list| {
        items(spec, list).enumerate().map(move |(at, container)| (format!("{path}.{list}[{at}]"), container))
    });
    match text(system, "name") {
        "" => faults.push(FieldError::required(join(path, "os.name"), "cannot be empty")),
        "linux" => {
            const DETAIL: &str = "windows options cannot be set for a linux pod";
            const FIELD: &str = "securityContext.windowsOptions";
            if get(spec, FIELD).is_some() {
                faults.push(FieldError::forbidden(join(path, FIELD), DETAIL));
            }
            for (path, _) in containers.filter(|(_, container)| get(container, FIELD).is_some()) {
                faults.push(FieldError::forbidden(join(&path, FIELD), DETAIL));
            }
        }
        "windows" => {
            const DETAIL: &str = "cannot be set for a windows pod";
            for field in NOT_WINDOWS_POD.iter().filter(|field| get(spec, field).is_some()) {
                faults.push(FieldError::forbidden(join(path, field), DETAIL));
            }
            for (path, container) in containers {
                let Some(context) = get_object(container, "securityContext") else { continue };
                for field in NOT_WINDOWS_CONTAINER.iter().filter(|field| get(context, field).is_some()) {
                    faults.push(FieldError::forbidden(format!("{path}.securityContext.{field}"), DETAIL));
                }
            }
        }
        name => faults.push(FieldError::not_supported(join(path, "os.name"), name, &["linux", "windows"])),
    }
}
