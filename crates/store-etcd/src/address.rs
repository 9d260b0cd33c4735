//! Where etcd is and which part of it is ours.

/// Where etcd listens for clients unless it is told otherwise.
const CLIENT_PORT: u16 = 2379;

/// `etcd://first,second:2379/root`: the servers of one etcd cluster, and the prefix of all keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(crate) endpoints: Vec<Endpoint>,
    /// Begins with a slash and does not end with one.
    pub(crate) root: String,
}

/// One etcd server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0:?} is not the address of an etcd cluster; write etcd://host:2379,host:2379")]
    NotEtcd(String),
    #[error("{0:?} is not a host with an optional port")]
    Endpoint(String),
    #[error("the root {0:?} has an empty segment or a NUL")]
    Root(String),
}

impl Address {
    /// Reads an address; where it names no root, `/<default_root>` is it.
    pub fn parse(text: &str, default_root: &str) -> Result<Address, AddressError> {
        let rest = text.strip_prefix("etcd://").ok_or_else(|| AddressError::NotEtcd(text.into()))?;
        let (hosts, root) =
            rest.split_once('/').map_or((rest, ""), |(hosts, root)| (hosts, root.trim_end_matches('/')));
        if hosts.is_empty() {
            return Err(AddressError::NotEtcd(text.into()));
        }
        let root = if root.is_empty() { default_root } else { root };
        if root.contains('\0') || root.split('/').any(str::is_empty) {
            return Err(AddressError::Root(root.into()));
        }
        let endpoints = hosts.split(',').map(parse_endpoint).collect::<Result<_, _>>()?;
        Ok(Address { endpoints, root: format!("/{root}") })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Endpoint { host, port } = self;
        if host.contains(':') { write!(formatter, "[{host}]:{port}") } else { write!(formatter, "{host}:{port}") }
    }
}

fn parse_endpoint(text: &str) -> Result<Endpoint, AddressError> {
    let bad = || AddressError::Endpoint(text.into());
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 address stands in brackets.
        Some(rest) => {
            let (host, behind) = rest.split_once(']').ok_or_else(bad)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| bad())?;
            let port = if behind.is_empty() { None } else { Some(behind.strip_prefix(':').ok_or_else(bad)?) };
            (host, port)
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(bad());
    }
    let port = port.map_or(Ok(CLIENT_PORT), |port| port.parse().map_err(|_| bad()))?;
    Ok(Endpoint { host: host.into(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_servers_and_a_root() {
        let address = Address::parse("etcd://a,b.example:2380,[::1]:1,[fe80::2]/teams/red/", "pintle").unwrap();
        let shown: Vec<String> = address.endpoints.iter().map(Endpoint::to_string).collect();
        assert_eq!(shown, ["a:2379", "b.example:2380", "[::1]:1", "[fe80::2]:2379"]);
        assert_eq!(address.root, "/teams/red");
        assert_eq!(Address::parse("etcd://a", "pintle").unwrap().root, "/pintle");
        assert_eq!(Address::parse("etcd://a/", "pintle").unwrap().root, "/pintle");
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for text in ["", "a:2379", "http://a", "etcd://", "etcd:///x"] {
            assert_eq!(Address::parse(text, "pintle"), Err(AddressError::NotEtcd(text.into())));
        }
        for host in ["", "a:", "a:x", "a:70000", ":2379", "a b", "[::1", "[x]", "[::1]2379", "user@a"] {
            let text = format!("etcd://ok,{host}");
            assert_eq!(Address::parse(&text, "pintle"), Err(AddressError::Endpoint(host.into())), "{text}");
        }
        assert_eq!(Address::parse("etcd://a/x//y", "pintle"), Err(AddressError::Root("x//y".into())));
    }
}
