//! What the service proxy tells Prometheus, under upstream's names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::k8s::jiff::Timestamp;
use stdx::metrics::{Counter, Family, Histogram, Page, Stability, exponential};

static SECONDS: [f64; 15] = exponential(0.001, 2.0);

/// Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Figures>);

#[derive(Debug)]
struct Figures {
    sync_seconds: Histogram,
    sync_failures: Counter,
    /// In milliseconds since the epoch; none at the start.
    last_sync: AtomicU64,
}

impl Metrics {
    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        let mut page = Page::default();
        page.histogram(&self.0.sync_seconds);
        let last = self.0.last_sync.load(Ordering::Relaxed) as f64 / 1000.0;
        let last_sync = family(
            "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
            "The last time proxy rules were successfully synced",
        );
        page.gauge::<&str>(&last_sync, [(Vec::new(), last)]);
        page.counter(&self.0.sync_failures);
        page.into_text()
    }

    pub(crate) fn synced(&self, took: Duration, now: Timestamp) {
        self.0.sync_seconds.observe(&[], took.as_secs_f64());
        self.0.last_sync.store(u64::try_from(now.as_millisecond()).unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, took: Duration) {
        self.0.sync_seconds.observe(&[], took.as_secs_f64());
        self.0.sync_failures.count(&[]);
    }
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            sync_seconds: Histogram::new(
                family("kubeproxy_sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds"),
                &SECONDS,
            ),
            sync_failures: Counter::new(family(
                "kubeproxy_sync_proxy_rules_nftables_sync_failures_total",
                "Cumulative proxy nftables sync failures",
            )),
            last_sync: AtomicU64::new(0),
        }
    }
}

const fn family(name: &'static str, help: &'static str) -> Family {
    Family { name, help, stability: Stability::Alpha, labels: &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_told_under_upstreams_names() {
        let metrics = Metrics::default();
        metrics.synced(Duration::from_millis(3), Timestamp::from_millisecond(1_893_456_000_500).unwrap());
        metrics.failed(Duration::from_millis(20));
        let page = metrics.page();
        for line in [
            "# TYPE kubeproxy_sync_proxy_rules_duration_seconds histogram",
            "kubeproxy_sync_proxy_rules_duration_seconds_bucket{le=\"0.004\"} 1",
            "kubeproxy_sync_proxy_rules_duration_seconds_count 2",
            "kubeproxy_sync_proxy_rules_last_timestamp_seconds 1893456000.5",
            "kubeproxy_sync_proxy_rules_nftables_sync_failures_total 1",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
