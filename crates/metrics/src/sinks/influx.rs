//! InfluxDB's line protocol, in Heapster's schema: a measurement for each metric, entities told apart by tags.

use std::collections::BTreeMap;
use std::fmt::Write;

use http::uri::PathAndQuery;
use http::{StatusCode, Uri};

use super::{Http, SendError};
use crate::history::{Moment, Reading};

/// Heapster's own.
const DATABASE: &str = "k8s";
const HEADERS: [(&str, &str); 1] = [("content-type", "text/plain; charset=utf-8")];

pub(super) struct Writer {
    http: Http,
    write: Uri,
    /// Makes the database; none where the address says where to write.
    create: Option<Uri>,
}

impl Writer {
    /// An address without a path is an InfluxDB 1 with a database to be made; another is written to as it is, but for
    /// the precision.
    pub(super) fn new(uri: Uri) -> Writer {
        let query = uri.query().unwrap_or_default();
        let own_path = uri.path().trim_end_matches('/');
        let database = crate::serve::parameter(query, "db");
        let database = if database.is_empty() { DATABASE } else { &database };
        let encoded =
            |pairs: &[(&str, &str)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let (write, create) = match own_path {
            "" => {
                let create = encoded(&[("q", &format!("CREATE DATABASE \"{database}\""))]);
                (
                    format!("/write?{}", encoded(&[("db", database), ("precision", "ms")])),
                    Some(format!("/query?{create}")),
                )
            }
            path => {
                let separator = if query.is_empty() { "" } else { "&" };
                (format!("{path}?{query}{separator}precision=ms"), None)
            }
        };
        let at = |target: String| with_path(&uri, &target);
        let (write, create) = (at(write), create.map(at));
        Writer { http: Http::new(uri), write, create }
    }

    pub(super) async fn send(&self, moment: &Moment) -> Result<(), SendError> {
        let written = self.http.post(&self.write, &HEADERS, lines(moment).into_bytes()).await;
        match (written, &self.create) {
            (Err(SendError::Answer { code: StatusCode::NOT_FOUND, .. }), Some(create)) => {
                self.http.post(create, &[], Vec::new()).await?;
                self.http.post(&self.write, &HEADERS, lines(moment).into_bytes()).await
            }
            (written, _) => written,
        }
    }
}

/// The same server, asked for something else. What was encoded above is always a path.
fn with_path(uri: &Uri, target: &str) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

type Tags<'a> = Vec<(&'static str, &'a str)>;

fn lines<'m>(moment: &'m Moment) -> String {
    let mut entities: BTreeMap<Tags<'m>, Reading> = BTreeMap::new();
    let mut add = |tags: Tags<'m>, reading: Reading| {
        let sum = entities.entry(tags).or_default();
        *sum = sum.plus(reading);
    };
    for (node, reading) in &moment.nodes {
        add(vec![("nodename", node), ("type", "node")], *reading);
        add(vec![("type", "cluster")], *reading);
    }
    for (container, reading) in &moment.containers {
        let (namespace, pod) = (("namespace_name", container.namespace.as_str()), ("pod_name", container.pod.as_str()));
        let node = ("nodename", container.node.as_str());
        add(vec![("container_name", &container.name), namespace, node, pod, ("type", "pod_container")], *reading);
        add(vec![namespace, node, pod, ("type", "pod")], *reading);
        add(vec![namespace, ("type", "ns")], *reading);
    }
    let mut text = String::new();
    for (tags, reading) in &entities {
        let tags: String = tags.iter().map(|(name, value)| format!(",{name}={}", escaped(value))).collect();
        for (measurement, value) in [
            ("cpu/usage", reading.cpu_nanoseconds),
            ("cpu/usage_rate", reading.cpu_millicores),
            ("memory/working_set", reading.memory_bytes),
        ] {
            let at = moment.at.as_millisecond();
            writeln!(text, "{measurement}{tags} value={value}i {at}").expect("a String takes every write");
        }
    }
    text
}

/// What would end a tag's value.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            ',' | '=' | ' ' => escaped.extend(['\\', letter]),
            letter if letter.is_control() => escaped.push('_'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::moment;

    #[test]
    fn entities_are_told_in_heapsters_schema() {
        let text = lines(&moment(0, &[("shop/web/main", 100), ("shop/web/side", 50)]));
        for line in [
            "cpu/usage_rate,container_name=main,namespace_name=shop,nodename=one,pod_name=web,type=pod_container value=100i 1700000000000",
            "cpu/usage_rate,namespace_name=shop,nodename=one,pod_name=web,type=pod value=150i 1700000000000",
            "memory/working_set,namespace_name=shop,type=ns value=2048i 1700000000000",
            "cpu/usage,nodename=one,type=node value=900000000i 1700000000000",
            "cpu/usage_rate,type=cluster value=900i 1700000000000",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert_eq!(escaped("a b,c=d\ne"), "a\\ b\\,c\\=d_e");
    }

    #[test]
    fn addresses_say_where_to_write() {
        let uris = |text: &str| {
            let writer = Writer::new(text.parse().unwrap());
            (writer.write.to_string(), writer.create.map(|uri| uri.to_string()))
        };
        let (write, create) = uris("http://host:8086");
        assert_eq!(write, "http://host:8086/write?db=k8s&precision=ms");
        assert_eq!(create.as_deref(), Some("http://host:8086/query?q=CREATE+DATABASE+%22k8s%22"));
        assert_eq!(uris("http://host:8086/?db=own").0, "http://host:8086/write?db=own&precision=ms");
        let second = "http://host:8086/api/v2/write?org=a&bucket=b";
        assert_eq!(uris(second), (format!("{second}&precision=ms"), None));
    }
}
