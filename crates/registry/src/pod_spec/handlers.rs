//! What is wrong with probes and lifecycle hooks, and with the handlers of both.

use serde_json::Value;

use super::validation::Surroundings;
use crate::error::FieldError;
use crate::fields::{
    check_not_negative, check_range, check_supported, get, get_array, get_i64, get_object, invalid_all, items, join,
    number, text,
};
use crate::kind::Object;
use crate::names;

const PROBE_HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
const HOOK_HANDLERS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "sleep"];

pub(super) fn validate_probes(
    container: &Object,
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = get_object(container, field) else { continue };
        let path = join(path, field);
        validate_handler(probe, &PROBE_HANDLERS, surroundings, &path, faults);
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            check_not_negative(probe, field, &path, faults);
        }
        let grace_path = join(&path, "terminationGracePeriodSeconds");
        let grace_period = get_i64(probe, "terminationGracePeriodSeconds");
        if let Some(seconds) = grace_period.filter(|seconds| *seconds <= 0) {
            faults.push(FieldError::invalid(grace_path.as_str(), seconds, "must be greater than 0"));
        }
        if field == "readinessProbe" {
            if let Some(seconds) = grace_period {
                faults.push(FieldError::invalid(grace_path, seconds, "must not be set for readinessProbes"));
            }
        } else if number(probe, "successThreshold") != 1 {
            let threshold = number(probe, "successThreshold");
            faults.push(FieldError::invalid(join(&path, "successThreshold"), threshold, "must be 1"));
        }
    }
}

pub(super) fn validate_lifecycle(
    container: &Object,
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    for field in ["lifecycle.postStart", "lifecycle.preStop"] {
        if let Some(handler) = get_object(container, field) {
            validate_handler(handler, &HOOK_HANDLERS, surroundings, &join(path, field), faults);
        }
    }
}

fn validate_handler(
    handler: &Object,
    kinds: &[&str],
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    let mut given = kinds.iter().copied().filter_map(|kind| Some((kind, get_object(handler, kind)?)));
    let Some((kind, action)) = given.next() else {
        return faults.push(FieldError::required(path, "must specify a handler type"));
    };
    validate_action(kind, action, surroundings, &join(path, kind), faults);
    for (kind, _) in given {
        faults.push(FieldError::forbidden(join(path, kind), "may not specify more than 1 handler type"));
    }
}

fn validate_action(
    kind: &str,
    action: &Object,
    surroundings: &Surroundings<'_>,
    path: &str,
    faults: &mut Vec<FieldError>,
) {
    match kind {
        "exec" if get_array(action, "command").is_empty() => {
            faults.push(FieldError::required(join(path, "command"), ""));
        }
        "exec" => {}
        "httpGet" => {
            if text(action, "path").is_empty() {
                faults.push(FieldError::required(join(path, "path"), ""));
            }
            check_port(action, path, faults);
            check_supported(action, "scheme", &["HTTP", "HTTPS"], path, faults);
            for name in items(action, "httpHeaders").map(|header| text(header, "name")) {
                invalid_all(&join(path, "httpHeaders"), name, names::http_header_name(name), faults);
            }
        }
        "sleep" => {
            let seconds = number(action, "seconds");
            // Without a grace period another fault is told already.
            if let Some(grace) = surroundings.grace_period_seconds.filter(|grace| !(0..=*grace).contains(&seconds)) {
                let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                faults.push(FieldError::invalid(path, seconds, detail));
            }
        }
        _ => check_port(action, path, faults),
    }
}

/// A port's number or name.
fn check_port(action: &Object, path: &str, faults: &mut Vec<FieldError>) {
    const PORTS: std::ops::RangeInclusive<i64> = 1..=65535;
    match get(action, "port") {
        Some(Value::String(name)) => invalid_all(&join(path, "port"), name, names::port_name(name), faults),
        Some(Value::Number(_)) => check_range(action, "port", PORTS, path, faults),
        _ => faults.push(FieldError::invalid(join(path, "port"), 0, "must be between 1 and 65535, inclusive")),
    }
}
