//! What a request is about, read from its method and path alone.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;
use registry::Kind;

use super::query::{Query, decode_segment};
use crate::kinds;

/// The attributes that authorisation, audit and dispatch share.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    pub(crate) path: String,
    /// `get`, `list`, `create` … for resources, the lower-cased method for other paths.
    pub(crate) verb: &'static str,
    pub(crate) resource: Option<Arc<ResourceInfo>>,
    /// The kind the resource is of, where there is such a kind.
    pub(crate) kind: Option<&'static Kind>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourceInfo {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    /// Empty for cluster-wide requests. For a Namespace object it is the object's own name, so that
    /// a grant inside a namespace covers reading the namespace itself.
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// What the path says after the subresource, for proxies.
    pub(crate) rest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path has a segment that no name can have")]
pub(crate) struct InvalidPath;

/// Namespaces' own subresources; any other word after a namespace's name is a resource in it.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

/// `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE` has so many.
const USUAL_SEGMENTS: usize = 8;

impl RequestInfo {
    pub(crate) fn parse(method: &Method, path: &str, query: &Query) -> Result<Self, InvalidPath> {
        let other = || RequestInfo { path: path.to_owned(), verb: method_verb(method), resource: None, kind: None };
        let Segments { segments, smuggling } = segments(path)?;
        let mut parts = segments.iter().map(|segment| &**segment);
        let (group, version) = match (parts.next(), parts.next(), parts.next()) {
            (Some("api"), Some(version), Some(_)) => ("", version),
            (Some("apis"), Some(group), Some(version)) if segments.len() > 3 => (group, version),
            _ if smuggling.is_some() => return Err(InvalidPath),
            _ => return Ok(other()),
        };
        let mut rest: &[Cow<'_, str>] = &segments[if group.is_empty() { 2 } else { 3 }..];
        let mut watched_by_path = false;
        if rest.len() > 1 && rest[0] == "watch" {
            watched_by_path = true;
            rest = &rest[1..];
        }
        let mut resource =
            ResourceInfo { group: group.to_owned(), version: version.to_owned(), ..ResourceInfo::default() };
        if rest[0] == "namespaces" && rest.len() > 1 {
            resource.namespace = rest[1].to_string();
            if rest.len() > 2 && !NAMESPACE_SUBRESOURCES.contains(&&*rest[2]) {
                rest = &rest[2..];
            }
        }
        let mut words = rest.iter();
        let mut take = || words.next().map(|word| word.to_string()).unwrap_or_default();
        resource.resource = take();
        resource.name = take();
        resource.subresource = take();
        // What follows a proxy is not read here, and goes on as it came.
        let own = segments.len() - words.as_slice().len();
        if smuggling.is_some_and(|at| at < own || resource.subresource != "proxy") {
            return Err(InvalidPath);
        }
        resource.rest = words.as_slice().join("/");
        let verb = resource_verb(method, &resource, query, watched_by_path);
        if matches!(verb, "list" | "watch" | "deletecollection") && resource.name.is_empty() {
            // A list narrowed to one name is authorised as a request for that name.
            if let Some(name) = query.get("fieldSelector").and_then(single_name) {
                resource.name = name.to_owned();
            }
        }
        let kind = kinds::find(&resource.group, &resource.version, &resource.resource);
        Ok(RequestInfo { path: path.to_owned(), verb, resource: Some(Arc::new(resource)), kind })
    }

    /// Whether the request may stay open as long as the client likes.
    pub(crate) fn is_long_running(&self, query: &Query) -> bool {
        self.verb == "watch"
            || self.resource.as_ref().is_some_and(|resource| match resource.subresource.as_str() {
                "exec" | "attach" | "portforward" | "proxy" => true,
                "log" => query.flag("follow"),
                _ => false,
            })
    }
}

impl ResourceInfo {
    /// `pods`, or `pods/log`: how rules name it.
    pub(crate) fn with_subresource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

/// A path, decoded.
struct Segments<'a> {
    segments: Vec<Cow<'a, str>>,
    /// The first that holds what no name may: an encoded slash or percent sign, NUL.
    smuggling: Option<usize>,
}

/// The path's segments. What could climb is refused.
fn segments(path: &str) -> Result<Segments<'_>, InvalidPath> {
    let mut segments = Vec::with_capacity(USUAL_SEGMENTS);
    let mut smuggling = None;
    for segment in path.trim_matches('/').split('/') {
        let decoded = decode_segment(segment).ok_or(InvalidPath)?;
        if decoded == "." || decoded == ".." {
            return Err(InvalidPath);
        }
        let smuggles = match decoded.is_ascii() {
            true => decoded.bytes().any(|byte| byte == b'/' || byte == b'%' || byte.is_ascii_control()),
            false => decoded.chars().any(|c| c == '/' || c == '%' || c.is_control()),
        };
        if smuggles && smuggling.is_none() {
            smuggling = Some(segments.len());
        }
        segments.push(decoded);
    }
    Ok(Segments { segments, smuggling })
}

fn method_verb(method: &Method) -> &'static str {
    match *method {
        Method::GET => "get",
        Method::HEAD => "head",
        Method::POST => "post",
        Method::PUT => "put",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        Method::OPTIONS => "options",
        _ => "unknown",
    }
}

fn resource_verb(method: &Method, resource: &ResourceInfo, query: &Query, watched_by_path: bool) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::GET | Method::HEAD if watched_by_path => "watch",
        Method::GET | Method::HEAD if !resource.name.is_empty() => "get",
        Method::GET | Method::HEAD if query.flag("watch") => "watch",
        Method::GET | Method::HEAD => "list",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if resource.name.is_empty() => "deletecollection",
        Method::DELETE => "delete",
        _ => "unknown",
    }
}

/// The name in a field selector that selects exactly one.
fn single_name(selector: &str) -> Option<&str> {
    selector.split(',').find_map(|term| {
        let (path, value) = term.split_once("==").or_else(|| term.split_once('='))?;
        (path.trim() == "metadata.name" && !value.is_empty()).then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(method: Method, target: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match RequestInfo::parse(&method, path, &Query::parse(query)) {
            Err(InvalidPath) => "invalid".to_owned(),
            Ok(RequestInfo { verb, resource: None, .. }) => verb.to_owned(),
            Ok(RequestInfo { verb, resource: Some(r), .. }) => {
                format!("{verb} {}/{} {} ns={} name={}", r.group, r.version, r.with_subresource(), r.namespace, r.name)
            }
        }
    }

    #[test]
    fn paths_say_what_a_request_is_about() {
        for (method, target, expected) in [
            (Method::GET, "/healthz", "get"),
            (Method::GET, "/api", "get"),
            (Method::GET, "/api/v1", "get"),
            (Method::GET, "/apis/apps/v1", "get"),
            (Method::GET, "/api/v1/pods", "list /v1 pods ns= name="),
            (Method::GET, "/api/v1/namespaces/a/pods?watch=true", "watch /v1 pods ns=a name="),
            (Method::GET, "/api/v1/watch/namespaces/a/pods", "watch /v1 pods ns=a name="),
            (Method::GET, "/api/v1/namespaces/a/pods/p/log", "get /v1 pods/log ns=a name=p"),
            (Method::GET, "/api/v1/namespaces/a", "get /v1 namespaces ns=a name=a"),
            (Method::PUT, "/api/v1/namespaces/a/finalize", "update /v1 namespaces/finalize ns=a name=a"),
            (Method::POST, "/apis/apps/v1/namespaces/a/deployments", "create apps/v1 deployments ns=a name="),
            (
                Method::DELETE,
                "/apis/apps/v1/namespaces/a/deployments",
                "deletecollection apps/v1 deployments ns=a name=",
            ),
            (Method::PATCH, "/api/v1/nodes/n/status", "patch /v1 nodes/status ns= name=n"),
            (Method::GET, "/api/v1/secrets?fieldSelector=metadata.name%3Ds", "list /v1 secrets ns= name=s"),
            (Method::GET, "/api/v1/namespaces/a/pods/%2e%2e", "invalid"),
            (Method::GET, "/api/v1/namespaces/a%2Fb/pods", "invalid"),
            (Method::GET, "/api/v1/namespaces/a/pods/x%00", "invalid"),
            (Method::GET, "/healthz%2F", "invalid"),
            (Method::GET, "/api/v1/namespaces/a/pods/p/log/x%2Fy", "invalid"),
            (Method::GET, "/api/v1/namespaces/a/pods/p/proxy/x%2Fy", "get /v1 pods/proxy ns=a name=p"),
            (Method::GET, "/api/v1/namespaces/a/pods/p%2Fq/proxy/x", "invalid"),
            (Method::GET, "/api/v1/namespaces/a/pods/p/proxy/%2e%2e", "invalid"),
        ] {
            assert_eq!(describe(method, target), expected, "{target}");
        }
    }
}
