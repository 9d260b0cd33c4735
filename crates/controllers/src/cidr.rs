//! Address ranges, and the cutting of small ones from a large one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cidr {
    /// The address as a number of `width` bits; the bits after the prefix are zero.
    network: u128,
    prefix: u8,
    width: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address range such as 10.244.0.0/16")]
pub(crate) struct ParseCidrError(String);

impl Cidr {
    /// The first part of `prefix` bits that overlaps none of those in use.
    pub(crate) fn first_free_part(&self, prefix: u8, used: &[Cidr]) -> Option<Cidr> {
        if prefix < self.prefix || prefix > self.width {
            return None;
        }
        let mut used: Vec<&Cidr> = used.iter().filter(|used| used.overlaps(self)).collect();
        used.sort();
        let step = 1u128.checked_shl(u32::from(self.width - prefix))?;
        let mut candidate = Cidr { network: self.network, prefix, width: self.width };
        // Each range in use moves the candidate at most once, as both are in ascending order.
        for used in used {
            if used.overlaps(&candidate) {
                let end = used.last().max(candidate.last()).checked_add(1)?;
                candidate.network = end.checked_add(step - 1)? & !(step - 1);
            }
        }
        candidate.overlaps(self).then_some(candidate)
    }

    /// The address alone.
    pub(crate) fn of_address(address: IpAddr) -> Option<Cidr> {
        format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 }).parse().ok()
    }

    pub(crate) fn contains(&self, other: &Cidr) -> bool {
        self.overlaps(other) && self.prefix <= other.prefix
    }

    /// Whether the address is the first here, or, of the older family, the last.
    pub(crate) fn is_edge(&self, address: &Cidr) -> bool {
        address.network == self.network || (self.width == 32 && address.network == self.last())
    }

    pub(crate) fn overlaps(&self, other: &Cidr) -> bool {
        self.width == other.width && self.network <= other.last() && other.network <= self.last()
    }

    fn last(&self) -> u128 {
        self.network | mask(self.width - self.prefix)
    }
}

/// The lowest `bits` bits.
fn mask(bits: u8) -> u128 {
    1u128.checked_shl(u32::from(bits)).map_or(u128::MAX, |power| power - 1)
}

impl FromStr for Cidr {
    type Err = ParseCidrError;

    fn from_str(text: &str) -> Result<Self, ParseCidrError> {
        let error = || ParseCidrError(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(error)?;
        let prefix: u8 = prefix.parse().map_err(|_| error())?;
        let (number, width) = match address.parse::<IpAddr>().map_err(|_| error())? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        if prefix > width {
            return Err(error());
        }
        Ok(Cidr { network: number & !mask(width - prefix), prefix, width })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = match u32::try_from(self.network) {
            Ok(number) if self.width == 32 => IpAddr::V4(Ipv4Addr::from(number)),
            _ => IpAddr::V6(Ipv6Addr::from(self.network)),
        };
        write!(formatter, "{address}/{}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn free(range: &str, prefix: u8, used: &[&str]) -> Option<String> {
        let used: Vec<Cidr> = used.iter().map(|text| text.parse().unwrap()).collect();
        range.parse::<Cidr>().unwrap().first_free_part(prefix, &used).map(|cidr| cidr.to_string())
    }

    #[test]
    fn gaps_are_filled_and_the_end_is_seen() {
        for (range, prefix, used, expected) in [
            ("10.244.0.0/16", 24, &[][..], Some("10.244.0.0/24")),
            ("10.244.0.0/16", 24, &["10.244.0.0/24", "10.244.2.0/24"], Some("10.244.1.0/24")),
            ("10.244.0.0/16", 24, &["10.244.0.0/25", "10.244.0.128/25"], Some("10.244.1.0/24")),
            ("10.244.0.0/16", 24, &["10.0.0.0/8"], None),
            ("10.244.0.0/24", 24, &["10.244.0.0/24"], None),
            ("10.244.0.0/16", 8, &[], None),
            ("10.244.0.0/16", 24, &["fd00::/8"], Some("10.244.0.0/24")),
            ("fd00:10::/56", 64, &["fd00:10::/64"], Some("fd00:10:0:1::/64")),
        ] {
            assert_eq!(free(range, prefix, used).as_deref(), expected, "{range} {prefix} {used:?}");
        }
        for text in ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/-1"] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parts_never_overlap(count in 1usize..64) {
            let range: Cidr = "10.0.0.0/20".parse().unwrap();
            let mut used = Vec::new();
            for _ in 0..count {
                match range.first_free_part(26, &used) {
                    Some(part) => {
                        prop_assert!(used.iter().all(|other: &Cidr| !other.overlaps(&part)));
                        used.push(part);
                    }
                    None => prop_assert!(false, "the range holds 64 parts"),
                }
            }
        }
    }
}
