//! Containers: life, logs, commands, limits.

use std::path::PathBuf;
use std::time::Duration;

use cri::*;

use crate::IMAGE;
use crate::node::{Node, container, sleeper, until};

pub(crate) async fn a_container_lives_from_creation_to_removal(node: &Node) {
    let pod = node.pod("life").await;
    let ends = container("app", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done");
    let id = pod.create(ends.clone()).await;
    let created = node.status(&id).await;
    assert_eq!((created.state, created.started_at), (ContainerState::Created as i32, 0));
    assert_eq!((&created.metadata, &created.labels), (&ends.metadata, &ends.labels));
    assert_eq!(created.log_path, pod.log("app").display().to_string());
    assert!(!created.image_ref.is_empty() && created.created_at > 0);

    node.start(&id).await.unwrap();
    let running = node.status(&id).await;
    assert_eq!(running.state, ContainerState::Running as i32);
    assert!(running.started_at >= running.created_at && running.finished_at == 0);
    assert!(node.start(&id).await.is_err(), "it is started once");
    let filter = ContainerFilter {
        pod_sandbox_id: pod.id.clone(),
        state: Some(ContainerStateValue { state: ContainerState::Running as i32 }),
        ..Default::default()
    };
    let list = async |filter: ContainerFilter| {
        let request = ListContainersRequest { filter: Some(filter) };
        let listed = node.runtime.list_containers(request).await.unwrap().containers;
        listed.into_iter().map(|container| container.id).collect::<Vec<_>>()
    };
    assert_eq!(list(filter.clone()).await, [id.as_str()]);

    until("its first word", || async { std::fs::read_to_string(pod.log("app")).ok()?.contains("up").then_some(()) })
        .await;
    node.stop(&id, 30).await;
    node.stop(&id, 30).await;
    let ended = node.status(&id).await;
    assert_eq!((ended.state, ended.exit_code, ended.reason.as_str()), (ContainerState::Exited as i32, 5, "Error"));
    assert!(ended.finished_at >= ended.started_at);
    assert!(list(filter).await.is_empty());
    node.remove(&id).await;
    node.remove(&id).await;
    let gone = ContainerStatusRequest { container_id: id, verbose: false };
    assert_eq!(node.runtime.container_status(gone).await.unwrap_err().code, Code::NotFound);

    let fine = pod.run(container("fine", "true")).await;
    let ended = node.ended(&fine).await;
    assert_eq!((ended.exit_code, ended.reason.as_str()), (0, "Completed"));
    let running = pod.run(sleeper("running")).await;
    node.remove(&running).await;
    pod.end().await;
}

pub(crate) async fn a_container_gets_what_its_configuration_says(node: &Node) {
    let pod = node.pod("config").await;
    let shared = pod.log("shared").with_extension("folder");
    std::fs::create_dir_all(&shared).unwrap();
    std::fs::write(shared.join("word"), "from outside").unwrap();
    let mount = |container_path: &str, readonly| Mount {
        container_path: container_path.to_owned(),
        host_path: shared.display().to_string(),
        readonly,
        ..Default::default()
    };
    let context = LinuxContainerSecurityContext {
        run_as_user: Some(Int64Value { value: 1234 }),
        run_as_group: Some(Int64Value { value: 2345 }),
        supplemental_groups: vec![3456],
        capabilities: Some(Capability { drop_capabilities: vec!["ALL".to_owned()], ..Default::default() }),
        no_new_privs: true,
        readonly_rootfs: true,
        ..Default::default()
    };
    let mut config = sleeper("app");
    config.envs = vec![KeyValue { key: "COLOUR".to_owned(), value: "a blue one".to_owned() }];
    config.working_dir = "/tmp".to_owned();
    config.mounts = vec![mount("/shared", true)];
    config.linux = Some(LinuxContainerConfig { security_context: Some(context), ..Default::default() });
    let id = pod.run(config).await;
    for (script, expected) in [
        ("echo $COLOUR", "a blue one"),
        ("pwd", "/tmp"),
        ("hostname", "config"),
        ("id -u; id -g", "1234\n2345"),
        ("id -G", "2345 3456"),
        ("cat /shared/word", "from outside"),
        ("touch /shared/new 2>/dev/null || echo denied", "denied"),
        ("touch /etc/new 2>/dev/null || echo denied", "denied"),
        ("grep NoNewPrivs /proc/self/status | tail -c 2", "1"),
        ("grep CapEff /proc/self/status | tr -d '[:alpha:][:space:]:0'", ""),
        ("grep ^nameserver /etc/resolv.conf", "nameserver 10.96.0.10"),
        ("grep ^search /etc/resolv.conf", "search default.svc.cluster.local"),
        ("grep ^options /etc/resolv.conf", "options ndots:5"),
    ] {
        assert_eq!(node.output(&id, script).await, expected, "{script}");
    }
    let neighbour = pod.run(sleeper("neighbour")).await;
    for (place, is_shared) in [("net", true), ("ipc", true), ("uts", true), ("mnt", false)] {
        let script = format!("readlink /proc/self/ns/{place}");
        let same = node.output(&id, &script).await == node.output(&neighbour, &script).await;
        assert_eq!(same, is_shared, "{place}");
    }
    let absent =
        ContainerConfig { image: Some(ImageSpec { image: "none:1".to_owned(), ..Default::default() }), ..sleeper("x") };
    let refused = pod.try_create(absent).await.unwrap_err();
    assert_eq!(refused.code, Code::NotFound, "{refused}");
    pod.end().await;
}

pub(crate) async fn logs_have_the_form_of_the_interface_and_are_rotated(node: &Node) {
    let pod = node.pod("logs").await;
    let ends = pod.run(container("ends", "echo one; echo two >&2; echo -n unfinished")).await;
    let ended = node.ended(&ends).await;
    let log = std::fs::read_to_string(&ended.log_path).unwrap();
    let mut lines = Vec::new();
    for line in log.lines() {
        let fields: Vec<&str> = line.splitn(4, ' ').collect();
        let [time, stream, tag, text] = fields[..] else { panic!("{line:?} has not four fields") };
        assert!(time.len() >= 20 && time.contains('T'), "{time}");
        lines.push((stream, tag, text));
    }
    lines.sort_unstable();
    assert_eq!(lines, [("stderr", "F", "two"), ("stdout", "F", "one"), ("stdout", "P", "unfinished")]);

    let id = pod
        .run(container("talks", "i=0; trap 'exit 0' TERM; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"))
        .await;
    let path = PathBuf::from(node.status(&id).await.log_path);
    let rotated = path.with_extension("rotated");
    std::fs::rename(&path, &rotated).unwrap();
    let reopen = ReopenContainerLogRequest { container_id: id.clone() };
    node.runtime.reopen_container_log(reopen.clone()).await.unwrap();
    until("a line in the new file", || async { std::fs::read_to_string(&path).ok()?.contains("line").then_some(()) })
        .await;
    node.stop(&id, 30).await;
    // Every line is in one file or the other, and in order.
    let both = std::fs::read_to_string(&rotated).unwrap() + &std::fs::read_to_string(&path).unwrap();
    let numbers: Vec<usize> = both.lines().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    std::fs::remove_file(&path).unwrap();
    node.runtime.reopen_container_log(reopen).await.unwrap_err();
    assert!(!path.exists(), "a call that fails makes no file");
    pod.end().await;
}

pub(crate) async fn a_command_is_run_to_its_end(node: &Node) {
    let pod = node.pod("exec").await;
    let id = pod.run(sleeper("app")).await;
    let answer = node.exec(&id, "echo one; echo two >&2; exit 7").await;
    let (out, err) = (String::from_utf8(answer.stdout).unwrap(), String::from_utf8(answer.stderr).unwrap());
    assert_eq!((out.as_str(), err.as_str(), answer.exit_code), ("one\n", "two\n", 7));
    let much = node.exec(&id, "head -c 3000000 /dev/zero").await;
    assert_eq!((much.stdout.len(), much.exit_code), (3_000_000, 0));
    let late = node.try_exec(&id, &["sleep", "12345"], 1).await.unwrap_err();
    assert_eq!(late.code, Code::DeadlineExceeded, "{late}");
    assert_eq!(node.output(&id, "ps | grep -c '[s]leep 12345' || true").await, "0", "what is late is ended");
    let absent = node.try_exec(&id, &["no-such-program"], 0).await.unwrap_err();
    assert!(absent.message.contains("exec: \"no-such-program\": executable file not found in $PATH"), "{absent}");
    node.stop(&id, 30).await;
    node.try_exec(&id, &["true"], 0).await.unwrap_err();
    pod.end().await;
}

pub(crate) async fn a_container_that_does_not_listen_is_killed(node: &Node) {
    let pod = node.pod("deaf").await;
    let id = pod.run(container("deaf", "trap '' TERM; echo up; while :; do sleep 1000; done")).await;
    until("its first word", || async { std::fs::read_to_string(pod.log("deaf")).ok()?.contains("up").then_some(()) })
        .await;
    let request = StopContainerRequest { container_id: id.clone(), timeout: 1 };
    let stopped = tokio::time::timeout(Duration::from_secs(30), node.runtime.stop_container(request)).await;
    stopped.expect("it does not wait for what does not listen").unwrap();
    assert_eq!(node.status(&id).await.exit_code, 137);
    let broken = ContainerConfig { command: vec!["/no/such/program".to_owned()], ..container("broken", "") };
    let id = pod.create(broken).await;
    let refused = node.start(&id).await.unwrap_err();
    assert!(refused.message.contains("/no/such/program") && refused.message.contains("no such file"), "{refused}");
    let status = node.status(&id).await;
    assert_eq!(
        (status.state, status.exit_code, status.reason.as_str()),
        (ContainerState::Exited as i32, 128, "StartError")
    );
    pod.end().await;
}

pub(crate) async fn limits_are_changed_while_it_runs(node: &Node) {
    let pod = node.pod("limits").await;
    let mut config = sleeper("app");
    let limit = |bytes| LinuxContainerResources { memory_limit_in_bytes: bytes, ..Default::default() };
    config.linux.get_or_insert_default().resources = Some(limit(64 << 20));
    let id = pod.run(config).await;
    let files = [("memory", "memory.limit_in_bytes"), ("", "memory.max")];
    let found = || {
        files.iter().find_map(|(controller, file)| {
            let parent = &pod.config.linux.as_ref().unwrap().cgroup_parent;
            let group = format!("/sys/fs/cgroup/{controller}/{parent}");
            // Whatever a runtime calls a container's group, its id is in the name.
            let groups = std::fs::read_dir(group).ok()?.flatten();
            let own = groups.into_iter().find(|entry| entry.file_name().to_string_lossy().contains(&id))?;
            std::fs::read_to_string(own.path().join(file)).ok()?.trim().parse::<i64>().ok()
        })
    };
    assert_eq!(found(), Some(64 << 20));
    let request = UpdateContainerResourcesRequest {
        container_id: id.clone(),
        linux: Some(limit(96 << 20)),
        ..Default::default()
    };
    node.runtime.update_container_resources(request).await.unwrap();
    assert_eq!(found(), Some(96 << 20));
    pod.end().await;
}

pub(crate) async fn what_containers_use_is_told(node: &Node) {
    let pod = node.pod("stats").await;
    let id = pod.run(sleeper("app")).await;
    let ended = pod.run(container("ended", "true")).await;
    node.ended(&ended).await;
    let stats = node.runtime.container_stats(ContainerStatsRequest { container_id: id.clone() }).await.unwrap();
    check(&stats.stats.unwrap(), &id);
    let filter = Some(ContainerStatsFilter { pod_sandbox_id: pod.id.clone(), ..Default::default() });
    let listed = node.runtime.list_container_stats(ListContainerStatsRequest { filter }).await.unwrap().stats;
    let own: Vec<&ContainerStats> = listed.iter().filter(|stats| stats.cpu.is_some()).collect();
    assert_eq!(own.len(), 1, "of those that run");
    check(own[0], &id);
    let request = PodSandboxStatsRequest { pod_sandbox_id: pod.id.clone() };
    let stats = node.runtime.pod_sandbox_stats(request).await.unwrap().stats.unwrap();
    assert_eq!(stats.attributes.unwrap().metadata, pod.config.metadata);
    let linux = stats.linux.unwrap();
    assert!(linux.memory.unwrap().usage_bytes.unwrap().value > 0);
    assert!(linux.containers.iter().any(|container| container.attributes.as_ref().unwrap().id == id));
    let network = linux.network.unwrap();
    // A network that connects nobody has none.
    assert!(network.default_interface.is_none_or(|interface| interface.name == "eth0"));
    pod.end().await;
}

fn check(stats: &ContainerStats, id: &str) {
    let attributes = stats.attributes.as_ref().unwrap();
    assert_eq!((attributes.id.as_str(), attributes.metadata.as_ref().unwrap().name.as_str()), (id, "app"));
    let (cpu, memory) = (stats.cpu.as_ref().unwrap(), stats.memory.as_ref().unwrap());
    assert!(cpu.timestamp > 0 && memory.timestamp > 0);
    assert!(cpu.usage_core_nano_seconds.as_ref().unwrap().value > 0, "of {IMAGE}");
    assert!(memory.working_set_bytes.as_ref().unwrap().value > 0);
}
