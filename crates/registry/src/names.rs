//! What names, label keys and label values may look like, and what is said of those that may not.

use std::net::IpAddr;

use crate::error::FieldError;
use crate::fields::invalid_all;

/// The shape of a kind's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// RFC 1123 subdomain, up to 253 bytes: most kinds.
    DnsSubdomain,
    /// RFC 1123 label, up to 63 bytes: Namespaces.
    DnsLabel,
    /// RFC 1035 label, up to 63 bytes and starting with a letter: Services.
    Dns1035Label,
    /// Anything that fits into one segment of a path: RBAC kinds.
    PathSegment,
    /// An address in its canonical form: IPAddresses.
    IpAddress,
}

impl NameRule {
    /// What is wrong with the name; empty where nothing is. With `is_prefix`, the name is a
    /// `generateName` and may end in the middle of a word.
    pub fn check(self, name: &str, is_prefix: bool) -> Vec<String> {
        let masked;
        let is_free = matches!(self, NameRule::PathSegment | NameRule::IpAddress);
        let name = match is_prefix && name.len() > 1 && name.ends_with('-') && !is_free {
            true => {
                masked = format!("{}a", &name[..name.len() - 1]);
                &masked
            }
            false => name,
        };
        match self {
            NameRule::DnsSubdomain => dns_subdomain(name),
            NameRule::DnsLabel => dns_label(name),
            NameRule::Dns1035Label => dns_1035_label(name),
            NameRule::PathSegment => path_segment(name),
            NameRule::IpAddress => ip_address(name),
        }
    }
}

const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                         start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for \
                         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                             '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used \
                             for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const DNS_1035_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
                              alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
                              'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_PART: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                              alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
                              validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
                           and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
                           '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  \
                          or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const C_IDENTIFIER: &str = "a valid C identifier must start with alphabetic character or '_', followed by a string of \
                            alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used \
                            for validation is '[A-Za-z_][A-Za-z0-9_]*')";
const PORT_NAME_CHARACTERS: &str = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";

const DNS_SUBDOMAIN_WITH_UNDERSCORE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start \
     and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9_]([-_a-z0-9]*[a-z0-9_])?(\\.[a-z0-9_]([-_a-z0-9]*[a-z0-9_])?)*')";
const WILDCARD_SUBDOMAIN: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower \
     case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used \
     for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const HTTP_PATH: &str = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
const HTTP_HEADER_NAME: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. \
                                'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";

const DNS_LABEL_MAX_BYTES: usize = 63;
const DNS_SUBDOMAIN_MAX_BYTES: usize = 253;

pub fn dns_label(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_LABEL_MAX_BYTES, "");
    if !is_dns_label(text) {
        faults.push(DNS_LABEL.to_owned());
    }
    faults
}

pub fn dns_subdomain(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_SUBDOMAIN_MAX_BYTES, "");
    if !text.split('.').all(is_dns_label) {
        faults.push(DNS_SUBDOMAIN.to_owned());
    }
    faults
}

/// A domain whose parts may begin with an underscore: `_tcp.example.com`.
pub fn dns_subdomain_with_underscore(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_SUBDOMAIN_MAX_BYTES, "");
    if !text.split('.').all(|part| is_dns_label(&part.replace('_', "0"))) {
        faults.push(DNS_SUBDOMAIN_WITH_UNDERSCORE.to_owned());
    }
    faults
}

/// `*.example.com`: all names one part longer.
pub fn wildcard_subdomain(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_SUBDOMAIN_MAX_BYTES, "");
    if !text.strip_prefix("*.").is_some_and(|domain| domain.split('.').all(is_dns_label)) {
        faults.push(WILDCARD_SUBDOMAIN.to_owned());
    }
    faults
}

pub fn http_header_name(text: &str) -> Vec<String> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_known) { Vec::new() } else { vec![HTTP_HEADER_NAME.to_owned()] }
}

pub fn dns_1035_label(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_LABEL_MAX_BYTES, "");
    if !(is_dns_label(text) && text.starts_with(|first: char| first.is_ascii_lowercase())) {
        faults.push(DNS_1035_LABEL.to_owned());
    }
    faults
}

pub fn path_segment(text: &str) -> Vec<String> {
    if text == "." || text == ".." {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"].iter().filter(|part| text.contains(**part)).map(|part| format!("may not contain '{part}'")).collect()
}

/// A label or annotation key, a condition type, a resource name: `[prefix/]name`.
pub fn qualified_name(text: &str) -> Vec<String> {
    let (prefix, name) = match text.split('/').collect::<Vec<_>>()[..] {
        [name] => (None, name),
        [prefix, name] => (Some(prefix), name),
        _ => {
            return vec![format!(
                "a qualified name {QUALIFIED_PART} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
    };
    let mut faults = Vec::new();
    match prefix {
        Some("") => faults.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => faults.extend(dns_subdomain(prefix).into_iter().map(|fault| format!("prefix part {fault}"))),
        None => {}
    }
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else {
        faults.extend(at_most(name, DNS_LABEL_MAX_BYTES, "name part "));
    }
    if !is_qualified_part(name) {
        faults.push(format!("name part {QUALIFIED_PART}"));
    }
    faults
}

pub fn label_value(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_LABEL_MAX_BYTES, "");
    if !text.is_empty() && !is_qualified_part(text) {
        faults.push(LABEL_VALUE.to_owned());
    }
    faults
}

/// A key of a ConfigMap or a Secret.
pub fn config_key(text: &str) -> Vec<String> {
    let mut faults = at_most(text, DNS_SUBDOMAIN_MAX_BYTES, "");
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        faults.push(CONFIG_KEY.to_owned());
    } else if text == "." {
        faults.push("must not be '.'".to_owned());
    } else if text == ".." {
        faults.push("must not be '..'".to_owned());
    } else if text.starts_with("..") {
        faults.push("must not start with '..'".to_owned());
    }
    faults
}

/// An environment variable's name: any printable ASCII but `=`.
pub fn environment_name(text: &str) -> Vec<String> {
    if !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
}

/// A port's name: up to 15 of a-z, 0-9 and `-`, at least one letter, no `--` and none at an end.
pub fn port_name(text: &str) -> Vec<String> {
    let mut faults = at_most(text, 15, "");
    if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        faults.push(PORT_NAME_CHARACTERS.to_owned());
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        faults.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        faults.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        faults.push("must not begin or end with a hyphen".to_owned());
    }
    faults
}

/// An IP address in the one form that prints what it says.
pub fn ip_address(text: &str) -> Vec<String> {
    let fault = match text.parse::<IpAddr>() {
        Err(_) if has_leading_zeros(text) => "must not have leading 0s".to_owned(),
        Err(_) => "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned(),
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            "must not be an IPv4-mapped IPv6 address".to_owned()
        }
        Ok(address) if address.to_string() != text => format!("must be in canonical form (\"{address}\")"),
        Ok(_) => return Vec::new(),
    };
    vec![fault]
}

/// Why an address is not one that others can be sent to.
pub fn special_address(address: IpAddr) -> Option<&'static str> {
    let (is_link_local, is_link_local_multicast) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(address) => (address.is_unicast_link_local(), address.segments()[0] & 0xff0f == 0xff02),
    };
    if address.is_unspecified() {
        Some("may not be unspecified (0.0.0.0 or ::)")
    } else if address.is_loopback() {
        Some("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    } else if is_link_local {
        Some("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    } else if is_link_local_multicast {
        Some("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    } else {
        None
    }
}

/// An address that others can be sent to, in any form that can be read.
pub fn endpoint_address(text: &str) -> Vec<String> {
    match text.parse::<IpAddr>() {
        Err(_) => vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()],
        Ok(address) => special_address(address).map(str::to_owned).into_iter().collect(),
    }
}

/// `example.com/name`: who is meant by a domain of their own.
pub fn domain_prefixed_path(text: &str) -> Vec<String> {
    let malformed = || vec!["must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned()];
    let Some((domain, path)) = text.split_once('/') else { return malformed() };
    if domain.is_empty() || path.is_empty() {
        return malformed();
    }
    let mut faults: Vec<String> = dns_subdomain(domain);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:%".contains(&byte);
    if !path.bytes().all(is_allowed) {
        faults.push(HTTP_PATH.to_owned());
    }
    faults
}

/// A range of addresses, `10.9.8.0/24`, in canonical form and without bits beyond its length.
pub fn cidr(text: &str) -> Vec<String> {
    let invalid = || vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()];
    let Some((address_text, length_text)) = text.split_once('/') else { return invalid() };
    let Some(length) = length_text.parse::<u32>().ok().filter(|length| length.to_string() == length_text) else {
        return invalid();
    };
    let (network, most) = match address_text.parse::<IpAddr>() {
        Err(_) if has_leading_zeros(address_text) => return vec!["must not have leading 0s in IP".to_owned()],
        Err(_) => return invalid(),
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            return vec!["must not have an IPv4-mapped IPv6 address".to_owned()];
        }
        Ok(IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            (IpAddr::from((u32::from(address) & mask).to_be_bytes()), 32)
        }
        Ok(IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
            (IpAddr::from((u128::from(address) & mask).to_be_bytes()), 128)
        }
    };
    if length > most {
        return invalid();
    }
    match address_text.parse::<IpAddr>() {
        Ok(address) if address != network => vec!["must not have bits set beyond the prefix length".to_owned()],
        Ok(address) if address.to_string() != address_text => {
            vec![format!("must be in canonical form (\"{network}/{length}\")")]
        }
        _ => Vec::new(),
    }
}

/// Whether one range, in canonical form, is a part of another and not the whole.
pub fn is_within(part: &str, whole: &str) -> bool {
    let parse = |range: &str| {
        let (address, length) = range.split_once('/')?;
        let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?);
        // In 128 bits: the network is what stands before the length.
        Some(match address {
            IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96, length),
            IpAddr::V6(address) => (false, u128::from(address), length),
        })
    };
    let (Some((is_v4, part, part_length)), Some((whole_is_v4, whole, length))) = (parse(part), parse(whole)) else {
        return false;
    };
    let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
    is_v4 == whole_is_v4 && part_length > length && part & mask == whole & mask
}

/// Four decimal numbers, one of them written with more digits than it needs.
fn has_leading_zeros(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

/// A domain of at least three parts: the name of a webhook. `None` where nothing is wrong.
pub fn fully_qualified_name(text: &str) -> Option<String> {
    let faults = dns_subdomain(text);
    if !faults.is_empty() {
        return Some(faults.join(","));
    }
    (text.split('.').count() < 3)
        .then(|| "should be a domain with at least three segments separated by dots".to_owned())
}

/// A word of letters, digits and `_`: the part of a device attribute's name behind its domain.
pub fn c_identifier(text: &str) -> Vec<String> {
    let mut bytes = text.bytes();
    let is_word = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let fits = bytes.next().is_some_and(is_word) && bytes.all(|byte| is_word(byte) || byte.is_ascii_digit());
    match fits {
        true => Vec::new(),
        false => vec![C_IDENTIFIER.to_owned()],
    }
}

/// The name of a signer, `example.com/name`, as requests for certificates name it.
pub fn signer_name(text: &str, path: &str, faults: &mut Vec<FieldError>) {
    let (domain, name) = match text.split('/').collect::<Vec<_>>()[..] {
        [""] => return faults.push(FieldError::required(path, "")),
        [domain, name] => (domain, name),
        _ => {
            let detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
            return faults.push(FieldError::invalid(path, text, detail));
        }
    };
    if domain.len() > DNS_SUBDOMAIN_MAX_BYTES {
        faults.push(FieldError::too_long(path, DNS_SUBDOMAIN_MAX_BYTES));
    }
    first_bad_part(domain, dns_label, path, faults);
    if !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        faults.push(FieldError::invalid(path, domain, detail));
    }
    first_bad_part(name, dns_subdomain, path, faults);
    // Room for the name of an object and its namespace behind the domain.
    let most = DNS_SUBDOMAIN_MAX_BYTES + 1 + DNS_SUBDOMAIN_MAX_BYTES + 1 + DNS_LABEL_MAX_BYTES;
    if text.len() > most {
        faults.push(FieldError::too_long(path, most));
    }
}

/// Faults of the first part between dots that has any: those of later parts would read the same.
fn first_bad_part(text: &str, rule: fn(&str) -> Vec<String>, path: &str, faults: &mut Vec<FieldError>) {
    let bad = text.split('.').map(|part| (part, rule(part))).find(|(_, complaints)| !complaints.is_empty());
    let Some((part, complaints)) = bad else { return };
    for complaint in complaints {
        faults.push(FieldError::invalid(path, text, format!("validating label {part:?}: {complaint}")));
    }
}

/// The name of a driver: a domain of up to 63 bytes, in any case.
pub fn driver_name(text: &str, path: &str, faults: &mut Vec<FieldError>) {
    if text.is_empty() {
        return faults.push(FieldError::required(path, ""));
    }
    if text.len() > DNS_LABEL_MAX_BYTES {
        faults.push(FieldError::too_long(path, DNS_LABEL_MAX_BYTES));
    }
    invalid_all(path, text, dns_subdomain(&text.to_lowercase()), faults);
}

fn at_most(text: &str, limit: usize, part: &str) -> Vec<String> {
    match text.len() > limit {
        true => vec![format!("{part}must be no more than {limit} bytes")],
        false => Vec::new(),
    }
}

fn is_dns_label(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(is_word)
        && bytes.last().copied().is_some_and(is_word)
        && bytes.iter().all(|&byte| is_word(byte) || byte == b'-')
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> Vec<String>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(rule(text), Vec::<String>::new(), "{text:?}");
        }
        for text in bad {
            assert_ne!(rule(text), Vec::<String>::new(), "{text:?}");
        }
    }

    #[test]
    fn each_rule_takes_its_own_and_refuses_others() {
        let long = "a".repeat(64);
        check(dns_label, &["a", "a-b", "0"], &["", "-a", "a-", "A", "a.b", "a_b", &long]);
        check(dns_subdomain, &["a", "a.b-c.d", &long], &["", "a..b", ".a", "a.", "A.b", "a_b"]);
        check(dns_1035_label, &["a", "a-1"], &["1a", "", "a-", &long]);
        check(path_segment, &["system:node", "a b", "A"], &[".", "..", "a/b", "a%b"]);
        check(qualified_name, &["a", "A_b.c", "x.y/Z", "0"], &["", "/a", "a/", "a/b/c", "X/y", "-a", &long]);
        check(label_value, &["", "a", "A_b.c"], &["-a", "a-", "a b", &long]);
        check(config_key, &["a", ".a", "A_b-c.d", &long], &["", ".", "..", "..a", "a/b"]);
        check(environment_name, &["A", "a.b", "1 2"], &["", "a=b", "ü"]);
        check(port_name, &["http", "a-1"], &["", "1", "a--b", "-a", "A", "abcdefghijklmnop"]);
    }

    #[test]
    fn says_it_in_upstreams_words() {
        assert_eq!(
            dns_subdomain("My_App"),
            [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
              start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
              '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ]
        );
        assert_eq!(label_value(&"a".repeat(64)), ["must be no more than 63 bytes"]);
    }

    #[test]
    fn addresses_and_ranges_say_what_they_mean_in_one_way() {
        for (text, fault) in [
            ("10.9.8.7", None),
            ("2001:db8::ffff", None),
            ("10.9.8.07", Some("must not have leading 0s")),
            ("::ffff:1.2.3.4", Some("must not be an IPv4-mapped IPv6 address")),
            ("2001:DB8::1", Some("must be in canonical form (\"2001:db8::1\")")),
            ("10.9.8", Some("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")),
        ] {
            assert_eq!(ip_address(text), Vec::from_iter(fault), "{text}");
        }
        const INVALID: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        for (text, fault) in [
            ("10.9.8.0/24", None),
            ("0.0.0.0/0", None),
            ("2001:db8::/64", None),
            ("10.9.8.1/24", Some("must not have bits set beyond the prefix length")),
            ("2001:DB8::/64", Some("must be in canonical form (\"2001:db8::/64\")")),
            ("10.9.8.0", Some(INVALID)),
            ("10.9.8.0/33", Some(INVALID)),
            ("10.9.8.0/024", Some(INVALID)),
        ] {
            assert_eq!(cidr(text), Vec::from_iter(fault), "{text}");
        }
    }

    #[test]
    fn a_webhooks_name_has_three_parts() {
        assert_eq!(fully_qualified_name("a.example.com"), None);
        assert_eq!(
            fully_qualified_name("example.com").as_deref(),
            Some("should be a domain with at least three segments separated by dots")
        );
    }

    #[test]
    fn a_prefix_may_end_in_a_hyphen() {
        assert_eq!(NameRule::DnsLabel.check("web-", true), Vec::<String>::new());
        assert_eq!(NameRule::DnsLabel.check("web-", false).len(), 1);
    }
}
