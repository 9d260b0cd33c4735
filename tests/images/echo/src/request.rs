//! Reads one HTTP/1.1 request. The body, if any, is not looked at.

use std::io::{self, BufRead, Read};

const HEAD_BYTES: u64 = 16 * 1024;

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    /// None when the peer connected and said nothing, as TCP probes do.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = reader.take(HEAD_BYTES).lines();
        let Some(first) = lines.next().transpose()? else { return Ok(None) };
        let mut words = first.split_whitespace().map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not an HTTP request"));
        };
        let mut headers = Vec::new();
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
        Ok(Some(Request { method, target, headers }))
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Only who says so: others wait for the end of the connection.
    pub(crate) fn wants_to_stay(&self) -> bool {
        let says_so = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("keep-alive")
        };
        self.headers.iter().any(says_so)
    }

    pub(crate) fn wants_json(&self) -> bool {
        let accepts = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("accept") && value.contains("application/json")
        };
        self.parameter("format") == Some("json") || self.headers.iter().any(accepts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_browsers_and_probes_send() {
        let text = "GET /exit?code=3&format=json HTTP/1.1\r\nHost: echo\r\nX-A:  b \r\n\r\nbody";
        let request = Request::read(&mut text.as_bytes()).unwrap().unwrap();
        assert_eq!((request.path(), request.parameter("code"), request.wants_json()), ("/exit", Some("3"), true));
        assert_eq!(request.headers[1], ("X-A".to_owned(), "b".to_owned()));
        assert!(!request.wants_to_stay());
        let staying = Request::read(&mut &b"GET / HTTP/1.1\r\nConnection: Keep-Alive\r\n\r\n"[..]).unwrap().unwrap();
        assert!(staying.wants_to_stay());
        assert!(Request::read(&mut &b""[..]).unwrap().is_none());
        assert!(Request::read(&mut &b"\r\n\r\n"[..]).is_err());
    }
}
