//! What the server tells Prometheus, under CoreDNS' names.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use hickory_server::net::xfer::Protocol;
use stdx::metrics::{Counter, Family, Histogram, Page, Stability, exponential};

/// Every question meets the one block that answers for all zones.
const ZONE: &str = ".";
/// There are none.
const VIEW: &str = "";

static SECONDS: [f64; 16] = exponential(0.000_25, 2.0);

/// Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Figures>);

/// One question, as far as it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) client: SocketAddr,
    pub(crate) protocol: Protocol,
    pub(crate) record_type: Option<RecordType>,
}

#[derive(Debug)]
struct Figures {
    requests: Counter,
    seconds: Histogram,
    responses: Counter,
}

impl Metrics {
    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        let mut page = Page::default();
        page.histogram(&self.0.seconds);
        page.counter(&self.0.requests);
        page.counter(&self.0.responses);
        page.into_text()
    }

    /// `plugin` is who answered, where somebody did.
    pub(crate) fn answered(&self, server: &str, asked: Asked, code: ResponseCode, plugin: &str, took: Duration) {
        let family = if asked.client.is_ipv4() { "1" } else { "2" };
        let protocol = if asked.protocol == Protocol::Udp { "udp" } else { "tcp" };
        let kind = asked.record_type.map_or("other", type_name);
        self.0.requests.count(&[family, protocol, server, kind, VIEW, ZONE]);
        self.0.seconds.observe(&[server, kind, VIEW, ZONE], took.as_secs_f64());
        self.0.responses.count(&[plugin, &code_name(code), server, VIEW, ZONE]);
    }
}

impl Default for Figures {
    fn default() -> Self {
        let family = |name, help, labels| Family { name, help, stability: Stability::Unsaid, labels };
        Figures {
            requests: Counter::new(family(
                "coredns_dns_requests_total",
                "Counter of DNS requests made per zone, protocol and family.",
                &["family", "proto", "server", "type", "view", "zone"],
            )),
            seconds: Histogram::new(
                family(
                    "coredns_dns_request_duration_seconds",
                    "Histogram of the time (in seconds) each request took per zone.",
                    &["server", "type", "view", "zone"],
                ),
                &SECONDS,
            ),
            responses: Counter::new(family(
                "coredns_dns_responses_total",
                "Counter of response status codes.",
                &["plugin", "rcode", "server", "view", "zone"],
            )),
        }
    }
}

/// Types that are seldom asked for share a name: clients make no series.
fn type_name(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "A",
        RecordType::AAAA => "AAAA",
        RecordType::MX => "MX",
        RecordType::SOA => "SOA",
        RecordType::CNAME => "CNAME",
        RecordType::PTR => "PTR",
        RecordType::TXT => "TXT",
        RecordType::NS => "NS",
        RecordType::SRV => "SRV",
        RecordType::DS => "DS",
        RecordType::DNSKEY => "DNSKEY",
        RecordType::RRSIG => "RRSIG",
        RecordType::NSEC => "NSEC",
        RecordType::NSEC3 => "NSEC3",
        RecordType::HTTPS => "HTTPS",
        RecordType::IXFR => "IXFR",
        RecordType::AXFR => "AXFR",
        RecordType::ANY => "ANY",
        _ => "other",
    }
}

fn code_name(code: ResponseCode) -> String {
    let name = match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::BADVERS => "BADVERS",
        other => return u16::from(other).to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_under_the_names_of_coredns() {
        let metrics = Metrics::default();
        let asked = |client: &str, protocol, record_type| Asked {
            client: client.parse().unwrap(),
            protocol,
            record_type: Some(record_type),
        };
        let took = Duration::from_micros(600);
        let server = "dns://10.244.0.1:10053";
        metrics.answered(
            server,
            asked("10.244.0.9:4", Protocol::Udp, RecordType::A),
            ResponseCode::NoError,
            "kubernetes",
            took,
        );
        metrics.answered(
            server,
            asked("[fd00::1]:4", Protocol::Tcp, RecordType::NULL),
            ResponseCode::NXDomain,
            "forward",
            took,
        );
        let page = metrics.page();
        for line in [
            "# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.".to_owned(),
            "# TYPE coredns_dns_request_duration_seconds histogram".to_owned(),
            format!(
                "coredns_dns_requests_total{{family=\"1\",proto=\"udp\",server=\"{server}\",type=\"A\",view=\"\",zone=\".\"}} 1"
            ),
            format!(
                "coredns_dns_requests_total{{family=\"2\",proto=\"tcp\",server=\"{server}\",type=\"other\",view=\"\",zone=\".\"}} 1"
            ),
            format!(
                "coredns_dns_request_duration_seconds_bucket{{server=\"{server}\",type=\"A\",view=\"\",zone=\".\",le=\"0.0005\"}} 0"
            ),
            format!(
                "coredns_dns_request_duration_seconds_bucket{{server=\"{server}\",type=\"A\",view=\"\",zone=\".\",le=\"0.001\"}} 1"
            ),
            format!(
                "coredns_dns_responses_total{{plugin=\"forward\",rcode=\"NXDOMAIN\",server=\"{server}\",view=\"\",zone=\".\"}} 1"
            ),
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
