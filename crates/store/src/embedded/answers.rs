//! What writers are told once their transactions rest.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::batch::Request;
use crate::watchers::Notice;
use crate::{Committed, StoreError};

/// So many answers are worth a task: fewer are sent before it would run.
const MANY: usize = 16;

/// Whom to answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) sender: oneshot::Sender<Result<Committed, StoreError>>,
    /// Where the one who waits runs.
    pub(super) runtime: Option<Handle>,
    /// Its part of what may wait at once.
    pub(super) _room: OwnedSemaphorePermit,
}

impl Reply {
    pub(super) fn send(self, answer: Result<Committed, StoreError>) {
        if self.sender.send(answer).is_err() {
            tracing::debug!("a writer did not wait for its answer");
        }
    }
}

/// Answers that wait until what they say rests on the disk. That goes for conflicts too: what a
/// transaction conflicts with may be one of the same batch. What is left of the requests goes with
/// them, so that freeing it costs the one who writes no time.
#[derive(Debug)]
pub(super) struct Answers(pub(super) Vec<(Request, Result<Committed, StoreError>)>);

/// Answers and a notice on their way: dropping them delivers them, so that they arrive whatever
/// becomes of the task that has them.
#[derive(Debug)]
struct Delivery {
    answers: Answers,
    notice: Notice,
}

impl Answers {
    /// Sends the answers, then the notice. Where they are many, those who wait for them do it
    /// themselves, and the caller can see to the next batch meanwhile.
    pub(super) fn tell(self, notice: Notice) {
        let runtime = self.runtime();
        let delivery = Delivery { answers: self, notice };
        match runtime {
            Some(runtime) => drop(runtime.spawn(async move { drop(delivery) })),
            None => drop(delivery),
        }
    }

    /// Nothing of what the answers say has happened.
    pub(super) fn refuse(self, refusal: &StoreError) {
        self.0.into_iter().for_each(|(request, _)| request.reply.send(Err(refusal.clone())));
    }

    /// Where all those who wait run. Waiting for one another there, they cannot keep anybody else
    /// waiting; and of several workers one is always free when somebody could take an answer.
    fn runtime(&self) -> Option<Handle> {
        if self.0.len() < MANY {
            return None;
        }
        let mut runtimes = self.0.iter().map(|(request, _)| request.reply.runtime.as_ref());
        let first = runtimes.next().flatten()?;
        let is_common = runtimes.all(|other| other.is_some_and(|other| other.id() == first.id()));
        (is_common && first.runtime_flavor() == RuntimeFlavor::MultiThread).then(|| first.clone())
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.answers.0.drain(..).for_each(|(request, answer)| request.reply.send(answer));
        std::mem::take(&mut self.notice).wake();
    }
}
