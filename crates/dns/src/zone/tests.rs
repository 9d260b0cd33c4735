use std::sync::Arc;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

fn object<T: serde::de::DeserializeOwned>(value: Value) -> Arc<T> {
    Arc::new(serde_json::from_value(value).unwrap())
}

fn service(name: &str, spec: Value) -> Value {
    json!({"metadata": {"namespace": "default", "name": name}, "spec": spec})
}

fn slice(service: &str, endpoints: Value, ports: Value) -> Value {
    let labels = json!({"kubernetes.io/service-name": service});
    let metadata = json!({"namespace": "default", "name": format!("{service}-1"), "labels": labels});
    json!({"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": ports})
}

fn table() -> Table {
    let namespaces = ["default", "empty"].map(|name| object(json!({"metadata": {"name": name}})));
    let http = json!([{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]);
    let services = [
        service("web", json!({"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7", "fd00::7"], "ports": http})),
        service("peers", json!({"clusterIP": "None", "ports": [{"name": "http", "port": 80}]})),
        service("silent", json!({"clusterIP": "None"})),
        service("bare", json!({"clusterIP": "None"})),
        service("near", json!({"type": "ExternalName", "externalName": "web.default.svc.cluster.local"})),
        service("far", json!({"type": "ExternalName", "externalName": "Example.org"})),
    ];
    let endpoints = json!([
        {"addresses": ["10.244.0.2"], "hostname": "peers-0", "conditions": {"ready": true}},
        {"addresses": ["10.244.0.3"]},
        {"addresses": ["10.244.0.4"], "hostname": "peers-2", "conditions": {"ready": false}},
    ]);
    let slices = [
        slice("peers", endpoints, json!([{"name": "http", "port": 8080, "protocol": "TCP"}])),
        slice("bare", json!([{"addresses": ["10.244.0.9"]}]), Value::Null),
        slice("web", json!([{"addresses": ["10.244.0.5"]}]), json!([{"name": "http", "port": 8080}])),
    ];
    Table::default().updated(&namespaces, services.map(object).into(), slices.map(object).into(), 7)
}

/// Answers, then `/` and the authority, then `+` and the additionals.
fn check(question: &str, record_type: RecordType, expected: Expect) {
    let zone = Zone::new("cluster.local", IpAddr::from([10, 96, 0, 10])).unwrap();
    let question = Name::from_ascii(question).unwrap();
    let answer = zone.answer(&table(), &question, record_type);
    let mut lines = vec![answer.code.to_str().to_owned()];
    lines.extend(answer.records.iter().map(|record| format!("  {record}")));
    lines.extend(answer.authority.iter().map(|record| format!("/ {record}")));
    lines.extend(answer.additionals.iter().map(|record| format!("+ {record}")));
    lines.extend(answer.unresolved.iter().map(|name| format!("? {name}")));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn services_are_their_addresses_in_any_case() {
    check(
        "web.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          web.default.svc.cluster.local. 5 IN A 10.96.0.7"#]],
    );
    check(
        "WEB.Default.SVC.cluster.LOCAL.",
        RecordType::AAAA,
        expect![[r#"
        No Error
          WEB.Default.SVC.cluster.LOCAL. 5 IN AAAA fd00::7"#]],
    );
    check(
        "web.default.svc.cluster.local.",
        RecordType::MX,
        expect![[r#"
        No Error
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "web.default.svc.cluster.local.",
        RecordType::SRV,
        expect![[r#"
        No Error
          web.default.svc.cluster.local. 5 IN SRV 0 50 80 web.default.svc.cluster.local.
          web.default.svc.cluster.local. 5 IN SRV 0 50 53 web.default.svc.cluster.local.
        + web.default.svc.cluster.local. 5 IN A 10.96.0.7
        + web.default.svc.cluster.local. 5 IN AAAA fd00::7"#]],
    );
    check(
        "_dns._udp.web.default.svc.cluster.local.",
        RecordType::SRV,
        expect![[r#"
        No Error
          _dns._udp.web.default.svc.cluster.local. 5 IN SRV 0 100 53 web.default.svc.cluster.local.
        + web.default.svc.cluster.local. 5 IN A 10.96.0.7
        + web.default.svc.cluster.local. 5 IN AAAA fd00::7"#]],
    );
    check(
        "_dns._tcp.web.default.svc.cluster.local.",
        RecordType::SRV,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "10-244-0-5.web.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          10-244-0-5.web.default.svc.cluster.local. 5 IN A 10.244.0.5"#]],
    );
}

#[test]
fn headless_services_are_their_ready_endpoints() {
    check(
        "peers.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          peers.default.svc.cluster.local. 5 IN A 10.244.0.2
          peers.default.svc.cluster.local. 5 IN A 10.244.0.3"#]],
    );
    check(
        "peers-0.peers.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          peers-0.peers.default.svc.cluster.local. 5 IN A 10.244.0.2"#]],
    );
    check(
        "peers-2.peers.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "_http._tcp.peers.default.svc.cluster.local.",
        RecordType::SRV,
        expect![[r#"
        No Error
          _http._tcp.peers.default.svc.cluster.local. 5 IN SRV 0 50 8080 peers-0.peers.default.svc.cluster.local.
          _http._tcp.peers.default.svc.cluster.local. 5 IN SRV 0 50 8080 10-244-0-3.peers.default.svc.cluster.local.
        + peers-0.peers.default.svc.cluster.local. 5 IN A 10.244.0.2
        + 10-244-0-3.peers.default.svc.cluster.local. 5 IN A 10.244.0.3"#]],
    );
    check(
        "silent.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "bare.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          bare.default.svc.cluster.local. 5 IN A 10.244.0.9"#]],
    );
    check(
        "bare.default.svc.cluster.local.",
        RecordType::SRV,
        expect![[r#"
        No Error
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
}

#[test]
fn aliases_name_their_target() {
    check(
        "near.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          near.default.svc.cluster.local. 5 IN CNAME web.default.svc.cluster.local.
        ? web.default.svc.cluster.local."#]],
    );
    check(
        "far.default.svc.cluster.local.",
        RecordType::CNAME,
        expect![[r#"
        No Error
          far.default.svc.cluster.local. 5 IN CNAME Example.org."#]],
    );
    check(
        "x.far.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
}

#[test]
fn pods_are_named_by_their_address() {
    check(
        "10-244-0-2.default.pod.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          10-244-0-2.default.pod.cluster.local. 5 IN A 10.244.0.2"#]],
    );
    check(
        "fd00--2.default.pod.cluster.local.",
        RecordType::AAAA,
        expect![[r#"
        No Error
          fd00--2.default.pod.cluster.local. 5 IN AAAA fd00::2"#]],
    );
    check(
        "10-244-0.default.pod.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "10-244-0-2.nowhere.pod.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
}

#[test]
fn the_zone_tells_what_is_not_there_from_what_has_nothing() {
    check(
        "cluster.local.",
        RecordType::SOA,
        expect![[r#"
        No Error
          cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "cluster.local.",
        RecordType::NS,
        expect![[r#"
        No Error
          cluster.local. 5 IN NS ns.dns.cluster.local."#]],
    );
    check(
        "ns.dns.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
          ns.dns.cluster.local. 5 IN A 10.96.0.10"#]],
    );
    check(
        "dns-version.cluster.local.",
        RecordType::TXT,
        expect![[r#"
        No Error
          dns-version.cluster.local. 5 IN TXT 1.1.0"#]],
    );
    check(
        "svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "empty.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        No Error
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "nowhere.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "missing.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "a.b.c.web.default.svc.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
    check(
        "example.org.cluster.local.",
        RecordType::A,
        expect![[r#"
        Non-Existent Domain
        / cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5"#]],
    );
}

#[test]
fn addresses_lead_back_to_names() {
    let zone = Zone::new("cluster.local", IpAddr::from([10, 96, 0, 10])).unwrap();
    let names = |address: [u8; 4]| -> Vec<String> {
        let records = zone.reverse(&table(), &Name::root(), IpAddr::from(address));
        records.iter().map(|record| record.data.to_string()).collect()
    };
    assert_eq!(names([10, 96, 0, 7]), ["web.default.svc.cluster.local."]);
    assert_eq!(names([10, 244, 0, 2]), ["peers-0.peers.default.svc.cluster.local."]);
    assert_eq!(names([10, 244, 0, 3]), ["10-244-0-3.peers.default.svc.cluster.local."]);
    assert!(names([10, 244, 0, 4]).is_empty(), "unready");
    assert!(names([192, 0, 2, 1]).is_empty());
}

#[test]
fn an_update_keeps_what_did_not_change() {
    let namespaces = [object(json!({"metadata": {"name": "default"}}))];
    let one = object(service("one", json!({"clusterIP": "10.96.0.1", "ports": [{"port": 1}]})));
    let two = object(service("two", json!({"clusterIP": "10.96.0.2", "ports": [{"port": 1}]})));
    let first = Table::default().updated(&namespaces, vec![one], Vec::new(), 1);
    let second = first.updated(&namespaces, vec![two], Vec::new(), 1);
    assert_eq!(second.find(&["one", "default", "svc"]), Found::Nothing);
    assert!(matches!(second.find(&["two", "default", "svc"]), Found::Hosts(_)));
    assert!(second.serial > first.serial);
    assert!(Zone::new("", IpAddr::from([0; 4])).is_err());
    assert!(Zone::new("no..domain", IpAddr::from([0; 4])).is_err());
}
