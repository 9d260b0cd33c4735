//! What a frame's payload says.

use std::time::SystemTime;

use super::{time_of, u32_at, u64_at};
use crate::{Author, Entry, Revision};

/// A change of version 1.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) enum EventRecord<'a> {
    Put { key: &'a str, value: &'a [u8] },
    Delete { key: &'a str },
}

/// A transaction as it rests: what it replaced is known to whoever replays it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) struct TransactionRecord<'a> {
    pub(in crate::embedded) revision: Revision,
    pub(in crate::embedded) time: SystemTime,
    pub(in crate::embedded) author: Option<Author>,
    pub(in crate::embedded) operations: Vec<OperationRecord<'a>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::embedded) enum OperationRecord<'a> {
    Put { key: &'a str, value: &'a [u8], due: Option<SystemTime> },
    Delete { key: &'a str },
}

/// Reads a payload's records, each `None` when the payload is not what the format says.
#[derive(Debug)]
pub(in crate::embedded) struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    pub(in crate::embedded) fn new(payload: &'a [u8]) -> Self {
        Records { rest: payload }
    }

    pub(in crate::embedded) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(in crate::embedded) fn event(&mut self) -> Option<EventRecord<'a>> {
        match self.take(1)? {
            [1] => Some(EventRecord::Put { key: self.text()?, value: self.value()? }),
            [2] => Some(EventRecord::Delete { key: self.text()? }),
            _ => None,
        }
    }

    pub(in crate::embedded) fn transaction(&mut self) -> Option<TransactionRecord<'a>> {
        let revision = Revision(self.number()?);
        let time = self.time()?;
        let author = match self.take(1)? {
            [0] => None,
            [1] => Some(Author { user: self.text()?.into(), manager: self.text()?.into() }),
            _ => return None,
        };
        let count = u32_at(self.take(4)?, 0);
        let operations: Option<Vec<_>> = (0..count).map(|_| self.operation()).collect();
        Some(TransactionRecord { revision, time, author, operations: operations? })
    }

    /// Copies the value: it must not hold the whole payload in memory.
    pub(in crate::embedded) fn entry(&mut self) -> Option<Entry> {
        let created = Revision(self.number()?);
        let modified = Revision(self.number()?);
        let key = self.text()?.into();
        Some(Entry { key, value: bytes::Bytes::copy_from_slice(self.value()?), created, modified })
    }

    pub(in crate::embedded) fn lease(&mut self) -> Option<(&'a str, SystemTime)> {
        Some((self.text()?, self.time()?))
    }

    pub(in crate::embedded) fn time(&mut self) -> Option<SystemTime> {
        time_of(self.number()?)
    }

    fn operation(&mut self) -> Option<OperationRecord<'a>> {
        let kind = self.take(1)?;
        let key = self.text()?;
        match kind {
            [1] => Some(OperationRecord::Put { key, value: self.value()?, due: None }),
            [2] => {
                let due = Some(self.time()?);
                Some(OperationRecord::Put { key, value: self.value()?, due })
            }
            [3] => Some(OperationRecord::Delete { key }),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64_at(self.take(8)?, 0))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        std::str::from_utf8(self.take(usize::from(length))?).ok()
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        let length = u32_at(self.take(4)?, 0);
        self.take(length as usize)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}
