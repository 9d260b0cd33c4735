//! Versions that upstream served once. Each rests as the kind that came after it: a line where both say the same,
//! a conversion where they do not. `--legacy-apis=false` hides them all.

use crate::kind::Kind;

pub mod alike;
mod annotations;
pub mod apps;
pub mod autoscaling;
pub mod certificates;
pub mod definitions;
pub mod discovery;
pub mod flowcontrol;
pub mod networking;
pub mod node;
pub mod policy;
pub mod rbac;
pub mod reviews;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod webhooks;

/// A kind that another group shows too. Short names and categories lead to that group alone: whoever asks for all wants
/// each once.
const fn in_old_group(kind: Kind) -> Kind {
    Kind { short_names: &[], categories: &[], ..kind }
}
