use expect_test::{Expect, expect};
use reconcile::{Informer, ListOptions};

use super::*;
use crate::testing::api_server::FakeApi;
use crate::testing::pod_from;
use crate::testing::runtime::{FailedStart, FakeRuntime};

/// One pod's worker between an API and a runtime of data, on virtual time.
struct World {
    api: FakeApi,
    runtime: Arc<FakeRuntime>,
    mailbox: Arc<Mailbox>,
    context: Arc<Context>,
    worker: tokio::task::JoinHandle<()>,
    listener: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
    cancel: CancellationToken,
}

impl World {
    async fn start(spec: &str) -> World {
        World::start_with(spec, |_| {}).await
    }

    async fn start_with(spec: &str, prepare: impl FnOnce(&FakeRuntime)) -> World {
        let ambient = stdx::Ambient::simulated(1);
        let (api, runtime) = (FakeApi::default(), FakeRuntime::new(ambient.clock));
        prepare(&runtime);
        let pod = api.create(&pod_from(&format!(
            r#"{{"metadata":{{"name":"web","namespace":"ns","uid":"u","generation":1}},"spec":{{{spec}}}}}"#
        )));
        let shared = crate::testing::context::World::with(&api, &runtime, ambient);
        let (context, folder, cancel) = (shared.context, shared.folder, shared.cancel);
        let mailbox = Arc::new(Mailbox::default());
        let worker = tokio::spawn(Worker::new(Arc::clone(&context), Arc::clone(&mailbox), Arc::new(pod)).run());
        let (woken, events) = (Arc::clone(&mailbox), context.runtime.container_events().await.unwrap());
        let listener = tokio::spawn(async move {
            let mut events = events;
            while futures::StreamExt::next(&mut events).await.is_some() {
                woken.wake();
            }
        });
        World { api, runtime, mailbox, context, worker, listener, folder, cancel }
    }

    /// Another program takes over: nothing of the old worker's memory is left.
    fn restart(&mut self) {
        self.worker.abort();
        let pod = Arc::new(self.api.pod().unwrap());
        let worker = Worker::new(Arc::clone(&self.context), Arc::clone(&self.mailbox), pod);
        self.worker = tokio::spawn(worker.run());
    }

    /// Waits until the pod's status is as wanted, however long that takes in virtual time.
    async fn until(&self, what: &str, holds: impl Fn(&PodStatus) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3600);
        loop {
            let status = self.api.pod().and_then(|pod| pod.status).unwrap_or_default();
            if holds(&status) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "never {what}; last seen: {status:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_running(&self, restart_count: i32) {
        self.until("running", |status| {
            let mut all = status.container_statuses.iter().flatten();
            all.any(|status| status.ready && status.restart_count == restart_count)
        })
        .await;
    }

    async fn until_waiting(&self, reason: &str) {
        self.until(reason, |status| {
            let mut all = status.container_statuses.iter().flatten();
            all.any(|status| {
                status.state.as_ref().is_some_and(|state| {
                    state.waiting.as_ref().is_some_and(|waiting| waiting.reason.as_deref() == Some(reason))
                })
            })
        })
        .await;
    }

    fn delete(&self, grace_seconds: i64) {
        let pod = self.api.edit(|pod| {
            pod.metadata.deletion_timestamp = Some(api::k8s::apimachinery::pkg::apis::meta::v1::Time(Timestamp::MAX));
            pod.metadata.deletion_grace_period_seconds = Some(grace_seconds);
            // The end asked for is part of what is wanted.
            pod.metadata.generation = pod.metadata.generation.map(|generation| generation + 1);
        });
        self.mailbox.pod_changed(Arc::new(pod));
    }

    async fn until_gone(self) -> Vec<String> {
        let World { api, runtime, worker, listener, folder, cancel, .. } = self;
        worker.await.unwrap();
        assert!(api.pod().is_none() && runtime.is_empty(), "nothing is left in the API and the runtime");
        for left in ["kubelet/pods/u", "logs/ns_web_u"] {
            assert!(!folder.path().join(left).exists(), "{left} is left");
        }
        listener.abort();
        // Events are written in the background.
        tokio::time::sleep(Duration::from_secs(1)).await;
        cancel.cancel();
        api.take_events()
    }

    fn check_calls(&self, expected: Expect) {
        expected.assert_eq(&self.runtime.take_calls());
    }
}

const APP: &str = r#""containers":[{"name":"app","image":"app:1"}]"#;

#[tokio::test(start_paused = true)]
async fn a_pod_lives_and_goes() {
    let world = World::start(APP).await;
    world.until_running(0).await;
    world.check_calls(expect![[r#"
        run sandbox0
        pull app:1
        create app-0
        start app-0"#]]);
    let status = world.api.pod().unwrap().status.unwrap();
    assert_eq!((status.phase.as_deref(), status.pod_ip.as_deref()), (Some("Running"), Some("10.244.0.5")));
    assert_eq!(status.container_statuses.unwrap()[0].container_id.as_deref(), Some("pintle://app-0"));
    world.delete(30);
    let runtime = Arc::clone(&world.runtime);
    let events = world.until_gone().await;
    expect![[r#"
        stop app-0 30
        stop sandbox0
        remove app-0
        remove sandbox0"#]]
    .assert_eq(&runtime.take_calls());
    expect![[r#"
        Pulling: Pulling image "app:1"
        Pulled: Successfully pulled image "app:1" in 0s (0s including waiting). Image size: 7 bytes.
        Created: Created container: app
        Started: Started container app
        Killing: Stopping container app"#]]
    .assert_eq(&events.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_restarted_at_once_and_then_ever_later() {
    let world = World::start(APP).await;
    let mut waits = Vec::new();
    for restart_count in 0..4 {
        world.until_running(restart_count).await;
        let exited_at = tokio::time::Instant::now();
        world.runtime.exit("app", 1);
        world.until_running(restart_count + 1).await;
        waits.push(exited_at.elapsed().as_secs());
    }
    assert_eq!(waits, [0, 10, 20, 40]);
    let status = world.api.pod().unwrap().status.unwrap();
    let last = status.container_statuses.unwrap()[0].last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (1, Some("Error")));
    assert!(world.runtime.take_calls().contains("remove app-0"), "only the last end is kept");
    let told = world.api.take_events();
    let back_off = "BackOff: Back-off restarting failed container app in pod web_ns(u)";
    assert!(told.iter().any(|event| event == back_off), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_says_why_and_is_tried_again() {
    let refused = cri::Status::not_found("app:1: not found");
    let world = World::start_with(APP, |runtime| runtime.fail_pulls("app:1", Some(refused))).await;
    world.until_waiting("ErrImagePull").await;
    world.until_waiting("ImagePullBackOff").await;
    let status = world.api.pod().unwrap().status.unwrap().container_statuses.unwrap().remove(0);
    let message = status.state.unwrap().waiting.unwrap().message.unwrap();
    assert_eq!(
        message,
        "Back-off pulling image \"app:1\": ErrImagePull: rpc error: code = NotFound desc = app:1: not found"
    );
    world.runtime.fail_pulls("app:1", None);
    world.until_running(0).await;
}

/// Upstream's status manager, too, tells of several changes in one word.
#[tokio::test(start_paused = true)]
async fn a_pod_is_told_of_once_as_it_starts_and_once_as_it_goes() {
    let world = World::start(APP).await;
    world.until_running(0).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.api.status_writes(), 1);
    let status = world.api.pod().unwrap().status.unwrap();
    let started_at = status.container_statuses.unwrap()[0].state.as_ref().unwrap().running.clone().unwrap().started_at;
    assert!(status.start_time.unwrap().0 <= started_at.unwrap().0);
    world.delete(30);
    let api = world.api.clone();
    world.until_gone().await;
    assert_eq!(api.status_writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_takes_long_is_told_of_meanwhile() {
    let world = World::start_with(APP, FakeRuntime::ignore_term).await;
    world.until_running(0).await;
    world.delete(30);
    let since = tokio::time::Instant::now();
    world.until("heard of", |status| status.observed_generation == Some(2)).await;
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(250) && took < Duration::from_millis(500), "{took:?}");
    assert_eq!(world.api.pod().unwrap().status.unwrap().phase.as_deref(), Some("Running"));
    let api = world.api.clone();
    world.until_gone().await;
    assert_eq!(api.status_writes(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_takes_long_is_told_of_meanwhile() {
    let hook = r#""lifecycle":{"postStart":{"sleep":{"seconds":20}}}"#;
    let world = World::start(&format!(r#""containers":[{{"name":"app","image":"app:1",{hook}}}]"#)).await;
    let since = tokio::time::Instant::now();
    world.until_waiting("ContainerCreating").await;
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(250) && took < Duration::from_millis(500), "{took:?}");
    world.until_running(0).await;
    assert_eq!(world.api.status_writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_image_loaded_by_hand_serves_when_nobody_answers() {
    let pod = r#""containers":[{"name":"app","image":"localhost/app:latest","imagePullPolicy":"Always"}]"#;
    let silent = cri::Status::new(cri::Code::Unavailable, "connection refused");
    let world = World::start_with(pod, |runtime| {
        runtime.add_image("localhost/app:latest", "load");
        runtime.fail_pulls("localhost/app:latest", Some(silent));
    })
    .await;
    world.until_running(0).await;
    world.delete(1);
    let events = world.until_gone().await;
    assert!(events.iter().any(|event| event.starts_with("UsingLocalImage: ")), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_ends_and_its_sandbox_with_it() {
    let world = World::start(&format!(r#"{APP},"restartPolicy":"Never""#)).await;
    world.until_running(0).await;
    world.runtime.exit("app", 0);
    world.until("succeeded", |status| status.phase.as_deref() == Some("Succeeded")).await;
    let pod = world.api.pod().unwrap();
    world.mailbox.pod_changed(Arc::new(pod));
    world.delete(30);
    let events = world.until_gone().await;
    assert!(!events.iter().any(|event| event.starts_with("Killing")), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_sandbox_is_replaced() {
    let world = World::start(APP).await;
    world.until_running(0).await;
    world.runtime.take_calls();
    world.runtime.lose_sandbox();
    world.until_running(1).await;
    let calls = world.runtime.take_calls();
    assert!(calls.contains("run sandbox1\n") && calls.contains("start app-1"), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_program_leaves_what_lives_alone() {
    let probe = r#""readinessProbe":{"exec":{"command":["true"]}}"#;
    let mut world = World::start(&format!(r#""containers":[{{"name":"app","image":"app:1",{probe}}}]"#)).await;
    world.until_running(0).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = world.api.pod().unwrap().status;
    world.runtime.take_calls();
    world.restart();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.api.pod().unwrap().status, before, "it stays ready all along");
    let calls = world.runtime.take_calls();
    assert!(calls.lines().all(|call| call.starts_with("exec app-0")), "{calls}");
    world.runtime.exit("app", 1);
    world.until_running(1).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_pods_that_are_gone_is_removed() {
    let world = World::start(APP).await;
    world.until_running(0).await;
    world.worker.abort();
    world.runtime.take_calls();
    let none: Informer<Pod> = Informer::start(
        client::Api::all(world.api.client()),
        ListOptions::default(),
        &world.context.ambient,
        world.cancel.clone(),
    );
    none.synced().await;
    let pods = super::super::manager::Pods::new(Arc::clone(&world.context), world.cancel.clone());
    pods.remove_orphans(&none).await.unwrap();
    world.check_calls(expect![[r#"
        stop app-0 30
        stop sandbox0
        remove sandbox0"#]]);
    assert!(world.runtime.is_empty());
    assert!(
        !world.folder.path().join("kubelet/pods/u").exists() && !world.folder.path().join("logs/ns_web_u").exists()
    );
}

#[tokio::test(start_paused = true)]
async fn a_shorter_grace_hastens_the_end() {
    let world = World::start_with(APP, FakeRuntime::ignore_term).await;
    world.until_running(0).await;
    world.runtime.take_calls();
    world.delete(600);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let hastened = tokio::time::Instant::now();
    world.delete(1);
    let runtime = Arc::clone(&world.runtime);
    world.until_gone().await;
    assert!(hastened.elapsed() < Duration::from_secs(10));
    let calls = runtime.take_calls();
    assert!(calls.starts_with("stop app-0 600\nstop app-0 1\n"), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_forced_deletion_kills_at_once_and_leaves_nothing() {
    let world = World::start_with(APP, FakeRuntime::ignore_term).await;
    world.until_running(0).await;
    let logs = world.folder.path().join("logs/ns_web_u");
    std::fs::create_dir_all(&logs).unwrap();
    world.runtime.take_calls();
    let asked = tokio::time::Instant::now();
    world.api.remove();
    world.mailbox.pod_gone();
    let runtime = Arc::clone(&world.runtime);
    world.until_gone().await;
    assert!(asked.elapsed() < Duration::from_secs(4), "it does not wait for its grace of 30 s");
    expect![[r#"
        stop app-0 1
        stop sandbox0
        remove app-0
        remove sandbox0"#]]
    .assert_eq(&runtime.take_calls());
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_forgot_everything_goes_on_with_the_count_and_a_new_log() {
    let mut world = World::start(APP).await;
    world.until_running(0).await;
    world.worker.abort();
    world.runtime.forget();
    world.restart();
    world.until_running(1).await;
    let status = world.api.pod().unwrap().status.unwrap();
    assert_eq!(status.phase.as_deref(), Some("Running"));
    let last = status.container_statuses.unwrap()[0].last_state.clone();
    assert_eq!(world.runtime.log_path("app-1"), "app/1.log");
    let last = last.unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (137, Some("ContainerStatusUnknown")));
    assert_eq!(last.container_id.as_deref(), Some("pintle://app-0"));

    // Logs count where the API's memory falls behind.
    world.worker.abort();
    world.runtime.forget();
    std::fs::write(world.folder.path().join("logs/ns_web_u/app/6.log"), "").unwrap();
    world.restart();
    world.until_running(7).await;
    assert_eq!(world.runtime.log_path("app-7"), "app/7.log");
}

#[tokio::test(start_paused = true)]
async fn a_program_that_cannot_be_started_is_restarted_as_a_crash_is() {
    for kept in [FailedStart::Exited, FailedStart::Created, FailedStart::Removed] {
        let world = World::start_with(APP, |runtime| runtime.fail_starts(kept)).await;
        let since = tokio::time::Instant::now();
        let mut started_at = Vec::new();
        while started_at.len() < 4 {
            let calls = world.runtime.take_calls();
            started_at.extend(calls.matches("start ").map(|_| since.elapsed().as_secs()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(started_at, [0, 1, 11, 31], "{kept:?}");
        world.until_waiting("RunContainerError").await;
        world.until_waiting("CrashLoopBackOff").await;
        let status = world.api.pod().unwrap().status.unwrap().container_statuses.unwrap().remove(0);
        match kept {
            FailedStart::Exited => {
                let last = status.last_state.unwrap().terminated.unwrap();
                assert_eq!((last.exit_code, last.reason.as_deref()), (128, Some("StartError")));
                assert!(status.restart_count >= 2, "{}", status.restart_count);
            }
            FailedStart::Created => assert!(status.restart_count >= 2, "{}", status.restart_count),
            // Nothing was left to count.
            FailedStart::Removed => {}
        }
        world.worker.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_cannot_be_started_fails_a_pod_that_never_restarts() {
    let never = format!(r#"{APP},"restartPolicy":"Never""#);
    let world = World::start_with(&never, |runtime| runtime.fail_starts(FailedStart::Exited)).await;
    world.until("failed", |status| status.phase.as_deref() == Some("Failed")).await;
    let status = world.api.pod().unwrap().status.unwrap().container_statuses.unwrap().remove(0);
    let end = status.state.unwrap().terminated.unwrap();
    assert_eq!((end.exit_code, end.reason.as_deref(), status.restart_count), (128, Some("StartError"), 0));
}

#[tokio::test(start_paused = true)]
async fn hooks_run_after_the_start_and_before_the_signal() {
    let hooks = r#""lifecycle":{"postStart":{"exec":{"command":["hello"]}},"preStop":{"sleep":{"seconds":4}}}"#;
    let world = World::start(&format!(r#""containers":[{{"name":"app","image":"app:1",{hooks}}}]"#)).await;
    world.until_running(0).await;
    world.delete(30);
    let runtime = Arc::clone(&world.runtime);
    world.until_gone().await;
    let calls = runtime.take_calls();
    assert!(calls.contains("start app-0\nexec app-0: hello\nstop app-0 26\n"), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn a_failing_liveness_probe_restarts_the_container() {
    let probe = r#""livenessProbe":{"exec":{"command":["true"]},"periodSeconds":5,"failureThreshold":2}"#;
    let world = World::start(&format!(r#""containers":[{{"name":"app","image":"app:1",{probe}}}]"#)).await;
    world.until_running(0).await;
    world.runtime.set_exec_exit_code(1);
    world.until_running(1).await;
    let calls = world.runtime.take_calls();
    assert!(calls.contains("stop app-0 30"), "{calls}");
}

#[tokio::test(start_paused = true)]
async fn readiness_follows_its_probe() {
    let probe = r#""readinessProbe":{"exec":{"command":["true"]},"periodSeconds":5,"failureThreshold":1}"#;
    let spec = format!(r#""containers":[{{"name":"app","image":"app:1",{probe}}}]"#);
    let world = World::start_with(&spec, |runtime| runtime.set_exec_exit_code(1)).await;
    let ready = |wanted: &'static str| {
        move |status: &PodStatus| {
            let mut conditions = status.conditions.iter().flatten();
            status.phase.as_deref() == Some("Running")
                && conditions.any(|condition| condition.type_ == "Ready" && condition.status == wanted)
        }
    };
    world.until("unready", ready("False")).await;
    world.runtime.set_exec_exit_code(0);
    world.until("ready", ready("True")).await;
    world.runtime.set_exec_exit_code(1);
    world.until("unready again", ready("False")).await;
}

#[tokio::test(start_paused = true)]
async fn the_active_deadline_ends_a_pod() {
    let world = World::start(&format!(r#"{APP},"activeDeadlineSeconds":60"#)).await;
    world.until_running(0).await;
    world.until("failed", |status| status.phase.as_deref() == Some("Failed")).await;
    let status = world.api.pod().unwrap().status.unwrap();
    assert_eq!(status.reason.as_deref(), Some("DeadlineExceeded"));
}

#[tokio::test(start_paused = true)]
async fn a_worker_at_rest_does_nothing() {
    let world = World::start(APP).await;
    world.until_running(0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let revision = world.api.pod().unwrap().metadata.resource_version;
    world.runtime.take_calls();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.api.pod().unwrap().metadata.resource_version, revision);
    assert_eq!(world.runtime.take_calls(), "");
}

#[tokio::test(start_paused = true)]
async fn an_evicted_pod_fails_and_says_why() {
    let world = World::start(APP).await;
    world.until_running(0).await;
    let pod = world.api.pod().unwrap();
    let message = "The node was low on resource: memory. ".to_owned();
    let disruption = Some(message.clone());
    world.mailbox.evict(Eviction { disruption, ..Eviction::new(&pod, message) }, 1);
    world.until("failed", |status| status.phase.as_deref() == Some("Failed")).await;
    let status = world.api.pod().unwrap().status.unwrap();
    assert_eq!(status.reason.as_deref(), Some("Evicted"));
    assert_eq!(status.message.as_deref(), Some("The node was low on resource: memory. "));
    let target = status.conditions.unwrap().into_iter().find(|condition| condition.type_ == "DisruptionTarget");
    assert_eq!(target.unwrap().reason.as_deref(), Some("TerminationByKubelet"));
    assert!(world.runtime.take_calls().contains("stop app-0 1\n"));
    world.delete(30);
    let events = world.until_gone().await;
    assert!(events.contains(&"Evicted: The node was low on resource: memory. ".to_owned()), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_resize_reaches_the_container_that_runs() {
    let spec = |cpu: &str| {
        format!(r#""containers":[{{"name":"app","image":"app:1","resources":{{"requests":{{"cpu":"{cpu}"}}}}}}]"#)
    };
    let world = World::start(&spec("100m")).await;
    world.until_running(0).await;
    let requests = |status: &PodStatus| {
        let container = &status.container_statuses.as_ref()?[0];
        let of = |amounts: Option<&std::collections::BTreeMap<_, _>>| {
            amounts?.get("cpu").map(|cpu: &api::k8s::apimachinery::pkg::api::resource::Quantity| cpu.0.clone())
        };
        let actual = of(container.resources.as_ref().and_then(|resources| resources.requests.as_ref()))?;
        Some((actual, of(container.allocated_resources.as_ref())?))
    };
    let both = |cpu: &str| Some((cpu.to_owned(), cpu.to_owned()));
    world.until("told of its resources", |status| requests(status) == both("100m")).await;
    world.runtime.take_calls();
    let pod = world.api.edit(|pod| {
        let wanted = serde_json::from_str::<Pod>(&format!(r#"{{"spec":{{{}}}}}"#, spec("200m"))).unwrap();
        pod.spec = wanted.spec;
    });
    world.mailbox.pod_changed(Arc::new(pod));
    world.until("resized", |status| requests(status) == both("200m")).await;
    world
        .until("done", |status| {
            !status.conditions.iter().flatten().any(|condition| condition.type_.starts_with("PodResize"))
        })
        .await;
    world.check_calls(expect!["update app-0 204"]);
    assert_eq!(world.api.pod().unwrap().status.unwrap().container_statuses.unwrap()[0].restart_count, 0);
}

#[test]
fn a_worker_sleeps_through_the_echo_of_its_own_words() {
    use futures::FutureExt;

    let pod = |revision: &str| {
        let text = format!(r#"{{"metadata":{{"name":"p","resourceVersion":"{revision}"}}}}"#);
        Arc::new(serde_json::from_str::<Pod>(&text).unwrap())
    };
    let is_woken = |known: u64, change: &dyn Fn(&Mailbox)| {
        let mailbox = Mailbox::default();
        change(&mailbox);
        mailbox.news(known).now_or_never().is_some()
    };
    assert!(!is_woken(5, &|_| {}));
    assert!(!is_woken(5, &|mailbox| mailbox.pod_changed(pod("5"))));
    assert!(is_woken(5, &|mailbox| mailbox.pod_changed(pod("6"))));
    assert!(is_woken(0, &|mailbox| mailbox.pod_changed(pod(""))), "pods of files have no revisions");
    assert!(
        is_woken(5, &Mailbox::wake) && is_woken(5, &Mailbox::pod_gone) && is_woken(5, &Mailbox::references_changed)
    );
    // An echo on top of news does not hide it, and what was read already is none.
    assert!(is_woken(5, &|mailbox| {
        mailbox.wake();
        mailbox.pod_changed(pod("5"));
    }));
    assert!(!is_woken(5, &|mailbox| {
        mailbox.wake();
        mailbox.take();
    }));
}
