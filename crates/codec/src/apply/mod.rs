//! Server-side apply: which manager owns which fields, and what becomes of an object when one applies.
//!
//! A [`FieldSet`] is a set of paths; [`ManagedFields`] holds one for each manager. [`Tracking`] says how a write moves
//! ownership: an update takes what it changes, an apply takes what it names, gives back what it names no more, and
//! meets a [`Conflict`] where another owns what it would change.

mod compare;
mod configuration;
mod conflict;
mod element;
mod last_applied;
mod managed;
mod merge;
mod model;
mod remove;
mod resting;
mod scale;
mod set;
mod tracking;

pub use compare::{Comparison, compare};
pub use configuration::{Misfit, go_value};
pub use conflict::{Conflict, conflict_message};
pub use element::{ElementError, PathElement, path_text};
pub use managed::{Entry, ManagedFields, ManagedFieldsError, Manager, Operation, is_reset, keep_reset};
pub(crate) use resting::{holds_fields, text_of};
pub use resting::{read_resting, rest, unfold, write_managed};
pub use scale::{scale_to_parent, to_scale};
pub use set::FieldSet;
pub use tracking::{Applied, ApplyError, Resets, Tracking, Versions};
