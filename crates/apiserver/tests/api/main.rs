//! The server as its clients see it.

mod access;
mod addresses;
mod admission;
mod apply;
mod bad_input;
mod client;
mod common;
mod documentation;
mod documents;
mod encodings;
mod history;
mod kinds;
mod legacy;
mod proxies;
mod reads;
mod reviews;
mod support;
mod verbs;
mod watches;
mod wire;
mod writes;
