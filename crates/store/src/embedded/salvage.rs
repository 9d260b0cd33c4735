//! Builds a state from what is readable of a damaged store, and notes the gaps.

use std::sync::Arc;
use std::time::SystemTime;

use super::OpenError;
use super::check::{Piece, Pieces};
use super::disk::Disk;
use super::format::{FileKind, FrameHeader};
use super::frames::{Contents, Decoder, OwnedOperation, OwnedTransaction};
use super::log::log_name;
use super::recovery::{Input, Inventory};
use super::repair::Loss;
use super::snapshot::{read_snapshot, snapshot_name};
use crate::core::Core;
use crate::shared::Moment;
use crate::staging::Staged;
use crate::tree::Tree;
use crate::{Entry, Options, Revision};

/// What has been read so far.
#[derive(Debug)]
pub(super) struct Salvage {
    pub(super) core: Core,
    pub(super) lost: Vec<Loss>,
    options: Options,
    now: Moment,
}

/// A damaged snapshot, as far as it has been read.
#[derive(Debug, Default)]
struct Remains {
    tree: Option<Tree<Entry>>,
    last_key: Option<Arc<str>>,
    oldest: Revision,
    time: Option<SystemTime>,
    /// Something before this place could not be read.
    is_behind_gap: bool,
    has_leases: bool,
}

impl Salvage {
    pub(super) fn new(options: Options, now: Moment) -> Self {
        Salvage { core: Core::empty(&options), lost: Vec::new(), options, now }
    }

    /// Reads the newest snapshot that is whole, if the logs lead on from it, or else what is left of
    /// the newest.
    pub(super) fn snapshots(&mut self, disk: &dyn Disk, inventory: &Inventory) -> Result<(), OpenError> {
        for &revision in inventory.snapshots.iter().rev() {
            let has_followers = Some(&revision) == inventory.snapshots.last()
                || inventory.logs.iter().any(|first| first.0 <= revision.0 + 1);
            let input = Input::open(disk, snapshot_name(revision), FileKind::Snapshot, revision);
            if has_followers && let Ok(core) = input.and_then(|input| read_snapshot(&input, &self.options, self.now)) {
                self.core = core;
                return Ok(());
            }
        }
        match inventory.snapshots.last() {
            Some(&revision) => self.remains(disk, revision),
            None => Ok(()),
        }
    }

    /// Applies what is readable of the logs.
    pub(super) fn logs(&mut self, disk: &dyn Disk, inventory: &Inventory) -> Result<(), OpenError> {
        let mut is_end_lost = false;
        for &first in &inventory.logs {
            let pieces = open_pieces(disk, &log_name(first))?;
            is_end_lost = pieces.header.is_err();
            let mut decoder = Decoder::default();
            let end = pieces.for_each(|piece| match piece {
                Piece::Frame { header, payload } => match decoder.contents(&header, payload) {
                    Some(Contents::Transactions(transactions)) => {
                        is_end_lost = false;
                        self.apply_all(transactions);
                    }
                    _ => is_end_lost = true,
                },
                Piece::Gap { is_torn, .. } => is_end_lost = !is_torn,
            });
            // What the disk cannot read counts as zeros, which look like nothing was there.
            is_end_lost |= pieces.unreadable.iter().any(|&offset| offset >= end);
        }
        if is_end_lost {
            self.lost.push(Loss::After(self.core.revision()));
        }
        Ok(())
    }

    fn remains(&mut self, disk: &dyn Disk, revision: Revision) -> Result<(), OpenError> {
        let pieces = open_pieces(disk, &snapshot_name(revision))?;
        let mut remains = Remains { tree: Some(Tree::new()), oldest: revision, ..Remains::default() };
        let mut decoder = Decoder::default();
        pieces.for_each(|piece| match piece {
            Piece::Gap { .. } => remains.is_behind_gap = true,
            Piece::Frame { header, payload } => match decoder.contents(&header, payload) {
                Some(contents) => self.remaining(&mut remains, &header, contents),
                None => remains.is_behind_gap = true,
            },
        });
        // Whatever the file says no more about.
        self.end_of_entries(&mut remains, None);
        self.skip_to(Revision(revision.0 + 1));
        if !remains.has_leases {
            self.lost.push(Loss::Leases { at: revision });
        }
        Ok(())
    }

    fn remaining(&mut self, remains: &mut Remains, header: &FrameHeader, contents: Contents) {
        match contents {
            Contents::Base(time) => (remains.oldest, remains.time) = (header.revision, Some(time)),
            Contents::Entries(entries) => {
                remains.oldest = header.revision;
                let Some(tree) = &mut remains.tree else { return };
                if remains.is_behind_gap
                    && let Some(first) = entries.first()
                {
                    self.lost.push(keys_between(remains.last_key.as_ref(), Some(&first.key), remains.oldest));
                }
                remains.last_key = entries.last().map(|entry| entry.key.clone()).or(remains.last_key.take());
                entries.into_iter().for_each(|entry| drop(tree.insert(entry)));
                remains.is_behind_gap = false;
            }
            Contents::Transactions(transactions) => {
                self.end_of_entries(remains, Some(header.revision));
                self.apply_all(transactions);
                remains.is_behind_gap = false;
            }
            Contents::Leases(leases) => {
                self.end_of_entries(remains, None);
                self.skip_to(Revision(header.revision.0 + 1));
                remains.has_leases = !remains.is_behind_gap;
                for (key, due) in leases {
                    if let Some(key) = self.core.entries.get(&key).map(|entry| entry.key.clone()) {
                        self.core.leases.grant(key, due, self.now);
                    }
                }
            }
            Contents::End => {}
        }
    }

    /// The entries are over: from here on there is a core.
    fn end_of_entries(&mut self, remains: &mut Remains, history_from: Option<Revision>) {
        let Some(tree) = remains.tree.take() else { return };
        // Where the first record of history follows a gap, the last entries may have been in it.
        if remains.is_behind_gap || history_from.is_none() {
            self.lost.push(keys_between(remains.last_key.as_ref(), None, remains.oldest));
        }
        let time = remains.time.unwrap_or(SystemTime::UNIX_EPOCH);
        self.core = Core::new(&self.options, tree, remains.oldest, time);
    }

    /// Applies what is not there yet, and notes what is missing before it.
    fn apply_all(&mut self, transactions: Vec<OwnedTransaction>) {
        for transaction in transactions {
            if transaction.revision > self.core.revision() {
                self.skip_to(transaction.revision);
                self.apply(transaction);
            }
        }
    }

    /// Moves to just before `revision`; what was in between is lost.
    fn skip_to(&mut self, revision: Revision) {
        let next = Revision(self.core.revision().0 + 1);
        if next < revision {
            let last = Revision(revision.0 - 1);
            self.lost.push(Loss::Revisions { first: next, last });
            drop(self.core.advance(last));
        }
    }

    fn apply(&mut self, transaction: OwnedTransaction) {
        let mut staged = Staged::default();
        let time = transaction.time.max(self.core.time());
        let mut draft = staged.begin(transaction.revision, time, transaction.author);
        for operation in transaction.operations {
            match operation {
                OwnedOperation::Put { key, value, due } => {
                    let previous = self.core.current(draft.staged(), &key).cloned();
                    draft.put(&key, value, due, previous, None);
                }
                // What is to be removed may be among what is lost.
                OwnedOperation::Delete { key } => {
                    if let Some(previous) = self.core.current(draft.staged(), &key).cloned() {
                        draft.delete(previous);
                    }
                }
            }
        }
        drop(self.core.commit(staged, self.now));
        drop(self.core.advance(transaction.revision));
    }
}

fn keys_between(after: Option<&Arc<str>>, before: Option<&Arc<str>>, at: Revision) -> Loss {
    let text = |key: Option<&Arc<str>>| key.map(|key| key.to_string());
    Loss::Keys { after: text(after), before: text(before), at }
}

fn open_pieces(disk: &dyn Disk, name: &str) -> Result<Pieces, OpenError> {
    let file = disk.open(name);
    let pieces = file.and_then(|file| Pieces::read(&*file));
    pieces.map_err(|source| OpenError::Io { action: "read", path: disk.path(name), source })
}
