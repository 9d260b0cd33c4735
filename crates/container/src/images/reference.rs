//! Image names, as Docker and CRI read them.

use std::fmt;
use std::str::FromStr;

const DEFAULT_REGISTRY: &str = "docker.io";
const DEFAULT_TAG: &str = "latest";

/// A full name: `docker.io/library/busybox:latest`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name {name:?}: {reason}")]
pub struct InvalidReference {
    name: String,
    reason: &'static str,
}

impl Reference {
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// `docker.io/library/busybox`, without tag or digest.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    pub(crate) fn repository(&self) -> &str {
        &self.repository
    }

    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    pub(crate) fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// `name@sha256:…`
    pub(crate) fn with_digest(&self, digest: &str) -> String {
        format!("{}@{digest}", self.name())
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let fail = |reason| InvalidReference { name: text.to_owned(), reason };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(fail("invalid digest")),
            None => (text, None),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(fail("invalid tag"));
        }
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest.to_owned()),
            _ => (DEFAULT_REGISTRY, path.to_owned()),
        };
        let registry = if registry == "index.docker.io" { DEFAULT_REGISTRY } else { registry };
        let repository = match registry == DEFAULT_REGISTRY && !repository.contains('/') {
            true => format!("library/{repository}"),
            false => repository,
        };
        if !is_registry(registry) {
            return Err(fail("invalid registry"));
        }
        if repository.chars().any(|character| character.is_ascii_uppercase()) {
            return Err(fail("repository name must be lowercase"));
        }
        if repository.len() > 255 || !repository.split('/').all(is_path_component) {
            return Err(fail("invalid repository name"));
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some(DEFAULT_TAG.to_owned()),
        };
        Ok(Reference { registry: registry.to_owned(), repository, tag, digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

/// `sha256:` and 64 hexadecimal digits; no other algorithm is in use.
pub(crate) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(is_sha256)
}

pub(crate) fn is_sha256(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
        && word(tag.as_bytes()[0])
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = registry.rsplit_once(':').unwrap_or((registry, "0"));
    !host.is_empty()
        && port.parse::<u16>().is_ok()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// Words of lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_path_component(component: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends_are_words = bytes.first().copied().is_some_and(word) && bytes.last().copied().is_some_and(word);
    let separators = component.split(|character: char| character.is_ascii_lowercase() || character.is_ascii_digit());
    ends_are_words
        && separators
            .filter(|run| !run.is_empty())
            .all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let shown = match name.parse::<Reference>() {
            Ok(reference) => reference.to_string(),
            Err(error) => error.reason.to_owned(),
        };
        assert_eq!(shown, expected, "{name}");
    }

    #[test]
    fn names_are_completed_as_docker_does() {
        check("busybox", "docker.io/library/busybox:latest");
        check("wardviaene/k8s-demo", "docker.io/wardviaene/k8s-demo:latest");
        check("docker.io/busybox:1.36", "docker.io/library/busybox:1.36");
        check("index.docker.io/library/busybox", "docker.io/library/busybox:latest");
        check("localhost:5000/app", "localhost:5000/app:latest");
        check("localhost/app:v1", "localhost/app:v1");
        check("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10");
        check("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x");
        let digest = format!("sha256:{}", "a".repeat(64));
        check(&format!("busybox@{digest}"), &format!("docker.io/library/busybox@{digest}"));
        check(&format!("a/b:1@{digest}"), &format!("docker.io/a/b:1@{digest}"));
        check("my_app/a__b--c.d", "docker.io/my_app/a__b--c.d:latest");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        check("", "invalid repository name");
        check("Busybox", "repository name must be lowercase");
        check("a/../b", "invalid repository name");
        check("busybox:", "invalid tag");
        check("busybox:a b", "invalid tag");
        check("busybox@sha256:12", "invalid digest");
        check("example.com:port/app", "invalid registry");
        check("a//b", "invalid repository name");
        check("a/b_", "invalid repository name");
    }
}
