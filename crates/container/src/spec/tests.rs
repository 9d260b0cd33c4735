//! What a pod's fields do to the specification.

use cri::{ContainerMetadata, Int64Value, KeyValue, LinuxContainerConfig, NamespaceOption, PodSandboxMetadata};
use expect_test::{Expect, expect};

use super::*;

struct Case {
    config: ContainerConfig,
    image: ImageConfig,
    process_namespace: Option<&'static Path>,
    unified_cgroups: bool,
    users: Option<(&'static Path, &'static UserMappings)>,
    huge_pages: bool,
    apparmor_profile: Option<&'static str>,
}

impl Case {
    fn new() -> Self {
        Case {
            config: ContainerConfig {
                metadata: Some(ContainerMetadata { name: "app".to_owned(), attempt: 0 }),
                ..ContainerConfig::default()
            },
            image: ImageConfig {
                entrypoint: vec!["/entry".to_owned()],
                command: vec!["image-argument".to_owned()],
                environment: vec!["PATH=/image".to_owned(), "A=image".to_owned()],
                working_directory: "/work".to_owned(),
                ..ImageConfig::default()
            },
            process_namespace: None,
            unified_cgroups: false,
            users: None,
            huge_pages: true,
            apparmor_profile: None,
        }
    }

    fn security(mut self, context: LinuxContainerSecurityContext) -> Self {
        self.config.linux.get_or_insert_with(LinuxContainerConfig::default).security_context = Some(context);
        self
    }

    fn build(&self) -> Result<Specification, SpecError> {
        build(&Inputs {
            container_id: "c1",
            config: &self.config,
            sandbox: &PodSandboxConfig {
                metadata: Some(PodSandboxMetadata { name: "web".to_owned(), ..PodSandboxMetadata::default() }),
                ..PodSandboxConfig::default()
            },
            image: &self.image,
            identity: &Identity { uid: 1, gid: 2, groups: vec![2, 3], home: "/home/app".to_owned() },
            root: Path::new("/run/rootfs/c1"),
            cgroup: "/pods/c1",
            process_namespace: self.process_namespace,
            users: self.users,
            shared_memory: Path::new("/run/shm/s1"),
            sandbox_files: &[("/etc/hosts".to_owned(), "/sandbox/hosts".to_owned())],
            host_devices: &[],
            devices: &[],
            unified_cgroups: self.unified_cgroups,
            limits_huge_pages: self.huge_pages,
            open_files: 1024,
            seccomp: &Seccomp::Default,
            apparmor_profile: self.apparmor_profile,
            selinux_label: Some("system_u:system_r:container_t:s0"),
            available_capabilities: u64::MAX,
        })
    }

    /// The part of the specification at a JSON pointer.
    fn part(&self, pointer: &str) -> Value {
        self.build().unwrap().oci.pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    fn mounts(&self) -> Vec<String> {
        let mounts = self.part("/mounts");
        let line = |mount: &Value| format!("{} {} {}", mount["destination"], mount["source"], mount["options"]);
        mounts.as_array().unwrap().iter().map(|mount| line(mount).replace('"', "")).collect()
    }
}

fn check(value: Value, expected: Expect) {
    expected.assert_eq(&serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn the_process_is_the_images_with_the_pods_changes() {
    let mut case = Case::new();
    case.config.envs = vec![
        KeyValue { key: "A".to_owned(), value: "pod".to_owned() },
        KeyValue { key: "B".to_owned(), value: "x=y".to_owned() },
    ];
    check(
        case.part("/process"),
        expect![[r#"
            {
              "terminal": false,
              "user": {
                "uid": 1,
                "gid": 2,
                "additionalGids": [
                  2,
                  3
                ]
              },
              "args": [
                "/entry",
                "image-argument"
              ],
              "env": [
                "PATH=/image",
                "HOME=/home/app",
                "A=pod",
                "B=x=y"
              ],
              "cwd": "/work",
              "noNewPrivileges": false,
              "rlimits": [
                {
                  "type": "RLIMIT_NOFILE",
                  "hard": 1024,
                  "soft": 1024
                }
              ]
            }"#]],
    );
}

#[test]
fn command_and_arguments_replace_the_images_as_kubernetes_says() {
    let words = |command: &[&str], arguments: &[&str]| {
        let strings = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let mut case = Case::new();
        (case.config.command, case.config.args) = (strings(command), strings(arguments));
        case.part("/process/args").to_string()
    };
    assert_eq!(words(&[], &[]), r#"["/entry","image-argument"]"#);
    assert_eq!(words(&[], &["a"]), r#"["/entry","a"]"#);
    assert_eq!(words(&["c"], &[]), r#"["c"]"#);
    assert_eq!(words(&["c"], &["a"]), r#"["c","a"]"#);
    let mut case = Case::new();
    case.image = ImageConfig::default();
    assert_eq!(case.build().unwrap_err(), SpecError::NoCommand);
}

#[test]
fn resources_become_limits_of_the_group() {
    let mut case = Case::new();
    case.config.linux = Some(LinuxContainerConfig {
        resources: Some(LinuxContainerResources {
            cpu_shares: 512,
            cpu_quota: 50_000,
            cpu_period: 100_000,
            memory_limit_in_bytes: 1 << 20,
            oom_score_adj: 900,
            ..LinuxContainerResources::default()
        }),
        ..LinuxContainerConfig::default()
    });
    check(
        case.part("/linux/resources"),
        expect![[r#"
            {
              "devices": [
                {
                  "allow": false,
                  "access": "rwm"
                }
              ],
              "cpu": {
                "shares": 512,
                "quota": 50000,
                "period": 100000
              },
              "memory": {
                "limit": 1048576
              }
            }"#]],
    );
    assert_eq!(case.build().unwrap().security.oom_score, 900);
}

#[test]
fn huge_pages_are_limited_where_a_controller_can() {
    let mut case = Case::new();
    let limit = |page_size: &str, limit| HugepageLimit { page_size: page_size.to_owned(), limit };
    case.config.linux = Some(LinuxContainerConfig {
        resources: Some(LinuxContainerResources {
            hugepage_limits: vec![limit("2MB", 4 << 20), limit("1GB", 0)],
            ..LinuxContainerResources::default()
        }),
        ..LinuxContainerConfig::default()
    });
    let expected = r#"[{"pageSize":"2MB","limit":4194304},{"pageSize":"1GB","limit":0}]"#;
    assert_eq!(case.part("/linux/resources/hugepageLimits").to_string(), expected);
    case.huge_pages = false;
    assert_eq!(case.part("/linux/resources/hugepageLimits"), Value::Null);
}

#[test]
fn a_pods_own_users_are_others_on_the_host() {
    static USERS: std::sync::LazyLock<UserMappings> = std::sync::LazyLock::new(|| {
        let range = crate::shim::protocol::IdRange { inside: 0, outside: 65536, length: 1000 };
        UserMappings { uids: vec![range], gids: vec![range] }
    });
    let mut case = Case::new();
    assert!(!case.build().unwrap().security.own_users);
    assert_eq!(case.build().unwrap().security.host_user, 1);
    case.users = Some((Path::new("/proc/self/fd/7"), &USERS));
    assert_eq!(case.part("/linux/namespaces/1").to_string(), r#"{"type":"user","path":"/proc/self/fd/7"}"#);
    let security = case.build().unwrap().security;
    assert_eq!((security.own_users, security.host_user), (true, 65537));
    static FEW: UserMappings = UserMappings { uids: Vec::new(), gids: Vec::new() };
    case.users = Some((Path::new("/proc/self/fd/7"), &FEW));
    assert_eq!(case.build().unwrap_err(), SpecError::UserOutside(1));
}

#[test]
fn security_modules_are_told_their_profile_and_label() {
    let mut case = Case::new();
    assert_eq!(case.part("/process/apparmorProfile"), Value::Null);
    case.apparmor_profile = Some("web");
    assert_eq!(case.part("/process/apparmorProfile"), "web");
    assert_eq!(case.build().unwrap().security.selinux_label.unwrap(), "system_u:system_r:container_t:s0");
}

#[test]
fn mounts_are_the_usual_ones_and_the_pods_parents_first() {
    let mut case = Case::new();
    let mount = |path: &str, readonly, propagation: MountPropagation| Mount {
        container_path: path.to_owned(),
        host_path: format!("/host{path}"),
        readonly,
        propagation: propagation as i32,
        ..Mount::default()
    };
    case.config.mounts = vec![
        mount("/data/inner", true, MountPropagation::HostToContainer),
        mount("/data", false, MountPropagation::Private),
        mount("/etc/hosts", false, MountPropagation::Private),
    ];
    expect![[r#"
        /proc proc [nosuid,noexec,nodev]
        /dev tmpfs [nosuid,strictatime,mode=755,size=65536k]
        /dev/pts devpts [nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5]
        /dev/mqueue mqueue [nosuid,noexec,nodev]
        /sys sysfs [nosuid,noexec,nodev,ro]
        /sys/fs/cgroup cgroup [nosuid,noexec,nodev,relatime,ro]
        /dev/shm /run/shm/s1 [rbind,rw,nosuid,nodev,noexec]
        /data /host/data [rbind,rprivate,rw]
        /data/inner /host/data/inner [rbind,rslave,ro]
        /etc/hosts /host/etc/hosts [rbind,rprivate,rw]"#]]
    .assert_eq(&case.mounts().join("\n"));
    assert_eq!(case.part("/linux/rootfsPropagation"), "slave");
    assert!(Case::new().mounts().contains(&"/etc/hosts /sandbox/hosts [rbind,rprivate,rw]".to_owned()));
}

#[test]
fn a_recursive_read_only_mount_must_be_one() {
    let mut case = Case::new();
    let mount = Mount { container_path: "/d".to_owned(), recursive_read_only: true, ..Mount::default() };
    case.config.mounts = vec![mount.clone()];
    assert_eq!(case.build().unwrap_err(), SpecError::RecursiveReadOnly("/d".to_owned()));
    case.config.mounts = vec![Mount { readonly: true, ..mount }];
    assert!(case.mounts().last().unwrap().ends_with("[rbind,rprivate,ro,rro]"));
}

#[test]
fn namespaces_follow_the_pods_choice() {
    let with = |mode: NamespaceMode, path: Option<&'static Path>| {
        let options = NamespaceOption { pid: mode as i32, ..NamespaceOption::default() };
        let mut case = Case::new()
            .security(LinuxContainerSecurityContext { namespace_options: Some(options), ..Default::default() });
        case.process_namespace = path;
        case.part("/linux/namespaces").to_string()
    };
    assert_eq!(with(NamespaceMode::Container, None), r#"[{"type":"mount"},{"type":"pid"}]"#);
    assert_eq!(with(NamespaceMode::Node, None), r#"[{"type":"mount"}]"#);
    let shared = with(NamespaceMode::Pod, Some(Path::new("/proc/7/ns/pid")));
    assert_eq!(shared, r#"[{"type":"mount"},{"type":"pid","path":"/proc/7/ns/pid"}]"#);
    let mut case = Case::new();
    case.unified_cgroups = true;
    assert_eq!(case.part("/linux/namespaces/2/type"), "cgroup");
}

#[test]
fn privilege_lifts_confinement() {
    let privileged = Case::new().security(LinuxContainerSecurityContext {
        privileged: true,
        masked_paths: vec!["/proc/kcore".to_owned()],
        run_as_user: Some(Int64Value { value: 0 }),
        ..Default::default()
    });
    assert_eq!(privileged.part("/linux/maskedPaths").to_string(), "[]");
    assert_eq!(privileged.part("/linux/resources/devices/0/allow"), true);
    assert!(privileged.mounts().contains(&"/sys sysfs [nosuid,noexec,nodev,rw]".to_owned()));
}

#[test]
fn exec_is_the_containers_process_with_another_command() {
    let oci = Case::new().build().unwrap().oci;
    let process = exec_process(&oci, &["ls".to_owned()], true);
    assert_eq!(process["args"].to_string(), r#"["ls"]"#);
    assert_eq!(process["user"], oci["process"]["user"]);
    assert_eq!(process["env"].as_array().unwrap().last().unwrap(), "TERM=xterm");
    assert_eq!(exec_process(&oci, &["ls".to_owned()], false)["env"], oci["process"]["env"]);
}
