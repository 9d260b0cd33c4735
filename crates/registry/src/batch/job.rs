//! batch `Job`.

mod policies;
mod update;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_not_negative, check_supported, condition_is_true, get, get_i64, get_object, get_str, invalid_all, items_mut,
    join, number, object_at, set, set_default, text, truth,
};
use crate::human;
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::workload::{CONTAINERS, IMAGES, SELECTOR, check_selected, container_cells, parse_selector, selector_cell};
use crate::{metadata, names, pod_spec};

pub static JOB: Kind = Kind {
    group: "batch",
    kind: "Job",
    plural: "jobs",
    singular: "job",
    categories: &["all"],
    has_status: true,
    rules: &JobRules,
    ..Kind::NAMESPACED
};

struct JobRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Status", "string", "Status of the job."),
    column("Completions", "string", "The number of pods that ended well, of those wanted."),
    column("Duration", "string", "Time required to complete the job."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

/// Set on a Job's pods and selected by its selector, under the old names and the new.
const UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];
const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

impl Rules for JobRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        if get(spec, "completions").is_none() && get(spec, "parallelism").is_none() {
            set(spec, "completions", 1);
        }
        set_default(spec, "parallelism", 1);
        let limit = if get(spec, "backoffLimitPerIndex").is_some() { i64::from(i32::MAX) } else { 6 };
        set_default(spec, "backoffLimit", limit);
        set_default(spec, "completionMode", "NonIndexed");
        set_default(spec, "suspend", false);
        set_default(spec, "manualSelector", false);
        for rule in items_mut(spec, "podFailurePolicy.rules") {
            for pattern in items_mut(rule, "onPodConditions") {
                set_default(pattern, "status", "True");
            }
        }
        let replacement = if get(spec, "podFailurePolicy").is_some() { "Failed" } else { "TerminatingOrFailed" };
        set_default(spec, "podReplacementPolicy", replacement);
        if get_object(object, "metadata.labels").is_none_or(Object::is_empty)
            && let Some(labels) = get_object(object, "spec.template.metadata.labels").cloned()
        {
            set(object, "metadata.labels", labels);
        }
        pod_spec::default_template(object);
    }

    /// Unless told otherwise, a Job selects its pods by its own uid.
    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        object.shift_remove("status");
        if truth(object, "spec.manualSelector") {
            return;
        }
        let (uid, name) = (text(object, "metadata.uid").to_owned(), text(object, "metadata.name").to_owned());
        if get(object, "spec.selector").is_none() {
            set(object, "spec.selector", json!({"matchLabels": {UID_LABELS[1]: uid}}));
        }
        let template = object_at(object_at(object, "spec"), "template");
        let labels = object_at(object_at(template, "metadata"), "labels");
        for (keys, value) in [(UID_LABELS, &uid), (NAME_LABELS, &name)] {
            for key in keys {
                labels.entry(key).or_insert_with(|| Value::String(value.clone()));
            }
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = validate_spec(object, "spec");
        match get_object(object, "spec.selector") {
            None => faults.push(FieldError::required("spec.selector", "")),
            Some(selector) => {
                metadata::validate_selector(selector, "spec.selector", &mut faults);
                check_template_is_selected(object, selector, &mut faults);
            }
        }
        if let Some(old) = old {
            update::validate(object, old, &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "spec.template.spec.containers");
        vec![
            columns::name(object),
            Value::from(status(object)),
            Value::from(completions(object)),
            Value::from(duration(object, now)),
            columns::age(object, now),
            containers,
            images,
            selector_cell(object, "spec.selector"),
        ]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        (path == "status.successful").then(|| number(object, "status.succeeded").to_string())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["status.successful"]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn orphans_by_default(&self) -> bool {
        true
    }
}

/// More indices than this no status could tell of.
const MAX_INDEXED_PODS: i64 = 100_000;
const MAX_MANAGER_BYTES: usize = 63;

/// Faults of a Job's spec at a path, also inside a CronJob.
pub(super) fn validate_spec(object: &Object, path: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let empty = Object::new();
    let spec = get_object(object, path).unwrap_or(&empty);
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        check_not_negative(spec, field, path, &mut faults);
    }
    if let Some(manager) = get_str(spec, "managedBy") {
        let path = join(path, "managedBy");
        invalid_all(&path, manager, names::domain_prefixed_path(manager), &mut faults);
        if manager.len() > MAX_MANAGER_BYTES {
            faults.push(FieldError::too_long(path, MAX_MANAGER_BYTES));
        }
    }
    check_supported(spec, "completionMode", &["NonIndexed", "Indexed"], path, &mut faults);
    validate_indices(spec, path, &mut faults);
    policies::validate(spec, path, &mut faults);
    let template = get_object(spec, "template").unwrap_or(&empty);
    let template_path = join(path, "template");
    faults.extend(pod_spec::validate_template(template, &template_path));
    let policy_path = join(&template_path, "spec.restartPolicy");
    match text(template, "spec.restartPolicy") {
        "" | "Always" => {
            faults.push(FieldError::required(policy_path, "valid values: \"OnFailure\", \"Never\""));
        }
        "OnFailure" if get(spec, "podFailurePolicy").is_some() => {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            faults.push(FieldError::invalid(policy_path, "OnFailure", detail));
        }
        "OnFailure" | "Never" => {}
        other => faults.push(FieldError::not_supported(policy_path, other, &["OnFailure", "Never"])),
    }
    faults
}

/// What only Jobs with indices may say, and what they must.
fn validate_indices(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if text(spec, "completionMode") == "Indexed" {
        if get(spec, "completions").is_none() {
            faults.push(FieldError::required(join(path, "completions"), "when completion mode is Indexed"));
        }
        let parallelism = number(spec, "parallelism");
        if parallelism > MAX_INDEXED_PODS {
            let detail = format!("must be less than or equal to {MAX_INDEXED_PODS} when completion mode is Indexed");
            faults.push(FieldError::invalid(join(path, "parallelism"), parallelism, detail));
        }
    } else {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(given) = get_i64(spec, field) {
                faults.push(FieldError::invalid(join(path, field), given, "requires indexed completion mode"));
            }
        }
    }
    if get(spec, "maxFailedIndexes").is_some() && get(spec, "backoffLimitPerIndex").is_none() {
        let detail = "when maxFailedIndexes is specified";
        faults.push(FieldError::required(join(path, "backoffLimitPerIndex"), detail));
    }
}

fn check_template_is_selected(job: &Object, selector: &Object, faults: &mut Vec<FieldError>) {
    let empty = Object::new();
    let labels = get_object(job, "spec.template.metadata.labels").unwrap_or(&empty);
    if let Some(selector) = parse_selector(selector) {
        check_selected(&selector, labels, faults);
    }
}

fn status(job: &Object) -> &'static str {
    if condition_is_true(job, "Complete") {
        "Complete"
    } else if condition_is_true(job, "Failed") {
        "Failed"
    } else if get(job, "metadata.deletionTimestamp").is_some() {
        "Terminating"
    } else if condition_is_true(job, "Suspended") {
        "Suspended"
    } else if condition_is_true(job, "FailureTarget") {
        "FailureTarget"
    } else if condition_is_true(job, "SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(job: &Object) -> String {
    let succeeded = number(job, "status.succeeded");
    match (get_i64(job, "spec.completions"), number(job, "spec.parallelism")) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn duration(job: &Object, now: Timestamp) -> String {
    let moment = |path: &str| get_str(job, path)?.parse::<Timestamp>().ok();
    let Some(start) = moment("status.startTime") else { return String::new() };
    human::duration(human::seconds_between(start, moment("status.completionTime").unwrap_or(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Object {
        let mut object = json!({
            "metadata": {"name": "j", "uid": "u"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}}},
        })
        .as_object()
        .unwrap()
        .clone();
        JobRules.default(&mut object);
        JobRules.prepare_create(
            &mut object,
            &WriteContext { now: Timestamp::UNIX_EPOCH, writer: crate::kind::Writer::named("") },
        );
        object
    }

    #[test]
    fn a_job_selects_its_own_pods() {
        let object = job();
        assert_eq!(object["spec"]["selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}));
        assert_eq!(get_object(&object, "spec.template.metadata.labels").unwrap().len(), 4);
        assert_eq!(JobRules.validate(&object, None), []);
    }

    #[test]
    fn pods_of_a_job_end() {
        let mut object = job();
        set(&mut object, "spec.template.spec.restartPolicy", "Always");
        let faults: Vec<String> = JobRules.validate(&object, None).iter().map(FieldError::to_string).collect();
        assert_eq!(
            faults,
            ["spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""]
        );
    }

    #[test]
    fn the_row_tells_how_far_it_is() {
        let mut object = job();
        set(&mut object, "status", json!({"startTime": "2030-01-01T00:00:00Z", "succeeded": 0}));
        let row = JobRules.row(&object, "2030-01-01T00:00:05Z".parse().unwrap());
        assert_eq!(Value::from(row[1..4].to_vec()), json!(["Running", "0/1", "5s"]));
    }
}
