//! What piles up is cleared away: images nobody uses, logs that have grown long.

pub(crate) mod containers;
pub(crate) mod images;
pub(crate) mod logs;
