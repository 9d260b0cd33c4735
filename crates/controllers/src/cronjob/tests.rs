//! What CronJobs do at one moment, and over days on paper.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::k8s::api::batch::v1::{CronJob, Job};
use api::k8s::api::core::v1::ObjectReference;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan::{Plan, View, plan};

fn cron_job(spec: Value, status: Value) -> CronJob {
    let mut full = json!({
        "schedule": "0 * * * *", "concurrencyPolicy": "Allow", "suspend": false,
        "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
        "jobTemplate": {"metadata": {"labels": {"app": "report"}}, "spec": {"template": {}}},
    });
    full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(json!({
        "metadata": {
            "name": "report", "namespace": "default", "uid": "cron", "creationTimestamp": "2030-01-01T00:30:00Z",
        },
        "spec": full,
        "status": status,
    }))
    .unwrap()
}

fn job(name: &str, started: &str, end: &str) -> Arc<Job> {
    let conditions = if end.is_empty() { json!([]) } else { json!([{"type": end, "status": "True"}]) };
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default", "uid": name},
            "status": {"startTime": started, "completionTime": (end == "Complete").then_some(started),
                       "conditions": conditions},
        }))
        .unwrap(),
    )
}

fn at(cron_job: &CronJob, jobs: &[Arc<Job>], now: &str) -> Plan {
    plan(&View { cron_job, jobs, missing: &BTreeSet::new(), now: now.parse().unwrap() })
}

fn reasons(plan: &Plan) -> Vec<&str> {
    plan.events.iter().map(|(_, reason, _)| *reason).collect()
}

fn active(names: &[&str]) -> Value {
    let active: Vec<Value> = names.iter().map(|name| json!({"name": name, "uid": name})).collect();
    json!({"active": active})
}

#[test]
fn a_job_is_named_after_its_time_and_says_when_that_was() {
    let cron_job = cron_job(json!({"timeZone": "Asia/Kathmandu"}), json!({}));
    let plan = at(&cron_job, &[], "2030-01-01T02:17:00Z");
    let start = plan.start.unwrap();
    let job = serde_json::to_value(&*start.job).unwrap();
    // 08:00 in Kathmandu.
    assert_eq!(start.scheduled.to_string(), "2030-01-01T02:15:00Z");
    assert_eq!(job["metadata"]["name"], format!("report-{}", start.scheduled.as_second() / 60));
    assert_eq!(
        job["metadata"]["annotations"],
        json!({"batch.kubernetes.io/cronjob-scheduled-timestamp": "2030-01-01T08:00:00+05:45"})
    );
    assert_eq!(job["metadata"]["labels"], json!({"app": "report"}));
    assert_eq!(job["metadata"]["ownerReferences"][0]["kind"], "CronJob");
    assert_eq!(plan.wait.map(|wait| wait.as_secs()), Some(58 * 60));
}

#[test]
fn nothing_starts_before_its_time_while_suspended_or_twice() {
    let waits = |spec: Value, status: Value, now: &str| {
        let plan = at(&cron_job(spec, status), &[], now);
        assert!(plan.start.is_none());
        plan.wait.map(|wait| wait.as_secs())
    };
    assert_eq!(waits(json!({}), json!({}), "2030-01-01T00:59:00Z"), Some(60));
    assert_eq!(waits(json!({"suspend": true}), json!({}), "2030-01-01T05:00:00Z"), None);
    let ran = json!({"lastScheduleTime": "2030-01-01T01:00:00Z"});
    assert_eq!(waits(json!({}), ran, "2030-01-01T01:00:05Z"), Some(3595));
}

#[test]
fn what_cannot_be_scheduled_says_so_and_is_left_alone() {
    for (spec, reason, message) in [
        (
            json!({"schedule": "61 * * * *"}),
            "UnparseableSchedule",
            "unparseable schedule: \"61 * * * *\" : end of range (61) above maximum (59): 61",
        ),
        (json!({"timeZone": "Amour"}), "UnknownTimeZone", "invalid timeZone: \"Amour\": unknown time zone Amour"),
        (
            json!({"schedule": "0 0 30 2 *"}),
            "InvalidSchedule",
            "invalid schedule schedule: \"0 0 30 2 *\" : time difference between two schedules is less than 1 second",
        ),
    ] {
        let plan = at(&cron_job(spec, json!({})), &[], "2030-01-01T05:00:00Z");
        let (_, told_reason, told_message) = &plan.events[0];
        assert_eq!((*told_reason, told_message.as_str()), (reason, message));
        assert!(plan.start.is_none() && plan.wait.is_none());
    }
}

#[test]
fn policies_for_concurrency() {
    let running = [job("report-1", "2030-01-01T01:00:00Z", "")];
    let start = |policy: &str| {
        let cron_job = cron_job(json!({"concurrencyPolicy": policy}), active(&["report-1"]));
        let plan = at(&cron_job, &running, "2030-01-01T02:00:00Z");
        let replaced = plan.start.as_ref().map(|start| start.replace.len());
        (replaced, reasons(&plan).join(","))
    };
    assert_eq!(start("Allow"), (Some(0), String::new()));
    assert_eq!(start("Forbid"), (None, "JobAlreadyActive".into()));
    assert_eq!(start("Replace"), (Some(1), String::new()));
}

#[test]
fn a_late_start_is_given_up_after_the_deadline() {
    let late = |now: &str| {
        let cron_job = cron_job(json!({"startingDeadlineSeconds": 600}), json!({}));
        at(&cron_job, &[], now).start.is_some()
    };
    assert!(late("2030-01-01T01:09:59Z"));
    assert!(!late("2030-01-01T01:10:01Z"));
    let missed = at(&cron_job(json!({"schedule": "* * * * *"}), json!({})), &[], "2030-01-01T05:00:00Z");
    assert_eq!(reasons(&missed), ["TooManyMissedTimes"]);
    assert_eq!(missed.start.unwrap().scheduled.to_string(), "2030-01-01T05:00:00Z");
}

#[test]
fn the_status_follows_the_jobs() {
    let jobs = [
        job("done", "2030-01-01T01:00:00Z", "Complete"),
        job("failed", "2030-01-01T01:00:00Z", "Failed"),
        job("running", "2030-01-01T01:00:00Z", ""),
        job("stranger", "2030-01-01T01:00:00Z", ""),
    ];
    let cron_job = cron_job(json!({"suspend": true}), active(&["done", "failed", "running", "lost"]));
    let missing = BTreeSet::from(["lost".to_owned()]);
    let plan = plan(&View { cron_job: &cron_job, jobs: &jobs, missing: &missing, now: Timestamp::UNIX_EPOCH });
    let listed: Vec<_> = plan.status.active.iter().flatten().filter_map(|active| active.name.as_deref()).collect();
    assert_eq!(listed, ["running"]);
    assert_eq!(plan.status.last_successful_time, Some(Time("2030-01-01T01:00:00Z".parse().unwrap())));
    let messages: Vec<&str> = plan.events.iter().map(|(_, _, message)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "Saw completed job: done, condition: Complete",
            "Saw completed job: failed, condition: Failed",
            "Saw a job that the controller did not create or forgot: stranger",
            "Active job went missing: lost",
        ]
    );
}

#[test]
fn the_history_keeps_the_newest() {
    let ended = |name: &str, hour: usize, end: &str| job(name, &format!("2030-01-01T{hour:02}:00:00Z"), end);
    let jobs = [
        ended("good-1", 1, "Complete"),
        ended("bad-1", 2, "Failed"),
        ended("good-2", 3, "Complete"),
        ended("bad-2", 4, "Failed"),
        ended("good-3", 5, "Complete"),
    ];
    let forgotten = |spec: Value| -> Vec<String> {
        let plan = at(&cron_job(spec, json!({})), &jobs, "2030-01-01T00:40:00Z");
        plan.forget.iter().map(|job| job.metadata.name.clone().unwrap()).collect()
    };
    assert_eq!(forgotten(json!({})), ["bad-1"]);
    assert_eq!(forgotten(json!({"successfulJobsHistoryLimit": 1})), ["good-1", "good-2", "bad-1"]);
    assert_eq!(forgotten(json!({"successfulJobsHistoryLimit": null, "failedJobsHistoryLimit": 0})), ["bad-1", "bad-2"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// However late it is called, and whatever the clock does, no time starts two Jobs, and the plan
    /// always names a moment to come or now.
    #[test]
    fn no_time_comes_twice_whatever_the_clock_does(
        steps in prop::collection::vec(-7200..36000_i64, 1..15),
        schedule in prop::sample::select(vec!["* * * * *", "*/7 3-9 * * *", "@every 50m", "30 2 * * mon", "@daily"]),
        zone in prop::sample::select(vec!["", "America/New_York", "Australia/Lord_Howe"]),
    ) {
        let mut cron_job = cron_job(json!({"schedule": schedule, "timeZone": zone}), json!({}));
        let mut now: Timestamp = "2030-03-09T00:00:00Z".parse().unwrap();
        let mut started = BTreeSet::new();
        for step in steps {
            now = now.checked_add(step.seconds()).unwrap();
            let plan = plan(&View { cron_job: &cron_job, jobs: &[], missing: &BTreeSet::new(), now });
            prop_assert!(plan.wait.is_some());
            let Some(start) = plan.start else { continue };
            prop_assert!(start.scheduled <= now);
            prop_assert!(started.insert(start.job.metadata.name.clone()));
            let status = cron_job.status.get_or_insert_default();
            status.last_schedule_time = Some(Time(start.scheduled));
            status.active = Some(vec![ObjectReference { name: start.job.metadata.name, ..ObjectReference::default() }]);
        }
    }
}
