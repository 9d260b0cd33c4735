//! What a CronJob is to do now.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::cron::Schedule;
use api::k8s::api::batch::v1::{CronJob, CronJobStatus, Job};
use api::k8s::api::core::v1::ObjectReference;
use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use api::k8s::jiff::Timestamp;
use api::k8s::jiff::tz::TimeZone;
use api::time_zone;
use reconcile::{EventType, controller_reference};

use super::missed::Calendar;
use crate::job::{finished_condition, is_finished};

const SCHEDULED_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// A CronJob and the Jobs it controls.
pub(super) struct View<'a> {
    pub(super) cron_job: &'a CronJob,
    pub(super) jobs: &'a [Arc<Job>],
    /// UIDs of Jobs that the status lists and the API does not have.
    pub(super) missing: &'a BTreeSet<String>,
    pub(super) now: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) status: CronJobStatus,
    pub(super) events: Vec<Told>,
    pub(super) start: Option<Start>,
    /// Finished Jobs over the limits of the history, oldest first.
    pub(super) forget: Vec<Arc<Job>>,
    /// When the next time comes, if nothing happens before.
    pub(super) wait: Option<Duration>,
}

/// An event to write: type, reason, message.
pub(super) type Told = (EventType, &'static str, String);

#[derive(Debug)]
pub(super) struct Start {
    pub(super) job: Box<Job>,
    pub(super) scheduled: Timestamp,
    /// Jobs that have to make room.
    pub(super) replace: Vec<ObjectReference>,
}

pub(super) fn plan(view: &View) -> Plan {
    let mut plan = Plan { status: view.cron_job.status.clone().unwrap_or_default(), ..Plan::default() };
    follow_jobs(view, &mut plan);
    if view.cron_job.metadata.deletion_timestamp.is_none() && view.cron_job.spec.suspend != Some(true) {
        schedule(view, &mut plan);
    }
    plan.forget = over_limits(view);
    if plan.status.active.as_ref().is_some_and(Vec::is_empty) {
        plan.status.active = None;
    }
    plan
}

/// Brings the list of active Jobs up to date.
fn follow_jobs(view: &View, plan: &mut Plan) {
    for job in view.jobs {
        let (name, uid) = (text(&job.metadata.name), job.metadata.uid.as_deref());
        let is_listed = plan.status.active.iter().flatten().any(|active| active.uid.as_deref() == uid);
        match (is_listed, finished_condition(job)) {
            (false, None) => {
                let message = format!("Saw a job that the controller did not create or forgot: {name}");
                plan.events.push((EventType::Warning, "UnexpectedJob", message));
            }
            (true, Some(condition)) => {
                let message = format!("Saw completed job: {name}, condition: {}", condition.type_);
                plan.events.push((EventType::Normal, "SawCompletedJob", message));
                unlist(&mut plan.status, uid);
            }
            _ => {}
        }
        let completed = job.status.as_ref().and_then(|status| status.completion_time.as_ref());
        let has_succeeded = finished_condition(job).is_some_and(|condition| condition.type_ == "Complete");
        let last = plan.status.last_successful_time.as_ref();
        if let Some(completed) = completed.filter(|_| has_succeeded)
            && last.is_none_or(|last| completed.0 > last.0)
        {
            plan.status.last_successful_time = Some(completed.clone());
        }
    }
    for active in view.cron_job.status.iter().flat_map(|status| status.active.iter().flatten()) {
        if active.uid.as_ref().is_some_and(|uid| view.missing.contains(uid)) {
            let message = format!("Active job went missing: {}", text(&active.name));
            plan.events.push((EventType::Normal, "MissingJob", message));
            unlist(&mut plan.status, active.uid.as_deref());
        }
    }
}

fn schedule(view: &View, plan: &mut Plan) {
    let spec = &view.cron_job.spec;
    let mut refuse = |reason, message| plan.events.push((EventType::Warning, reason, message));
    let zone_name = text(&spec.time_zone);
    let zone = match time_zone::load(zone_name) {
        Ok(zone) => zone,
        Err(error) => return refuse("UnknownTimeZone", format!("invalid timeZone: {zone_name:?}: {error}")),
    };
    let schedule = match Schedule::parse(&spec.schedule) {
        Ok(schedule) => schedule,
        Err(error) => {
            let message = format!("unparseable schedule: {:?} : {error}", spec.schedule);
            return refuse("UnparseableSchedule", message);
        }
    };
    let calendar = Calendar { cron_job: view.cron_job, schedule, zone, now: view.now };
    let due = match calendar.due() {
        Ok(due) => due,
        Err(error) => {
            return refuse("InvalidSchedule", format!("invalid schedule schedule: {:?} : {error}", spec.schedule));
        }
    };
    if due.has_many_missed() {
        let message =
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew".to_owned();
        refuse("TooManyMissedTimes", message);
    }
    plan.wait = calendar.until_next();
    if let Some(scheduled) = due.at {
        plan.start = start(view, plan, &calendar.zone, scheduled);
        if plan.start.is_some() {
            // Once it has run, an interval counts from there.
            let mut ran = view.cron_job.clone();
            ran.status.get_or_insert_default().last_schedule_time = Some(Time(scheduled));
            plan.wait = Calendar { cron_job: &ran, ..calendar }.until_next();
        }
    }
}

/// The Job of a time that has come, unless something speaks against it.
fn start(view: &View, plan: &mut Plan, zone: &TimeZone, scheduled: Timestamp) -> Option<Start> {
    let spec = &view.cron_job.spec;
    if let Some(seconds) = spec.starting_deadline_seconds {
        let deadline = scheduled.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0))).ok()?;
        if deadline < view.now {
            let when = scheduled.strftime("%a, %d %b %Y %H:%M:%S +0000");
            let message = format!("Missed scheduled time to start a job: {when}");
            plan.events.push((EventType::Warning, "MissSchedule", message));
            return None;
        }
    }
    let job = job_of(view.cron_job, zone, scheduled);
    let active = plan.status.active.as_deref().unwrap_or_default();
    let is_listed = active.iter().any(|known| known.name == job.metadata.name);
    if is_listed || plan.status.last_schedule_time == Some(Time(scheduled)) {
        return None;
    }
    let replace = match spec.concurrency_policy.as_deref() {
        Some("Forbid") if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            plan.events.push((EventType::Normal, "JobAlreadyActive", message.to_owned()));
            return None;
        }
        Some("Replace") => active.to_vec(),
        _ => Vec::new(),
    };
    Some(Start { job: Box::new(job), scheduled, replace })
}

/// Named after its time: the name is what keeps it from being made twice.
fn job_of(cron_job: &CronJob, zone: &TimeZone, scheduled: Timestamp) -> Job {
    let template = &cron_job.spec.job_template;
    let metadata = template.metadata.as_ref();
    let mut annotations = metadata.and_then(|metadata| metadata.annotations.clone()).unwrap_or_default();
    annotations.insert(SCHEDULED_TIMESTAMP.to_owned(), rfc3339(scheduled, zone));
    let minutes = scheduled.as_second().div_euclid(60);
    Job {
        metadata: ObjectMeta {
            name: Some(format!("{}-{minutes}", text(&cron_job.metadata.name))),
            namespace: cron_job.metadata.namespace.clone(),
            labels: metadata.and_then(|metadata| metadata.labels.clone()),
            annotations: Some(annotations),
            owner_references: Some(vec![controller_reference(cron_job)]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

fn rfc3339(moment: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(moment);
    if offset.seconds() == 0 {
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    }
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn over_limits(view: &View) -> Vec<Arc<Job>> {
    let spec = &view.cron_job.spec;
    let of_type = |wanted: &str| -> Vec<Arc<Job>> {
        let has_ended = |job: &&Arc<Job>| finished_condition(job).is_some_and(|condition| condition.type_ == wanted);
        view.jobs.iter().filter(has_ended).cloned().collect()
    };
    let oldest = |mut jobs: Vec<Arc<Job>>, limit: Option<i32>| -> Vec<Arc<Job>> {
        let Some(limit) = limit else { return Vec::new() };
        jobs.sort_by_cached_key(|job| {
            let started = job.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|time| time.0);
            (started.is_none(), started, job.metadata.name.clone())
        });
        let excess = jobs.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        jobs.truncate(excess);
        jobs
    };
    let mut forget = oldest(of_type("Complete"), spec.successful_jobs_history_limit);
    forget.extend(oldest(of_type("Failed"), spec.failed_jobs_history_limit));
    forget.retain(|job| is_finished(job) && job.metadata.deletion_timestamp.is_none());
    forget
}

pub(super) fn unlist(status: &mut CronJobStatus, uid: Option<&str>) {
    if let Some(active) = &mut status.active {
        active.retain(|known| known.uid.as_deref() != uid);
    }
}

fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}
