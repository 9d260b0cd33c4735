//! networking.k8s.io `ServiceCIDR`: ranges from which Services get their addresses.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, invalid_all, texts, value};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static SERVICE_CIDR: Kind = Kind {
    group: "networking.k8s.io",
    kind: "ServiceCIDR",
    plural: "servicecidrs",
    singular: "servicecidr",
    has_status: true,
    rules: &ServiceCidrRules,
    ..Kind::CLUSTER
};

struct ServiceCidrRules;

impl Rules for ServiceCidrRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        match old {
            Some(old) => check_immutable(object, old, "spec.cidrs", &mut faults),
            None => validate_ranges(object, &mut faults),
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("CIDRs", "string", "CIDRs defines the IP blocks from which to assign service cluster IPs."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let ranges: Vec<&str> = texts(object, "spec.cidrs").collect();
        vec![columns::name(object), Value::from(ranges.join(",")), columns::age(object, now)]
    }
}

/// One range, or one of each family.
fn validate_ranges(object: &Object, faults: &mut Vec<FieldError>) {
    let path = "spec.cidrs";
    let ranges: Vec<&str> = texts(object, path).collect();
    let whole = || value(object, "spec");
    match ranges[..] {
        [] => faults.push(FieldError::required(path, "at least one CIDR required")),
        [first, second] if family(first).is_none() || family(second).is_none() || family(first) == family(second) => {
            let detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
            faults.push(FieldError::invalid(path, whole(), detail));
        }
        [_] | [_, _] => {
            for (at, range) in ranges.iter().enumerate() {
                invalid_all(&format!("{path}[{at}]"), range, names::cidr(range), faults);
            }
        }
        _ => faults.push(FieldError::invalid(path, whole(), "may only hold up to 2 values")),
    }
}

/// Whether the range is of IPv6; `None` for what is no range.
fn family(range: &str) -> Option<bool> {
    let (address, _) = range.split_once('/')?;
    address.parse::<IpAddr>().ok().map(|address| address.is_ipv6())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, row};

    fn ranges(ranges: Value) -> Value {
        json!({"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ranges}})
    }

    #[test]
    fn ranges_are_whole_and_of_two_families_at_most() {
        let kind = &SERVICE_CIDR;
        check(kind, ranges(json!(["10.96.0.0/12"])), &[]);
        check(kind, ranges(json!(["10.96.0.0/12", "2001:db8::/64"])), &[]);
        check(kind, ranges(json!([])), &["spec.cidrs: Required value: at least one CIDR required"]);
        check(
            kind,
            ranges(json!(["10.96.0.0/12", "10.0.0.0/16"])),
            &[concat!(
                r#"spec.cidrs: Invalid value: {"cidrs":["10.96.0.0/12","10.0.0.0/16"]}: "#,
                "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            )],
        );
        check(
            kind,
            ranges(json!(["10.0.0.0/8", "2001:db8::/64", "10.0.0.0/9"])),
            &[
                r#"spec.cidrs: Invalid value: {"cidrs":["10.0.0.0/8","2001:db8::/64","10.0.0.0/9"]}: may only hold up to 2 values"#,
            ],
        );
        check(
            kind,
            ranges(json!(["10.96.0.1/12"])),
            &[r#"spec.cidrs[0]: Invalid value: "10.96.0.1/12": must not have bits set beyond the prefix length"#],
        );
        check_update(
            kind,
            ranges(json!(["10.0.0.0/8"])),
            ranges(json!(["10.96.0.0/12"])),
            &[r#"spec.cidrs: Invalid value: ["10.0.0.0/8"]: field is immutable"#],
        );
        let both = ranges(json!(["10.96.0.0/12", "2001:db8::/64"]));
        assert_eq!(row(kind, both), "Name=kubernetes CIDRs=10.96.0.0/12,2001:db8::/64 Age=<unknown>");
    }
}
