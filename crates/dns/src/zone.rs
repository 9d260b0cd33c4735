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
mod tests;
