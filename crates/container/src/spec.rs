//! CRI's container and the image's configuration become an OCI runtime specification: a pure
//! function, so that what a pod's fields do can be read off a value.

use std::path::Path;

use cri::{
    ContainerConfig, HugepageLimit, LinuxContainerResources, LinuxContainerSecurityContext, Mount, MountPropagation,
    NamespaceMode, PodSandboxConfig,
};
use serde_json::{Value, json};

use crate::capability::{self, UnknownCapability};
use crate::images::ImageConfig;
use crate::proc_guard::{self, ProcError};
use crate::shim::protocol::{CgroupAccess, ProcessSecurity, Seccomp, UserMappings};
use crate::user::Identity;

const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// All that decides a container's specification.
pub(crate) struct Inputs<'a> {
    pub(crate) container_id: &'a str,
    pub(crate) config: &'a ContainerConfig,
    pub(crate) sandbox: &'a PodSandboxConfig,
    pub(crate) image: &'a ImageConfig,
    pub(crate) identity: &'a Identity,
    pub(crate) root: &'a Path,
    pub(crate) cgroup: &'a str,
    /// The process namespace to join; none: a new one, or the host's where the pod says so.
    pub(crate) process_namespace: Option<&'a Path>,
    /// A user namespace of the pod's own, and whom it makes of its users.
    pub(crate) users: Option<(&'a Path, &'a UserMappings)>,
    pub(crate) shared_memory: &'a Path,
    /// Files of the sandbox that containers see unless they mount their own: path inside, path here.
    pub(crate) sandbox_files: &'a [(String, String)],
    /// The host's devices, for the privileged.
    pub(crate) host_devices: &'a [Value],
    /// Extra devices asked for: already looked up.
    pub(crate) devices: &'a [Value],
    pub(crate) unified_cgroups: bool,
    /// Whether a controller for huge pages is there; without one their limits are left out.
    pub(crate) limits_huge_pages: bool,
    /// How many files a process may have open.
    pub(crate) open_files: u64,
    pub(crate) seccomp: &'a Seccomp,
    pub(crate) apparmor_profile: Option<&'a str>,
    pub(crate) selinux_label: Option<&'a str>,
    /// What this program has itself, as the kernel's bit set.
    pub(crate) available_capabilities: u64,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SpecError {
    #[error("no command specified")]
    NoCommand,
    #[error(transparent)]
    Capability(#[from] UnknownCapability),
    #[error("mount path {0:?} is not absolute")]
    RelativeMount(String),
    #[error("working directory {0:?} is not absolute")]
    RelativeDirectory(String),
    #[error("recursive read-only mount {0:?} must be read-only and have no propagation")]
    RecursiveReadOnly(String),
    #[error(transparent)]
    Proc(#[from] ProcError),
    #[error("user {0} is not one of the pod's user namespace")]
    UserOutside(u32),
}

/// The specification, and what the shim needs beside it.
#[derive(Debug)]
pub(crate) struct Specification {
    pub(crate) oci: Value,
    /// How the shim is to show the control groups, which the specification does not then.
    pub(crate) shown_cgroups: Option<CgroupAccess>,
    /// Whether the container has a process namespace of its own.
    pub(crate) own_processes: bool,
    pub(crate) security: ProcessSecurity,
}

pub(crate) fn build(inputs: &Inputs<'_>) -> Result<Specification, SpecError> {
    let config = inputs.config;
    let security = security_context(config);
    let resources = config.linux.as_ref().and_then(|linux| linux.resources.as_ref());
    let arguments = command(config, inputs.image)?;
    let environment = environment(config, inputs.image, inputs.identity);
    let directory = working_directory(config, inputs.image)?;
    let shown_cgroups = shown_cgroups(inputs, &security);
    let mut mounts = mounts(inputs, &security)?;
    if shown_cgroups.is_some() {
        mounts.retain(|mount| mount["type"] != "cgroup");
    }
    let propagation = root_propagation(&config.mounts);
    let mut linux = json!({
        "cgroupsPath": inputs.cgroup,
        "namespaces": namespaces(inputs, &security),
        "resources": oci_resources(resources, &security, inputs.devices, inputs.limits_huge_pages),
        "maskedPaths": if security.privileged { &[][..] } else { &security.masked_paths },
        "readonlyPaths": if security.privileged { &[][..] } else { &security.readonly_paths },
        "devices": if security.privileged { inputs.host_devices } else { inputs.devices },
    });
    if let Some(propagation) = propagation {
        linux["rootfsPropagation"] = json!(propagation);
    }
    let mut oci = json!({
        "ociVersion": "1.2.0",
        "process": process(inputs, &arguments, &environment, &directory, &security),
        "root": { "path": inputs.root, "readonly": security.readonly_rootfs },
        "mounts": mounts,
        "annotations": annotations(inputs),
        "linux": linux,
    });
    if let Some(profile) = inputs.apparmor_profile {
        oci["process"]["apparmorProfile"] = json!(profile);
    }
    let oom_score = resources.map_or(0, |resources| resources.oom_score_adj);
    let own_processes = oci["linux"]["namespaces"]
        .as_array()
        .is_some_and(|all| all.iter().any(|namespace| namespace["type"] == "pid" && namespace["path"].is_null()));
    let security = confinement(&security, inputs, oom_score)?;
    Ok(Specification { oci, shown_cgroups, own_processes, security })
}

/// How the shim is to show the groups of version 1. Where somebody else has a say in what lies there, the user namespace,
/// a label or a volume, libcontainer does.
fn shown_cgroups(inputs: &Inputs<'_>, security: &LinuxContainerSecurityContext) -> Option<CgroupAccess> {
    let is_asked = inputs.config.mounts.iter().any(|mount| Path::new(&mount.container_path).starts_with("/sys"));
    if inputs.unified_cgroups || inputs.users.is_some() || inputs.selinux_label.is_some() || is_asked {
        return None;
    }
    Some(if security.privileged { CgroupAccess::Writable } else { CgroupAccess::ReadOnly })
}

/// The process of an `exec`: the container's own, but for its command and terminal.
pub(crate) fn exec_process(oci: &Value, command: &[String], terminal: bool) -> Value {
    let mut process = oci["process"].clone();
    process["args"] = json!(command);
    process["terminal"] = json!(terminal);
    if terminal && let Some(environment) = process["env"].as_array_mut() {
        let has_term = environment.iter().any(|variable| variable.as_str().is_some_and(|v| v.starts_with("TERM=")));
        if !has_term {
            environment.push(json!("TERM=xterm"));
        }
    }
    process
}

fn security_context(config: &ContainerConfig) -> LinuxContainerSecurityContext {
    config.linux.as_ref().and_then(|linux| linux.security_context.clone()).unwrap_or_default()
}

fn process(
    inputs: &Inputs<'_>,
    arguments: &[String],
    environment: &[String],
    directory: &str,
    security: &LinuxContainerSecurityContext,
) -> Value {
    let identity = inputs.identity;
    json!({
        "terminal": inputs.config.tty,
        "user": { "uid": identity.uid, "gid": identity.gid, "additionalGids": identity.groups },
        "args": arguments,
        "env": environment,
        "cwd": directory,
        "noNewPrivileges": security.no_new_privs,
        "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": inputs.open_files, "soft": inputs.open_files }],
    })
}

/// Kubernetes' `command` replaces the image's entry point and with it the image's arguments.
fn command(config: &ContainerConfig, image: &ImageConfig) -> Result<Vec<String>, SpecError> {
    let mut words = match config.command.is_empty() {
        true => image.entrypoint.clone(),
        false => config.command.clone(),
    };
    match (config.args.is_empty(), config.command.is_empty()) {
        (false, _) => words.extend_from_slice(&config.args),
        (true, true) => words.extend_from_slice(&image.command),
        (true, false) => {}
    }
    if words.is_empty() { Err(SpecError::NoCommand) } else { Ok(words) }
}

/// Later definitions of a name replace earlier ones in place: defaults, image, pod.
fn environment(config: &ContainerConfig, image: &ImageConfig, identity: &Identity) -> Vec<String> {
    let mut variables = vec![DEFAULT_PATH.to_owned()];
    variables.push(format!("HOME={}", identity.home));
    if config.tty {
        variables.push("TERM=xterm".to_owned());
    }
    let given = config.envs.iter().map(|variable| format!("{}={}", variable.key, variable.value));
    for variable in image.environment.iter().cloned().chain(given) {
        let name = variable.split('=').next().unwrap_or_default();
        match variables.iter_mut().find(|known| known.split('=').next() == Some(name)) {
            Some(known) => *known = variable,
            None => variables.push(variable),
        }
    }
    variables
}

fn working_directory(config: &ContainerConfig, image: &ImageConfig) -> Result<String, SpecError> {
    let directory = [config.working_dir.as_str(), image.working_directory.as_str(), "/"]
        .into_iter()
        .find(|directory| !directory.is_empty())
        .unwrap_or("/");
    match directory.starts_with('/') {
        true => Ok(directory.to_owned()),
        false => Err(SpecError::RelativeDirectory(directory.to_owned())),
    }
}

/// The network, IPC and UTS namespaces are the shim's own, so they are inherited and not listed.
fn namespaces(inputs: &Inputs<'_>, security: &LinuxContainerSecurityContext) -> Vec<Value> {
    let mut namespaces = vec![json!({ "type": "mount" })];
    if let Some((path, _)) = inputs.users {
        namespaces.push(json!({ "type": "user", "path": path }));
    }
    let mode = security.namespace_options.as_ref().map_or(0, |options| options.pid);
    match inputs.process_namespace {
        Some(path) => namespaces.push(json!({ "type": "pid", "path": path })),
        None if mode == NamespaceMode::Node as i32 => {}
        None => namespaces.push(json!({ "type": "pid" })),
    }
    if inputs.unified_cgroups && !security.privileged {
        namespaces.push(json!({ "type": "cgroup" }));
    }
    namespaces
}

fn confinement(
    security: &LinuxContainerSecurityContext,
    inputs: &Inputs<'_>,
    oom_score: i64,
) -> Result<ProcessSecurity, SpecError> {
    let user = inputs.identity.uid;
    let host_user = match inputs.users {
        Some((_, mappings)) => mappings.outside_uid(user).ok_or(SpecError::UserOutside(user))?,
        None => user,
    };
    Ok(ProcessSecurity {
        own_users: inputs.users.is_some(),
        host_user,
        selinux_label: inputs.selinux_label.map(str::to_owned),
        capabilities: capability::bounding(
            security.capabilities.as_ref(),
            security.privileged,
            inputs.available_capabilities,
        )?,
        ambient_capabilities: capability::ambient(security.capabilities.as_ref())?,
        seccomp: inputs.seccomp.clone(),
        oom_score,
    })
}

fn mounts(inputs: &Inputs<'_>, security: &LinuxContainerSecurityContext) -> Result<Vec<Value>, SpecError> {
    let writable = if security.privileged { "rw" } else { "ro" };
    let mount = |destination: &str, kind: &str, source: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": source, "options": options });
    let mut all = vec![
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", writable]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", writable]),
    ];
    let asked = &inputs.config.mounts;
    let is_asked = |path: &str| asked.iter().any(|mount| mount.container_path.trim_end_matches('/') == path);
    all.retain(|mount| !is_asked(mount["destination"].as_str().unwrap_or_default()));
    if !is_asked("/dev/shm") {
        let source = inputs.shared_memory.to_string_lossy();
        all.push(mount("/dev/shm", "bind", &source, &["rbind", "rw", "nosuid", "nodev", "noexec"]));
    }
    let file_mode = if security.readonly_rootfs { "ro" } else { "rw" };
    for (inside, source) in inputs.sandbox_files {
        if !is_asked(inside) {
            all.push(mount(inside, "bind", source, &["rbind", "rprivate", file_mode]));
        }
    }
    // Parents before children, whatever the order of the pod; a stable sort keeps equals in order.
    let mut ordered: Vec<&Mount> = asked.iter().collect();
    ordered.sort_by_key(|mount| Path::new(&mount.container_path).components().count());
    for mount in ordered {
        all.push(volume(mount)?);
    }
    Ok(all)
}

fn volume(mount: &Mount) -> Result<Value, SpecError> {
    if !mount.container_path.starts_with('/') {
        return Err(SpecError::RelativeMount(mount.container_path.clone()));
    }
    proc_guard::check_place(&mount.container_path, &mount.host_path)?;
    let propagation = match MountPropagation::try_from(mount.propagation) {
        Ok(MountPropagation::Bidirectional) => "rshared",
        Ok(MountPropagation::HostToContainer) => "rslave",
        Ok(MountPropagation::Private) | Err(_) => "rprivate",
    };
    let mut options = vec!["rbind", propagation, if mount.readonly { "ro" } else { "rw" }];
    if mount.recursive_read_only {
        if !mount.readonly || propagation != "rprivate" {
            return Err(SpecError::RecursiveReadOnly(mount.container_path.clone()));
        }
        options.push("rro");
    }
    Ok(json!({
        "destination": mount.container_path, "type": "bind", "source": mount.host_path, "options": options,
    }))
}

/// The root must pass on what its mounts are to pass on. Each of them gets its own propagation when it is mounted.
fn root_propagation(mounts: &[Mount]) -> Option<&'static str> {
    let any = |wanted: MountPropagation| mounts.iter().any(|mount| mount.propagation == wanted as i32);
    match (any(MountPropagation::Bidirectional), any(MountPropagation::HostToContainer)) {
        (true, _) => Some("shared"),
        (false, true) => Some("slave"),
        (false, false) => None,
    }
}

pub(crate) fn oci_resources(
    resources: Option<&LinuxContainerResources>,
    security: &LinuxContainerSecurityContext,
    devices: &[Value],
    limits_huge_pages: bool,
) -> Value {
    let mut rules = vec![json!({ "allow": security.privileged, "access": "rwm" })];
    for device in devices {
        rules.push(json!({
            "allow": true, "type": device["type"], "major": device["major"], "minor": device["minor"],
            "access": device["access"],
        }));
    }
    let mut oci = json!({ "devices": rules });
    let Some(resources) = resources else { return oci };
    let mut processor = serde_json::Map::new();
    for (name, value) in
        [("shares", resources.cpu_shares), ("quota", resources.cpu_quota), ("period", resources.cpu_period)]
    {
        if value != 0 {
            processor.insert(name.to_owned(), json!(value));
        }
    }
    for (name, value) in [("cpus", &resources.cpuset_cpus), ("mems", &resources.cpuset_mems)] {
        if !value.is_empty() {
            processor.insert(name.to_owned(), json!(value));
        }
    }
    if !processor.is_empty() {
        oci["cpu"] = Value::Object(processor);
    }
    if resources.memory_limit_in_bytes > 0 {
        oci["memory"] = json!({ "limit": resources.memory_limit_in_bytes });
        if resources.memory_swap_limit_in_bytes > 0 {
            oci["memory"]["swap"] = json!(resources.memory_swap_limit_in_bytes);
        }
    }
    if limits_huge_pages && !resources.hugepage_limits.is_empty() {
        let limit = |of: &HugepageLimit| json!({ "pageSize": of.page_size, "limit": of.limit });
        oci["hugepageLimits"] = resources.hugepage_limits.iter().map(limit).collect();
    }
    if !resources.unified.is_empty() {
        oci["unified"] = json!(resources.unified);
    }
    oci
}

fn annotations(inputs: &Inputs<'_>) -> Value {
    let metadata = inputs.sandbox.metadata.clone().unwrap_or_default();
    let name = inputs.config.metadata.as_ref().map_or("", |metadata| metadata.name.as_str());
    json!({
        "io.kubernetes.cri.container-type": "container",
        "io.kubernetes.cri.container-name": name,
        "io.kubernetes.cri.sandbox-name": metadata.name,
        "io.kubernetes.cri.sandbox-namespace": metadata.namespace,
        "io.kubernetes.cri.sandbox-uid": metadata.uid,
        "dev.pintle.container-id": inputs.container_id,
    })
}

#[cfg(test)]
mod tests;
