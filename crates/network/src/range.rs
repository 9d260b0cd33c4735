//! Address ranges.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An IPv4 range with at least a gateway and one pod in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    network: Ipv4Addr,
    prefix_length: u8,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotARange;

/// Network address, gateway, one pod, broadcast address.
const LONGEST_PREFIX: u8 = 30;

impl Range {
    /// Addresses that nobody uses (RFC 5737, TEST-NET-1): for rehearsals.
    pub(crate) fn documentation() -> Self {
        Range { network: Ipv4Addr::new(192, 0, 2, 0), prefix_length: 24 }
    }

    pub(crate) fn network(&self) -> Ipv4Addr {
        self.network
    }

    pub(crate) fn prefix_length(&self) -> u8 {
        self.prefix_length
    }

    /// The node's own address on the bridge: the first one.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.network) + 1)
    }

    /// The addresses for pods: without network, gateway and broadcast address.
    pub(crate) fn pods(&self) -> std::ops::RangeInclusive<u32> {
        let network = u32::from(self.network);
        let last = network | (u32::MAX >> self.prefix_length);
        network + 2..=last - 1
    }
}

impl FromStr for Range {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        let (address, prefix_length) = text.split_once('/').ok_or(NotARange)?;
        let address: Ipv4Addr = address.parse().map_err(|_| NotARange)?;
        let prefix_length: u8 = prefix_length.parse().map_err(|_| NotARange)?;
        if !(1..=LONGEST_PREFIX).contains(&prefix_length) {
            return Err(NotARange);
        }
        let mask = u32::MAX << (32 - u32::from(prefix_length));
        Ok(Range { network: Ipv4Addr::from(u32::from(address) & mask), prefix_length })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.network, self.prefix_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_leave_room_for_a_gateway() {
        let range: Range = "10.244.3.77/24".parse().unwrap();
        assert_eq!(range.to_string(), "10.244.3.0/24");
        assert_eq!(range.gateway().to_string(), "10.244.3.1");
        let pods = range.pods();
        assert_eq!(Ipv4Addr::from(*pods.start()).to_string(), "10.244.3.2");
        assert_eq!(Ipv4Addr::from(*pods.end()).to_string(), "10.244.3.254");
        assert_eq!("10.0.0.0/30".parse::<Range>().unwrap().pods().count(), 1);
        for wrong in ["10.0.0.0", "10.0.0.0/31", "10.0.0.0/0", "10.0.0/24", "fd00::/64", "10.0.0.0/x"] {
            assert_eq!(wrong.parse::<Range>(), Err(NotARange), "{wrong}");
        }
    }
}
