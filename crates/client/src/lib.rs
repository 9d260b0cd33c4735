//! The one way to the API, for every component.
//!
//! A [`Client`] speaks over HTTPS with a kubeconfig, or in process: there the request is handed to
//! the API server's own service, and passes the same filters as one that came over the wire.
//!
//! **Invariant:** there is no other road to the data. Nothing outside `apiserver` names `store`.

mod error;
pub mod tls;

use std::error::Error;

pub use error::CallError;
use http::{Request, Response};
pub use kube;
pub use kube::client::Body;
pub use kube::{Api, Client, Error as ClientError};

/// A client whose requests are answered by `service` in this process.
///
/// The service authenticates by itself: `apiserver` makes one per identity, so a component holds
/// no more rights in process than its certificate would give it on the wire.
pub fn in_process<S, B>(service: S) -> Client
where
    S: tower::Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    Client::new(service, "default")
}
