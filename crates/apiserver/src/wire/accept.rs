//! Content negotiation: which form of an object the client can read.

use codec::{cbor, protobuf};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

use crate::status::ApiError;

/// The form an answer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The object itself.
    Object,
    /// `kubectl get`'s rows, in `meta.k8s.io/v1` or `v1beta1`.
    Table { version: &'static str },
    /// Metadata only.
    Partial { version: &'static str },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Json,
    Yaml,
    Protobuf,
    Cbor,
}

/// What can be had of a resource.
#[derive(Clone, Copy)]
pub(crate) struct Offer<'a> {
    /// Only kinds whose fields have numbers have a protobuf form. Asked only where a client would
    /// rather have that.
    pub(crate) has_protobuf: &'a dyn Fn() -> bool,
    /// Whether the answer is a stream of events.
    pub(crate) stream: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Accepted {
    pub(crate) form: Form,
    pub(crate) encoding: Encoding,
}

impl Accepted {
    pub(crate) const JSON: Accepted = Accepted { form: Form::Object, encoding: Encoding::Json };

    /// The first of the client's choices that the server can serve; 406 where there is none.
    pub(crate) fn negotiate(headers: &HeaderMap, offer: Offer<'_>) -> Result<Self, ApiError> {
        // Most clients ask for plain JSON, or do not care.
        let mut values = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
        if let (None | Some(b"application/json" | b"*/*"), None) = (values.next(), values.next()) {
            return Ok(Accepted::JSON);
        }
        let ranges = media_ranges(headers);
        if ranges.is_empty() {
            return Ok(Accepted::JSON);
        }
        let accepted = ranges.iter().filter_map(MediaRange::accepted).find(|accepted| offer.has(accepted.encoding));
        accepted.ok_or_else(|| ApiError::not_acceptable(&offer.media_types()))
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self.encoding {
            Encoding::Json => "application/json",
            Encoding::Yaml => "application/yaml",
            Encoding::Protobuf => protobuf::MEDIA_TYPE,
            Encoding::Cbor => cbor::MEDIA_TYPE,
        }
    }

    /// Of a watch.
    pub(crate) fn stream_content_type(self) -> &'static str {
        match self.encoding {
            Encoding::Json | Encoding::Yaml => self.content_type(),
            Encoding::Protobuf => protobuf::STREAM_MEDIA_TYPE,
            Encoding::Cbor => cbor::SEQUENCE_MEDIA_TYPE,
        }
    }
}

impl Offer<'_> {
    fn has(self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Json | Encoding::Cbor => true,
            Encoding::Protobuf => (self.has_protobuf)(),
            // Nobody has said how documents follow one another.
            Encoding::Yaml => !self.stream,
        }
    }

    /// As a refusal lists them.
    fn media_types(self) -> String {
        let all = [Encoding::Json, Encoding::Yaml, Encoding::Protobuf, Encoding::Cbor];
        let suffix = if self.stream { ";stream=watch" } else { "" };
        let served = all.into_iter().filter(|encoding| self.has(*encoding));
        let names = served.map(|encoding| Accepted { encoding, ..Accepted::JSON }.content_type());
        names.map(|name| format!("{name}{suffix}")).collect::<Vec<_>>().join(", ")
    }
}

/// One clause of an Accept header: a media type and its parameters, weight aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaRange {
    pub(crate) media_type: String,
    parameters: Vec<(String, String)>,
}

impl MediaRange {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn encoding(&self) -> Option<Encoding> {
        Some(match self.media_type.as_str() {
            "application/json" | "*/*" | "application/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
            protobuf::MEDIA_TYPE => Encoding::Protobuf,
            cbor::MEDIA_TYPE | cbor::SEQUENCE_MEDIA_TYPE => Encoding::Cbor,
            _ => return None,
        })
    }

    fn accepted(&self) -> Option<Accepted> {
        let encoding = self.encoding()?;
        let form = match self.parameter("as") {
            None => Form::Object,
            Some(kind) => {
                if self.parameter("g") != Some("meta.k8s.io") {
                    return None;
                }
                let version = match self.parameter("v")? {
                    "v1" => "v1",
                    "v1beta1" => "v1beta1",
                    _ => return None,
                };
                match kind {
                    // Cells are of any type: messages cannot hold them.
                    "Table" if encoding == Encoding::Protobuf => return None,
                    "Table" => Form::Table { version },
                    "PartialObjectMetadata" | "PartialObjectMetadataList" => Form::Partial { version },
                    _ => return None,
                }
            }
        };
        Some(Accepted { form, encoding })
    }
}

/// The clauses of the Accept headers, best first; equals stay in the client's order.
pub(crate) fn media_ranges(headers: &HeaderMap) -> Vec<MediaRange> {
    let mut weighted: Vec<(u32, MediaRange)> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter(|clause| !clause.trim().is_empty())
        .map(parse_clause)
        .collect();
    weighted.sort_by(|(a, _), (b, _)| b.cmp(a));
    weighted.into_iter().filter(|(weight, _)| *weight > 0).map(|(_, range)| range).collect()
}

fn parse_clause(clause: &str) -> (u32, MediaRange) {
    let mut parts = clause.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
    let mut weight_thousandths = 1000;
    let mut parameters = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if name == "q" {
            let weight: f32 = value.parse().unwrap_or(0.0);
            weight_thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
        } else {
            parameters.push((name.to_owned(), value.trim_matches('"').to_owned()));
        }
    }
    (weight_thousandths, MediaRange { media_type, parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str, has_protobuf: bool) -> Option<Accepted> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        Accepted::negotiate(&headers, Offer { has_protobuf: &|| has_protobuf, stream: false }).ok()
    }

    #[test]
    fn clients_get_the_first_form_the_server_knows() {
        let json = |form| Some(Accepted { form, encoding: Encoding::Json });
        let protobuf = |form| Some(Accepted { form, encoding: Encoding::Protobuf });
        for (accept, expected) in [
            ("application/json", json(Form::Object)),
            ("*/*", json(Form::Object)),
            ("application/yaml", Some(Accepted { form: Form::Object, encoding: Encoding::Yaml })),
            ("application/vnd.kubernetes.protobuf,application/json", protobuf(Form::Object)),
            ("application/vnd.kubernetes.protobuf;q=0.3,application/json;q=0.7", json(Form::Object)),
            ("application/vnd.kubernetes.protobuf;stream=watch", protobuf(Form::Object)),
            (
                "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
                protobuf(Form::Partial { version: "v1" }),
            ),
            (
                "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,application/yaml",
                Some(Accepted { form: Form::Object, encoding: Encoding::Yaml }),
            ),
            ("application/cbor;q=0.5", Some(Accepted { form: Form::Object, encoding: Encoding::Cbor })),
            ("text/html", None),
            (
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
                json(Form::Table { version: "v1" }),
            ),
            ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", json(Form::Object)),
            (
                "application/json;q=0.1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                json(Form::Partial { version: "v1" }),
            ),
        ] {
            assert_eq!(negotiate(accept, true), expected, "{accept}");
        }
        let both = "application/vnd.kubernetes.protobuf,application/json";
        assert_eq!(negotiate(both, false), json(Form::Object));
        assert_eq!(negotiate("application/vnd.kubernetes.protobuf", false), None);
    }

    #[test]
    fn a_refusal_says_what_there_is() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, "application/yaml".parse().unwrap());
        let offer = Offer { has_protobuf: &|| true, stream: true };
        assert_eq!(
            Accepted::negotiate(&headers, offer).unwrap_err().message(),
            "only the following media types are accepted: application/json;stream=watch, \
             application/vnd.kubernetes.protobuf;stream=watch, application/cbor;stream=watch"
        );
        headers.insert(ACCEPT, "text/html".parse().unwrap());
        assert_eq!(
            Accepted::negotiate(&headers, Offer { has_protobuf: &|| false, stream: false }).unwrap_err().message(),
            "only the following media types are accepted: application/json, application/yaml, application/cbor"
        );
    }
}
