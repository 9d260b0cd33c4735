//! Ways out of a container that others have had to close. Each test walks one and finds it shut.

use std::os::unix::fs::symlink;

use cri::*;

use crate::bench::{Bench, config, with_security};

fn volume(bench: &Bench, name: &str, path: &str) -> Mount {
    let host_path = bench.folder.path().join(name);
    std::fs::create_dir_all(&host_path).unwrap();
    Mount { container_path: path.to_owned(), host_path: host_path.display().to_string(), ..Mount::default() }
}

/// Starts it if it lets itself be started, and answers why not or what it wrote.
async fn attempt(bench: &Bench, sandbox: &str, config: ContainerConfig) -> std::result::Result<String, String> {
    let id = bench.try_create(sandbox, config).await.map_err(|error| error.message)?;
    bench.start(&id).await.map_err(|error| error.message)?;
    let status = bench.ended(&id).await;
    Ok(crate::bench::content(&std::fs::read_to_string(status.log_path).unwrap()))
}

/// CVE-2019-5736: the runtime's program through `/proc/<pid>/exe`.
#[tokio::test(flavor = "multi_thread")]
async fn the_runtimes_program_cannot_be_overwritten() {
    let bench = Bench::new().await;
    let mut shared = bench.sandbox_config("selfexe");
    shared.linux.get_or_insert_default().security_context = Some(LinuxSandboxSecurityContext {
        namespace_options: Some(NamespaceOption { pid: NamespaceMode::Pod as i32, ..Default::default() }),
        ..Default::default()
    });
    let sandbox = bench.sandbox_of(shared).await;
    let context = LinuxContainerSecurityContext {
        namespace_options: Some(NamespaceOption { pid: NamespaceMode::Pod as i32, ..Default::default() }),
        capabilities: Some(Capability { add_capabilities: vec!["ALL".to_owned()], ..Default::default() }),
        seccomp: Some(SecurityProfile { profile_type: ProfileType::Unconfined as i32, localhost_ref: String::new() }),
        ..Default::default()
    };
    // The first process is a copy of the shim, so its program is the runtime's.
    let script = "for p in /proc/1/exe /proc/self/exe; do (exec 3<$p; echo evil > /proc/self/fd/3) 2>&1; done; \
        (echo evil > /proc/1/exe) 2>&1";
    let before = std::fs::metadata(env!("CARGO_BIN_EXE_shim-host")).unwrap();
    let output = attempt(&bench, &sandbox, with_security(config("app", script), context)).await.unwrap();
    assert!(output.lines().count() >= 3, "{output}");
    let after = std::fs::metadata(env!("CARGO_BIN_EXE_shim-host")).unwrap();
    assert_eq!((after.len(), after.modified().unwrap()), (before.len(), before.modified().unwrap()), "{output}");
    // As the entry point it is a stranger's program in the container, and knows nothing.
    let own = ContainerConfig { command: vec!["/proc/self/exe".to_owned()], ..config("own", "") };
    let output = attempt(&bench, &sandbox, own).await;
    assert!(
        output.as_ref().map_or_else(String::clone, String::clone).contains("usage") || output.is_err(),
        "{output:?}"
    );
    bench.remove(&sandbox).await;
    bench.close();
}

/// CVE-2024-21626: a working folder that is a descriptor of the runtime's.
#[tokio::test(flavor = "multi_thread")]
async fn no_descriptor_of_the_runtimes_is_a_working_folder() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("leakedcwd").await;
    let marker = bench.folder.path().join("marker");
    std::fs::write(&marker, "of the host").unwrap();
    let script = format!("cat ../../../../../../../../..{} 2>/dev/null; pwd -P", marker.display());
    for descriptor in 3..24 {
        let working_dir = format!("/proc/self/fd/{descriptor}");
        let container = ContainerConfig { working_dir, ..config(&format!("app{descriptor}"), &script) };
        if let Ok(output) = attempt(&bench, &sandbox, container).await {
            assert!(!output.contains("of the host"), "descriptor {descriptor} leads out: {output}");
        }
    }
    bench.remove(&sandbox).await;
    bench.close();
}

/// The same of what runs later in the container.
#[tokio::test(flavor = "multi_thread")]
async fn exec_inherits_three_streams_and_nothing_else() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("leakedexec").await;
    let id = bench.run(&sandbox, config("app", "sleep 1000")).await;
    assert_eq!(bench.output(&id, "ls /proc/self/fd | tr '\\n' ' '").await, "0 1 2 3");
    assert_eq!(
        bench
            .output(&id, "grep -c . /proc/self/environ; tr '\\0' '\\n' < /proc/self/environ | grep -c CARGO || true")
            .await,
        "1\n0"
    );
    bench.remove(&sandbox).await;
    bench.close();
}

/// CVE-2021-30465 and CVE-2017-1002101: a link in a volume where the next volume is to be mounted.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_a_volume_leads_no_mount_to_the_host() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("mountlink").await;
    let (outer, inner) = (volume(&bench, "outer", "/vol"), volume(&bench, "inner", "/vol/escape/made"));
    let target = bench.folder.path().join("target");
    std::fs::create_dir(&target).unwrap();
    symlink(&target, bench.folder.path().join("outer/escape")).unwrap();
    let climbing = volume(&bench, "inner", "/vol/climb/made");
    symlink("../../../../../../../../../../tmp", bench.folder.path().join("outer/climb")).unwrap();
    let mut container = config("app", "echo ran");
    container.mounts = vec![outer, inner, climbing];
    // Whether it is mounted inside or refused does not matter here.
    drop(attempt(&bench, &sandbox, container).await);
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0, "something was made on the host");
    assert!(!std::path::Path::new("/tmp/made").exists());
    let table = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!table.contains("/made "), "{table}");
    bench.remove(&sandbox).await;
    bench.close();
}

/// CVE-2019-19921, CVE-2019-16884: what lies over /proc would hide that nothing is masked.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_lies_over_proc() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("overproc").await;
    // Going by its name, and where a link in another volume leads there.
    let outer = volume(&bench, "outer", "/vol");
    symlink("/proc", bench.folder.path().join("outer/link")).unwrap();
    for (path, reason) in [
        ("/proc", "not of type proc"),
        ("/proc/sys", "inside /proc"),
        ("/proc/self/attr", "inside /proc"),
        ("/vol/link/sys", "\"/proc/sys\" cannot be mounted because it is inside /proc"),
        ("/vol/link/self", "cannot see what lies over /proc"),
    ] {
        let mut container = config("app", "echo ran");
        container.mounts = vec![outer.clone(), volume(&bench, "fake", path)];
        let refused = attempt(&bench, &sandbox, container).await.unwrap_err();
        assert!(refused.contains(reason), "{path}: {refused}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}

/// CVE-2025-31133: masking with a /dev/null that leads somewhere else.
#[tokio::test(flavor = "multi_thread")]
async fn masks_are_not_made_of_what_the_container_brings() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("fakenull").await;
    let dev = volume(&bench, "dev", "/dev");
    symlink("/proc/sys/kernel/core_pattern", bench.folder.path().join("dev/null")).unwrap();
    let context = LinuxContainerSecurityContext {
        masked_paths: vec!["/proc/kcore".to_owned(), "/proc/keys".to_owned()],
        readonly_paths: vec!["/proc/sys".to_owned()],
        ..Default::default()
    };
    let before = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let mut container = with_security(config("app", "echo evil > /proc/keys; cat /proc/keys"), context);
    container.mounts = vec![dev];
    // To refuse such a folder is as good as not to be fooled by it.
    if let Ok(output) = attempt(&bench, &sandbox, container).await {
        assert!(!output.contains(before.trim()), "{output}");
    }
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
    bench.remove(&sandbox).await;
    bench.close();
}

/// CVE-2022-0492: a release agent, a group of one's own, somebody else's limits.
#[tokio::test(flavor = "multi_thread")]
async fn control_groups_can_be_read_and_no_more() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("cgroups").await;
    let script = "exec 2>&1; cd /sys/fs/cgroup; for c in memory devices pids; do \
        mkdir $c/own && echo made; echo 1 > $c/cgroup.procs && echo moved; echo /evil > $c/release_agent && echo set; done; \
        echo 1000000000 > memory/memory.limit_in_bytes && echo lifted; \
        mount -t cgroup -o memory none /tmp && echo mounted; unshare -m true && echo unshared; \
        mount -o remount,rw /sys/fs/cgroup && echo remounted; echo done";
    let output = attempt(&bench, &sandbox, config("app", script)).await.unwrap();
    assert!(output.ends_with("done\n"), "{output}");
    for won in ["made", "moved", "set", "lifted", "mounted", "unshared", "remounted"] {
        assert!(!output.lines().any(|line| line == won), "{won}: {output}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn kernel_settings_are_the_pods_own_or_none() {
    let bench = Bench::new().await;
    let mut own = bench.sandbox_config("sysctl");
    let linux = own.linux.get_or_insert_default();
    linux.sysctls = [("net.ipv4.ip_unprivileged_port_start".to_owned(), "81".to_owned())].into();
    let sandbox = bench.sandbox_of(own).await;
    let script = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start";
    let of_host = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    assert_eq!(attempt(&bench, &sandbox, config("app", script)).await.unwrap(), "81\n");
    assert_eq!(std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap(), of_host);
    bench.remove(&sandbox).await;
    for name in ["net/../../self/oom_score_adj", "/etc/evil", "..", "net.ipv4.no_such"] {
        let mut bad = bench.sandbox_config("badsysctl");
        bad.linux.get_or_insert_default().sysctls = [(name.to_owned(), "7".to_owned())].into();
        let request = RunPodSandboxRequest { config: Some(bad), runtime_handler: String::new() };
        let refused = bench.runtime.run_pod_sandbox(request).await.unwrap_err();
        assert!(refused.message.contains("cannot set sysctl"), "{name}: {refused}");
    }
    bench.close();
}

/// Whoever talks without a line's end fills a disk at most, and no memory of the node's.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_hundred_megabytes_costs_the_shim_nothing() {
    const MEGABYTES: usize = 100;
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("longline").await;
    let script = format!("head -c {} /dev/zero | tr '\\0' x; sleep 1000", MEGABYTES << 20);
    let id = bench.run(&sandbox, config("app", &script)).await;
    // The end of the line is written when the writer has ended, and then everything was.
    while bench.exec(&id, "ps -o args | grep -q '[t]r '").await.exit_code == 0 {}
    bench.stop(&id).await;
    let status = bench.ended(&id).await;
    let peak = std::fs::read_to_string(format!("/proc/{}/status", bench.shim_pid(&sandbox))).unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
    let peak_kib: u64 = peak.split(' ').next().unwrap().parse().unwrap();
    assert!(peak_kib < 64 << 10, "{peak}");
    let log = std::fs::read(&status.log_path).unwrap();
    let parts = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let content: usize = parts.map(|line| line.len() - line.iter().position(|byte| *byte == b'x').unwrap()).sum();
    assert_eq!(content, MEGABYTES << 20);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_handler_is_refused() {
    let bench = Bench::new().await;
    let request =
        RunPodSandboxRequest { config: Some(bench.sandbox_config("handler")), runtime_handler: "kata".to_owned() };
    let refused = bench.runtime.run_pod_sandbox(request).await.unwrap_err();
    assert_eq!(refused.message, "failed to get sandbox runtime: no runtime for \"kata\" is configured");
    let apparmor = SecurityProfile { profile_type: ProfileType::Localhost as i32, localhost_ref: "absent".to_owned() };
    let context = LinuxContainerSecurityContext { apparmor: Some(apparmor), ..Default::default() };
    let sandbox = bench.sandbox("apparmor").await;
    let refused = attempt(&bench, &sandbox, with_security(config("app", "true"), context)).await.unwrap_err();
    assert!(refused.starts_with("failed to generate apparmor spec opts: apparmor "), "{refused}");
    bench.remove(&sandbox).await;
    bench.close();
}
