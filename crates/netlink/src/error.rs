//! What can go wrong between a request and its acknowledgement.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open a netlink socket")]
    Open(#[source] io::Error),
    /// The kernel took the request and refused it; `step` completes "cannot …".
    #[error("cannot {step}{}", detail(hint))]
    Refused {
        step: String,
        /// The kernel's own words, where it gave any.
        hint: String,
        #[source]
        source: Errno,
    },
    #[error("cannot exchange netlink messages with the kernel")]
    Exchange(#[source] Errno),
    #[error("the kernel did not answer the request to {step}")]
    Unanswered { step: String },
    #[error("the kernel's answer cannot be read: {0}")]
    Malformed(String),
    #[error("cannot {step} the network namespace {}", path.display())]
    Namespace {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot set {}", path.display())]
    Sysctl {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// The kernel's verdict, when it gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Error::Refused { source, .. } => Some(*source),
            _ => None,
        }
    }
}

fn detail(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!(" ({hint})") }
}
