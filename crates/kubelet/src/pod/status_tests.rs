use expect_test::{Expect, expect};
use jiff::SignedDuration;

use super::super::observed::Sandbox;
use super::*;
use crate::testing::pod_from;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn running_state() -> State {
    State::Running { started_at: at(10) }
}

fn exited(exit_code: i32) -> State {
    let (reason, message) = (String::new(), String::new());
    State::Exited(Exit { started_at: Some(at(10)), finished_at: at(20), exit_code, reason, message })
}

fn observed(ready: bool, containers: &[(&str, u32, State)]) -> Observed {
    let ips = vec!["10.0.0.5".to_owned()];
    let sandbox = Sandbox { id: "s".to_owned(), attempt: 0, ready, created_at: at(1), ips };
    let mut containers: Vec<Container> = containers
        .iter()
        .map(|(name, restart_count, state)| Container {
            id: format!("{name}{restart_count}"),
            sandbox_id: "s".to_owned(),
            name: (*name).to_owned(),
            restart_count: *restart_count,
            created_at: at(5).saturating_add(SignedDuration::from_secs(i64::from(*restart_count))).unwrap(),
            state: state.clone(),
            image: "app:1".to_owned(),
            image_id: "sha256:1".to_owned(),
            log_path: String::new(),
            spec_hash: String::new(),
        })
        .collect();
    containers.reverse();
    Observed { sandboxes: vec![sandbox], containers }
}

#[derive(Default)]
struct Extra {
    waiting: BTreeMap<String, Waiting>,
    health: BTreeMap<String, Health>,
    ending: Option<Ending>,
    finished: bool,
    starting: Option<&'static str>,
}

fn status_of(pod: &Pod, observed: &Observed, extra: &Extra) -> PodStatus {
    let facts = Facts {
        observed,
        waiting: &extra.waiting,
        health: &extra.health,
        ending: extra.ending.as_ref(),
        starting: extra.starting,
        finished: extra.finished,
        grants: None,
        resize: &Progress::default(),
        host_ips: &["192.0.2.10".to_owned()],
        runtime_name: "pintle",
        seen_at: at(100),
        now: at(100),
    };
    generate(pod, &facts)
}

fn pod(spec: &str) -> Pod {
    pod_from(&format!(r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u","generation":3}},"spec":{{{spec}}}}}"#))
}

/// Phase, containers and the conditions that are not plainly true.
fn show(status: &PodStatus) -> String {
    let mut lines = vec![status.phase.clone().unwrap()];
    let lists = [&status.init_container_statuses, &status.container_statuses];
    for container in lists.into_iter().flatten().flatten() {
        let state = container.state.clone().unwrap();
        let state = match (state.running, state.waiting, state.terminated) {
            (Some(_), ..) => "running".to_owned(),
            (_, Some(waiting), _) => format!("waiting {}", waiting.reason.unwrap()),
            (_, _, Some(exit)) => format!("terminated {} {}", exit.reason.unwrap(), exit.exit_code),
            _ => "nothing".to_owned(),
        };
        let ready = if container.ready { " ready" } else { "" };
        lines.push(format!("{}: {state}{ready}, {} restarts", container.name, container.restart_count));
    }
    for condition in status.conditions.iter().flatten().filter(|condition| condition.status != "True") {
        let reason = condition.reason.clone().unwrap_or_default();
        lines.push(format!("not {}: {reason}", condition.type_));
    }
    lines.join("\n")
}

fn check(spec: &str, observed: &Observed, extra: &Extra, expected: Expect) {
    expected.assert_eq(&show(&status_of(&pod(spec), observed, extra)));
}

const ONE: &str = r#""containers":[{"name":"a","image":"app:1"}]"#;
const NEVER: &str = r#""restartPolicy":"Never","containers":[{"name":"a","image":"app:1"}]"#;
const INIT: &str = r#""initContainers":[{"name":"i"}],"containers":[{"name":"a"}]"#;

#[test]
fn a_pod_before_anything_ran_is_pending() {
    check(
        ONE,
        &Observed::default(),
        &Extra::default(),
        expect![[r#"
            Pending
            a: waiting ContainerCreating, 0 restarts
            not PodReadyToStartContainers: 
            not Ready: ContainersNotReady
            not ContainersReady: ContainersNotReady"#]],
    );
    let waiting = Waiting { reason: "ErrImagePull".to_owned(), message: "no".to_owned() };
    let extra = Extra { waiting: BTreeMap::from([("a".to_owned(), waiting)]), ..Extra::default() };
    check(
        ONE,
        &observed(true, &[]),
        &extra,
        expect![[r#"
            Pending
            a: waiting ErrImagePull, 0 restarts
            not Ready: ContainersNotReady
            not ContainersReady: ContainersNotReady"#]],
    );
}

#[test]
fn a_running_pod_has_all_conditions_of_its_generation() {
    let pod = pod(ONE);
    let status = status_of(&pod, &observed(true, &[("a", 0, running_state())]), &Extra::default());
    expect![[r#"
        Running
        a: running ready, 0 restarts"#]]
    .assert_eq(&show(&status));
    let conditions = status.conditions.as_deref().unwrap();
    let types: Vec<&str> = conditions.iter().map(|condition| condition.type_.as_str()).collect();
    assert_eq!(types, ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]);
    assert!(conditions.iter().all(|condition| condition.observed_generation == Some(3)));
    assert_eq!(status.pod_ip.as_deref(), Some("10.0.0.5"));
    assert_eq!((status.host_ip.as_deref(), status.qos_class.as_deref()), (Some("192.0.2.10"), Some("BestEffort")));
    let again = Pod { status: Some(status.clone()), ..pod };
    let later = status_of(&again, &observed(true, &[("a", 0, running_state())]), &Extra::default());
    assert_eq!(later, status, "what is the same is not written again");
}

#[test]
fn init_containers_hold_the_pod_back() {
    check(
        INIT,
        &observed(true, &[("i", 0, running_state())]),
        &Extra::default(),
        expect![[r#"
            Pending
            i: running, 0 restarts
            a: waiting PodInitializing, 0 restarts
            not Initialized: ContainersNotInitialized
            not Ready: ContainersNotReady
            not ContainersReady: ContainersNotReady"#]],
    );
    let never = format!(r#"{INIT},"restartPolicy":"Never""#);
    check(
        &never,
        &observed(true, &[("i", 0, exited(1))]),
        &Extra::default(),
        expect![[r#"
            Failed
            i: terminated Error 1, 0 restarts
            a: waiting PodInitializing, 0 restarts
            not Initialized: ContainersNotInitialized
            not Ready: PodFailed
            not ContainersReady: PodFailed"#]],
    );
}

#[test]
fn ends_become_phases_by_the_restart_policy() {
    let phase = |spec: &str, code| {
        status_of(&pod(spec), &observed(true, &[("a", 0, exited(code))]), &Extra::default()).phase.unwrap()
    };
    assert_eq!(phase(ONE, 0), "Running");
    assert_eq!(phase(ONE, 1), "Running");
    assert_eq!(phase(NEVER, 0), "Succeeded");
    assert_eq!(phase(NEVER, 1), "Failed");
}

#[test]
fn a_crash_loop_shows_the_last_end() {
    let waiting = Waiting { reason: "CrashLoopBackOff".to_owned(), message: "back-off".to_owned() };
    let extra = Extra { waiting: BTreeMap::from([("a".to_owned(), waiting)]), ..Extra::default() };
    let seen = observed(true, &[("a", 1, exited(0)), ("a", 2, exited(3))]);
    check(
        ONE,
        &seen,
        &extra,
        expect![[r#"
            Running
            a: waiting CrashLoopBackOff, 2 restarts
            not Ready: ContainersNotReady
            not ContainersReady: ContainersNotReady"#]],
    );
    let status = status_of(&pod(ONE), &seen, &extra).container_statuses.unwrap().remove(0);
    assert_eq!(status.last_state.unwrap().terminated.unwrap().exit_code, 3);
}

#[test]
fn what_the_runtime_forgot_is_counted_once_and_shown_as_lost() {
    let mut pod = pod(ONE);
    pod.status = Some(status_of(&pod, &observed(true, &[("a", 2, running_state())]), &Extra::default()));
    let forgotten = Observed::default();
    let status = status_of(&pod, &forgotten, &Extra::default());
    expect![[r#"
        Running
        a: waiting ContainerCreating, 3 restarts
        not PodReadyToStartContainers: 
        not Ready: ContainersNotReady
        not ContainersReady: ContainersNotReady"#]]
    .assert_eq(&show(&status));
    let last = status.container_statuses.as_ref().unwrap()[0].last_state.clone().unwrap().terminated.unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (137, Some("ContainerStatusUnknown")));
    pod.status = Some(status.clone());
    assert_eq!(status_of(&pod, &forgotten, &Extra::default()), status);
}

#[test]
fn a_deleted_pod_that_never_ran_failed() {
    let ending = Some(Ending { cause: Cause::Deleted, deadline: at(100) });
    let extra = Extra { ending, finished: true, ..Extra::default() };
    assert_eq!(status_of(&pod(ONE), &Observed::default(), &extra).phase.as_deref(), Some("Failed"));
}

#[test]
fn what_others_wrote_is_kept() {
    let mut pod = pod(&format!(r#"{ONE},"readinessGates":[{{"conditionType":"example.com/gate"}}]"#));
    pod.status = serde_json::from_str(
        r#"{"conditions":[{"type":"DisruptionTarget","status":"True"},{"type":"PodScheduled","status":"True","lastTransitionTime":"2030-01-01T00:00:00Z"}],
            "nominatedNodeName":"n","startTime":"2029-01-01T00:00:00Z"}"#,
    )
    .unwrap();
    let status = status_of(&pod, &observed(true, &[("a", 0, running_state())]), &Extra::default());
    assert_eq!(status.nominated_node_name.as_deref(), Some("n"));
    assert_eq!(status.start_time.as_ref().unwrap().0.to_string(), "2029-01-01T00:00:00Z");
    assert!(status.conditions.as_ref().unwrap().iter().any(|condition| condition.type_ == "DisruptionTarget"));
    assert!(show(&status).contains("not Ready: ReadinessGatesNotReady"));
}

#[test]
fn a_container_whose_post_start_hook_runs_is_not_running_yet() {
    let pod = pod_from(
        r#"{"metadata":{"name":"p","namespace":"ns","uid":"u"},"spec":{"containers":[{"name":"c","image":"app:1",
            "lifecycle":{"postStart":{"sleep":{"seconds":5}}}}]}}"#,
    );
    let seen = observed(true, &[("c", 0, running_state())]);
    let extra = Extra { starting: Some("c"), ..Extra::default() };
    let status = status_of(&pod, &seen, &extra);
    let container = &status.container_statuses.as_ref().unwrap()[0];
    let waiting = container.state.as_ref().unwrap().waiting.as_ref().unwrap();
    assert_eq!((waiting.reason.as_deref(), container.ready), (Some("ContainerCreating"), false));
    assert_eq!(status.phase.as_deref(), Some("Pending"));
    let status = status_of(&pod, &seen, &Extra::default());
    assert_eq!(status.phase.as_deref(), Some("Running"));
}
