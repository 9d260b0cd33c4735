//! Pods whose root is nobody on the host.

use std::os::unix::fs::MetadataExt;

use cri::*;

use crate::bench::{Bench, config, with_security};

const FIRST: u32 = 655_360;

fn mapping() -> Vec<IDMapping> {
    vec![IDMapping { host_id: FIRST, container_id: 0, length: 65536 }]
}

fn options(pid: NamespaceMode) -> NamespaceOption {
    let userns_options = Some(UserNamespace { mode: NamespaceMode::Pod as i32, uids: mapping(), gids: mapping() });
    NamespaceOption { pid: pid as i32, userns_options, ..NamespaceOption::default() }
}

fn sandbox_config(bench: &Bench, name: &str, pid: NamespaceMode) -> PodSandboxConfig {
    let mut config = bench.sandbox_config(name);
    config.linux.get_or_insert_default().security_context =
        Some(LinuxSandboxSecurityContext { namespace_options: Some(options(pid)), ..Default::default() });
    config
}

fn mount(bench: &Bench, name: &str, path: &str) -> Mount {
    let host_path = bench.folder.path().join(name);
    Mount {
        container_path: path.to_owned(),
        host_path: host_path.display().to_string(),
        uid_mappings: mapping(),
        gid_mappings: mapping(),
        ..Mount::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_inside_is_nobody_outside() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox_of(sandbox_config(&bench, "own", NamespaceMode::Container)).await;
    let volume = bench.folder.path().join("volume");
    std::fs::create_dir(&volume).unwrap();
    std::fs::set_permissions(&volume, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut container = config("app", "echo up; sleep 1000");
    container.mounts = vec![mount(&bench, "volume", "/data")];
    container.linux.get_or_insert_default().resources =
        Some(LinuxContainerResources { oom_score_adj: 900, ..Default::default() });
    let id = bench.run(&sandbox, container).await;
    let map = bench.output(&id, "tr -s ' ' < /proc/self/uid_map").await;
    assert_eq!(map, format!("0 {FIRST} 65536"));
    // The image's files and the volume belong to the pod's root, and so does what it makes there.
    let owners = "touch /data/made /written; for f in /bin/busybox /data /data/made /written /etc/hosts /dev/shm; do stat -c %u $f; done | tr '\\n' ' '";
    assert_eq!(bench.output(&id, owners).await, "0 0 0 0 0 0");
    assert_eq!(std::fs::metadata(volume.join("made")).unwrap().uid(), 0, "on the volume it is the volume's own root");
    let upper = bench.folder.path().join("data/containers").join(&id).join("upper");
    assert_eq!(std::fs::metadata(upper.join("written")).unwrap().uid(), FIRST, "elsewhere it is nobody");
    bench.output(&id, "echo shared > /dev/shm/word && echo 1.2.3.4 other >> /etc/hosts").await;
    // It administers its own network and host name, and nothing of the host's.
    assert_eq!(bench.output(&id, "cat /proc/self/oom_score_adj").await, "900");
    let processes = std::fs::read_to_string(format!("/proc/{}/status", bench.first_pid(&id))).unwrap();
    let uid = processes.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert_eq!(uid.split_whitespace().nth(1), Some(FIRST.to_string().as_str()), "{uid}");
    let denied = bench.exec(&id, "echo 1 > /proc/sys/kernel/panic; echo h > /proc/sysrq-trigger").await;
    assert_ne!(denied.exit_code, 0);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pods_namespaces_belong_to_its_users() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox_of(sandbox_config(&bench, "owner", NamespaceMode::Pod)).await;
    let context = LinuxContainerSecurityContext {
        namespace_options: Some(options(NamespaceMode::Pod)),
        capabilities: Some(Capability {
            add_capabilities: vec!["NET_ADMIN".to_owned(), "SYS_ADMIN".to_owned()],
            ..Capability::default()
        }),
        ..LinuxContainerSecurityContext::default()
    };
    let id = bench.run(&sandbox, with_security(config("app", "sleep 1000"), context.clone())).await;
    let other = bench.run(&sandbox, with_security(config("two", "sleep 2000"), context)).await;
    bench.output(&id, "ip link add type dummy; hostname renamed && mount -t tmpfs none /tmp").await;
    assert_eq!(bench.output(&other, "hostname").await, "renamed");
    // One process namespace, whose first process is the pause; both see all.
    let seen = bench.output(&id, "ps -o pid,args").await;
    assert!(seen.contains("sleep 1000") && seen.contains("sleep 2000"), "{seen}");
    // Signals to a process of the host are none of its business: it does not even see one.
    assert_eq!(bench.exec(&id, "kill -0 99999").await.exit_code, 1);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn users_run_as_asked_inside_and_mappings_must_fit() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox_of(sandbox_config(&bench, "named", NamespaceMode::Container)).await;
    let context = |uid| LinuxContainerSecurityContext {
        run_as_user: Some(Int64Value { value: uid }),
        supplemental_groups: vec![2000],
        ..Default::default()
    };
    let who = "uid=1000(app) gid=1000(app) groups=40(logs),1000(app),2000";
    let script = "id; echo through > /dev/stdout; sleep 1000";
    let id = bench.run(&sandbox, with_security(config("app", script), context(1000))).await;
    let exec = "id; tr -s ' ' < /proc/self/uid_map; grep -E '^(CapEff|Seccomp):' /proc/self/status | tr -s '\\t ' ' '";
    let expected = format!("{who}\n 0 {FIRST} 65536\nCapEff: 0000000000000000\nSeccomp: 2");
    assert_eq!(bench.output(&id, exec).await, expected);
    bench.stop(&id).await;
    let log = std::fs::read_to_string(bench.status(&id).await.log_path).unwrap();
    assert_eq!(crate::bench::content(&log), format!("{who}\nthrough\n"));
    let refused = bench.try_create(&sandbox, with_security(config("out", "true"), context(70_000))).await.unwrap_err();
    assert!(refused.message.contains("user 70000 is not one of the pod's user namespace"), "{refused}");
    std::fs::create_dir(bench.folder.path().join("volume")).unwrap();
    let mut other = config("other", "true");
    let wrong = vec![IDMapping { host_id: 1, ..mapping().remove(0) }];
    other.mounts = vec![Mount { uid_mappings: wrong, ..mount(&bench, "volume", "/data") }];
    assert_eq!(bench.try_create(&sandbox, other).await.unwrap_err().code, Code::InvalidArgument);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_not_root_writes_to_its_streams_by_name() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("streams").await;
    let context = LinuxContainerSecurityContext { run_as_user: Some(Int64Value { value: 1000 }), ..Default::default() };
    let script = "echo out > /dev/stdout; echo err > /dev/stderr; sleep 1000";
    let id = bench.run(&sandbox, with_security(config("app", script), context)).await;
    assert_eq!(bench.output(&id, "echo of the exec > /dev/stdout").await, "of the exec");
    bench.stop(&id).await;
    let log = std::fs::read_to_string(bench.status(&id).await.log_path).unwrap();
    assert_eq!(crate::bench::content(&log), "out\nerr\n");
    bench.remove(&sandbox).await;
    bench.close();
}
