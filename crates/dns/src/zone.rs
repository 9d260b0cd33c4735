//! Answers of the cluster's own zone, without any protocol around them.

use std::net::IpAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::table::{Found, Host, Table};

/// As CoreDNS has it by default: a service that is made again is found soon.
const TTL_SECONDS: u32 = 5;
const SPECIFICATION: &str = "1.1.0";
const REFRESH_SECONDS: i32 = 7200;
const RETRY_SECONDS: i32 = 1800;
const EXPIRE_SECONDS: i32 = 86_400;
/// Shared by the targets of a name, as weights of SRV records.
const TOTAL_WEIGHT: usize = 100;

/// The cluster's domain with its name server.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    domain: Name,
    /// Where pods find the server.
    server_address: IpAddr,
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a domain name")]
pub struct InvalidDomain(String);

/// An answer to one question.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: ResponseCode,
    pub(crate) records: Vec<Record>,
    pub(crate) additionals: Vec<Record>,
    /// Goes with answers that say "nothing".
    pub(crate) authority: Option<Record>,
    /// An alias whose target is still to be looked up.
    pub(crate) unresolved: Option<Name>,
}

impl Zone {
    pub(crate) fn new(domain: &str, server_address: IpAddr) -> Result<Self, InvalidDomain> {
        let invalid = || InvalidDomain(domain.to_owned());
        let mut name = Name::from_ascii(domain.to_ascii_lowercase()).map_err(|_| invalid())?;
        name.set_fqdn(true);
        if name.is_root() { Err(invalid()) } else { Ok(Zone { domain: name, server_address }) }
    }

    pub(crate) fn contains(&self, name: &Name) -> bool {
        self.domain.zone_of(name)
    }

    /// Answers a question about a name of the zone.
    pub(crate) fn answer(&self, table: &Table, question: &Name, record_type: RecordType) -> Answer {
        let labels: Vec<String> =
            question.iter().map(|label| String::from_utf8_lossy(label).to_ascii_lowercase()).collect();
        let depth = labels.len().saturating_sub(usize::from(self.domain.num_labels()));
        let labels: Vec<&str> = labels[..depth].iter().map(String::as_str).collect();
        let records = |data: Vec<RData>| self.nonempty(table, records(question, data));
        match labels.as_slice() {
            [] => records(match record_type {
                RecordType::SOA => vec![self.start_of_authority(table)],
                RecordType::NS => vec![RData::NS(NS(self.name("ns.dns")))],
                _ => Vec::new(),
            }),
            ["dns"] => records(Vec::new()),
            ["ns", "dns"] => records(address_data(record_type, [self.server_address])),
            ["dns-version"] => records(match record_type {
                RecordType::TXT => vec![RData::TXT(TXT::new(vec![SPECIFICATION.to_owned()]))],
                _ => Vec::new(),
            }),
            labels => match table.find(labels) {
                Found::Nothing => Answer { code: ResponseCode::NXDomain, ..self.nonempty(table, Vec::new()) },
                Found::Empty => records(Vec::new()),
                Found::Pod(address) => records(address_data(record_type, [address])),
                Found::Alias(target) => self.alias(question, record_type, target),
                Found::Hosts(hosts) if record_type == RecordType::SRV => self.services(table, question, &hosts),
                Found::Hosts(hosts) => {
                    let mut addresses: Vec<IpAddr> = Vec::with_capacity(hosts.len());
                    for host in hosts {
                        if !addresses.contains(&host.address) {
                            addresses.push(host.address);
                        }
                    }
                    records(address_data(record_type, addresses))
                }
            },
        }
    }

    /// The names of an address of the cluster; none where the address is not the cluster's.
    pub(crate) fn reverse(&self, table: &Table, question: &Name, address: IpAddr) -> Vec<Record> {
        let pointer = |name: &String| RData::PTR(PTR(self.name(name)));
        records(question, table.names_of(address).iter().map(pointer).collect())
    }

    fn alias(&self, question: &Name, record_type: RecordType, target: &Name) -> Answer {
        Answer {
            code: ResponseCode::NoError,
            records: records(question, vec![RData::CNAME(CNAME(target.clone()))]),
            additionals: Vec::new(),
            authority: None,
            unresolved: (record_type != RecordType::CNAME).then(|| target.clone()),
        }
    }

    fn services(&self, table: &Table, question: &Name, hosts: &[&Host]) -> Answer {
        let mut targets: Vec<(&str, u16)> = Vec::new();
        for host in hosts {
            let Some(port) = &host.port else { continue };
            if !targets.contains(&(&host.name, port.number)) {
                targets.push((&host.name, port.number));
            }
        }
        let weight = u16::try_from(TOTAL_WEIGHT / targets.len().max(1)).unwrap_or(1).max(1);
        let service = |(name, port): &(&str, u16)| RData::SRV(SRV::new(0, weight, *port, self.name(name)));
        let mut answer = self.nonempty(table, records(question, targets.iter().map(service).collect()));
        let mut shown: Vec<(&str, IpAddr)> = Vec::new();
        for host in hosts.iter().filter(|host| host.port.is_some()) {
            if !shown.contains(&(&host.name, host.address)) {
                shown.push((&host.name, host.address));
                answer.additionals.extend(records(&self.name(&host.name), vec![address_record(host.address)]));
            }
        }
        answer
    }

    /// An answer with what is there, or with the word that nothing is.
    fn nonempty(&self, table: &Table, records: Vec<Record>) -> Answer {
        let authority = records
            .is_empty()
            .then(|| Record::from_rdata(self.domain.clone(), TTL_SECONDS, self.start_of_authority(table)));
        Answer { code: ResponseCode::NoError, records, additionals: Vec::new(), authority, unresolved: None }
    }

    fn start_of_authority(&self, table: &Table) -> RData {
        RData::SOA(SOA::new(
            self.name("ns.dns"),
            self.name("hostmaster"),
            table.serial,
            REFRESH_SECONDS,
            RETRY_SECONDS,
            EXPIRE_SECONDS,
            TTL_SECONDS,
        ))
    }

    /// The absolute name; where the parts are no name at all, which the API's validation prevents,
    /// the domain itself.
    fn name(&self, relative: &str) -> Name {
        Name::from_ascii(relative)
            .and_then(|name| name.append_domain(&self.domain))
            .unwrap_or_else(|_| self.domain.clone())
    }
}

fn records(owner: &Name, data: Vec<RData>) -> Vec<Record> {
    data.into_iter().map(|data| Record::from_rdata(owner.clone(), TTL_SECONDS, data)).collect()
}

/// The addresses that a question of this type asks for.
fn address_data(record_type: RecordType, addresses: impl IntoIterator<Item = IpAddr>) -> Vec<RData> {
    let wanted = |address: &IpAddr| match record_type {
        RecordType::A => address.is_ipv4(),
        RecordType::AAAA => address.is_ipv6(),
        RecordType::ANY => true,
        _ => false,
    };
    addresses.into_iter().filter(wanted).map(address_record).collect()
}

fn address_record(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(address) => RData::A(A(address)),
        IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    }
}

#[cfg(test)]
mod tests {
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
        let http =
            json!([{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}]);
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
}
