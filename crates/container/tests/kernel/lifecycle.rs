//! A container's life: output, exit, exec, stop, removal.

use cri::*;

use crate::bench::{Bench, config, content, with_security};

#[tokio::test(flavor = "multi_thread")]
async fn a_container_runs_writes_its_log_and_ends() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("web").await;
    let (status, output) = bench
        .script(
            &sandbox,
            config("app", "echo out; echo err >&2; echo $FROM_IMAGE; hostname; cat /etc/resolv.conf; exit 3"),
        )
        .await;
    assert_eq!((status.exit_code, status.reason.as_str()), (3, "Error"));
    assert!(status.created_at <= status.started_at && status.started_at <= status.finished_at);
    for line in
        ["out", "err", "yes", "web", "search default.svc.cluster.local", "nameserver 10.96.0.10", "options ndots:5"]
    {
        assert!(output.lines().any(|found| found == line), "{line:?} in {output}");
    }
    let log = std::fs::read_to_string(&status.log_path).unwrap();
    assert!(log.lines().any(|line| line.ends_with("Z stderr F err")), "{log}");
    let again = bench.start(&status.id).await.unwrap_err();
    assert_eq!(again.code, Code::FailedPrecondition);
    bench.remove(&sandbox).await;
    assert!(bench.network.attached.lock().unwrap().is_empty());
    assert!(bench.runtime.list_containers(ListContainersRequest::default()).await.unwrap().containers.is_empty());
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_a_pod_share_its_world() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("pair").await;
    let one = bench.run(&sandbox, config("one", "sleep 1000")).await;
    let two = bench.run(&sandbox, config("two", "sleep 1000")).await;
    for place in ["net", "ipc", "uts"] {
        let link = format!("ls -l /proc/self/ns/{place} | tail -c 20");
        assert_eq!(bench.output(&one, &link).await, bench.output(&two, &link).await, "{place}");
    }
    for place in ["pid", "mnt"] {
        let link = format!("ls -l /proc/self/ns/{place} | tail -c 20");
        assert_ne!(bench.output(&one, &link).await, bench.output(&two, &link).await, "{place}");
    }
    bench.output(&one, "echo shared > /dev/shm/word").await;
    assert_eq!(bench.output(&two, "cat /dev/shm/word").await, "shared");
    let status = PodSandboxStatusRequest { pod_sandbox_id: sandbox.clone(), verbose: false };
    let status = bench.runtime.pod_sandbox_status(status).await.unwrap();
    assert_eq!(status.status.unwrap().network.unwrap().ip, "10.244.0.7");
    assert_eq!(status.containers_statuses.len(), 2);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_runs_beside_the_container_and_tells_its_end() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("exec").await;
    let id = bench.run(&sandbox, config("app", "sleep 1000")).await;
    let answer = bench.exec(&id, "echo one; echo two >&2; exit 7").await;
    assert_eq!(
        (answer.stdout.as_slice(), answer.stderr.as_slice(), answer.exit_code),
        (&b"one\n"[..], &b"two\n"[..], 7)
    );
    let much = bench.exec(&id, "head -c 3000000 /dev/zero | tr '\\0' x").await;
    assert_eq!(much.stdout.len(), 3_000_000);
    let late = bench.try_exec(&id, &["/bin/sleep", "1000"], 1).await.unwrap_err();
    assert_eq!(late.code, Code::DeadlineExceeded);
    let absent = bench.try_exec(&id, &["no-such-program"], 0).await.unwrap_err();
    assert!(absent.message.contains("exec: \"no-such-program\": executable file not found in $PATH"), "{absent}");
    // A child that keeps the pipe open does not hold the answer up.
    let answer = bench.exec(&id, "sleep 1000 & echo done").await;
    assert_eq!(answer.stdout, b"done\n");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_cannot_start_says_why() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("broken").await;
    for (command, reason) in [
        ("nothing", "exec: \"nothing\": executable file not found in $PATH"),
        ("/bin/nothing", "exec: \"/bin/nothing\": stat /bin/nothing: no such file or directory"),
        ("/etc/passwd", "exec: \"/etc/passwd\": permission denied"),
        ("/tmp", "exec: \"/tmp\": is a directory"),
    ] {
        let broken = ContainerConfig { command: vec![command.to_owned()], ..config("app", "") };
        let id = bench.create(&sandbox, broken).await;
        let error = bench.start(&id).await.unwrap_err();
        assert!(error.message.contains(reason), "{error}");
        let status = bench.status(&id).await;
        assert_eq!((status.exit_code, status.reason.as_str()), (128, "StartError"), "{command}");
        assert!(status.message.contains(reason));
        assert_eq!(status.state, ContainerState::Exited as i32);
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_asks_first_and_then_insists() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("stop").await;
    let kind = bench
        .run(&sandbox, config("kind", "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done"))
        .await;
    let deaf = bench.run(&sandbox, config("deaf", "trap '' TERM; echo up; while :; do sleep 1000; done")).await;
    for id in [&kind, &deaf] {
        while content(&std::fs::read_to_string(bench.status(id).await.log_path).unwrap_or_default()) != "up\n" {
            tokio::task::yield_now().await;
        }
    }
    for (id, timeout) in [(&kind, 60), (&deaf, 1)] {
        bench.runtime.stop_container(StopContainerRequest { container_id: id.clone(), timeout }).await.unwrap();
    }
    assert_eq!(bench.status(&kind).await.exit_code, 5);
    assert_eq!(bench.status(&deaf).await.exit_code, 137);
    bench.runtime.stop_container(StopContainerRequest { container_id: kind.clone(), timeout: 60 }).await.unwrap();
    bench.runtime.remove_container(RemoveContainerRequest { container_id: kind.clone() }).await.unwrap();
    bench.runtime.remove_container(RemoveContainerRequest { container_id: kind }).await.unwrap();
    bench.remove(&sandbox).await;
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn running_out_of_memory_is_told() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("oom").await;
    let mut greedy = config("app", "x=x; while :; do x=$x$x; done");
    greedy.linux = Some(LinuxContainerConfig {
        resources: Some(LinuxContainerResources {
            memory_limit_in_bytes: 24 << 20,
            oom_score_adj: 500,
            ..Default::default()
        }),
        ..Default::default()
    });
    let (status, _) = bench.script(&sandbox, greedy).await;
    assert_eq!((status.exit_code, status.reason.as_str()), (137, "OOMKilled"));
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_goes_on_in_a_new_file() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("logs").await;
    let id = bench
        .run(&sandbox, config("app", "echo first; while ! test -e /tmp/go; do sleep 0.05; done; echo second"))
        .await;
    let path = bench.status(&id).await.log_path;
    while content(&std::fs::read_to_string(&path).unwrap_or_default()) != "first\n" {
        tokio::task::yield_now().await;
    }
    std::fs::rename(&path, format!("{path}.1")).unwrap();
    bench.runtime.reopen_container_log(ReopenContainerLogRequest { container_id: id.clone() }).await.unwrap();
    bench.output(&id, "touch /tmp/go").await;
    bench.ended(&id).await;
    assert_eq!(content(&std::fs::read_to_string(&path).unwrap()), "second\n");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_usage_are_the_kernels() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("stats").await;
    let id = bench.run(&sandbox, config("app", "i=0; while test $i -lt 20000; do i=$((i+1)); done; sleep 1000")).await;
    bench.output(&id, "true").await;
    let stats = bench.runtime.container_stats(ContainerStatsRequest { container_id: id.clone() }).await.unwrap();
    let stats = stats.stats.unwrap();
    assert!(stats.memory.unwrap().working_set_bytes.unwrap().value > 0);
    assert!(stats.cpu.unwrap().usage_core_nano_seconds.unwrap().value > 0);
    let limit = LinuxContainerResources { memory_limit_in_bytes: 64 << 20, cpu_shares: 512, ..Default::default() };
    let request =
        UpdateContainerResourcesRequest { container_id: id.clone(), linux: Some(limit), ..Default::default() };
    bench.runtime.update_container_resources(request).await.unwrap();
    let listed = bench.runtime.list_container_stats(ListContainerStatsRequest::default()).await.unwrap();
    assert_eq!(listed.stats.len(), 1);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_start_side_by_side() {
    let owned = Bench::new().await;
    let names: Vec<String> = (0..6).map(|number| format!("pod{number}")).collect();
    let bench = &owned;
    let pods = names.iter().map(|name| async move {
        let sandbox = bench.sandbox(name).await;
        let (status, output) = bench.script(&sandbox, config("app", "hostname")).await;
        assert_eq!((status.exit_code, output), (0, format!("{name}\n")));
        bench.remove(&sandbox).await;
    });
    futures::future::join_all(pods).await;
    owned.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_is_ready_when_its_network_is() {
    let bench = Bench::new().await;
    let ready = |status: StatusResponse| -> Vec<bool> {
        status.status.unwrap().conditions.iter().map(|condition| condition.status).collect()
    };
    assert_eq!(ready(RuntimeService::status(&*bench.runtime, StatusRequest::default()).await.unwrap()), [true, false]);
    let range = RuntimeConfig { network_config: Some(NetworkConfig { pod_cidr: "10.244.0.0/24".to_owned() }) };
    bench.runtime.update_runtime_config(UpdateRuntimeConfigRequest { runtime_config: Some(range) }).await.unwrap();
    assert_eq!(ready(RuntimeService::status(&*bench.runtime, StatusRequest::default()).await.unwrap()), [true, true]);
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_process_namespace_is_the_pods() {
    let bench = Bench::new().await;
    let options = NamespaceOption { pid: NamespaceMode::Pod as i32, ..Default::default() };
    let mut pod = bench.sandbox_config("shared");
    pod.linux.as_mut().unwrap().security_context =
        Some(LinuxSandboxSecurityContext { namespace_options: Some(options.clone()), ..Default::default() });
    let sandbox = bench.sandbox_of(pod).await;
    let context = LinuxContainerSecurityContext { namespace_options: Some(options), ..Default::default() };
    let one = bench.run(&sandbox, with_security(config("one", "sleep 1111 & sleep 1000"), context.clone())).await;
    let two = bench.run(&sandbox, with_security(config("two", "sleep 1000"), context)).await;
    assert_eq!(bench.output(&two, "cat /proc/1/comm").await, "pause");
    assert_ne!(bench.output(&two, "ps | grep -c '[s]leep 1111'").await, "0");
    bench.runtime.stop_container(StopContainerRequest { container_id: one, timeout: 0 }).await.unwrap();
    assert_eq!(bench.exec(&two, "ps | grep '[s]leep 1111'").await.exit_code, 1);
    bench.remove(&sandbox).await;
    bench.close();
}
