//! What every controller shares: informer caches, the work queue, the harness, the event recorder.
//!
//! A trigger carries a key, never a delta: the harness calls `reconcile(key)`, which re-reads what it
//! needs from the caches and the API, is idempotent, and says when it wants to be called again.
//!
//! Everything here is deterministic on tokio's paused clock: caches and queues are ordered, and no
//! choice depends on a hash or on which of two ready futures is looked at first.

pub mod batch;
pub mod expectations;
pub mod figures;
pub mod harness;
pub mod informer;
pub mod informers;
pub mod leader;
pub mod owner;
pub mod queue;
pub mod recorder;
mod turns;

pub use batch::{BatchResult, slow_start};
pub use expectations::Expectations;
pub use figures::Queues;
pub use harness::{Controller, Counters, Outcome, Reconciler};
pub use informer::{Informer, Kind, ListOptions};
pub use informers::Informers;
pub use leader::{Election, Standings, lead};
pub use owner::{Claim, adopt, claim, controller_of, controller_reference, release};
pub use queue::WorkQueue;
pub use recorder::{EventType, Recorder, reference_to};
