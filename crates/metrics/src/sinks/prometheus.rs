//! Prometheus' remote write: protobuf, compressed with Snappy.

use http::Uri;
use prost::Message;

use super::{Http, SendError};
use crate::history::Moment;

/// More series than that go in several requests.
const SERIES_PER_REQUEST: usize = 2_000;
const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/x-protobuf"),
    ("content-encoding", "snappy"),
    ("x-prometheus-remote-write-version", "0.1.0"),
];

pub(super) struct Writer(Http);

#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) series: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) at_milliseconds: i64,
}

impl Writer {
    pub(super) fn new(uri: Uri) -> Writer {
        Writer(Http::new(uri))
    }

    pub(super) async fn send(&self, moment: &Moment) -> Result<(), SendError> {
        let all = series(moment);
        for some in all.chunks(SERIES_PER_REQUEST) {
            let message = WriteRequest { series: some.to_vec() }.encode_to_vec();
            let body = snap::raw::Encoder::new().compress_vec(&message)?;
            self.0.post(&self.0.uri, &HEADERS, body).await?;
        }
        Ok(())
    }
}

/// Under the kubelet's own names. Labels are in order, as the protocol wants them.
fn series(moment: &Moment) -> Vec<TimeSeries> {
    let at_milliseconds = moment.at.as_millisecond();
    let one = |name: &str, labels: &[(&str, &str)], value: f64| {
        let name = [("__name__", name)];
        let labels = name.iter().chain(labels);
        let label = |(name, value): &(&str, &str)| Label { name: (*name).to_owned(), value: (*value).to_owned() };
        TimeSeries { labels: labels.map(label).collect(), samples: vec![Sample { value, at_milliseconds }] }
    };
    let mut all = Vec::new();
    for (node, reading) in &moment.nodes {
        let labels = [("node", &**node)];
        all.push(one("node_cpu_usage_seconds_total", &labels, reading.cpu_nanoseconds as f64 / 1e9));
        all.push(one("node_memory_working_set_bytes", &labels, reading.memory_bytes as f64));
    }
    for (container, reading) in &moment.containers {
        let labels = [
            ("container", container.name.as_str()),
            ("namespace", &container.namespace),
            ("node", &container.node),
            ("pod", &container.pod),
        ];
        all.push(one("container_cpu_usage_seconds_total", &labels, reading.cpu_nanoseconds as f64 / 1e9));
        all.push(one("container_memory_working_set_bytes", &labels, reading.memory_bytes as f64));
    }
    all
}
