//! The server as its clients see it.

mod access;
mod client;
mod common;
mod encodings;
mod kinds;
mod verbs;
mod wire;
