//! `/metrics`: what the server did, in Prometheus' text form and under upstream's names.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{Display, Write};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use registry::Kind;

use crate::call::Call;
use crate::limits::InFlight;
use crate::subresources;
use crate::wire::request_info::RequestInfo;

/// Labels come from the table of kinds and fixed sets of words, so that clients cannot make series
/// grow. A series that is there is found under a read lock and counted without one.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Family<Labels, Requests>,
    watches: Family<Resource, Watches>,
}

/// Upper bounds of `apiserver_request_duration_seconds`.
const BUCKETS_SECONDS: [f64; 23] = [
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0,
    45.0, 60.0,
];

/// Codes that have a series of their own; all others are counted under the last.
const CODES: [u16; 20] =
    [101, 200, 201, 202, 302, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 503, 504, 500];

const SUBRESOURCES: [&str; 16] = [
    "approval",
    "attach",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "exec",
    "finalize",
    "log",
    "portforward",
    "proxy",
    "resize",
    "scale",
    "status",
    "token",
    "rollback",
    "",
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Resource {
    group: &'static str,
    version: &'static str,
    resource: &'static str,
}

/// What a request is counted under. It is looked up with every request: a kind stands for its group, version and
/// resource.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Labels {
    verb: &'static str,
    kind: Descriptor,
    subresource: &'static str,
    scope: &'static str,
}

/// A kind, told from others by where its descriptor lies.
#[derive(Clone, Copy)]
struct Descriptor(Option<&'static Kind>);

#[derive(Default)]
struct Requests {
    codes: [AtomicU64; CODES.len()],
    buckets: [AtomicU64; BUCKETS_SECONDS.len()],
    count: AtomicU64,
    microseconds: AtomicU64,
}

#[derive(Default)]
struct Watches {
    open: AtomicI64,
    events: AtomicU64,
}

/// Counts one open watch, and what it sends.
pub(crate) struct WatchCounter(Arc<Watches>);

impl WatchCounter {
    pub(crate) fn of(call: &Call) -> Self {
        let kind = call.kind;
        let resource = Resource { group: kind.group, version: kind.version, resource: kind.plural };
        let watches = call.server.metrics.watches.of(resource);
        watches.open.fetch_add(1, Ordering::Relaxed);
        WatchCounter(watches)
    }

    pub(crate) fn count(&self, events: usize) {
        if events > 0 {
            self.0.events.fetch_add(events as u64, Ordering::Relaxed);
        }
    }
}

impl Drop for WatchCounter {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn observe(&self, info: &RequestInfo, code: StatusCode, took: Duration) {
        let code = CODES.iter().position(|known| *known == code.as_u16()).unwrap_or(CODES.len() - 1);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS_SECONDS.iter().position(|bound| seconds <= *bound);
        self.requests.with(Labels::of(info), |requests| {
            requests.codes[code].fetch_add(1, Ordering::Relaxed);
            requests.count.fetch_add(1, Ordering::Relaxed);
            requests.microseconds.fetch_add(microseconds, Ordering::Relaxed);
            if let Some(bucket) = bucket {
                requests.buckets[bucket].fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    pub(crate) fn render(&self, in_flight: InFlight, revision: u64) -> String {
        let mut page = Page::default();
        let requests = self.requests.all(Labels::words);
        page.family(
            "apiserver_request_total",
            "counter",
            "Counter of apiserver requests broken out for each verb, group, version, resource, scope and code.",
        );
        for (labels, requests) in &requests {
            for (code, count) in CODES.iter().zip(&requests.codes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    page.line("apiserver_request_total", &format!("code=\"{code}\",{labels}"), count);
                }
            }
        }
        page.family("apiserver_request_duration_seconds", "histogram", "Response latency distribution in seconds for each verb, group, version, resource, subresource, scope and component.");
        for (labels, requests) in &requests {
            let mut count = 0;
            for (bound, bucket) in BUCKETS_SECONDS.iter().zip(&requests.buckets) {
                count += bucket.load(Ordering::Relaxed);
                page.line("apiserver_request_duration_seconds_bucket", &format!("{labels},le=\"{bound}\""), count);
            }
            let total = requests.count.load(Ordering::Relaxed);
            page.line("apiserver_request_duration_seconds_bucket", &format!("{labels},le=\"+Inf\""), total);
            let seconds = requests.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
            page.line("apiserver_request_duration_seconds_sum", &labels.to_string(), seconds);
            page.line("apiserver_request_duration_seconds_count", &labels.to_string(), total);
        }
        page.family(
            "apiserver_requested_deprecated_apis",
            "gauge",
            "Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.",
        );
        let deprecated: BTreeSet<String> = requests.iter().filter_map(|(labels, _)| labels.deprecated()).collect();
        for labels in deprecated {
            page.line("apiserver_requested_deprecated_apis", &labels, 1);
        }
        page.family(
            "apiserver_current_inflight_requests",
            "gauge",
            "Number of currently used inflight request limit of this apiserver per request kind.",
        );
        page.line("apiserver_current_inflight_requests", "request_kind=\"mutating\"", in_flight.mutating);
        page.line("apiserver_current_inflight_requests", "request_kind=\"readOnly\"", in_flight.read_only);
        let watches = self.watches.all(|resource| *resource);
        page.family(
            "apiserver_longrunning_requests",
            "gauge",
            "Gauge of all active long-running apiserver requests broken out by verb, group, version and resource.",
        );
        for (resource, watches) in &watches {
            let open = watches.open.load(Ordering::Relaxed);
            page.line(
                "apiserver_longrunning_requests",
                &format!("component=\"apiserver\",{resource},verb=\"WATCH\""),
                open,
            );
        }
        page.family("apiserver_watch_events_total", "counter", "Number of events sent in watch clients.");
        for (resource, watches) in &watches {
            page.line("apiserver_watch_events_total", &resource.to_string(), watches.events.load(Ordering::Relaxed));
        }
        page.family("apiserver_storage_revision", "gauge", "The newest revision of the store.");
        page.line("apiserver_storage_revision", "", revision);
        page.0
    }
}

impl Labels {
    fn of(info: &RequestInfo) -> Self {
        let (mut subresource, mut scope) = ("", "");
        if let Some(asked) = &info.resource {
            scope = match (asked.name.is_empty(), asked.namespace.is_empty()) {
                (false, _) => "resource",
                (true, _) if info.verb == "create" => "resource",
                (true, false) => "namespace",
                (true, true) => "cluster",
            };
            if info.kind.is_some() && !asked.subresource.is_empty() {
                subresource = SUBRESOURCES.into_iter().find(|known| *known == asked.subresource).unwrap_or("");
            }
        }
        Labels { verb: metric_verb(info.verb), kind: Descriptor(info.kind), subresource, scope }
    }

    /// As they are sorted on the page.
    fn words(&self) -> (&'static str, Resource, &'static str, &'static str) {
        (self.verb, self.kind.resource(), self.subresource, self.scope)
    }
}

impl Descriptor {
    fn address(self) -> usize {
        self.0.map_or(0, |kind| std::ptr::from_ref(kind).addr())
    }

    fn resource(self) -> Resource {
        let (group, version, resource) = self.0.map_or(("", "", ""), |kind| (kind.group, kind.version, kind.plural));
        Resource { group, version, resource }
    }
}

impl PartialEq for Descriptor {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Descriptor {}

impl Hash for Descriptor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl Labels {
    /// Those of a version whose time has come.
    fn deprecated(&self) -> Option<String> {
        let kind = self.kind.0?;
        subresources::deprecation_warning(kind, self.subresource)?;
        let Kind { group, version, plural, .. } = *kind;
        let subresource = self.subresource;
        let removed_in = kind.deprecation?.removed_in.map(|minor| format!("1.{minor}")).unwrap_or_default();
        Some(format!(
            "group=\"{group}\",removed_release=\"{removed_in}\",resource=\"{plural}\",\
             subresource=\"{subresource}\",version=\"{version}\""
        ))
    }
}

/// Upstream counts requests under the names of verbs or, outside resources, of methods.
fn metric_verb(verb: &'static str) -> &'static str {
    match verb {
        "get" => "GET",
        "list" => "LIST",
        "watch" => "WATCH",
        "create" | "post" => "POST",
        "update" | "put" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        "deletecollection" => "DELETECOLLECTION",
        "head" => "HEAD",
        "options" => "OPTIONS",
        _ => "other",
    }
}

impl Display for Resource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Resource { group, version, resource } = self;
        write!(formatter, "group=\"{group}\",resource=\"{resource}\",version=\"{version}\"")
    }
}

impl Display for Labels {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (verb, resource, subresource, scope) = self.words();
        write!(
            formatter,
            "component=\"apiserver\",dry_run=\"\",{resource},scope=\"{scope}\",subresource=\"{subresource}\",verb=\"{verb}\""
        )
    }
}

/// The series of one name.
struct Family<L, S>(RwLock<HashMap<L, Arc<S>>>);

impl<L, S> Default for Family<L, S> {
    fn default() -> Self {
        Family(RwLock::default())
    }
}

impl<L: Copy + Eq + Hash, S: Default> Family<L, S> {
    fn with(&self, labels: L, count: impl Fn(&S)) {
        if let Some(series) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&labels) {
            return count(series);
        }
        count(&self.of(labels));
    }

    fn of(&self, labels: L) -> Arc<S> {
        if let Some(series) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&labels) {
            return series.clone();
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(labels).or_default().clone()
    }

    fn all<W: Ord>(&self, words: impl Fn(&L) -> W) -> Vec<(L, Arc<S>)> {
        let series = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(L, Arc<S>)> = series.iter().map(|(labels, series)| (*labels, series.clone())).collect();
        all.sort_by_key(|(labels, _)| words(labels));
        all
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, r#type: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {type}").expect("a String takes every write");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        writeln!(self.0, "{name}{labels} {value}").expect("a String takes every write");
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::wire::query::Query;

    #[test]
    fn requests_are_counted_under_upstreams_labels() {
        let metrics = Metrics::default();
        let observe = |method: Method, target: &str, code: StatusCode, milliseconds| {
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let info = RequestInfo::parse(&method, path, &Query::parse(query)).unwrap();
            metrics.observe(&info, code, Duration::from_millis(milliseconds));
        };
        observe(Method::GET, "/api/v1/namespaces/a/pods/b", StatusCode::OK, 1);
        observe(Method::GET, "/api/v1/namespaces/a/pods/b", StatusCode::OK, 30);
        observe(Method::GET, "/api/v1/namespaces/a/pods/b", StatusCode::NOT_FOUND, 1);
        observe(Method::GET, "/apis/evil.example/v1/whatever/b", StatusCode::NOT_FOUND, 1);
        let text = metrics.render(InFlight { mutating: 2, read_only: 3 }, 7);
        let pod = "component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"pods\",version=\"v1\",scope=\"resource\",\
                   subresource=\"\",verb=\"GET\"";
        for line in [
            format!("apiserver_request_total{{code=\"200\",{pod}}} 2"),
            format!("apiserver_request_total{{code=\"404\",{pod}}} 1"),
            format!("apiserver_request_duration_seconds_bucket{{{pod},le=\"0.005\"}} 2"),
            format!("apiserver_request_duration_seconds_bucket{{{pod},le=\"0.05\"}} 3"),
            format!("apiserver_request_duration_seconds_bucket{{{pod},le=\"+Inf\"}} 3"),
            format!("apiserver_request_duration_seconds_sum{{{pod}}} 0.032"),
            "apiserver_current_inflight_requests{request_kind=\"readOnly\"} 3".to_owned(),
            "apiserver_storage_revision 7".to_owned(),
        ] {
            assert!(text.lines().any(|candidate| candidate == line), "{line}\n{text}");
        }
        assert!(!text.contains("whatever"), "clients make no series");
    }
}
