//! Messages to nf_tables that take effect together or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST};
use nix::errno::Errno;

use super::Rule;
use super::expression::{Expression, anonymous_name};
use super::ruleset::{Chain, ChainKind, Hook, Ruleset};
use super::set::{Data, Key, Set, encode_element};
use crate::wire::{self, Attributes, MESSAGE_HEADER_LENGTH};
use crate::{Error, Socket};

const SUBSYSTEM: u16 = 10 << 8;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = SUBSYSTEM;
pub(super) const GET_TABLE: u16 = SUBSYSTEM | 1;
pub(super) const DELETE_TABLE: u16 = SUBSYSTEM | 2;
const NEW_CHAIN: u16 = SUBSYSTEM | 3;
const DELETE_CHAIN: u16 = SUBSYSTEM | 5;
const NEW_RULE: u16 = SUBSYSTEM | 6;
const DELETE_RULE: u16 = SUBSYSTEM | 8;
const NEW_SET: u16 = SUBSYSTEM | 9;
const DELETE_SET: u16 = SUBSYSTEM | 11;
const NEW_ELEMENT: u16 = SUBSYSTEM | 12;
const DELETE_ELEMENT: u16 = SUBSYSTEM | 14;

pub(super) const FAMILY_INET: u8 = 1;
pub(super) const GENERIC_HEADER_LENGTH: usize = 4;
/// An attribute ends at 64 KiB: longer lists of elements are split well before.
const ELEMENT_BYTES_PER_MESSAGE: usize = 32 * 1024;

/// Changes to one table of family `inet`.
#[derive(Debug)]
pub struct Transaction {
    table: String,
    buffer: Vec<u8>,
    messages: u32,
    sets: u32,
    last: usize,
}

impl Transaction {
    /// Puts `wanted` in place of all that the table holds, if it is there.
    pub fn replace(table: &str, wanted: &Ruleset) -> Self {
        let mut transaction = Transaction::new(table);
        // Deleting wants the table to be there, and adding does not mind.
        transaction.table_message(NEW_TABLE, NLM_F_CREATE);
        transaction.table_message(DELETE_TABLE, 0);
        transaction.table_message(NEW_TABLE, NLM_F_CREATE);
        transaction.difference(&Ruleset::default(), wanted);
        transaction
    }

    /// Leads a table that holds `present` to `wanted`; nothing where they are equal.
    pub fn change(table: &str, present: &Ruleset, wanted: &Ruleset) -> Option<Self> {
        if !present.same_shape(wanted) {
            return Some(Transaction::replace(table, wanted));
        }
        let mut transaction = Transaction::new(table);
        let empty = transaction.messages;
        transaction.difference(present, wanted);
        (transaction.messages > empty).then_some(transaction)
    }

    /// Removes the table with all it holds; a missing one is no error.
    pub fn destroy(table: &str) -> Self {
        let mut transaction = Transaction::new(table);
        transaction.table_message(NEW_TABLE, NLM_F_CREATE);
        transaction.table_message(DELETE_TABLE, 0);
        transaction
    }

    /// The number of messages, begin and end apart.
    pub fn len(&self) -> usize {
        self.messages as usize - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Carries the changes out in the socket's network namespace.
    pub fn commit(mut self, socket: &mut Socket) -> Result<(), Error> {
        // The kernel answers refused messages always, and accepted ones where asked: the last.
        let flags = with_acknowledgement(&self.buffer, self.last);
        self.buffer[self.last + 6..self.last + 8].copy_from_slice(&flags);
        self.batch_message(BATCH_END);
        let first = socket.reserve(self.messages as usize);
        number_from(&mut self.buffer, first);
        socket.send(&self.buffer)?;
        let verdicts = socket.verdicts_until(first + self.messages - 2)?;
        let refusal = verdicts.into_iter().find_map(|verdict| Some((verdict.errno?, verdict)));
        match refusal {
            None => Ok(()),
            Some((Errno::EPERM, verdict)) if verdict.sequence == first => Err(Error::Refused {
                step: "change firewall rules".to_owned(),
                hint: verdict.hint,
                source: Errno::EPERM,
            }),
            Some((source, verdict)) => {
                Err(Error::Refused { step: describe(&self.buffer, verdict.sequence), hint: verdict.hint, source })
            }
        }
    }

    fn new(table: &str) -> Self {
        let mut transaction =
            Transaction { table: table.to_owned(), buffer: Vec::new(), messages: 0, sets: 0, last: 0 };
        transaction.batch_message(BATCH_BEGIN);
        transaction
    }

    /// The order is what references need: what is referred to is there before, and deleted after.
    fn difference(&mut self, present: &Ruleset, wanted: &Ruleset) {
        let nothing = Arc::new(Chain::default());
        for (name, chain) in &wanted.chains {
            if !present.chains.contains_key(name) {
                self.add_chain(name, chain.hook.as_ref());
            }
        }
        for (name, set) in &wanted.sets {
            if !present.sets.contains_key(name) {
                self.add_set(name, set, false);
            }
        }
        for (name, chain) in &present.chains {
            let unchanged = wanted.chains.get(name).is_some_and(|wanted| Arc::ptr_eq(wanted, chain) || wanted == chain);
            if !unchanged && !chain.rules.is_empty() {
                self.chain_message(DELETE_RULE, 0, name, 2);
            }
        }
        for (name, set) in &present.sets {
            if let Some(wanted) = wanted.sets.get(name) {
                let stale = set.elements.iter().filter(|(key, data)| wanted.elements.get(*key) != Some(data));
                self.elements(DELETE_ELEMENT, 0, name, None, stale.map(|(key, _)| (key, None)));
            } else {
                let all = set.elements.keys().map(|key| (key, None));
                self.elements(DELETE_ELEMENT, 0, name, None, all);
            }
        }
        for (name, chain) in &wanted.chains {
            let before = present.chains.get(name).unwrap_or(&nothing);
            if !Arc::ptr_eq(before, chain) && before.rules != chain.rules {
                for rule in &chain.rules {
                    self.add_rule(name, rule);
                }
            }
        }
        let no_elements = BTreeMap::new();
        for (name, set) in &wanted.sets {
            let before = present.sets.get(name).map_or(&no_elements, |set| &set.elements);
            let fresh = set.elements.iter().filter(|(key, data)| before.get(*key) != Some(data));
            self.elements(
                NEW_ELEMENT,
                NLM_F_CREATE | NLM_F_EXCL,
                name,
                None,
                fresh.map(|(key, data)| (key, Some(data))),
            );
        }
        for name in present.chains.keys().filter(|name| !wanted.chains.contains_key(*name)) {
            self.chain_message(DELETE_CHAIN, 0, name, 3);
        }
        for name in present.sets.keys().filter(|name| !wanted.sets.contains_key(*name)) {
            self.message(DELETE_SET, 0, |table, attributes| {
                attributes.string(1, table);
                attributes.string(2, name);
            });
        }
    }

    fn add_chain(&mut self, name: &str, hook: Option<&Hook>) {
        self.message(NEW_CHAIN, NLM_F_CREATE, |table, attributes| {
            attributes.string(1, table);
            attributes.string(3, name);
            if let Some(hook) = hook {
                attributes.nested(4, |nested| {
                    nested.u32(1, hook.point as u32);
                    nested.i32(2, hook.priority);
                });
                attributes.string(7, if hook.kind == ChainKind::Nat { "nat" } else { "filter" });
            }
        });
    }

    fn add_set(&mut self, name: &str, set: &Set, anonymous: bool) -> u32 {
        self.sets += 1;
        let id = self.sets;
        self.message(NEW_SET, NLM_F_CREATE, |table, attributes| set.encode(table, name, id, anonymous, attributes));
        id
    }

    fn add_rule(&mut self, chain: &str, rule: &Rule) {
        let ids: Vec<Option<u32>> = rule.expressions.iter().map(|expression| self.own_set(expression)).collect();
        self.message(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, |table, attributes| {
            attributes.string(1, table);
            attributes.string(2, chain);
            attributes.nested(4, |list| {
                for (expression, id) in rule.expressions.iter().zip(ids) {
                    expression.encode(id, list);
                }
            });
            if let Some(comment) = &rule.comment {
                attributes.bytes(7, &comment_userdata(comment));
            }
        });
    }

    /// Makes the set that an expression brings along.
    fn own_set(&mut self, expression: &Expression) -> Option<u32> {
        let Expression::LookupIn { set, .. } = expression else { return None };
        let name = anonymous_name(set);
        let id = self.add_set(name, set, true);
        let elements = set.elements.iter().map(|(key, data)| (key, Some(data)));
        self.elements(NEW_ELEMENT, NLM_F_CREATE | NLM_F_EXCL, name, Some(id), elements);
        Some(id)
    }

    fn elements<'a>(
        &mut self,
        kind: u16,
        flags: u16,
        set: &str,
        id: Option<u32>,
        elements: impl Iterator<Item = (&'a Key, Option<&'a Data>)>,
    ) {
        let mut elements = elements.peekable();
        while elements.peek().is_some() {
            self.message(kind, flags, |table, attributes| {
                attributes.string(1, table);
                attributes.string(2, set);
                if let Some(id) = id {
                    attributes.u32(4, id);
                }
                attributes.nested(3, |list| {
                    let start = list.position();
                    while list.position() - start < ELEMENT_BYTES_PER_MESSAGE {
                        let Some((key, data)) = elements.next() else { break };
                        list.nested(1, |element| encode_element(key, data, element));
                    }
                });
            });
        }
    }

    fn table_message(&mut self, kind: u16, flags: u16) {
        self.message(kind, flags, |table, attributes| attributes.string(1, table));
    }

    fn chain_message(&mut self, kind: u16, flags: u16, chain: &str, attribute: u16) {
        self.message(kind, flags, |table, attributes| {
            attributes.string(1, table);
            attributes.string(attribute, chain);
        });
    }

    fn message(&mut self, kind: u16, flags: u16, fill: impl FnOnce(&str, &mut Attributes<'_>)) {
        self.last = self.buffer.len();
        self.messages += 1;
        let table = &self.table;
        wire::push_message(&mut self.buffer, kind, NLM_F_REQUEST | flags, 0, |body| {
            body.extend_from_slice(&[FAMILY_INET, 0, 0, 0]);
            fill(table, &mut Attributes::new(body));
        });
    }

    fn batch_message(&mut self, kind: u16) {
        self.messages += 1;
        let [high, low] = (SUBSYSTEM >> 8).to_be_bytes();
        wire::push_message(&mut self.buffer, kind, NLM_F_REQUEST, 0, |body| {
            body.extend_from_slice(&[0, 0, high, low]);
        });
    }
}

fn with_acknowledgement(buffer: &[u8], message: usize) -> [u8; 2] {
    let flags = u16::from_ne_bytes([buffer[message + 6], buffer[message + 7]]);
    (flags | NLM_F_ACK).to_ne_bytes()
}

fn number_from(buffer: &mut [u8], first: u32) {
    let mut start = 0;
    for sequence in first.. {
        let Some(length) = buffer.get(start..start + 4).and_then(|bytes| bytes.first_chunk::<4>()) else { return };
        let length = u32::from_ne_bytes(*length) as usize;
        buffer[start + 8..start + 12].copy_from_slice(&sequence.to_ne_bytes());
        start += wire::aligned(length.max(MESSAGE_HEADER_LENGTH));
    }
}

/// Says what the message of that number asks for, e.g. "add rule pintle nat-output".
fn describe(buffer: &[u8], sequence: u32) -> String {
    let Some(message) = wire::messages(buffer).find(|message| message.sequence == sequence) else {
        return "change firewall rules".to_owned();
    };
    let verb = match message.kind {
        NEW_TABLE => "add the firewall table",
        DELETE_TABLE => "delete the firewall table",
        NEW_CHAIN => "add the firewall chain",
        DELETE_CHAIN => "delete the firewall chain",
        NEW_RULE => "add a rule to the firewall chain",
        DELETE_RULE => "clear the firewall chain",
        NEW_SET => "add the firewall set",
        DELETE_SET => "delete the firewall set",
        NEW_ELEMENT => "add elements to the firewall set",
        DELETE_ELEMENT => "delete elements of the firewall set",
        _ => "change firewall rules",
    };
    let name_attribute = if matches!(message.kind, NEW_CHAIN | DELETE_CHAIN) { 3 } else { 2 };
    let body = message.payload.get(GENERIC_HEADER_LENGTH..).unwrap_or(&[]);
    let has_name = !matches!(message.kind, NEW_TABLE | DELETE_TABLE);
    let mut words = verb.to_owned();
    for attribute in wire::attributes(body) {
        if attribute.kind == 1 || (has_name && attribute.kind == name_attribute) {
            words.push(' ');
            words.push_str(&attribute.text());
        }
    }
    words
}

/// A comment in the form that `nft` reads back.
fn comment_userdata(comment: &str) -> Vec<u8> {
    const LONGEST: usize = 127;
    let mut end = comment.len().min(LONGEST);
    while !comment.is_char_boundary(end) {
        end -= 1;
    }
    let mut userdata = vec![0, end as u8 + 1];
    userdata.extend_from_slice(&comment.as_bytes()[..end]);
    userdata.push(0);
    userdata
}
