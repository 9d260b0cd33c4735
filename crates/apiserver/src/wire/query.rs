//! The query string and percent-encoding.

use std::borrow::Cow;

/// Decoded parameters in the order they came. A parameter may repeat (`command` of exec does).
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    parameters: Vec<(String, String)>,
    raw: String,
}

impl Query {
    pub(crate) fn parse(raw: &str) -> Self {
        let parameters = raw
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = part.split_once('=').unwrap_or((part, ""));
                (decode_form(name), decode_form(value))
            })
            .collect();
        Query { parameters, raw: raw.to_owned() }
    }

    /// As it came, for handing on to a kubelet.
    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }

    /// The first value; an empty one counts as absent, as upstream's decoding has it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.parameters.iter().any(|(candidate, _)| candidate == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// Upstream reads booleans leniently: anything but `false` and `0` is true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.parameters.iter().find(|(candidate, _)| candidate == name) {
            Some((_, value)) => !matches!(value.as_str(), "false" | "0"),
            None => false,
        }
    }
}

/// Decodes one path segment; `None` where an escape is broken or the bytes are no UTF-8.
pub(crate) fn decode_segment(text: &str) -> Option<Cow<'_, str>> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits = text.get(at + 1..at + 3)?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// Escapes everything that is not unreserved (RFC 3986, section 2.3).
pub(crate) fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode_form(text: &str) -> String {
    let spaced = text.replace('+', " ");
    match decode_segment(&spaced) {
        Some(Cow::Owned(decoded)) => decoded,
        Some(Cow::Borrowed(_)) | None => spaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_decode_repeat_and_keep_their_order() {
        let query =
            Query::parse("command=sh&command=-c&command=echo+a%26b&stdin=true&tty=&watch=0&labelSelector=a%3Db");
        assert_eq!(query.all("command").collect::<Vec<_>>(), ["sh", "-c", "echo a&b"]);
        assert_eq!(query.get("labelSelector"), Some("a=b"));
        assert_eq!(query.get("tty"), None);
        assert!(query.flag("stdin") && !query.flag("watch") && !query.flag("missing"));
    }

    #[test]
    fn segments_decode_strictly() {
        assert_eq!(decode_segment("a%2Fb").as_deref(), Some("a/b"));
        for broken in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decode_segment(broken), None, "{broken}");
        }
        assert_eq!(encode_segment("a b/ü"), "a%20b%2F%C3%BC");
    }
}
