//! Transactions on their way into the log.

use super::answers::{Answers, Reply};
use super::format::{FrameBuilder, FrameKind, RECORD_BYTES};
use crate::core::Core;
use crate::shared::Moment;
use crate::staging::{Staged, StagedTransaction};
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
    /// When they were staged.
    pub(super) now: Moment,
    /// `None` when nothing changes.
    pub(super) frame: Option<Frame>,
}

/// What is to be appended to the log.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) builder: FrameBuilder,
    pub(super) first: Revision,
}

impl Batch {
    /// Stages the ends of leases, and requests.
    pub(super) fn stage(core: &Core, requests: Vec<Request>, now: Moment) -> Self {
        let mut staged = Staged::default();
        core.stage_expired(&mut staged, now);
        staged.reserve(requests.len());
        let answers = requests
            .into_iter()
            .map(|Request { transaction, reply, .. }| (reply, core.stage(&mut staged, transaction, now)));
        let answers = Answers(answers.collect());
        Batch { frame: Frame::of(staged.transactions()), staged, answers, now }
    }
}

impl Frame {
    /// `None` when there are no transactions.
    fn of(transactions: &[StagedTransaction]) -> Option<Frame> {
        let first = transactions.first()?.revision;
        let mut builder = FrameBuilder::new(FrameKind::Transactions, first);
        builder.reserve(transactions.iter().map(frame_bytes).sum());
        for transaction in transactions {
            let changes = transaction.events.iter().map(|staged| (&*staged.event, staged.due));
            let author = transaction.author.as_deref();
            builder.push_transaction(transaction.revision, transaction.time, author, changes);
        }
        Some(Frame { builder, first })
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
