//! Ranges of addresses and ports, with the band that is left to those who choose by hand.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use stdx::Random;

/// A random pick is tried this often before the range is walked.
const RANDOM_TRIES: usize = 16;

/// A network of service addresses. Neither its first nor its last address is given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    network: u32,
    prefix_bits: u32,
}

impl Range {
    /// A range that has addresses to give.
    pub(crate) fn parse(cidr: &str) -> Option<Self> {
        let (address, bits) = cidr.split_once('/')?;
        let address: Ipv4Addr = address.parse().ok()?;
        let prefix_bits: u32 = bits.parse().ok().filter(|bits| (1..=30).contains(bits))?;
        let network = u32::from(address) & (u32::MAX << (32 - prefix_bits));
        Some(Range { network, prefix_bits })
    }

    /// A range for a whole cluster: neither tiny nor most of the world.
    pub(crate) fn parse_own(cidr: &str) -> Option<Self> {
        Range::parse(cidr).filter(|range| (8..=29).contains(&range.prefix_bits))
    }

    /// How many addresses may be given out.
    fn size(&self) -> u32 {
        (1 << (32 - self.prefix_bits)) - 2
    }

    fn at(&self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.network + 1 + offset)
    }

    pub(crate) fn first(&self) -> Ipv4Addr {
        self.at(0)
    }

    pub(crate) fn contains(&self, address: Ipv4Addr) -> bool {
        let offset = u32::from(address).wrapping_sub(self.network).wrapping_sub(1);
        offset < self.size()
    }

    /// The lower part, which is given out by chance only when the rest is full: min(max(16, size/16), 256).
    fn static_band(&self) -> u32 {
        let size = self.size();
        if size < 16 { 0 } else { (size / 16).clamp(16, 256) }
    }

    /// A free address: upper band first.
    pub(crate) fn pick(&self, random: &Random, is_free: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let band = self.static_band();
        pick(random, band..self.size(), |offset| is_free(self.at(offset)))
            .or_else(|| pick(random, 0..band, |offset| is_free(self.at(offset))))
            .map(|offset| self.at(offset))
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", Ipv4Addr::from(self.network), self.prefix_bits)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PortRange {
    ports: RangeInclusive<u16>,
}

impl PortRange {
    pub(crate) fn new(ports: RangeInclusive<u16>) -> Self {
        PortRange { ports }
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// A free port: above the band left to those who choose, min(max(16, size/32), 128).
    pub(crate) fn pick(&self, random: &Random, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        let (first, last) = (u32::from(*self.ports.start()), u32::from(*self.ports.end()));
        let size = (last + 1).saturating_sub(first);
        let band = if size < 16 { 0 } else { (size / 32).clamp(16, 128).min(size) };
        // Offsets stay below `size`, so the sum is a port.
        let port = |offset: u32| (first + offset) as u16;
        pick(random, band..size, |offset| is_free(port(offset)))
            .or_else(|| pick(random, 0..band, |offset| is_free(port(offset))))
            .map(port)
    }
}

impl std::fmt::Display for PortRange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.ports.start(), self.ports.end())
    }
}

/// By chance while that is quick, then in order.
fn pick(random: &Random, offsets: std::ops::Range<u32>, is_free: impl Fn(u32) -> bool) -> Option<u32> {
    if offsets.is_empty() {
        return None;
    }
    let width = u64::from(offsets.end - offsets.start);
    for _ in 0..RANDOM_TRIES {
        // Below the width, which came from a u32.
        let offset = offsets.start + random.below(width) as u32;
        if is_free(offset) {
            return Some(offset);
        }
    }
    offsets.into_iter().find(|offset| is_free(*offset))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_address_of_a_range_is_given_out_once_and_the_static_band_last() {
        let range = Range::parse("10.96.0.0/26").unwrap();
        let random = Random::seeded(1);
        let mut taken = HashSet::new();
        let mut order = Vec::new();
        while let Some(address) = range.pick(&random, |address| !taken.contains(&address)) {
            assert!(range.contains(address) && taken.insert(address));
            order.push(address);
        }
        assert_eq!(taken.len(), 62);
        assert!(order[..46].iter().all(|address| address.octets()[3] > 16));
        assert!(!range.contains("10.96.0.0".parse().unwrap()) && !range.contains("10.96.0.63".parse().unwrap()));
        assert_eq!(range.first().to_string(), "10.96.0.1");
    }

    #[test]
    fn nonsense_is_no_range() {
        for text in ["", "10.96.0.0", "10.96.0.0/40", "10.96.0.0/31", "0.0.0.0/0", "fd00::/108", "x/12"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
        assert!(Range::parse("10.96.0.0/30").is_some() && Range::parse_own("10.96.0.0/30").is_none());
        assert_eq!(Range::parse("10.96.0.0/12").unwrap().to_string(), "10.96.0.0/12");
    }

    #[test]
    fn ports_run_out_only_when_all_are_taken() {
        let range = PortRange::new(30000..=30099);
        let random = Random::seeded(1);
        let mut taken = HashSet::new();
        while let Some(port) = range.pick(&random, |port| !taken.contains(&port)) {
            assert!(range.contains(port) && taken.insert(port));
        }
        assert_eq!(taken.len(), 100);
    }
}
