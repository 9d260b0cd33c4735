//! What lives on when the program goes, and what is told when a shim goes.

use cri::*;

use crate::bench::{Bench, config, content};

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_program_finds_everything() {
    let mut bench = Bench::new().await;
    let sandbox = bench.sandbox("kept").await;
    let running =
        bench.run(&sandbox, config("app", "while ! test -e /tmp/go; do sleep 0.05; done; echo after; exit 4")).await;
    let (ended, _) = bench.script(&sandbox, config("done", "exit 9")).await;
    let before = bench.status(&running).await;
    let shim = bench.shim_pid(&sandbox);
    bench.reopen().await;
    assert_eq!(bench.status(&running).await, before);
    assert_eq!(bench.status(&ended.id).await.exit_code, 9);
    assert_eq!(bench.shim_pid(&sandbox), shim);
    let pods = bench.runtime.list_pod_sandbox(ListPodSandboxRequest::default()).await.unwrap().items;
    assert_eq!((pods.len(), pods[0].state), (1, PodSandboxState::Ready as i32));
    assert_eq!(pods[0].labels["app"], "kept");
    bench.output(&running, "touch /tmp/go").await;
    let status = bench.ended(&running).await;
    assert_eq!(status.exit_code, 4);
    assert_eq!(content(&std::fs::read_to_string(status.log_path).unwrap()), "after\n");
    bench.remove(&sandbox).await;
    bench.close();
}

/// Whoever ends the program by its cgroup must not end the pods.
#[tokio::test(flavor = "multi_thread")]
async fn a_shim_lives_apart_from_the_program_in_every_hierarchy() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("apart").await;
    let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", bench.shim_pid(&sandbox))).unwrap();
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    assert_eq!(groups.lines().count(), own.lines().count());
    let place = format!("/{}/shims", bench.cluster);
    for line in groups.lines() {
        assert_eq!(line.splitn(3, ':').nth(2), Some(place.as_str()), "{line}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_container_is_kept_while_nobody_listens() {
    let mut bench = Bench::new().await;
    let sandbox = bench.sandbox("alone").await;
    let go = bench.folder.path().join("go");
    std::fs::create_dir(&go).unwrap();
    let mut waiting = config("app", "while ! test -e /go/now; do sleep 0.05; done; echo alone; exit 6");
    waiting.mounts =
        vec![Mount { container_path: "/go".to_owned(), host_path: go.display().to_string(), ..Default::default() }];
    let id = bench.run(&sandbox, waiting).await;
    let log = bench.status(&id).await.log_path;
    let state = bench.folder.path().join("data/containers").join(&id).join("state.json");
    let old = std::mem::replace(
        &mut bench.runtime,
        crate::bench::open(&bench.folder.path().join("x"), "none", bench.network.clone()).await,
    );
    drop(old);
    std::fs::write(go.join("now"), "").unwrap();
    while !std::fs::read_to_string(&state).unwrap().contains("Error") {
        tokio::task::yield_now().await;
    }
    container::destroy(&bench.folder.path().join("x/data"), &bench.folder.path().join("x/run"), "none").unwrap();
    bench.reopen().await;
    assert_eq!(bench.status(&id).await.exit_code, 6);
    assert_eq!(content(&std::fs::read_to_string(log).unwrap()), "alone\n");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_shim_is_noticed_and_cleaned_away() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("dead").await;
    let id = bench.run(&sandbox, config("app", "sleep 1000")).await;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(bench.shim_pid(&sandbox)), nix::sys::signal::Signal::SIGKILL)
        .unwrap();
    let status = bench.ended(&id).await;
    assert_eq!((status.exit_code, status.reason.as_str()), (255, "Unknown"));
    let pods = bench.runtime.list_pod_sandbox(ListPodSandboxRequest::default()).await.unwrap().items;
    assert_eq!(pods[0].state, PodSandboxState::Notready as i32);
    bench.remove(&sandbox).await;
    assert!(bench.network.attached.lock().unwrap().is_empty());
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn destroy_ends_what_runs() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("destroyed").await;
    bench.run(&sandbox, config("app", "sleep 1000")).await;
    // Looks for mounts, cgroups and processes that are left.
    bench.close();
}
