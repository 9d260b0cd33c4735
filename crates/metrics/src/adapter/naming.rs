//! Under which name a series is asked for, and how: the rules that the Prometheus adapter has where nobody gives it
//! others.

/// What is told of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Its value.
    Value,
    /// What it grows by in a second.
    Rate,
}

const CONTAINER: &str = "container_";
const SECONDS: &str = "_seconds_total";
const TOTAL: &str = "_total";

/// The metric that a series is, e.g. `http_requests` of `http_requests_total`.
pub(crate) fn metric(series: &str) -> (&str, Measure) {
    let name = series.strip_prefix(CONTAINER).unwrap_or(series);
    match name.strip_suffix(SECONDS).or_else(|| name.strip_suffix(TOTAL)) {
        Some(counted) => (counted, Measure::Rate),
        None => (name, Measure::Value),
    }
}

/// The names of the series that may be a metric, first the one that is meant where there are several.
pub(crate) fn candidates(metric_name: &str) -> impl Iterator<Item = (String, Measure)> {
    let prefixes = ["", CONTAINER];
    let names = prefixes.into_iter().flat_map(move |prefix| {
        ["", TOTAL, SECONDS].into_iter().map(move |suffix| format!("{prefix}{metric_name}{suffix}"))
    });
    names.filter_map(move |series| {
        let (name, measure) = metric(&series);
        (name == metric_name).then_some((series, measure))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_named_as_the_adapters_rules_do() {
        for (series, name, measure) in [
            ("http_requests_total", "http_requests", Measure::Rate),
            ("worker_busy_seconds_total", "worker_busy", Measure::Rate),
            ("container_cpu_usage_seconds_total", "cpu_usage", Measure::Rate),
            ("container_network_receive_bytes_total", "network_receive_bytes", Measure::Rate),
            ("container_memory_working_set_bytes", "memory_working_set_bytes", Measure::Value),
            ("queue_depth", "queue_depth", Measure::Value),
            ("totals", "totals", Measure::Value),
        ] {
            assert_eq!(metric(series), (name, measure));
            assert!(candidates(name).any(|candidate| candidate == (series.to_owned(), measure)), "{series}");
        }
        // A counter is asked for by what it counts.
        assert!(!candidates("http_requests_total").any(|(series, _)| series == "http_requests_total"));
        let first = candidates("depth").next();
        assert_eq!(first, Some(("depth".to_owned(), Measure::Value)));
    }
}
