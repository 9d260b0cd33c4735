//! Transactions on their way into the log.

use super::answers::{Answers, Reply};
use super::format::{FrameBuilder, FrameKind, RECORD_BYTES};
use crate::core::Core;
use crate::shared::Moment;
use crate::staging::{Staged, StagedEvent};
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
    /// Stages the ends of leases, and requests. The frame is built within `buffer`.
    pub(super) fn stage(core: &Core, requests: Vec<Request>, now: Moment, buffer: &mut Vec<u8>) -> Self {
        let mut staged = Staged::default();
        core.stage_expired(&mut staged, now);
        staged.reserve(requests.len());
        let answers = requests.into_iter().map(|mut request| {
            let answer = core.stage(&mut staged, &mut request.transaction, now);
            (request, answer)
        });
        let answers = Answers(answers.collect());
        Batch { frame: Frame::of(&staged, buffer), staged, answers, now }
    }
}

impl Frame {
    /// `None` when there are no transactions.
    fn of(staged: &Staged, buffer: &mut Vec<u8>) -> Option<Frame> {
        let first = staged.events().first()?.event.revision;
        let payload_bytes = staged.events().iter().map(most_frame_bytes).sum();
        let buffer = std::mem::take(buffer);
        let mut builder = FrameBuilder::within(buffer, payload_bytes, FrameKind::Transactions, first);
        for transaction in staged.transactions() {
            let head = &transaction[0].event;
            let changes = transaction.iter().map(|staged| (&*staged.event, staged.due));
            builder.push_transaction(head.revision, head.time, head.author.as_deref(), changes);
        }
        Some(Frame { builder, first })
    }
}

/// The most that an event comes to in a frame, even if it is all that its transaction has.
fn most_frame_bytes(StagedEvent { event, .. }: &StagedEvent) -> usize {
    let author = event.author.as_ref().map_or(0, |author| author.user.len() + author.manager.len());
    let value = event.current().map_or(0, |entry| entry.value.len());
    event.key().len() + value + author + 2 * RECORD_BYTES
}
