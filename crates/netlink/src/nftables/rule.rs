//! Rules, built from phrases that read as `nft` prints them.

use std::net::{IpAddr, SocketAddr};

use super::expression::{
    CtKey, Destination, Direction, Expression, MetaKey, PayloadBase, Register, Rejection, Translation, numbered,
};
use super::{Data, Family, Key, Set, Transport, Type, Verdict};

const INTERFACE_NAME_LENGTH: usize = 16;
const STATE_NEW: u32 = 1 << 3;
const STATUS_DESTINATION_TRANSLATED: u32 = 1 << 5;
const ADDRESS_LOCAL: u32 = 2;
const SCRATCH: Register = Register(0);

/// A sequence of expressions; the first that does not match ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    pub(crate) expressions: Vec<Expression>,
    pub(crate) comment: Option<String>,
}

/// A part of the packet that can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Ipv4Source,
    Ipv4Destination,
    Ipv6Source,
    Ipv6Destination,
    Transport,
    DestinationPort,
}

impl Rule {
    pub fn new() -> Self {
        Rule::default()
    }

    pub fn expressions(&self) -> &[Expression] {
        &self.expressions
    }

    /// A remark for whoever lists the rules.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    pub fn family(self, family: Family) -> Self {
        self.meta_is(MetaKey::NetworkProtocol, &[family as u8])
    }

    pub fn transport(self, transport: Transport) -> Self {
        self.meta_is(MetaKey::TransportProtocol, &[transport as u8])
    }

    pub fn input_is(self, interface: &str) -> Self {
        self.meta(MetaKey::InputInterfaceName).compare(true, &interface_name(interface))
    }

    pub fn input_is_not(self, interface: &str) -> Self {
        self.meta(MetaKey::InputInterfaceName).compare(false, &interface_name(interface))
    }

    pub fn output_is(self, interface: &str) -> Self {
        self.meta(MetaKey::OutputInterfaceName).compare(true, &interface_name(interface))
    }

    pub fn output_is_not(self, interface: &str) -> Self {
        self.meta(MetaKey::OutputInterfaceName).compare(false, &interface_name(interface))
    }

    /// The packet comes from one of the addresses that share `prefix_length` bits.
    pub fn from(self, address: IpAddr, prefix_length: u8) -> Self {
        self.in_prefix(address, prefix_length, true, true)
    }

    /// The packet goes to one of these addresses.
    pub fn to(self, address: IpAddr, prefix_length: u8) -> Self {
        self.in_prefix(address, prefix_length, false, true)
    }

    /// The packet goes to none of these addresses.
    pub fn to_other_than(self, address: IpAddr, prefix_length: u8) -> Self {
        self.in_prefix(address, prefix_length, false, false)
    }

    /// The packet goes to one of this node's own addresses.
    pub fn to_local_address(self) -> Self {
        self.address_is_local(Direction::Destination)
    }

    /// The packet comes from one of this node's own addresses.
    pub fn from_local_address(self) -> Self {
        self.address_is_local(Direction::Source)
    }

    /// The first packet of a connection.
    pub fn connection_is_new(self) -> Self {
        self.connection_has(CtKey::State, STATE_NEW)
    }

    /// The connection's destination was translated.
    pub fn connection_is_redirected(self) -> Self {
        self.connection_has(CtKey::Status, STATUS_DESTINATION_TRANSLATED)
    }

    pub fn mark_has(self, bit: u32) -> Self {
        self.meta(MetaKey::Mark).mask(bit).compare(false, &0u32.to_ne_bytes())
    }

    pub fn set_mark_bit(self, bit: u32) -> Self {
        self.meta(MetaKey::Mark).combine_mark(!bit, bit)
    }

    pub fn clear_mark_bit(self, bit: u32) -> Self {
        self.meta(MetaKey::Mark).combine_mark(!bit, 0)
    }

    /// These parts of the packet are in a named set.
    pub fn is_in(self, fields: &[Field], set: &str) -> Self {
        self.load(fields).push(Expression::Lookup {
            set: set.to_owned(),
            from: SCRATCH,
            into: Destination::Nothing,
            negated: false,
        })
    }

    /// Looks these parts up in a named map, and does as its verdict says.
    pub fn verdict_of(self, fields: &[Field], map: &str) -> Self {
        self.load(fields).push(Expression::Lookup {
            set: map.to_owned(),
            from: SCRATCH,
            into: Destination::Verdict,
            negated: false,
        })
    }

    /// Picks one verdict by chance; all are equally likely.
    pub fn verdict_by_chance(self, verdicts: &[Verdict]) -> Self {
        let mut map = Set::verdict_map([Type::Integer]);
        map.elements.extend(numbered(verdicts, |verdict| Data::Verdict(verdict.clone())));
        let modulus = verdicts.len() as u32;
        self.push(Expression::Random { modulus, into: SCRATCH }).push(Expression::LookupIn {
            set: map,
            from: SCRATCH,
            into: Destination::Verdict,
        })
    }

    /// Sends the connection to one of `targets`, by chance where there are several. All must be of
    /// one address family, and there must be at least one.
    pub fn redirect_to(self, targets: &[SocketAddr]) -> Self {
        let (family, address, port) = match targets.first() {
            Some(SocketAddr::V6(_)) => (Family::Ipv6, Type::Ipv6Address, Register(4)),
            _ => (Family::Ipv4, Type::Ipv4Address, Register(1)),
        };
        let chosen = match targets {
            [single] => self
                .push(Expression::Immediate { value: octets(single.ip()), into: SCRATCH })
                .push(Expression::Immediate { value: single.port().to_be_bytes().to_vec(), into: port }),
            several => {
                let mut map = Set::map([Type::Integer], [address, Type::Port]);
                map.elements
                    .extend(numbered(several, |target| Data::Value(Key::new().ip(target.ip()).port(target.port()))));
                let modulus = several.len() as u32;
                self.push(Expression::Random { modulus, into: SCRATCH }).push(Expression::LookupIn {
                    set: map,
                    from: SCRATCH,
                    into: Destination::Register(SCRATCH),
                })
            }
        };
        chosen.push(Expression::Translate {
            kind: Translation::Destination,
            family,
            address: SCRATCH,
            port: Some(port),
        })
    }

    /// Sends the connection to where a named map of addresses and ports says, if it knows.
    pub fn redirect_by(self, fields: &[Field], map: &str, family: Family) -> Self {
        let port = match family {
            Family::Ipv4 => Register(1),
            Family::Ipv6 => Register(4),
        };
        self.load(fields)
            .push(Expression::Lookup {
                set: map.to_owned(),
                from: SCRATCH,
                into: Destination::Register(SCRATCH),
                negated: false,
            })
            .push(Expression::Translate { kind: Translation::Destination, family, address: SCRATCH, port: Some(port) })
    }

    /// Remembers the packet's source in a set that forgets.
    pub fn remember_source(self, family: Family, set: &str, timeout_ms: u64) -> Self {
        let field = match family {
            Family::Ipv4 => Field::Ipv4Source,
            Family::Ipv6 => Field::Ipv6Source,
        };
        self.load(&[field]).push(Expression::Remember { set: set.to_owned(), key: SCRATCH, timeout_ms })
    }

    pub fn masquerade(self) -> Self {
        self.push(Expression::Masquerade)
    }

    pub fn reject(self, rejection: Rejection) -> Self {
        self.push(Expression::Reject(rejection))
    }

    pub fn accept(self) -> Self {
        self.push(Expression::Verdict(Verdict::Accept))
    }

    pub fn drop(self) -> Self {
        self.push(Expression::Verdict(Verdict::Drop))
    }

    pub fn give_back(self) -> Self {
        self.push(Expression::Verdict(Verdict::Return))
    }

    pub fn jump(self, chain: impl Into<String>) -> Self {
        self.push(Expression::Verdict(Verdict::Jump(chain.into())))
    }

    pub fn goto(self, chain: impl Into<String>) -> Self {
        self.push(Expression::Verdict(Verdict::Goto(chain.into())))
    }

    pub fn count(self) -> Self {
        self.push(Expression::Counter)
    }

    pub fn push(mut self, expression: Expression) -> Self {
        self.expressions.push(expression);
        self
    }

    fn address_is_local(self, of: Direction) -> Self {
        self.push(Expression::AddressType { of, into: SCRATCH }).compare(true, &ADDRESS_LOCAL.to_ne_bytes())
    }

    fn meta(self, key: MetaKey) -> Self {
        self.push(Expression::Meta { key, into: SCRATCH })
    }

    fn meta_is(self, key: MetaKey, value: &[u8]) -> Self {
        self.meta(key).compare(true, value)
    }

    fn compare(self, equal: bool, value: &[u8]) -> Self {
        self.push(Expression::Compare { from: SCRATCH, equal, value: value.to_vec() })
    }

    fn mask(self, bits: u32) -> Self {
        let (mask, xor) = (bits.to_ne_bytes().to_vec(), vec![0; 4]);
        self.push(Expression::Bitwise { register: SCRATCH, mask, xor })
    }

    fn combine_mark(self, mask: u32, xor: u32) -> Self {
        let (mask, xor) = (mask.to_ne_bytes().to_vec(), xor.to_ne_bytes().to_vec());
        self.push(Expression::Bitwise { register: SCRATCH, mask, xor }).push(Expression::SetMark { from: SCRATCH })
    }

    fn connection_has(self, key: CtKey, bit: u32) -> Self {
        self.push(Expression::ConnectionTracking { key, into: SCRATCH }).mask(bit).compare(false, &0u32.to_ne_bytes())
    }

    fn in_prefix(self, address: IpAddr, prefix_length: u8, source: bool, inside: bool) -> Self {
        let (family, field) = match (address, source) {
            (IpAddr::V4(_), true) => (Family::Ipv4, Field::Ipv4Source),
            (IpAddr::V4(_), false) => (Family::Ipv4, Field::Ipv4Destination),
            (IpAddr::V6(_), true) => (Family::Ipv6, Field::Ipv6Source),
            (IpAddr::V6(_), false) => (Family::Ipv6, Field::Ipv6Destination),
        };
        let bytes = octets(address);
        let mask = prefix_mask(bytes.len(), prefix_length);
        let network: Vec<u8> = bytes.iter().zip(&mask).map(|(byte, mask)| byte & mask).collect();
        let loaded = self.family(family).load(&[field]);
        let whole = usize::from(prefix_length) >= bytes.len() * 8;
        let masked = if whole {
            loaded
        } else {
            let xor = vec![0; mask.len()];
            loaded.push(Expression::Bitwise { register: SCRATCH, mask, xor })
        };
        masked.compare(inside, &network)
    }

    /// Loads the fields one behind the other. Fields of the network header want
    /// [`Rule::family`] to be asked first.
    fn load(mut self, fields: &[Field]) -> Self {
        let mut register = SCRATCH;
        for field in fields {
            self = self.push(field.load(register));
            register = Register(register.0 + field.registers());
        }
        self
    }
}

impl Field {
    fn load(self, into: Register) -> Expression {
        let (base, offset, length) = match self {
            Field::Transport => return Expression::Meta { key: MetaKey::TransportProtocol, into },
            Field::Ipv4Source => (PayloadBase::Network, 12, 4),
            Field::Ipv4Destination => (PayloadBase::Network, 16, 4),
            Field::Ipv6Source => (PayloadBase::Network, 8, 16),
            Field::Ipv6Destination => (PayloadBase::Network, 24, 16),
            Field::DestinationPort => (PayloadBase::Transport, 2, 2),
        };
        Expression::Payload { base, offset, length, into }
    }

    fn registers(self) -> u8 {
        match self {
            Field::Ipv6Source | Field::Ipv6Destination => 4,
            _ => 1,
        }
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn prefix_mask(length: usize, prefix_length: u8) -> Vec<u8> {
    (0..length)
        .map(|index| {
            let bits = usize::from(prefix_length).saturating_sub(index * 8).min(8);
            if bits == 0 { 0 } else { 0xff << (8 - bits) }
        })
        .collect()
}

fn interface_name(name: &str) -> [u8; INTERFACE_NAME_LENGTH] {
    let mut padded = [0; INTERFACE_NAME_LENGTH];
    let length = name.len().min(INTERFACE_NAME_LENGTH - 1);
    padded[..length].copy_from_slice(&name.as_bytes()[..length]);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_become_masks() {
        assert_eq!(prefix_mask(4, 12), [255, 240, 0, 0]);
        assert_eq!(prefix_mask(4, 0), [0, 0, 0, 0]);
        assert_eq!(prefix_mask(4, 32), [255, 255, 255, 255]);
    }
}
