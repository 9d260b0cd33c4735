//! Which address a new pod gets.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::range::Range;

/// Hands out a range's addresses one after the other and starts over at its end, so that an
/// address that was given back rests as long as possible before another pod has it.
#[derive(Debug)]
pub(crate) struct Addresses {
    range: Range,
    last: u32,
    used: BTreeSet<u32>,
}

impl Addresses {
    /// `used` are the addresses in use, the range's and others; `last` is the one given out last.
    pub(crate) fn new(range: Range, used: impl IntoIterator<Item = Ipv4Addr>, last: Option<Ipv4Addr>) -> Self {
        let before_first = *range.pods().start() - 1;
        let last = last.map(u32::from).filter(|last| range.pods().contains(last)).unwrap_or(before_first);
        Addresses { range, last, used: used.into_iter().map(u32::from).collect() }
    }

    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// The next free address, or none where all are in use.
    pub(crate) fn take(&mut self) -> Option<Ipv4Addr> {
        let pods = self.range.pods();
        let free =
            (self.last + 1..=*pods.end()).chain(*pods.start()..=self.last).find(|next| !self.used.contains(next))?;
        self.used.insert(free);
        self.last = free;
        Some(Ipv4Addr::from(free))
    }

    pub(crate) fn give_back(&mut self, address: Ipv4Addr) {
        self.used.remove(&u32::from(address));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap()
    }

    #[test]
    fn a_released_address_is_the_last_to_be_used_again() {
        let mut addresses = Addresses::new(range("10.0.0.0/29"), [], None);
        let given: Vec<_> = std::iter::from_fn(|| addresses.take()).map(|address| address.octets()[3]).collect();
        assert_eq!(given, [2, 3, 4, 5, 6]);
        let mut addresses = Addresses::new(range("10.0.0.0/29"), [], None);
        let first = addresses.take().unwrap();
        addresses.give_back(first);
        let given: Vec<_> = std::iter::from_fn(|| addresses.take()).map(|address| address.octets()[3]).collect();
        assert_eq!(given, [3, 4, 5, 6, 2]);
    }

    #[test]
    fn goes_on_after_a_restart_where_it_was() {
        let used = [Ipv4Addr::new(10, 0, 0, 4)];
        let mut addresses = Addresses::new(range("10.0.0.0/29"), used, Some(Ipv4Addr::new(10, 0, 0, 3)));
        assert_eq!(addresses.take(), Some(Ipv4Addr::new(10, 0, 0, 5)));
        // The last one of another range says nothing.
        let mut addresses = Addresses::new(range("10.0.1.0/29"), used, Some(Ipv4Addr::new(10, 0, 0, 3)));
        assert_eq!(addresses.take(), Some(Ipv4Addr::new(10, 0, 1, 2)));
    }

    proptest! {
        #[test]
        fn no_address_is_given_twice_and_none_is_lost(steps in prop::collection::vec(any::<Option<u8>>(), 0..200)) {
            let mut addresses = Addresses::new(range("10.0.0.0/28"), [], None);
            let mut held: Vec<Ipv4Addr> = Vec::new();
            for step in steps {
                match step {
                    Some(index) if !held.is_empty() => {
                        addresses.give_back(held.swap_remove(usize::from(index) % held.len()));
                    }
                    _ => match addresses.take() {
                        Some(address) => {
                            prop_assert!(!held.contains(&address));
                            prop_assert!((2..=14).contains(&address.octets()[3]));
                            held.push(address);
                        }
                        None => prop_assert_eq!(held.len(), 13),
                    },
                }
            }
        }
    }
}
