//! The Kubernetes API server.
//!
//! A request passes the [`filters`] in order and ends in the [`handler`]: discovery, a verb on some
//! kind, or a subresource. All kinds share one path; what sets them apart stands in `registry`.
//!
//! **Invariant:** components of this process come in through [`LocalService`], which passes the same
//! filters as the wire.

mod admission;
mod attributes;
mod audit;
mod auth;
mod authorize;
mod bootstrap;
mod call;
mod components;
mod connection;
mod convert;
mod decode;
mod deletion;
mod discovery;
mod encodings;
mod filters;
mod groups;
mod handler;
mod health;
mod index;
mod kinds;
mod limits;
mod local;
mod metadata;
mod metrics;
mod mirror;
mod openapi;
mod ownership;
mod packed;
mod patch;
mod respond;
mod reviews;
mod root;
mod server;
mod services;
mod status;
mod storage;
mod subresources;
mod table;
mod verbs;
mod version;
mod wire;
mod write;

pub use auth::token::KeyError;

pub use groups::{Answerer, LocalGroup, LocalRequest, LocalResource};
pub use local::LocalService;
pub use server::{ApiServer, Config, MetricsPage, StartError};
pub use wire::body::Body;
