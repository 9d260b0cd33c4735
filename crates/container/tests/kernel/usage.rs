//! What containers use, and limits that change while they run.

use cri::*;

use crate::bench::{Bench, config, with_security};

/// The hierarchies of version 1 under their usual names, each showing what is the container's, read-only unless it is
/// privileged.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_shown_its_own_groups() {
    if std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        return;
    }
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let legacy = table.lines().filter(|line| line.contains(" - cgroup cgroup "));
    let mut names: Vec<&str> =
        legacy.filter_map(|line| line.split(' ').nth(4)?.strip_prefix("/sys/fs/cgroup/")).collect();
    names.sort_unstable();
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("groups").await;
    let script = "cd /sys/fs/cgroup; ls -1 | tr '\\n' ' '; echo; cat memory/cgroup.procs; \
        mkdir memory/own 2>/dev/null && rmdir memory/own && echo writable";
    // No processes but the shell and those that it starts to look.
    let expected = format!("{} \n1\n", names.join(" "));
    for privileged in [false, true] {
        let context = LinuxContainerSecurityContext { privileged, ..Default::default() };
        let container = with_security(config(&format!("app{privileged}"), script), context);
        let (_, output) = bench.script(&sandbox, container).await;
        assert!(output.starts_with(&expected), "{output}");
        assert_eq!(output.ends_with("writable\n"), privileged, "{output}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_over_the_image_is_counted() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("writes").await;
    let volume = bench.folder.path().join("volume");
    std::fs::create_dir(&volume).unwrap();
    let mut container = config("app", "sleep 1000");
    container.mounts =
        vec![Mount { container_path: "/data".to_owned(), host_path: volume.display().to_string(), ..Mount::default() }];
    let id = bench.run(&sandbox, container).await;
    // On the image's files, in memory and on volumes nothing counts; a file changed is a file copied.
    let script = "head -c 5000000 /dev/zero > /big; touch /a /b; head -c 3000000 /dev/zero > /data/x; \
        head -c 3000000 /dev/zero > /dev/shm/x; echo x >> /etc/group";
    bench.output(&id, script).await;
    let request = ContainerStatsRequest { container_id: id.clone() };
    let stats = bench.runtime.container_stats(request).await.unwrap().stats.unwrap();
    let layer = stats.writable_layer.unwrap();
    let (bytes, inodes) = (layer.used_bytes.unwrap().value, layer.inodes_used.unwrap().value);
    assert!((5_000_000..6_000_000).contains(&bytes), "{bytes}");
    // big, a, b, etc/group, their two folders, and what the mounts' places needed: /data, /dev, /proc, /sys and files of /etc.
    assert!((6..20).contains(&inodes), "{inodes}");
    let listed = bench.runtime.list_container_stats(ListContainerStatsRequest { filter: None }).await.unwrap().stats;
    assert_eq!(listed[0].writable_layer.as_ref().unwrap().used_bytes.as_ref().unwrap().value, bytes);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_change_while_a_container_runs() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("resize").await;
    let mut container = config("app", "sleep 1000");
    container.linux.get_or_insert_default().resources = Some(LinuxContainerResources {
        memory_limit_in_bytes: 64 << 20,
        cpu_shares: 512,
        hugepage_limits: vec![HugepageLimit { page_size: "2MB".to_owned(), limit: 0 }],
        ..Default::default()
    });
    let id = bench.run(&sandbox, container).await;
    let wanted = LinuxContainerResources {
        memory_limit_in_bytes: 32 << 20,
        cpu_shares: 2048,
        cpu_period: 100_000,
        cpu_quota: 20_000,
        cpuset_cpus: "0".to_owned(),
        ..Default::default()
    };
    let request =
        UpdateContainerResourcesRequest { container_id: id.clone(), linux: Some(wanted), ..Default::default() };
    bench.runtime.update_container_resources(request).await.unwrap();
    let group = |controller: &str, file: &str| {
        let folder = format!("/sys/fs/cgroup/{controller}/{}/pods/pod-resize/{id}/{file}", bench.cluster);
        std::fs::read_to_string(&folder).unwrap_or_else(|error| panic!("{folder}: {error}")).trim().to_owned()
    };
    // Version 1 is what this kernel is tested with here; version 2 has a machine of its own.
    if std::path::Path::new("/sys/fs/cgroup/memory").exists() {
        assert_eq!(group("memory", "memory.limit_in_bytes"), (32 << 20).to_string());
        assert_eq!(group("cpu", "cpu.shares"), "2048");
        assert_eq!(group("cpu", "cpu.cfs_quota_us"), "20000");
        assert_eq!(group("cpuset", "cpuset.cpus"), "0");
    }
    assert_eq!(
        bench.output(&id, "grep Cpus_allowed_list /proc/self/status | tr -d '\\t'").await,
        "Cpus_allowed_list:0"
    );
    bench.remove(&sandbox).await;
    bench.close();
}
