//! Sets and maps, named or part of a rule.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::Transport;
use crate::wire::{Attributes, aligned};

const SET_TABLE: u16 = 1;
const SET_NAME: u16 = 2;
const SET_FLAGS: u16 = 3;
const SET_KEY_TYPE: u16 = 4;
const SET_KEY_LENGTH: u16 = 5;
const SET_DATA_TYPE: u16 = 6;
const SET_DATA_LENGTH: u16 = 7;
const SET_DESCRIPTION: u16 = 9;
const SET_ID: u16 = 10;
const SET_TIMEOUT: u16 = 11;
const SET_USERDATA: u16 = 13;
const DESCRIPTION_SIZE: u16 = 1;
const ELEMENT_KEY: u16 = 1;
const ELEMENT_DATA: u16 = 2;
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;
const VERDICT_CHAIN: u16 = 2;

const FLAG_ANONYMOUS: u32 = 1;
const FLAG_CONSTANT: u32 = 2;
const FLAG_MAP: u32 = 8;
const FLAG_TIMEOUT: u32 = 0x10;
const FLAG_EVALUATED: u32 = 0x20;
/// The data type of verdict maps.
const VERDICT_TYPE: u32 = 0xffff_ff00;
/// Says to `nft` that a key is in the machine's own byte order.
const USERDATA_HOST_ORDER_KEY: [u8; 6] = host_order_key();
/// A set that packets fill is bounded, as nobody else bounds it.
const DYNAMIC_SIZE: u32 = 65_536;

/// What one part of a key or value is; `nft` shows elements by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Four bytes in the machine's order.
    Integer,
    Ipv4Address,
    Ipv6Address,
    Protocol,
    Port,
}

impl Type {
    /// The number that `nft` knows the type by.
    fn number(self) -> u32 {
        match self {
            Type::Integer => 4,
            Type::Ipv4Address => 7,
            Type::Ipv6Address => 8,
            Type::Protocol => 12,
            Type::Port => 13,
        }
    }

    fn length(self) -> usize {
        match self {
            Type::Integer | Type::Ipv4Address => 4,
            Type::Ipv6Address => 16,
            Type::Protocol => 1,
            Type::Port => 2,
        }
    }
}

/// What the elements of a set carry beside their key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    Nothing,
    Verdicts,
    Data(Vec<Type>),
}

/// A set or map with its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    pub key: Vec<Type>,
    pub values: Values,
    /// Makes the set one that rules fill; its elements are then the packets' business.
    pub timeout: Option<Duration>,
    pub elements: BTreeMap<Key, Data>,
}

/// An element's key: parts, each padded to four bytes where there are several.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    bytes: Vec<u8>,
    parts: u8,
}

/// What an element maps to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    Nothing,
    Verdict(Verdict),
    Value(Key),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
}

impl Set {
    pub fn new(key: impl Into<Vec<Type>>) -> Self {
        Set { key: key.into(), values: Values::Nothing, timeout: None, elements: BTreeMap::new() }
    }

    pub fn verdict_map(key: impl Into<Vec<Type>>) -> Self {
        Set { values: Values::Verdicts, ..Set::new(key) }
    }

    pub fn map(key: impl Into<Vec<Type>>, values: impl Into<Vec<Type>>) -> Self {
        Set { values: Values::Data(values.into()), ..Set::new(key) }
    }

    /// A set that rules fill and that forgets.
    pub fn dynamic(key: impl Into<Vec<Type>>, timeout: Duration) -> Self {
        Set { timeout: Some(timeout), ..Set::new(key) }
    }

    /// Whether the kernel can turn one into the other by elements alone.
    pub(crate) fn same_shape(&self, other: &Set) -> bool {
        self.key == other.key && self.values == other.values && self.timeout == other.timeout
    }

    pub(crate) fn encode(&self, table: &str, name: &str, id: u32, anonymous: bool, attributes: &mut Attributes<'_>) {
        attributes.string(SET_TABLE, table);
        attributes.string(SET_NAME, name);
        attributes.u32(SET_FLAGS, self.flags(anonymous));
        attributes.u32(SET_KEY_TYPE, concatenated_type(&self.key));
        attributes.u32(SET_KEY_LENGTH, concatenated_length(&self.key));
        match &self.values {
            Values::Nothing => {}
            Values::Verdicts => {
                attributes.u32(SET_DATA_TYPE, VERDICT_TYPE);
                attributes.u32(SET_DATA_LENGTH, 0);
            }
            Values::Data(types) => {
                attributes.u32(SET_DATA_TYPE, concatenated_type(types));
                attributes.u32(SET_DATA_LENGTH, concatenated_length(types));
            }
        }
        attributes.u32(SET_ID, id);
        if let Some(timeout) = self.timeout {
            attributes.u64(SET_TIMEOUT, timeout.as_millis() as u64);
            attributes.nested(SET_DESCRIPTION, |description| description.u32(DESCRIPTION_SIZE, DYNAMIC_SIZE));
        }
        if self.key == [Type::Integer] {
            attributes.bytes(SET_USERDATA, &USERDATA_HOST_ORDER_KEY);
        }
    }

    fn flags(&self, anonymous: bool) -> u32 {
        let anonymous = if anonymous { FLAG_ANONYMOUS | FLAG_CONSTANT } else { 0 };
        let map = if self.values == Values::Nothing { 0 } else { FLAG_MAP };
        let dynamic = if self.timeout.is_some() { FLAG_TIMEOUT | FLAG_EVALUATED } else { 0 };
        anonymous | map | dynamic
    }
}

impl Key {
    pub fn new() -> Self {
        Key::default()
    }

    pub fn ip(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.ipv4(address),
            IpAddr::V6(address) => self.part(&address.octets()),
        }
    }

    pub fn ipv4(self, address: Ipv4Addr) -> Self {
        self.part(&address.octets())
    }

    pub fn transport(self, transport: Transport) -> Self {
        self.part(&[transport as u8])
    }

    pub fn port(self, port: u16) -> Self {
        self.part(&port.to_be_bytes())
    }

    pub fn integer(self, value: u32) -> Self {
        self.part(&value.to_ne_bytes())
    }

    fn part(mut self, bytes: &[u8]) -> Self {
        if self.parts > 0 {
            self.pad();
        }
        self.bytes.extend_from_slice(bytes);
        self.parts += 1;
        if self.parts > 1 {
            self.pad();
        }
        self
    }

    fn pad(&mut self) {
        self.bytes.resize(aligned(self.bytes.len()), 0);
    }
}

impl Verdict {
    fn code(&self) -> i32 {
        match self {
            Verdict::Drop => 0,
            Verdict::Accept => 1,
            Verdict::Jump(_) => -3,
            Verdict::Goto(_) => -4,
            Verdict::Return => -5,
        }
    }

    pub(crate) fn encode(&self, kind: u16, attributes: &mut Attributes<'_>) {
        attributes.nested(kind, |data| {
            data.nested(DATA_VERDICT, |verdict| {
                verdict.i32(VERDICT_CODE, self.code());
                if let Verdict::Jump(chain) | Verdict::Goto(chain) = self {
                    verdict.string(VERDICT_CHAIN, chain);
                }
            });
        });
    }
}

/// A literal value in the form all expressions share.
pub(crate) fn encode_value(kind: u16, value: &[u8], attributes: &mut Attributes<'_>) {
    attributes.nested(kind, |data| data.bytes(DATA_VALUE, value));
}

pub(crate) fn encode_element(key: &Key, data: Option<&Data>, attributes: &mut Attributes<'_>) {
    encode_value(ELEMENT_KEY, &key.bytes, attributes);
    match data {
        None | Some(Data::Nothing) => {}
        Some(Data::Verdict(verdict)) => verdict.encode(ELEMENT_DATA, attributes),
        Some(Data::Value(value)) => encode_value(ELEMENT_DATA, &value.bytes, attributes),
    }
}

/// `nft` gives each part of a concatenation six bits of the type's number.
fn concatenated_type(types: &[Type]) -> u32 {
    types.iter().fold(0, |number, part| (number << 6) | part.number())
}

fn concatenated_length(types: &[Type]) -> u32 {
    match types {
        [single] => single.length() as u32,
        several => several.iter().map(|part| aligned(part.length()) as u32).sum(),
    }
}

const fn host_order_key() -> [u8; 6] {
    let [a, b, c, d] = 1u32.to_ne_bytes();
    [0, 4, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_keys_are_bare_and_concatenated_ones_padded() {
        assert_eq!(Key::new().port(80).bytes, [0, 80]);
        let key = Key::new().ipv4(Ipv4Addr::new(10, 96, 0, 1)).transport(Transport::Tcp).port(443);
        assert_eq!(key.bytes, [10, 96, 0, 1, 6, 0, 0, 0, 1, 187, 0, 0]);
        let types = [Type::Ipv4Address, Type::Protocol, Type::Port];
        assert_eq!(concatenated_length(&types) as usize, key.bytes.len());
        let key = Key::new().transport(Transport::Udp).port(53);
        assert_eq!(key.bytes, [17, 0, 0, 0, 0, 53, 0, 0]);
    }
}
