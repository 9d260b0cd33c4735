//! Every scenario, against the trace beside it. `UPDATE_EXPECT=1` writes the traces anew.

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
fn every_scenario_is_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let source = include_str!("scenarios.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(source.contains(&format!("check(\"{name}\")")), "{name} has no test");
    }
}
