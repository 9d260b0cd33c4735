//! What went wrong with a call, told once.

use std::error::Error;
use std::fmt;

/// A failed call to the API.
///
/// Its text is the server's own message where the server answered, so that an error chain says it
/// once; `kube`'s own error repeats its source.
#[derive(Debug)]
pub struct CallError(Box<kube::Error>);

impl CallError {
    /// The object, or its kind, does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// The object changed since it was read: read again and retry.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409) && !self.is_already_exists()
    }

    /// An object of this name is there already.
    pub fn is_already_exists(&self) -> bool {
        self.reason() == Some("AlreadyExists")
    }

    /// The caller may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// The object, or a part of the request, breaks a rule; sending it again cannot help.
    pub fn is_invalid(&self) -> bool {
        self.code() == Some(422)
    }

    /// The asked-for revision is no longer kept: list again.
    pub fn is_expired(&self) -> bool {
        self.code() == Some(410)
    }

    /// The refusal is because the namespace is going away.
    pub fn is_namespace_terminating(&self) -> bool {
        self.status()
            .and_then(|status| status.details.as_ref())
            .is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
    }

    /// The server's answer, where there was one.
    pub fn status(&self) -> Option<&kube::core::Status> {
        match &*self.0 {
            kube::Error::Api(status) => Some(status),
            _ => None,
        }
    }

    fn code(&self) -> Option<u16> {
        self.status().map(|status| status.code)
    }

    fn reason(&self) -> Option<&str> {
        self.status().map(|status| status.reason.as_str())
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            kube::Error::Api(status) if !status.message.is_empty() => formatter.write_str(&status.message),
            kube::Error::Api(status) => write!(formatter, "the server answered {} {}", status.code, status.reason),
            other => fmt::Display::fmt(other, formatter),
        }
    }
}

impl Error for CallError {}

impl From<kube::Error> for CallError {
    fn from(error: kube::Error) -> Self {
        CallError(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str, reason: &str, code: u16) -> CallError {
        kube::Error::Api(kube::core::Status::failure(message, reason).with_code(code).boxed()).into()
    }

    #[test]
    fn tells_the_servers_message_once_and_knows_the_usual_reasons() {
        let missing = refused("pods \"web\" not found", "NotFound", 404);
        assert_eq!(missing.to_string(), "pods \"web\" not found");
        assert!(missing.source().is_none());
        assert!(missing.is_not_found());
        let exists = refused("pods \"web\" already exists", "AlreadyExists", 409);
        assert!(exists.is_already_exists() && !exists.is_conflict());
        assert!(refused("changed", "Conflict", 409).is_conflict());
        assert_eq!(refused("", "Expired", 410).to_string(), "the server answered 410 Expired");
    }
}
