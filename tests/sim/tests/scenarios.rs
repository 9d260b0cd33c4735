//! Every scenario, against the trace beside it. `UPDATE_EXPECT=1` writes the traces anew.

use std::collections::BTreeMap;
use std::path::Path;

use expect_test::expect_file;

fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let script = std::fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap();
    let outcome = sim::run(&script).unwrap_or_else(|failure| panic!("{name}: {failure}"));
    expect_file![folder.join(format!("{name}.trace"))].assert_eq(&outcome.trace);

    // A second run sees the same changes, in names and all.
    let again = sim::run(&script).unwrap();
    let difference = outcome.history.iter().zip(&again.history).find(|(one, other)| one != other);
    assert_eq!(difference, None, "{name}: two runs differ");
    assert_eq!(outcome.history.len(), again.history.len(), "{name}: two runs differ in length");
}

#[test]
fn a_deployment_outlives_a_node() {
    check("node-dies");
}

#[test]
fn a_deployment_changes_its_image_step_by_step() {
    check("rolling-update");
}

#[test]
fn a_job_tries_again_gives_up_and_rests() {
    check("job-with-failures");
}

#[test]
fn a_stateful_set_rolls_in_order() {
    check("statefulset-rollout");
}

#[test]
fn a_daemon_set_follows_the_nodes() {
    check("daemonset-on-new-node");
}

#[test]
fn a_cron_job_keeps_its_hours() {
    check("cronjob-over-a-morning");
}

#[test]
fn a_bad_rollout_stops_at_its_deadline_and_is_undone() {
    check("bad-rollout-undone");
}

#[test]
fn a_paused_rollout_is_scaled_in_proportion_and_resumed() {
    check("paused-rollout");
}

#[test]
fn recreating_starts_nothing_before_the_old_is_gone() {
    check("recreate");
}

#[test]
fn a_node_dies_in_the_middle_of_everything() {
    check("node-dies-amid-everything");
}

#[test]
fn two_leaders_for_a_moment_leave_nothing_behind() {
    check("two-leaders");
}

#[test]
fn watches_that_are_cut_and_compacted_start_over() {
    check("watch-cut-and-compacted");
}

#[test]
fn a_quota_is_exceeded_and_freed() {
    check("quota-exceeded-and-freed");
}

#[test]
fn a_namespace_takes_all_along_but_what_is_held() {
    check("namespace-goes");
}

#[test]
fn a_drain_goes_no_faster_than_its_budget() {
    check("drain-within-budget");
}

#[test]
fn dependents_go_first_or_stay() {
    check("ownership");
}

#[test]
fn claims_wait_for_their_consumers() {
    check("claims-wait-for-consumers");
}

#[test]
fn a_cron_job_outlives_a_clock_that_is_set() {
    check("cronjob-and-the-clock");
}

#[test]
fn an_autoscaler_follows_the_work_up_and_down() {
    check("autoscaler");
}

/// What begins, and by which words its end is told.
const DEPLOYMENT: [&str; 3] = [
    "set image deployment web image=web:2",
    "wait deployment web complete",
    "deployment web: 3 wanted, 3 there, 3 updated, 3 available",
];
const STATEFUL_SET: [&str; 3] = [
    "set image statefulset db image=db:2",
    "wait statefulset db complete",
    "statefulset db: 2 wanted, 2 there, 2 updated, 2 ready",
];
const JOB: [&str; 3] =
    ["create job sum image=work:1 completions=2", "wait job sum complete", "job sum: 0 active, 2 succeeded, 1 failed"];

/// All of that begins and ends; `trouble` is a line before.
fn script(trouble: &str, work: &[[&str; 3]], end: &str) -> String {
    let begun: String = work.iter().map(|[begin, ..]| format!("at 1m {begin}\n")).collect();
    let ended: String = work.iter().map(|[_, wait, _]| format!("{wait}\n")).collect();
    format!(
        "nodes a b
        wait node a ready
        wait node b ready
        create deployment web image=web:1 replicas=3
        create statefulset db image=db:1 replicas=2
        wait deployment web complete
        wait statefulset db complete
        image work:1 exits 1,0 after 2s
        {trouble}
        {begun}
        {ended}
        at {end} end"
    )
}

/// Kills the controllers in place of each write that the work takes, run by run: it is always done in the end.
fn survives_every_step([begin, wait, told]: [&str; 3], fewest_steps: u64) {
    // Many more than there are steps.
    for write in 1..300 {
        let trouble = format!("at 1m kill controllers at write {write}");
        let outcome = sim::run(&script(&trouble, &[[begin, wait, told]], "150s"))
            .unwrap_or_else(|failure| panic!("killed at write {write}: {failure}"));
        let subject = told.split(':').next().unwrap();
        let end = outcome.trace.lines().rfind(|line| line.contains(&format!("  {subject}:"))).unwrap();
        assert!(end.contains(told), "killed at write {write}: {end}");
        if !outcome.trace.contains("! controllers died") {
            assert!(write > fewest_steps, "only {write} steps");
            return;
        }
    }
    panic!("{begin}: it takes no end");
}

#[test]
fn controllers_may_die_at_any_step_of_a_rollout() {
    survives_every_step(DEPLOYMENT, 10);
}

#[test]
fn controllers_may_die_at_any_step_of_a_stateful_sets_update() {
    survives_every_step(STATEFUL_SET, 8);
}

#[test]
fn controllers_may_die_at_any_step_of_a_job() {
    survives_every_step(JOB, 8);
}

/// What controllers and scheduler asked, but for watches, which end and begin.
fn asked(outcome: &sim::Outcome) -> BTreeMap<String, u64> {
    let asked = outcome.calls.iter().filter(|((who, call), _)| {
        (who.starts_with("controllers") || who.starts_with("scheduler")) && !call.starts_with("watch")
    });
    asked.map(|((who, call), count)| (format!("{who}: {call}"), *count)).collect()
}

#[test]
fn no_work_makes_anybody_list() {
    let lists = |work: &[[&str; 3]]| -> BTreeMap<String, u64> {
        let outcome = sim::run(&script("", work, "10m")).unwrap();
        asked(&outcome).into_iter().filter(|(call, _)| call.contains(": list ")).collect()
    };
    let idle = lists(&[]);
    assert!(idle.contains_key("controllers-1: list pods"), "informers list when they begin");
    assert_eq!(lists(&[DEPLOYMENT, STATEFUL_SET, JOB]), idle);
}

#[test]
fn an_idle_cluster_asks_nothing() {
    let [once, longer] = ["30m", "80m"].map(|end| {
        let outcome = sim::run(&script("", &[DEPLOYMENT, STATEFUL_SET, JOB], end)).unwrap();
        asked(&outcome)
    });
    assert_eq!(once, longer, "fifty more minutes in which nothing happens");
}

#[test]
fn every_scenario_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let source = include_str!("scenarios.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(source.contains(&format!("check(\"{name}\")")), "{name} has no test");
    }
}
