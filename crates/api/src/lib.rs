//! Kinds, and the small types that every room speaks in.

pub mod cron;
pub mod duration;
pub mod name;
pub mod node_selector;
pub mod path;
pub mod quantity;
pub mod selector;
pub mod time;
pub mod time_zone;
pub mod volumes;

pub use k8s_openapi as k8s;
pub use name::NamespacedName;
pub use quantity::Quantity;
pub use selector::Selector;
