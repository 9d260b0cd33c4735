//! What a list or a watch asks for, checked as upstream checks it: pure functions of the query.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use registry::FieldError;
use serde::{Deserialize, Serialize};
use store::{ReadAt, Revision};

use crate::status::ApiError;
use crate::wire::query::Query;

/// Where in the keys and at which revision a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListPlan {
    /// 0 means no limit.
    pub(crate) limit: usize,
    pub(crate) at: ReadAt,
    /// The page before this one, where the list goes on.
    pub(crate) page: Option<Continue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatchPlan {
    pub(crate) start: Start,
    pub(crate) bookmarks: bool,
    /// None where the client leaves it to the server.
    pub(crate) timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Changes after this revision, which may lie ahead.
    After(Revision),
    /// Changes from now on.
    Now,
    /// First everything there is; then, where the client asked so, a bookmark that says "that was it".
    Initial { at: ReadAt, mark_end: bool },
}

impl ListPlan {
    pub(crate) fn of(query: &Query) -> Result<Self, ApiError> {
        let limit = integer(query, "limit")?.unwrap_or(0);
        let version = query.get("resourceVersion");
        let matching = query.get("resourceVersionMatch");
        let token = query.get("continue");
        let mut faults = Vec::new();
        if let Some(matching) = matching {
            if version.is_none() {
                let detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
                faults.push(FieldError::forbidden("resourceVersionMatch", detail));
            }
            if token.is_some() {
                let detail = "resourceVersionMatch is forbidden when continue is provided";
                faults.push(FieldError::forbidden("resourceVersionMatch", detail));
            }
            if !matches!(matching, "Exact" | "NotOlderThan") {
                let supported = ["Exact", "NotOlderThan", ""];
                faults.push(FieldError::not_supported("resourceVersionMatch", matching, &supported));
            }
            if matching == "Exact" && version == Some("0") {
                let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
                faults.push(FieldError::forbidden("resourceVersionMatch", detail));
            }
        }
        if query.has("sendInitialEvents") {
            faults.push(FieldError::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }
        if !faults.is_empty() {
            return Err(invalid(&faults));
        }
        let limit = usize::try_from(limit).unwrap_or(0);
        if let Some(token) = token {
            if version.is_some_and(|version| version != "0") {
                let message = "specifying resource version is not allowed when using continue";
                return Err(ApiError::bad_request(message));
            }
            let page = Continue::decode(token)?;
            return Ok(ListPlan { limit, at: page.read_at(), page: Some(page) });
        }
        let at = match (version.map(parse_version).transpose()?, matching) {
            (None, _) => ReadAt::Newest,
            (Some(Revision(0)), _) => ReadAt::Memory,
            (Some(version), Some("Exact")) => ReadAt::Exactly(version),
            // A page at a version, with no word on how to match it, has always meant exactly it.
            (Some(version), None) if limit > 0 => ReadAt::Exactly(version),
            (Some(version), _) => ReadAt::NotOlderThan(version),
        };
        Ok(ListPlan { limit, at, page: None })
    }
}

impl WatchPlan {
    pub(crate) fn of(query: &Query) -> Result<Self, ApiError> {
        let timeout = integer(query, "timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
        let timeout = timeout.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let bookmarks = query.flag("allowWatchBookmarks");
        let matching = query.get("resourceVersionMatch");
        let initial = query.has("sendInitialEvents").then(|| query.flag("sendInitialEvents"));
        let mut faults = Vec::new();
        if initial.is_some() && matching != Some("NotOlderThan") {
            let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            faults.push(FieldError::forbidden("resourceVersionMatch", detail));
        }
        if let Some(matching) = matching {
            if initial.is_none() {
                let detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                faults.push(FieldError::forbidden("resourceVersionMatch", detail));
            }
            if matching != "NotOlderThan" {
                faults.push(FieldError::not_supported("resourceVersionMatch", matching, &["NotOlderThan"]));
            }
            if query.get("continue").is_some() {
                let detail = "resourceVersionMatch is forbidden when continue is provided";
                faults.push(FieldError::forbidden("resourceVersionMatch", detail));
            }
        }
        if !faults.is_empty() {
            return Err(invalid(&faults));
        }
        let version = query.get("resourceVersion").map(parse_version).transpose()?;
        let start = match (initial, version) {
            (Some(true), version) => Start::Initial { at: read_at(version), mark_end: bookmarks },
            (Some(false), None | Some(Revision(0))) => Start::Now,
            (None, None | Some(Revision(0))) => Start::Initial { at: read_at(version), mark_end: false },
            (_, Some(version)) => Start::After(version),
        };
        Ok(WatchPlan { start, bookmarks, timeout })
    }
}

/// How fresh a GET, or what a watch begins with, has to be.
pub(crate) fn read_at(version: Option<Revision>) -> ReadAt {
    match version {
        None => ReadAt::Newest,
        Some(Revision(0)) => ReadAt::Memory,
        Some(version) => ReadAt::NotOlderThan(version),
    }
}

pub(crate) fn parse_version(text: &str) -> Result<Revision, ApiError> {
    text.parse().map(Revision).map_err(|_| {
        let fault = FieldError::invalid("resourceVersion", text, go_syntax_error("ParseUint", text));
        ApiError::bad_request(format!("invalid resource version: {}", registry::error::aggregate(&[fault])))
    })
}

fn integer(query: &Query, name: &str) -> Result<Option<i64>, ApiError> {
    let parse = |text: &str| text.parse().map_err(|_| ApiError::bad_request(go_syntax_error("ParseInt", text)));
    query.get(name).map(parse).transpose()
}

/// What the Go library says of a number that is none, which clients have come to see.
fn go_syntax_error(function: &str, text: &str) -> String {
    format!("strconv.{function}: parsing {text:?}: invalid syntax")
}

fn invalid(faults: &[FieldError]) -> ApiError {
    let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {}", registry::error::aggregate(faults));
    let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
    let error = error.with_details("meta.k8s.io", "ListOptions");
    faults.iter().fold(error, |error, fault| error.with_cause(fault.reason(), fault.body(), Some(&fault.path)))
}

/// The token that carries a list from page to page, in upstream's own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Continue {
    v: String,
    /// The revision of the list; -1 goes on at the newest.
    rv: i64,
    /// The next key below the kind's, or the namespace's, prefix: the last one with a NUL behind it.
    start: String,
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

impl Continue {
    /// The page that begins after the key `last`.
    pub(crate) fn after(revision: Revision, last: &str) -> Self {
        let rv = i64::try_from(revision.0).unwrap_or(-1);
        Continue { v: TOKEN_VERSION.to_owned(), rv, start: format!("{last}\0") }
    }

    /// The same page of the newest state: for a client that takes an inconsistent list over none.
    pub(crate) fn inconsistent(&self) -> Self {
        Continue { rv: -1, ..self.clone() }
    }

    pub(crate) fn encode(&self) -> String {
        let token = serde_json::json!({ "v": self.v, "rv": self.rv, "start": self.start });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    /// The key that the page before ended with.
    pub(crate) fn last(&self) -> &str {
        self.start.trim_end_matches('\0')
    }

    fn read_at(&self) -> ReadAt {
        match u64::try_from(self.rv) {
            Ok(revision) => ReadAt::Exactly(Revision(revision)),
            Err(_) => ReadAt::Newest,
        }
    }

    fn decode(token: &str) -> Result<Self, ApiError> {
        let refuse =
            |why: String| ApiError::bad_request(format!("invalid continue token: continue key is not valid{why}"));
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|error| refuse(format!(": {error}")))?;
        let token: Continue = serde_json::from_slice(&bytes).map_err(|error| refuse(format!(": {error}")))?;
        if token.v != TOKEN_VERSION {
            return Err(refuse(format!(": server does not recognize this encoded version {}", token.v)));
        }
        if token.rv == 0 {
            return Err(refuse(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)".to_owned()));
        }
        if token.start.is_empty() {
            return Err(refuse(": encoded start key empty (version meta.k8s.io/v1)".to_owned()));
        }
        // A client must not climb out of what it may list.
        if token.last().split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(refuse(format!(": {}", token.start)));
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(query: &str) -> String {
        match ListPlan::of(&Query::parse(query)) {
            Ok(plan) => format!("{:?} limit {}", plan.at, plan.limit),
            Err(error) => format!("{} {}", error.code().as_u16(), error.message()),
        }
    }

    #[test]
    fn lists_read_as_the_table_of_resource_versions_says() {
        for (query, expected) in [
            ("", "Newest limit 0"),
            ("resourceVersion=", "Newest limit 0"),
            ("resourceVersion=0", "Memory limit 0"),
            ("resourceVersion=7", "NotOlderThan(Revision(7)) limit 0"),
            ("limit=2", "Newest limit 2"),
            ("limit=2&resourceVersion=0", "Memory limit 2"),
            ("limit=2&resourceVersion=7", "Exactly(Revision(7)) limit 2"),
            ("limit=2&resourceVersion=7&resourceVersionMatch=NotOlderThan", "NotOlderThan(Revision(7)) limit 2"),
            ("resourceVersion=7&resourceVersionMatch=Exact", "Exactly(Revision(7)) limit 0"),
            ("resourceVersion=0&resourceVersionMatch=NotOlderThan", "Memory limit 0"),
            ("limit=-1", "Newest limit 0"),
            ("limit=x", "400 strconv.ParseInt: parsing \"x\": invalid syntax"),
            (
                "resourceVersion=x",
                "400 invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax",
            ),
        ] {
            assert_eq!(list(query), expected, "{query}");
        }
    }

    #[test]
    fn lists_refuse_what_upstream_refuses() {
        let prefix = "422 ListOptions.meta.k8s.io \"\" is invalid: ";
        for (query, expected) in [
            (
                "resourceVersionMatch=Exact",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
            ),
            (
                "resourceVersionMatch=Exact&resourceVersion=0",
                "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ),
            (
                "resourceVersionMatch=Exact&resourceVersion=0&continue=abc",
                "[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided, \
                 resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"]",
            ),
            (
                "resourceVersionMatch=Near&resourceVersion=1",
                "resourceVersionMatch: Unsupported value: \"Near\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
            ),
            ("sendInitialEvents=false", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
        ] {
            assert_eq!(list(query), format!("{prefix}{expected}"), "{query}");
        }
        let token = Continue::after(Revision(7), "default/web").encode();
        let both = list(&format!("continue={token}&resourceVersion=7"));
        assert_eq!(both, "400 specifying resource version is not allowed when using continue");
    }

    fn watch(query: &str) -> String {
        match WatchPlan::of(&Query::parse(query)) {
            Ok(plan) => format!("{:?}", plan.start),
            Err(error) => format!("{} {}", error.code().as_u16(), error.message()),
        }
    }

    #[test]
    fn watches_start_as_the_table_of_resource_versions_says() {
        let streaming = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        let marked = format!("{streaming}&allowWatchBookmarks=true&resourceVersion=7");
        let without = "sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
        for (query, expected) in [
            ("", "Initial { at: Newest, mark_end: false }"),
            ("resourceVersion=0", "Initial { at: Memory, mark_end: false }"),
            ("resourceVersion=7", "After(Revision(7))"),
            (streaming, "Initial { at: Newest, mark_end: false }"),
            (&marked, "Initial { at: NotOlderThan(Revision(7)), mark_end: true }"),
            (without, "Now"),
            (&format!("{without}&resourceVersion=0"), "Now"),
            (&format!("{without}&resourceVersion=7"), "After(Revision(7))"),
        ] {
            assert_eq!(watch(query), expected, "{query}");
        }
        let prefix = "422 ListOptions.meta.k8s.io \"\" is invalid: ";
        let needs =
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        for (query, expected) in [
            ("sendInitialEvents=true", needs.to_owned()),
            (
                "resourceVersionMatch=NotOlderThan&resourceVersion=1",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
                    .to_owned(),
            ),
            (
                "sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
                format!("[{needs}, resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\"]"),
            ),
            (
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x",
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided".to_owned(),
            ),
        ] {
            assert_eq!(watch(query), format!("{prefix}{expected}"), "{query}");
        }
    }

    #[test]
    fn a_continue_token_comes_back_as_it_was_and_cannot_climb() {
        let token = Continue::after(Revision(7), "default/web");
        let decoded = Continue::decode(&token.encode()).unwrap();
        assert_eq!((decoded.last(), decoded.read_at()), ("default/web", ReadAt::Exactly(Revision(7))));
        let inconsistent = Continue::decode(&decoded.inconsistent().encode()).unwrap();
        assert_eq!((inconsistent.last(), inconsistent.read_at()), ("default/web", ReadAt::Newest));
        let refused = |v: &str, rv: i64, start: &str| {
            let token = Continue { v: v.to_owned(), rv, start: start.to_owned() };
            Continue::decode(&token.encode()).unwrap_err().message().to_owned()
        };
        let prefix = "invalid continue token: continue key is not valid: ";
        for (v, rv, start, expected) in [
            ("v9", 1, "a", "server does not recognize this encoded version v9"),
            (TOKEN_VERSION, 0, "a", "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
            (TOKEN_VERSION, 1, "", "encoded start key empty (version meta.k8s.io/v1)"),
            (TOKEN_VERSION, 1, "../secrets/a", "../secrets/a"),
            (TOKEN_VERSION, 1, "a//b", "a//b"),
        ] {
            assert_eq!(refused(v, rv, start), format!("{prefix}{expected}"));
        }
        assert!(Continue::decode("nonsense").is_err());
    }
}
