//! The wire: bodies, paths, queries, content negotiation.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod compress;
pub(crate) mod encode;
pub(crate) mod query;
pub(crate) mod request_info;
