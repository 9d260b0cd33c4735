//! What a container may not do, and whom it runs as.

use cri::*;

use crate::bench::{Bench, config, with_security};

#[tokio::test(flavor = "multi_thread")]
async fn the_user_is_the_pods() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("user").await;
    let context = LinuxContainerSecurityContext {
        run_as_user: Some(Int64Value { value: 1000 }),
        supplemental_groups: vec![2000],
        ..Default::default()
    };
    let (status, output) = bench.script(&sandbox, with_security(config("app", "id; echo $HOME"), context)).await;
    assert_eq!(output, "uid=1000(app) gid=1000(app) groups=40(logs),1000(app),2000\n/home/app\n");
    assert_eq!(status.user.unwrap().linux.unwrap().uid, 1000);
    // A file that only its owner and group may run is theirs to run.
    let (status, output) = bench.script(&sandbox, config("private", "/bin/private")).await;
    assert_eq!((status.exit_code, output.as_str()), (0, "private\n"));
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_profile_filters_calls_with_and_without_new_privileges() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("seccomp").await;
    let profile = |kind: ProfileType| Some(SecurityProfile { profile_type: kind as i32, localhost_ref: String::new() });
    let look = "grep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/self/status | tr -s '\\t ' ' '; unshare -U true 2>/dev/null; echo $?";
    for (user, no_new_privs, capabilities) in
        [(0, false, "00000000a80425fb"), (0, true, "00000000a80425fb"), (1000, false, "0000000000000000")]
    {
        let context = LinuxContainerSecurityContext {
            run_as_user: Some(Int64Value { value: user }),
            no_new_privs,
            seccomp: profile(ProfileType::Runtimedefault),
            ..Default::default()
        };
        let (_, output) =
            bench.script(&sandbox, with_security(config(&format!("app{user}{no_new_privs}"), look), context)).await;
        let expected = format!("CapEff: {capabilities}\nNoNewPrivs: {}\nSeccomp: 2\n1\n", u8::from(no_new_privs));
        assert_eq!(output, expected, "user {user}");
    }
    let context = LinuxContainerSecurityContext { seccomp: profile(ProfileType::Unconfined), ..Default::default() };
    let (_, output) = bench.script(&sandbox, with_security(config("open", look), context)).await;
    assert_eq!(output, "CapEff: 00000000a80425fb\nNoNewPrivs: 0\nSeccomp: 0\n0\n");
    let context = LinuxContainerSecurityContext { seccomp: profile(ProfileType::Localhost), ..Default::default() };
    let request = CreateContainerRequest {
        pod_sandbox_id: sandbox.clone(),
        config: Some(with_security(config("local", look), context)),
        sandbox_config: None,
    };
    assert_eq!(bench.runtime.create_container(request).await.unwrap_err().code, Code::InvalidArgument);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_of_the_nodes_filters_calls() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("localseccomp").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("no-chmod.json");
    let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["chmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
        {"names": ["seccomp", "unshare"], "action": "SCMP_ACT_ERRNO"}]}"#;
    std::fs::write(&file, profile).unwrap();
    let seccomp = Some(SecurityProfile {
        profile_type: ProfileType::Localhost as i32,
        localhost_ref: file.to_str().unwrap().to_owned(),
    });
    let context = LinuxContainerSecurityContext { seccomp, ..Default::default() };
    let script = "touch /dev/shm/a && chmod 700 /dev/shm/a 2>&1; unshare -U true 2>/dev/null; echo $?; \
        grep Seccomp_filters /proc/self/status | tr -s '\\t ' ' '";
    let (_, output) = bench.script(&sandbox, with_security(config("app", script), context)).await;
    assert_eq!(output, "chmod: /dev/shm/a: Permission denied\n1\nSeccomp_filters: 2\n");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_is_confined_like_the_container() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("execsec").await;
    let context = LinuxContainerSecurityContext {
        run_as_user: Some(Int64Value { value: 1000 }),
        capabilities: Some(Capability { drop_capabilities: vec!["ALL".to_owned()], ..Default::default() }),
        no_new_privs: true,
        ..Default::default()
    };
    let id = bench.run(&sandbox, with_security(config("app", "sleep 1000"), context)).await;
    let output =
        bench.output(&id, "id -u; grep -E '^(CapBnd|Seccomp|NoNewPrivs):' /proc/self/status | tr -s '\\t ' ' '").await;
    assert_eq!(output, "1000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_can_be_masked_and_made_read_only() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("paths").await;
    let context = LinuxContainerSecurityContext {
        readonly_rootfs: true,
        masked_paths: vec!["/proc/cpuinfo".to_owned(), "/proc/absent".to_owned()],
        readonly_paths: vec!["/proc/sys".to_owned()],
        ..Default::default()
    };
    let script = "exec 2>&1; touch /here; wc -c < /proc/cpuinfo; echo 1 > /proc/sys/kernel/panic; echo $?";
    let (_, output) = bench.script(&sandbox, with_security(config("app", script), context)).await;
    assert!(output.contains("Read-only file system"), "{output}");
    assert!(output.contains("\n0\n") && output.ends_with("1\n"), "{output}");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_devices_and_program_are_out_of_reach() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("devices").await;
    // A node made outside /dev cannot be opened, nor one inside that is not on the list (kmsg: 1, 11).
    let script = "for f in /node /dev/node; do mknod $f c 1 11; head -c 1 $f >/dev/null 2>&1; echo $?; done; head -c 4 /dev/zero | wc -c";
    let (_, output) = bench.script(&sandbox, config("app", script)).await;
    assert_eq!(output, "1\n1\n4\n");
    // The entry point that is the runtime's own program: it must not be writable through /proc.
    let shim = bench.shim_pid(&sandbox);
    let program = std::fs::OpenOptions::new().append(true).open(format!("/proc/{shim}/exe"));
    let refused = program.unwrap_err().raw_os_error();
    assert!(matches!(refused, Some(libc::EROFS | libc::ETXTBSY)), "{refused:?}");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_host_leaks_in() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("leaks").await;
    let script = "ls /proc/self/fd | tr '\\n' ' '; echo; cat /proc/self/environ | tr '\\0' '\\n' | grep -c CARGO; ls /proc | grep -c '^[0-9]'; grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -s '\\t ' ' '";
    let (_, output) = bench.script(&sandbox, config("app", script)).await;
    let lines: Vec<&str> = output.lines().collect();
    // Three streams and the folder that ls itself reads.
    assert_eq!(lines[0].trim(), "0 1 2 3", "{output}");
    assert_eq!(lines[1], "0", "{output}");
    assert!(lines[2].parse::<u32>().unwrap() <= 3, "{output}");
    assert_eq!(lines[3], "SigBlk: 0000000000000000", "{output}");
    // Those above 31 belong to the C library, which hands on what it got.
    assert!(
        lines[4].starts_with("SigIgn: ") && u64::from_str_radix(&lines[4][8..], 16).unwrap() & 0x7fff_ffff == 0,
        "{output}"
    );
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn privileged_is_the_host_but_for_namespaces() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("priv").await;
    let context = LinuxContainerSecurityContext { privileged: true, ..Default::default() };
    let script = "grep -E '^(CapEff|Seccomp):' /proc/self/status | tr -s '\\t ' ' '; head -c 0 /dev/kmsg; echo $?; mount -t tmpfs none /tmp; echo $?";
    let (_, output) = bench.script(&sandbox, with_security(config("app", script), context)).await;
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("CapPrm:")).unwrap().trim();
    assert_eq!(output, format!("CapEff: {own}\nSeccomp: 0\n0\n0\n"));
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_mounted_as_asked() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("volumes").await;
    let volume = bench.folder.path().join("volume");
    std::fs::create_dir_all(volume.join("inner")).unwrap();
    std::fs::write(volume.join("word"), "from the host\n").unwrap();
    let mount = |path: &str, readonly: bool| Mount {
        container_path: path.to_owned(),
        host_path: volume.display().to_string(),
        readonly,
        ..Default::default()
    };
    let mut with_volumes = config(
        "app",
        "cat /data/word; echo back > /data/answer; touch /safe/x 2>/dev/null; echo $?; cat /data/inner/new",
    );
    with_volumes.mounts = vec![
        Mount { host_path: volume.join("new").display().to_string(), ..mount("/data/inner", false) },
        mount("/data", false),
        mount("/safe", true),
    ];
    std::fs::create_dir_all(volume.join("new")).unwrap();
    std::fs::write(volume.join("new/new"), "nested\n").unwrap();
    let (_, output) = bench.script(&sandbox, with_volumes).await;
    assert_eq!(output, "from the host\n1\nnested\n");
    assert_eq!(std::fs::read_to_string(volume.join("answer")).unwrap(), "back\n");
    bench.remove(&sandbox).await;
    bench.close();
}
