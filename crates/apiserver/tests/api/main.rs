//! The server as its clients see it.

mod client;
mod common;
mod verbs;
