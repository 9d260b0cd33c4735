//! How the server reaches a webhook: a URL, or a Service in the cluster.

use crate::error::FieldError;
use crate::fields::{get, get_i64, get_object, get_str, join, text};
use crate::kind::Object;
use crate::names;

const FORM: &str = "; desired format: https://host[/path]";

/// Faults of a `clientConfig`.
pub(crate) fn validate(client: &Object, path: &str, faults: &mut Vec<FieldError>) {
    match (get_str(client, "url"), get_object(client, "service")) {
        (Some(url), None) => validate_url(url, &join(path, "url"), faults),
        (None, Some(service)) => validate_service(service, &join(path, "service"), faults),
        _ => faults.push(FieldError::required(path, "exactly one of url or service is required")),
    }
}

fn validate_url(url: &str, path: &str, faults: &mut Vec<FieldError>) {
    let parts = Url::split(url);
    if parts.scheme != "https" {
        let detail = format!("'https' is the only allowed URL scheme{FORM}");
        faults.push(FieldError::invalid(path, parts.scheme, detail));
    }
    if parts.host.is_empty() {
        faults.push(FieldError::invalid(path, "", format!("host must be specified{FORM}")));
    }
    for (part, detail) in [
        (parts.user, "user information is not permitted in the URL"),
        (parts.fragment, "fragments are not permitted in the URL"),
        (parts.query, "query parameters are not permitted in the URL"),
    ] {
        if !part.is_empty() {
            faults.push(FieldError::invalid(path, part, detail));
        }
    }
}

/// A URL's parts, each empty where it has none.
struct Url<'a> {
    scheme: &'a str,
    user: &'a str,
    host: &'a str,
    query: &'a str,
    fragment: &'a str,
}

impl<'a> Url<'a> {
    fn split(url: &'a str) -> Self {
        let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (scheme, rest) = rest.split_once(':').unwrap_or(("", rest));
        let authority = rest.strip_prefix("//").map_or("", |rest| rest.split('/').next().unwrap_or(""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        Url { scheme, user, host, query, fragment }
    }
}

/// A Service, its port and the path on it. Without a port it is 443.
pub(crate) fn validate_service(service: &Object, path: &str, faults: &mut Vec<FieldError>) {
    for (field, detail) in [("name", "service name is required"), ("namespace", "service namespace is required")] {
        if text(service, field).is_empty() {
            faults.push(FieldError::required(join(path, field), detail));
        }
    }
    if let Some(port) = get_i64(service, "port").filter(|port| !(1..=65535).contains(port)) {
        let detail = "port is not valid: must be between 1 and 65535, inclusive";
        faults.push(FieldError::invalid(join(path, "port"), port, detail));
    }
    if get(service, "path").is_some() {
        validate_path(text(service, "path"), &join(path, "path"), faults);
    }
}

fn validate_path(url_path: &str, path: &str, faults: &mut Vec<FieldError>) {
    if matches!(url_path, "" | "/") {
        return;
    }
    if url_path == "//" {
        faults.push(FieldError::invalid(path, url_path, "segment[0] may not be empty"));
        return;
    }
    if !url_path.starts_with('/') {
        faults.push(FieldError::invalid(path, url_path, "must start with a '/'"));
    }
    // The first character is taken for the slash, whatever it is.
    let steps = url_path.get(1..).unwrap_or("");
    let steps = steps.strip_suffix('/').unwrap_or(steps);
    for (at, step) in steps.split('/').enumerate() {
        if step.is_empty() {
            faults.push(FieldError::invalid(path, url_path, format!("segment[{at}] may not be empty")));
            continue;
        }
        for fault in names::dns_subdomain(step) {
            faults.push(FieldError::invalid(path, url_path, format!("segment[{at}]: {fault}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(client: Value, expected: &[&str]) {
        let Value::Object(client) = client else { panic!("an object") };
        let mut faults = Vec::new();
        validate(&client, "clientConfig", &mut faults);
        let faults: Vec<String> = faults.iter().map(FieldError::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn a_client_is_a_url_or_a_service() {
        const ONE: &str = "clientConfig: Required value: exactly one of url or service is required";
        check(json!({}), &[ONE]);
        check(json!({"url": "https://a", "service": {"name": "a", "namespace": "b"}}), &[ONE]);
        check(json!({"url": "https://a.example.com:8443/hook"}), &[]);
        check(json!({"service": {"name": "a", "namespace": "b", "port": 443, "path": "/hook/v1"}}), &[]);
    }

    #[test]
    fn a_url_is_bare_and_secret() {
        check(
            json!({"url": "http://u:p@host/path?q=1#f"}),
            &[
                "clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
                "clientConfig.url: Invalid value: \"u:p\": user information is not permitted in the URL",
                "clientConfig.url: Invalid value: \"f\": fragments are not permitted in the URL",
                "clientConfig.url: Invalid value: \"q=1\": query parameters are not permitted in the URL",
            ],
        );
        check(
            json!({"url": "https:///x"}),
            &["clientConfig.url: Invalid value: \"\": host must be specified; desired format: https://host[/path]"],
        );
    }

    #[test]
    fn a_service_has_a_place_and_a_port() {
        check(
            json!({"service": {"port": 0, "path": "a//b"}}),
            &[
                "clientConfig.service.name: Required value: service name is required",
                "clientConfig.service.namespace: Required value: service namespace is required",
                "clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
                "clientConfig.service.path: Invalid value: \"a//b\": must start with a '/'",
                "clientConfig.service.path: Invalid value: \"a//b\": segment[0] may not be empty",
                "clientConfig.service.path: Invalid value: \"a//b\": segment[1] may not be empty",
            ],
        );
    }
}
