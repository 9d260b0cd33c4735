//! Where a runtime is spoken to: `unix:///run/containerd/containerd.sock`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("{0:?} names no socket; say it like unix:///run/containerd/containerd.sock")]
    NoSocket(String),
    #[error("protocol {0:?} not supported: only unix sockets are")]
    Protocol(String),
}

impl Endpoint {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let path = match text.split_once("://") {
            Some(("unix", path)) => path,
            Some((protocol, _)) => return Err(EndpointError::Protocol(protocol.to_owned())),
            // Deprecated upstream, and still taken.
            None => text.strip_prefix("unix:").unwrap_or(text),
        };
        match path.starts_with('/') && path != "/" {
            true => Ok(Endpoint { path: path.into() }),
            false => Err(EndpointError::NoSocket(text.to_owned())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unix://{}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_unix_socket() {
        for text in ["unix:///run/a.sock", "unix:/run/a.sock", "/run/a.sock"] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), "unix:///run/a.sock");
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
        for text in ["", "/", "run/a.sock", "unix://", "unix://run/a.sock"] {
            assert_eq!(text.parse::<Endpoint>(), Err(EndpointError::NoSocket(text.to_owned())));
        }
        assert_eq!("tcp://127.0.0.1:1".parse::<Endpoint>(), Err(EndpointError::Protocol("tcp".to_owned())));
    }
}
