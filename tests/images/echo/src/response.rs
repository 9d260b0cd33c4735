//! What is answered, as text or JSON.

use std::fmt::Write;
use std::io;
use std::net::TcpStream;
use std::{env, fs};

use crate::request::Request;

pub(crate) struct Response {
    pub(crate) status: u16,
    content_type: &'static str,
    body: String,
    /// The process ends with this code once the answer is out.
    pub(crate) exit: Option<i32>,
}

impl Response {
    pub(crate) fn text(body: impl Into<String>) -> Self {
        Response { status: 200, content_type: "text/plain; charset=utf-8", body: body.into(), exit: None }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Response { status, ..self }
    }

    pub(crate) fn with_exit(self, code: i32) -> Self {
        Response { exit: Some(code), ..self }
    }

    fn json(body: String) -> Self {
        Response { content_type: "application/json", ..Response::text(body) }
    }

    pub(crate) fn to_bytes(&self, keeps_connection: bool) -> Vec<u8> {
        let connection = if keeps_connection { "keep-alive" } else { "close" };
        let reason = match self.status {
            200 => "OK",
            404 => "Not Found",
            _ => "Internal Server Error",
        };
        format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n{}",
            self.status,
            self.content_type,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}

/// The pod's name: Kubernetes makes it the host name.
pub(crate) fn hostname() -> String {
    nix::unistd::gethostname().map_or_else(|_| "unknown".to_owned(), |name| name.to_string_lossy().into_owned())
}

pub(crate) fn echo(request: &Request, connection: &TcpStream) -> io::Result<Response> {
    let facts = [
        ("hostname", hostname()),
        ("addresses", addresses().join(" ")),
        ("local", connection.local_addr()?.to_string()),
        ("client", connection.peer_addr()?.to_string()),
        ("method", request.method.clone()),
        ("target", request.target.clone()),
    ];
    if request.wants_json() {
        let mut members: Vec<String> = facts.iter().map(|(name, value)| member(name, value)).collect();
        members.push(format!("\"headers\":{}", object(request.headers.iter().map(|(name, value)| (name, value)))));
        members.push(format!("\"env\":{}", object(sorted_environment().iter().map(|(name, value)| (name, value)))));
        return Ok(Response::json(format!("{{{}}}\n", members.join(","))));
    }
    let mut text = String::new();
    for (name, value) in facts {
        text.push_str(&format!("{name}: {value}\n"));
    }
    for (name, value) in &request.headers {
        text.push_str(&format!("header {name}: {value}\n"));
    }
    for (name, value) in sorted_environment() {
        text.push_str(&format!("env {name}={value}\n"));
    }
    Ok(Response::text(text))
}

pub(crate) fn environment(as_json: bool) -> Response {
    let variables = sorted_environment();
    if as_json {
        return Response::json(object(variables.iter().map(|(name, value)| (name, value))) + "\n");
    }
    let lines = variables.into_iter().map(|(name, value)| format!("{name}={value}\n"));
    Response::text(lines.collect::<String>())
}

pub(crate) fn headers(request: &Request) -> Response {
    if request.wants_json() {
        return Response::json(object(request.headers.iter().map(|(name, value)| (name, value))) + "\n");
    }
    let lines = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    Response::text(lines.collect::<String>())
}

fn sorted_environment() -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    variables.sort();
    variables
}

/// The host's own addresses, as the kernel's routing table lists them.
fn addresses() -> Vec<String> {
    let table = fs::read_to_string("/proc/net/fib_trie").unwrap_or_else(|error| format!("unreadable: {error}"));
    let mut addresses = Vec::new();
    let mut candidate = "";
    for line in table.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            candidate = address;
        } else if line.starts_with("/32 host LOCAL") && !addresses.iter().any(|known| known == candidate) {
            addresses.push(candidate.to_owned());
        }
    }
    addresses
}

fn object<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let members: Vec<String> = pairs.map(|(name, value)| member(name, value)).collect();
    format!("{{{}}}", members.join(","))
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{}", quote(name), quote(value))
}

fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                write!(quoted, "\\u{:04x}", u32::from(control)).unwrap_or_default();
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_valid_json() {
        assert_eq!(member("a\"b", "c\\d\n"), r#""a\"b":"c\\d\u000a""#);
        assert_eq!(object([(&"x".to_owned(), &"y".to_owned())].into_iter()), r#"{"x":"y"}"#);
    }
}
