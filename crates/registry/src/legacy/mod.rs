//! Versions that upstream served once. Each rests as the kind that came after it: a line where both say the same,
//! a conversion where they do not. `--legacy-apis=false` hides them all.

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
