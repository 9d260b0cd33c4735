//! `/metrics`: counts of requests, in Prometheus' text form.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

use crate::kinds;
use crate::wire::request_info::RequestInfo;

/// Labels come from the table of kinds and the fixed set of verbs and codes, so that clients cannot
/// make series grow.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Labels, Totals>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Labels {
    verb: &'static str,
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    code: u16,
}

#[derive(Default)]
struct Totals {
    count: u64,
    seconds: f64,
}

impl Metrics {
    pub(crate) fn observe(&self, info: &RequestInfo, code: StatusCode, took: Duration) {
        let kind = info
            .resource
            .as_ref()
            .and_then(|resource| kinds::find(&resource.group, &resource.version, &resource.resource));
        let labels = Labels {
            verb: info.verb,
            group: kind.map_or("", |kind| kind.group),
            version: kind.map_or("", |kind| kind.version),
            resource: kind.map_or("", |kind| kind.plural),
            code: code.as_u16(),
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let totals = requests.entry(labels).or_default();
        totals.count += 1;
        totals.seconds += took.as_secs_f64();
    }

    pub(crate) fn render(&self, revision: u64) -> String {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from(
            "# HELP apiserver_request_total Requests by verb, group, version, resource and code.\n\
             # TYPE apiserver_request_total counter\n",
        );
        let mut line = |name: &str, labels: &Labels, value: String| {
            let Labels { verb, group, version, resource, code } = labels;
            // Writing into a String cannot fail.
            writeln!(
                text,
                "{name}{{verb=\"{}\",group=\"{group}\",version=\"{version}\",resource=\"{resource}\",code=\"{code}\"}} {value}",
                verb.to_uppercase()
            )
            .expect("a String takes every write");
        };
        for (labels, totals) in requests.iter() {
            line("apiserver_request_total", labels, totals.count.to_string());
        }
        for (labels, totals) in requests.iter() {
            line("apiserver_request_duration_seconds_sum", labels, format!("{:.6}", totals.seconds));
        }
        text.push_str("# HELP apiserver_storage_revision The newest revision of the store.\n");
        text.push_str("# TYPE apiserver_storage_revision gauge\n");
        text.push_str(&format!("apiserver_storage_revision {revision}\n"));
        text
    }
}
