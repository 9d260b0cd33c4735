use expect_test::{Expect, expect};

use super::super::observed::{Exit, Sandbox};
use super::*;
use crate::testing::pod_from;

/// One line of what is seen; times are seconds.
struct Scene {
    pod: Pod,
    observed: Observed,
    now: i64,
    ending: Option<Ending>,
    volumes: Volumes,
    health: BTreeMap<String, Health>,
    backoffs: Backoffs,
    failures: BTreeMap<String, StartFailure>,
    starting: Option<&'static str>,
    stopping: BTreeMap<String, Timestamp>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl Scene {
    /// A pod whose spec holds `containers` and whatever else, and nothing seen of it yet.
    fn new(spec: &str) -> Self {
        let pod = format!(r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u"}},"spec":{{{spec}}}}}"#);
        Scene {
            pod: pod_from(&pod),
            observed: Observed::default(),
            now: 100,
            ending: None,
            volumes: Volumes::Ready,
            health: BTreeMap::new(),
            backoffs: Backoffs::default(),
            failures: BTreeMap::new(),
            starting: None,
            stopping: BTreeMap::new(),
        }
    }

    fn sandbox(mut self, attempt: u32, ready: bool) -> Self {
        let sandbox = Sandbox {
            id: format!("s{attempt}"),
            attempt,
            ready,
            created_at: at(i64::from(attempt)),
            ips: vec!["10.0.0.5".to_owned()],
        };
        self.observed.sandboxes.insert(0, sandbox);
        self
    }

    fn container(mut self, name: &str, restart_count: u32, state: State) -> Self {
        let container = Container {
            id: format!("{name}{restart_count}"),
            sandbox_id: self.observed.sandboxes.first().map_or_else(String::new, |sandbox| sandbox.id.clone()),
            name: name.to_owned(),
            restart_count,
            created_at: at(i64::from(restart_count)),
            state,
            image: String::new(),
            image_id: String::new(),
            log_path: String::new(),
            spec_hash: String::new(),
        };
        self.observed.containers.insert(0, container);
        self
    }

    fn running(self, name: &str, restart_count: u32) -> Self {
        self.container(name, restart_count, State::Running { started_at: at(1) })
    }

    fn exited(self, name: &str, restart_count: u32, exit_code: i32) -> Self {
        let exit = Exit {
            started_at: Some(at(1)),
            finished_at: at(95),
            exit_code,
            reason: String::new(),
            message: String::new(),
        };
        self.container(name, restart_count, State::Exited(exit))
    }

    fn check(&self, expected: Expect) {
        let plan = plan(&Situation {
            pod: &self.pod,
            observed: &self.observed,
            now: at(self.now),
            ending: self.ending.as_ref(),
            volumes: self.volumes,
            health: &self.health,
            backoffs: &self.backoffs,
            failures: &self.failures,
            starting: self.starting,
            stopping: &self.stopping,
        });
        expected.assert_eq(&show(&plan));
    }
}

fn show(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan.actions.iter().map(show_action).collect();
    lines.extend(
        plan.waiting.iter().map(|(name, waiting)| format!("{name} waits: {}: {}", waiting.reason, waiting.message)),
    );
    lines.extend(plan.wake_at.map(|at| format!("wake at {}", at.as_second())));
    lines.join("\n")
}

fn show_action(action: &Action) -> String {
    match action {
        Action::StartSandbox { attempt } => format!("start sandbox {attempt}"),
        Action::SetUpVolumes => "set up volumes".to_owned(),
        Action::StopSandbox { id } => format!("stop sandbox {id}"),
        Action::StartContainer { name, restart_count, .. } => format!("start {name} {restart_count}"),
        Action::StopContainer { id, why, deadline, .. } => format!("stop {id} by {}: {why}", deadline.as_second()),
        Action::CancelStart => "cancel start".to_owned(),
        Action::Finish => "finish".to_owned(),
    }
}

const ONE: &str = r#""containers":[{"name":"a"}]"#;
const TWO: &str = r#""containers":[{"name":"a"},{"name":"b"}]"#;
const NEVER: &str = r#""restartPolicy":"Never","containers":[{"name":"a"}]"#;
const ON_FAILURE: &str = r#""restartPolicy":"OnFailure","containers":[{"name":"a"}]"#;
const INIT: &str = r#""initContainers":[{"name":"i"},{"name":"j"}],"containers":[{"name":"a"}]"#;
const SIDECAR: &str = r#""initContainers":[{"name":"s","restartPolicy":"Always"},{"name":"t","restartPolicy":"Always"}],"containers":[{"name":"a"}]"#;

#[test]
fn a_pod_starts_step_by_step() {
    Scene::new(TWO).check(expect!["start sandbox 0"]);
    Scene { starting: Some(""), ..Scene::new(TWO) }.check(expect![""]);
    Scene { volumes: Volumes::Absent, ..Scene::new(TWO).sandbox(0, true) }.check(expect!["set up volumes"]);
    Scene::new(TWO).sandbox(0, true).check(expect!["start a 0"]);
    Scene { starting: Some("a"), ..Scene::new(TWO).sandbox(0, true) }.check(expect![""]);
    Scene::new(TWO).sandbox(0, true).running("a", 0).check(expect!["start b 0"]);
    Scene::new(TWO).sandbox(0, true).running("a", 0).running("b", 0).check(expect![""]);
}

#[test]
fn a_dead_sandbox_takes_its_containers_with_it() {
    Scene::new(ONE)
        .sandbox(0, false)
        .running("a", 0)
        .check(expect!["stop a0 by 130: Pod sandbox changed, it will be killed and re-created."]);
    Scene::new(ONE).sandbox(0, false).exited("a", 0, 137).check(expect!["start sandbox 1"]);
    Scene::new(ONE).sandbox(0, false).exited("a", 0, 137).sandbox(1, true).check(expect!["start a 1"]);
    Scene::new(NEVER).sandbox(0, false).exited("a", 0, 137).check(expect![""]);
    Scene::new(ON_FAILURE).sandbox(0, false).exited("a", 0, 0).check(expect![""]);
}

#[test]
fn init_containers_run_in_order_and_once() {
    let ready = || Scene::new(INIT).sandbox(0, true);
    ready().check(expect!["start i 0"]);
    ready().running("i", 0).check(expect![""]);
    ready().exited("i", 0, 0).check(expect!["start j 0"]);
    ready().exited("i", 0, 0).exited("j", 0, 1).check(expect!["start j 1"]);
    ready().exited("i", 0, 0).exited("j", 0, 0).check(expect!["start a 0"]);
    ready().exited("i", 0, 0).exited("j", 0, 0).running("a", 0).check(expect![""]);
    let never = INIT.to_owned() + r#","restartPolicy":"Never""#;
    Scene::new(&never).sandbox(0, true).exited("i", 0, 1).check(expect!["stop sandbox s0"]);
    // A new sandbox begins anew.
    ready().exited("i", 0, 0).exited("j", 0, 0).exited("a", 0, 137).sandbox(1, true).check(expect!["start i 1"]);
}

#[test]
fn sidecars_start_first_and_are_kept() {
    let ready = || Scene::new(SIDECAR).sandbox(0, true);
    ready().check(expect!["start s 0"]);
    ready().running("s", 0).check(expect!["start t 0"]);
    let waiting = Health { started: false, ..Health::default() };
    let scene = Scene { health: BTreeMap::from([("s0".to_owned(), waiting)]), ..ready().running("s", 0) };
    scene.check(expect![""]);
    ready().running("s", 0).running("t", 0).check(expect!["start a 0"]);
    ready().exited("s", 0, 0).running("t", 0).running("a", 0).check(expect!["start s 1"]);
    // When the work is done they go too, the last one first.
    let done = || Scene::new(&(SIDECAR.to_owned() + r#","restartPolicy":"Never""#)).sandbox(0, true);
    done().running("s", 0).running("t", 0).exited("a", 0, 0).check(expect!["stop t0 by 130: Stopping container t"]);
}

#[test]
fn restarts_follow_policy_and_back_off() {
    let exited = |spec: &str, code| Scene::new(spec).sandbox(0, true).exited("a", 0, code);
    exited(ONE, 0).check(expect!["start a 1"]);
    exited(ON_FAILURE, 1).check(expect!["start a 1"]);
    exited(ON_FAILURE, 0).check(expect!["stop sandbox s0"]);
    exited(NEVER, 1).check(expect!["stop sandbox s0"]);
    let rules = r#""restartPolicy":"Never","containers":[{"name":"a","restartPolicy":"Never","restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In","values":[42]}}]}]"#;
    exited(rules, 42).check(expect!["start a 1"]);
    exited(rules, 1).check(expect!["stop sandbox s0"]);
    let mut crashed = exited(ONE, 1);
    crashed.backoffs.advance("a", at(90), at(90));
    crashed.check(expect![[r#"
        a waits: CrashLoopBackOff: back-off 10s restarting failed container=a pod=p_ns(u)
        wake at 105"#]]);
    crashed.now = 105;
    crashed.check(expect!["start a 1"]);
}

#[test]
fn what_fails_its_probes_or_changed_is_replaced() {
    let failing = |spec: &str, health: Health| Scene {
        health: BTreeMap::from([("a0".to_owned(), health)]),
        ..Scene::new(spec).sandbox(0, true).running("a", 0)
    };
    let dead = Health { liveness_failed: true, ..Health::default() };
    failing(ONE, dead).check(expect!["stop a0 by 130: Container a failed liveness probe, will be restarted"]);
    failing(NEVER, dead).check(expect!["stop a0 by 130: Container a failed liveness probe"]);
    let short = Health { grace_seconds: Some(5), startup_failed: true, ..Health::default() };
    failing(ONE, short).check(expect!["stop a0 by 105: Container a failed startup probe, will be restarted"]);
    let mut stopping = failing(ONE, dead);
    stopping.stopping.insert("a0".to_owned(), at(120));
    stopping.check(expect![""]);
    let mut changed = Scene::new(ONE).sandbox(0, true).running("a", 0);
    changed.observed.containers[0].spec_hash = "other".to_owned();
    changed.check(expect!["stop a0 by 130: Container a definition changed, will be restarted"]);
    Scene::new(ONE)
        .sandbox(0, true)
        .container("a", 0, State::Unknown)
        .check(expect!["stop a0 by 130: Container is in unknown state, try killing it before restart"]);
}

#[test]
fn a_failed_start_waits_and_says_why() {
    let failure = |reason: &str, failed_at| StartFailure {
        reason: reason.to_owned(),
        message: "no such image".to_owned(),
        failed_at: at(failed_at),
        retry_at: at(110),
    };
    let spec = r#""containers":[{"name":"a","image":"x:1"},{"name":"b"}]"#;
    let scene =
        |failure| Scene { failures: BTreeMap::from([("a".to_owned(), failure)]), ..Scene::new(spec).sandbox(0, true) };
    scene(failure("ErrImagePull", 100)).check(expect![[r#"
        start b 0
        a waits: ErrImagePull: no such image
        wake at 102"#]]);
    scene(failure("ErrImagePull", 98)).check(expect![[r#"
        start b 0
        a waits: ImagePullBackOff: Back-off pulling image "x:1": ErrImagePull: no such image
        wake at 110"#]]);
    scene(failure("CreateContainerConfigError", 98)).check(expect![[r#"
        start b 0
        a waits: CreateContainerConfigError: no such image
        wake at 110"#]]);
    let due = Scene { now: 110, ..scene(failure("ErrImagePull", 98)) };
    due.check(expect![[r#"
        start a 0
        a waits: ErrImagePull: no such image"#]]);
}

#[test]
fn a_program_that_cannot_be_started_counts_as_a_crash() {
    let failure = |retry_at| StartFailure {
        reason: RUN_CONTAINER_ERROR.to_owned(),
        message: "no such program".to_owned(),
        failed_at: at(95),
        retry_at: at(retry_at),
    };
    let failed = |scene: Scene, retry_at| Scene {
        failures: BTreeMap::from([("a".to_owned(), failure(retry_at))]),
        ..scene.sandbox(0, true)
    };
    let seen = |state: fn(Scene) -> Scene, retry_at| state(failed(Scene::new(ONE), retry_at));
    let forms: [fn(Scene) -> Scene; 2] =
        [|scene| scene.exited("a", 0, 128), |scene| scene.container("a", 0, State::Created)];
    for form in forms {
        seen(form, 101).check(expect![[r#"
            a waits: RunContainerError: no such program
            wake at 101"#]]);
        seen(form, 100).check(expect![[r#"
            start a 1
            a waits: RunContainerError: no such program"#]]);
        let mut again = seen(form, 100);
        again.backoffs.advance("a", at(90), at(90));
        again.check(expect![[r#"
            a waits: CrashLoopBackOff: back-off 10s restarting failed container=a pod=p_ns(u)
            wake at 105"#]]);
        again.starting = Some("a");
        again.check(expect!["a waits: RunContainerError: no such program"]);
    }
    failed(Scene::new(NEVER), 100).exited("a", 0, 128).check(expect!["stop sandbox s0"]);
}

#[test]
fn an_ending_pod_stops_apps_then_sidecars_then_its_sandbox() {
    let ending = || Some(Ending { cause: Cause::Deleted, deadline: at(130) });
    let scene = || Scene { ending: ending(), ..Scene::new(SIDECAR).sandbox(0, true).running("s", 0).running("t", 0) };
    scene().running("a", 0).check(expect!["stop a0 by 130: Stopping container a"]);
    let mut hastened = scene().running("a", 0);
    hastened.stopping.insert("a0".to_owned(), at(150));
    hastened.check(expect!["stop a0 by 130: Stopping container a"]);
    hastened.stopping.insert("a0".to_owned(), at(130));
    hastened.check(expect![""]);
    scene().exited("a", 0, 0).check(expect!["stop t0 by 130: Stopping container t"]);
    Scene { ending: ending(), ..Scene::new(ONE).sandbox(0, true).exited("a", 0, 0) }.check(expect!["stop sandbox s0"]);
    Scene { ending: ending(), ..Scene::new(ONE).sandbox(0, false).exited("a", 0, 0) }.check(expect!["finish"]);
    Scene { ending: ending(), ..Scene::new(ONE) }.check(expect!["finish"]);
    Scene { ending: ending(), starting: Some("a"), ..Scene::new(ONE).sandbox(0, true) }.check(expect!["cancel start"]);
}

#[test]
fn counts_go_on_where_the_runtime_forgot() {
    let mut scene = Scene::new(ONE).sandbox(0, true);
    let status = r#"{"containerStatuses":[{"name":"a","containerID":"pintle://old","image":"","imageID":"","ready":true,"restartCount":4}]}"#;
    scene.pod.status = serde_json::from_str(status).unwrap();
    scene.check(expect!["start a 5"]);
    let counted = r#"{"containerStatuses":[{"name":"a","image":"","imageID":"","ready":false,"restartCount":5}]}"#;
    scene.pod.status = serde_json::from_str(counted).unwrap();
    scene.check(expect!["start a 5"]);
}

#[test]
fn what_ended_for_good_stays_so_where_the_runtime_forgot() {
    let ended = r#"{"containerStatuses":[{"name":"a","containerID":"pintle://old","image":"","imageID":"","ready":false,"restartCount":0,
        "state":{"terminated":{"exitCode":0}}}]}"#;
    let scene = |spec: &str| {
        let mut scene = Scene::new(spec);
        scene.pod.status = serde_json::from_str(ended).unwrap();
        scene
    };
    scene(NEVER).check(expect![""]);
    scene(ONE).check(expect!["start sandbox 0"]);
    let both = r#""restartPolicy":"OnFailure","containers":[{"name":"a"},{"name":"b"}]"#;
    scene(both).sandbox(0, true).check(expect!["start b 0"]);
}
