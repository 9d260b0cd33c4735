//! Transactions on their way into the log.

use std::sync::Arc;

use super::answers::{Answers, Reply};
use super::format::{FrameBuilder, FrameKind, RECORD_BYTES};
use crate::core::Core;
use crate::shared::Moment;
use crate::staging::{Overlay, Staged, StagedTransaction};
use crate::{Revision, Transaction};

/// A transaction and whom to answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) size_bytes: usize,
    pub(super) reply: Reply,
}

/// Transactions that have their revisions and are written as one frame.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) staged: Staged,
    pub(super) answers: Answers,
    /// When the last of them was staged.
    pub(super) now: Moment,
    /// `None` as long as nothing changes.
    frame: Option<Frame>,
}

/// What is to be appended to the log.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) builder: FrameBuilder,
    pub(super) first: Revision,
    /// How many transactions it holds.
    count: usize,
}

impl Batch {
    /// Stages requests and the ends of leases, on top of what is on its way before them.
    pub(super) fn new(beneath: Option<Arc<Overlay>>, core: &Core, requests: Vec<Request>, now: Moment) -> Self {
        let mut batch = Batch { staged: Staged::over(beneath), answers: Answers(Vec::new()), now, frame: None };
        core.stage_expired(&mut batch.staged, now);
        batch.add(core, requests, now);
        batch
    }

    pub(super) fn add(&mut self, core: &Core, requests: Vec<Request>, now: Moment) {
        self.now = now;
        self.staged.reserve(requests.len());
        let Batch { staged, answers, .. } = self;
        answers.0.extend(
            requests
                .into_iter()
                .map(|Request { transaction, reply, .. }| (reply, core.stage(staged, transaction, now))),
        );
        self.encode();
    }

    /// Takes out what is to be appended; `None` when nothing changes.
    pub(super) fn take_frame(&mut self) -> Option<Frame> {
        self.frame.take()
    }

    /// Puts what was staged since the last time into the frame.
    fn encode(&mut self) {
        let transactions = self.staged.transactions();
        let Some(first) = transactions.first() else { return };
        let frame = self.frame.get_or_insert_with(|| Frame {
            builder: FrameBuilder::new(FrameKind::Transactions, first.revision),
            first: first.revision,
            count: 0,
        });
        let new = &transactions[frame.count..];
        frame.builder.reserve(new.iter().map(frame_bytes).sum());
        for transaction in new {
            let changes = transaction.events.iter().map(|staged| (&*staged.event, staged.due));
            let author = transaction.author.as_deref();
            frame.builder.push_transaction(transaction.revision, transaction.time, author, changes);
        }
        frame.count = transactions.len();
    }
}

/// About what a transaction comes to in a frame.
fn frame_bytes(transaction: &StagedTransaction) -> usize {
    let values = transaction.events.iter().map(|staged| {
        let event = &staged.event;
        event.key().len() + event.current().map_or(0, |entry| entry.value.len())
    });
    values.map(|bytes| bytes + RECORD_BYTES).sum::<usize>() + RECORD_BYTES
}
