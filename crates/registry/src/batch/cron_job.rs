//! batch `CronJob`.

use api::cron::Schedule;
use api::time_zone;
use jiff::Timestamp;
use serde_json::Value;

use super::job;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_not_negative, check_supported, get_array, get_str, object_at, object_mut, or_none, set_default, text, truth,
    value,
};
use crate::human;
use crate::kind::{Column, Kind, Object, Rules};
use crate::pod_spec;
use crate::workload::{CONTAINERS, IMAGES, SELECTOR, container_cells, selector_cell};

pub static CRON_JOB: Kind = Kind {
    group: "batch",
    kind: "CronJob",
    plural: "cronjobs",
    singular: "cronjob",
    short_names: &["cj"],
    categories: &["all"],
    has_status: true,
    rules: &CronJobRules,
    ..Kind::NAMESPACED
};

struct CronJobRules;

/// A Job's name is the CronJob's and eleven more characters.
const MAX_NAME_BYTES: usize = 52;

static COLUMNS: &[Column] = &[
    NAME,
    column("Schedule", "string", "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron."),
    column("Timezone", "string", "The time zone name for the given schedule."),
    column("Suspend", "boolean", "Whether subsequent executions are suspended."),
    column("Active", "integer", "The number of currently running jobs."),
    column("Last Schedule", "string", "When the job was last successfully scheduled."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

impl Rules for CronJobRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "concurrencyPolicy", "Allow");
        set_default(spec, "suspend", false);
        set_default(spec, "successfulJobsHistoryLimit", 3);
        set_default(spec, "failedJobsHistoryLimit", 1);
        if let Some(template) = object_mut(spec, "jobTemplate.spec.template.spec") {
            pod_spec::default_spec(template);
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let name = text(object, "metadata.name");
        if name.len() > MAX_NAME_BYTES {
            let detail = format!("must be no more than {MAX_NAME_BYTES} characters");
            faults.push(FieldError::invalid("metadata.name", name, detail));
        }
        match text(object, "spec.schedule") {
            "" => faults.push(FieldError::required("spec.schedule", "")),
            schedule => validate_schedule(schedule, &mut faults),
        }
        if let Some(zone) = get_str(object, "spec.timeZone") {
            validate_time_zone(zone, &mut faults);
        }
        for field in ["spec.startingDeadlineSeconds", "spec.successfulJobsHistoryLimit", "spec.failedJobsHistoryLimit"]
        {
            check_not_negative(object, field, "", &mut faults);
        }
        let policies = ["Allow", "Forbid", "Replace"];
        check_supported(object, "spec.concurrencyPolicy", &policies, "", &mut faults);
        faults.extend(job::validate_spec(object, "spec.jobTemplate.spec"));
        // Each Job selects its own pods.
        let selector = value(object, "spec.jobTemplate.spec.selector");
        if !selector.is_null() {
            let detail = "`selector` will be auto-generated";
            faults.push(FieldError::invalid("spec.jobTemplate.spec.selector", selector, detail));
        }
        if truth(object, "spec.jobTemplate.spec.manualSelector") {
            let path = "spec.jobTemplate.spec.manualSelector";
            faults.push(FieldError::not_supported(path, true, &["nil", "false"]));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "spec.jobTemplate.spec.template.spec.containers");
        let last = match get_str(object, "status.lastScheduleTime") {
            Some(moment) => Value::from(human::since(Some(moment), now)),
            None => or_none(""),
        };
        vec![
            columns::name(object),
            Value::from(text(object, "spec.schedule")),
            or_none(text(object, "spec.timeZone")),
            Value::from(if truth(object, "spec.suspend") { "True" } else { "False" }),
            Value::from(get_array(object, "status.active").len()),
            last,
            columns::age(object, now),
            containers,
            images,
            selector_cell(object, "spec.jobTemplate.spec.selector"),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_schedule(schedule: &str, faults: &mut Vec<FieldError>) {
    if schedule.contains("TZ") {
        let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        faults.push(FieldError::invalid("spec.schedule", schedule, detail));
    } else if let Err(error) = Schedule::parse(schedule) {
        faults.push(FieldError::invalid("spec.schedule", schedule, error.to_string()));
    }
}

fn validate_time_zone(zone: &str, faults: &mut Vec<FieldError>) {
    let detail = if zone.is_empty() {
        "timeZone must be nil or non-empty string".to_owned()
    } else if zone.eq_ignore_ascii_case("local") {
        "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones".to_owned()
    } else if let Err(error) = time_zone::load(zone) {
        error.to_string()
    } else {
        return;
    };
    faults.push(FieldError::invalid("spec.timeZone", zone, detail));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schedules_and_zones_are_read_before_they_are_kept() {
        let faults = |schedule: &str, zone: Value| -> Vec<String> {
            let object = json!({
                "metadata": {"name": "c"},
                "spec": {"schedule": schedule, "timeZone": zone, "concurrencyPolicy": "Allow", "jobTemplate": {"spec": {
                    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "x"}]}},
                }}},
            });
            let mut object = object.as_object().unwrap().clone();
            CronJobRules.default(&mut object);
            CronJobRules.validate(&object, None).iter().map(FieldError::to_string).collect()
        };
        assert_eq!(faults("*/5 * * * *", json!("Europe/Paris")), [""; 0]);
        assert_eq!(faults("@every 5m", Value::Null), [""; 0]);
        assert_eq!(
            faults("60 * * * *", json!("Amour")),
            [
                "spec.schedule: Invalid value: \"60 * * * *\": end of range (60) above maximum (59): 60",
                "spec.timeZone: Invalid value: \"Amour\": unknown time zone Amour",
            ]
        );
        assert_eq!(
            faults("TZ=UTC 0 * * * *", json!("")),
            [
                "spec.schedule: Invalid value: \"TZ=UTC 0 * * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone \
                 field instead",
                "spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty string",
            ]
        );
    }
}
