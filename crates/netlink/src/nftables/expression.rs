//! The steps of a rule, as the kernel's small machine runs them.

use super::set::{Set, Verdict, encode_value};
use super::{Family, Key};
use crate::wire::Attributes;

const EXPRESSION_NAME: u16 = 1;
const EXPRESSION_DATA: u16 = 2;
const LIST_ELEMENT: u16 = 1;

/// The first of the sixteen registers of four bytes.
const FIRST_REGISTER: u32 = 8;
const VERDICT_REGISTER: u32 = 0;

/// A register of four bytes; longer values take the ones that follow, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(pub u8);

impl Register {
    fn number(self) -> u32 {
        FIRST_REGISTER + u32::from(self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum MetaKey {
    Mark = 3,
    InputInterfaceName = 6,
    OutputInterfaceName = 7,
    NetworkProtocol = 15,
    TransportProtocol = 16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PayloadBase {
    Network = 1,
    Transport = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CtKey {
    State = 0,
    Status = 2,
}

/// Which of the packet's two addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Direction {
    Source = 1,
    Destination = 2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translation {
    Source,
    Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    TcpReset,
    PortUnreachable,
}

/// Where a lookup's result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Plain membership.
    Nothing,
    Register(Register),
    Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Meta {
        key: MetaKey,
        into: Register,
    },
    SetMark {
        from: Register,
    },
    Payload {
        base: PayloadBase,
        offset: u32,
        length: u32,
        into: Register,
    },
    Compare {
        from: Register,
        equal: bool,
        value: Vec<u8>,
    },
    /// `register = (register & mask) ^ xor`
    Bitwise {
        register: Register,
        mask: Vec<u8>,
        xor: Vec<u8>,
    },
    ConnectionTracking {
        key: CtKey,
        into: Register,
    },
    /// The kind of one of the packet's addresses: local, broadcast …
    AddressType {
        of: Direction,
        into: Register,
    },
    Immediate {
        value: Vec<u8>,
        into: Register,
    },
    Verdict(Verdict),
    Lookup {
        set: String,
        from: Register,
        into: Destination,
        negated: bool,
    },
    /// A lookup in a set that belongs to this rule alone.
    LookupIn {
        set: Set,
        from: Register,
        into: Destination,
    },
    /// A number below `modulus`.
    Random {
        modulus: u32,
        into: Register,
    },
    Translate {
        kind: Translation,
        family: Family,
        address: Register,
        port: Option<Register>,
    },
    /// Takes the address of the interface the packet leaves by, and a random port.
    Masquerade,
    Reject(Rejection),
    /// Adds the key to a set that forgets, or renews it there.
    Remember {
        set: String,
        key: Register,
        timeout_ms: u64,
    },
    Counter,
    NoTrack,
}

impl Expression {
    /// Writes the expression as an element of a rule's list. `anonymous` is the identifier of the
    /// set made for [`Expression::LookupIn`].
    pub(crate) fn encode(&self, anonymous: Option<u32>, list: &mut Attributes<'_>) {
        list.nested(LIST_ELEMENT, |element| {
            element.string(EXPRESSION_NAME, self.name());
            element.nested(EXPRESSION_DATA, |data| self.encode_data(anonymous, data));
        });
    }

    fn name(&self) -> &'static str {
        match self {
            Expression::Meta { .. } | Expression::SetMark { .. } => "meta",
            Expression::Payload { .. } => "payload",
            Expression::Compare { .. } => "cmp",
            Expression::Bitwise { .. } => "bitwise",
            Expression::ConnectionTracking { .. } => "ct",
            Expression::AddressType { .. } => "fib",
            Expression::Immediate { .. } | Expression::Verdict(_) => "immediate",
            Expression::Lookup { .. } | Expression::LookupIn { .. } => "lookup",
            Expression::Random { .. } => "numgen",
            Expression::Translate { .. } => "nat",
            Expression::Masquerade => "masq",
            Expression::Reject(_) => "reject",
            Expression::Remember { .. } => "dynset",
            Expression::Counter => "counter",
            Expression::NoTrack => "notrack",
        }
    }

    fn encode_data(&self, anonymous: Option<u32>, data: &mut Attributes<'_>) {
        match self {
            Expression::Meta { key, into } => {
                data.u32(1, into.number());
                data.u32(2, *key as u32);
            }
            Expression::SetMark { from } => {
                data.u32(2, MetaKey::Mark as u32);
                data.u32(3, from.number());
            }
            Expression::Payload { base, offset, length, into } => {
                data.u32(1, into.number());
                data.u32(2, *base as u32);
                data.u32(3, *offset);
                data.u32(4, *length);
            }
            Expression::Compare { from, equal, value } => {
                data.u32(1, from.number());
                data.u32(2, u32::from(!*equal));
                encode_value(3, value, data);
            }
            Expression::Bitwise { register, mask, xor } => {
                data.u32(1, register.number());
                data.u32(2, register.number());
                data.u32(3, mask.len() as u32);
                encode_value(4, mask, data);
                encode_value(5, xor, data);
            }
            Expression::ConnectionTracking { key, into } => {
                data.u32(1, into.number());
                data.u32(2, *key as u32);
            }
            Expression::AddressType { of, into } => {
                const RESULT_ADDRESS_TYPE: u32 = 3;
                data.u32(1, into.number());
                data.u32(2, RESULT_ADDRESS_TYPE);
                data.u32(3, *of as u32);
            }
            Expression::Immediate { value, into } => {
                data.u32(1, into.number());
                encode_value(2, value, data);
            }
            Expression::Verdict(verdict) => {
                data.u32(1, VERDICT_REGISTER);
                verdict.encode(2, data);
            }
            Expression::Lookup { set, from, into, negated } => {
                encode_lookup(set, None, *from, *into, data);
                if *negated {
                    data.u32(5, 1);
                }
            }
            Expression::LookupIn { set, from, into } => {
                encode_lookup(anonymous_name(set), anonymous, *from, *into, data);
            }
            Expression::Random { modulus, into } => {
                const TYPE_RANDOM: u32 = 1;
                data.u32(1, into.number());
                data.u32(2, *modulus);
                data.u32(3, TYPE_RANDOM);
                data.u32(4, 0);
            }
            Expression::Translate { kind, family, address, port } => {
                data.u32(1, if *kind == Translation::Source { 0 } else { 1 });
                data.u32(2, *family as u32);
                data.u32(3, address.number());
                if let Some(port) = port {
                    data.u32(5, port.number());
                }
            }
            Expression::Masquerade => {
                const FULLY_RANDOM: u32 = 1 << 4;
                data.u32(1, FULLY_RANDOM);
            }
            Expression::Reject(Rejection::TcpReset) => data.u32(1, 1),
            Expression::Reject(Rejection::PortUnreachable) => {
                // One code that becomes ICMP or ICMPv6 as the packet needs.
                data.u32(1, 2);
                data.byte(2, 1);
            }
            Expression::Remember { set, key, timeout_ms } => {
                const OPERATION_UPDATE: u32 = 1;
                data.string(1, set);
                data.u32(3, OPERATION_UPDATE);
                data.u32(4, key.number());
                data.u64(6, *timeout_ms);
            }
            Expression::Counter | Expression::NoTrack => {}
        }
    }
}

/// The kernel fills in the number that makes the name of a rule's own set unique.
pub(crate) fn anonymous_name(set: &Set) -> &'static str {
    if set.values == super::Values::Nothing { "__set%d" } else { "__map%d" }
}

/// `count` consecutive numbers as keys, each with the value `value(n)`.
pub(crate) fn numbered<T>(items: &[T], value: impl Fn(&T) -> super::Data) -> Vec<(Key, super::Data)> {
    (0..).zip(items).map(|(number, item)| (Key::new().integer(number), value(item))).collect()
}

fn encode_lookup(set: &str, id: Option<u32>, from: Register, into: Destination, data: &mut Attributes<'_>) {
    data.string(1, set);
    data.u32(2, from.number());
    match into {
        Destination::Nothing => {}
        Destination::Register(register) => data.u32(3, register.number()),
        Destination::Verdict => data.u32(3, VERDICT_REGISTER),
    }
    if let Some(id) = id {
        data.u32(4, id);
    }
}
