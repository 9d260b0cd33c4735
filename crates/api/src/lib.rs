//! Kinds, and the small types that every room speaks in.

pub mod name;
pub mod path;
pub mod quantity;
pub mod selector;
pub mod time;

pub use k8s_openapi as k8s;
pub use name::NamespacedName;
pub use quantity::Quantity;
pub use selector::Selector;
