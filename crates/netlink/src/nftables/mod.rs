//! nf_tables: rule sets as values, and the transactions that carry them into the kernel.
//!
//! A [`Ruleset`] says what one private table of family `inet` shall hold. [`Transaction::replace`]
//! puts it in place of whatever the table held, [`Transaction::change`] carries only the
//! difference between two of them; either way the kernel switches over between two packets, or
//! not at all. Running connections keep their translations, which live in connection tracking.
//!
//! Everything is written as `nft` itself would, so that `nft list ruleset` reads well.

mod expression;
mod monitor;
mod rule;
mod ruleset;
mod set;
mod transaction;

pub use expression::{
    CtKey, Destination, Direction, Expression, MetaKey, PayloadBase, Register, Rejection, Translation,
};
pub use monitor::Monitor;
pub use rule::{Field, Rule};
pub use ruleset::{Chain, ChainKind, Hook, HookPoint, Ruleset};
pub use set::{Data, Key, Set, Type, Values, Verdict};
pub use transaction::Transaction;

/// A transport protocol's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Transport {
    Tcp = 6,
    Udp = 17,
    Sctp = 132,
}

/// An address family as nf_tables numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Family {
    Ipv4 = 2,
    Ipv6 = 10,
}
