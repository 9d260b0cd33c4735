//! Documents that are made once and asked for rarely. They rest as the bytes that most clients are sent, compressed;
//! for others they are inflated piece by piece, so that no answer takes their whole size.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::status::answer;
use crate::wire::body::{self, Body, CHUNK_BYTES};
use crate::wire::compress;

/// A document as it rests.
#[derive(Debug)]
pub(crate) struct Packed {
    gzip: Bytes,
    size_bytes: usize,
    digest: String,
}

impl Packed {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut packer = Packer::new();
        packer.add(bytes);
        packer.finish()
    }

    /// Of its bytes, in hexadecimal digits.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    #[cfg(test)]
    pub(crate) fn resting_bytes(&self) -> usize {
        self.gzip.len()
    }

    /// The document, or word that the client's copy of it is still right.
    pub(crate) fn answer(&self, headers: &HeaderMap, content_type: &'static str, etag: &str) -> Response<Body> {
        let etag = format!("\"{etag}\"");
        let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
        let mut response = match (is_known, compress::accepted(headers)) {
            (true, _) => {
                let mut response = answer(StatusCode::NOT_MODIFIED, content_type, body::empty());
                response.headers_mut().remove(header::CONTENT_TYPE);
                response
            }
            (false, true) => {
                let mut response = answer(StatusCode::OK, content_type, body::full(self.gzip.clone()));
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                response
            }
            (false, false) => {
                answer(StatusCode::OK, content_type, body::chunks(Some(self.size_bytes as u64), self.pieces()))
            }
        };
        for vary in ["Accept", "Accept-Encoding"] {
            response.headers_mut().append(header::VARY, HeaderValue::from_static(vary));
        }
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }

    fn pieces(&self) -> impl Iterator<Item = Bytes> + Send + use<> {
        let mut decoder = GzDecoder::new(self.gzip.clone().reader());
        let mut left = self.size_bytes;
        std::iter::from_fn(move || {
            let mut piece = vec![0; left.min(CHUNK_BYTES)];
            left -= piece.len();
            decoder.read_exact(&mut piece).expect("a packer's own bytes unpack to what was put in");
            (!piece.is_empty()).then(|| Bytes::from(piece))
        })
    }
}

/// A document under construction: nothing of it is kept but its compressed bytes.
pub(crate) struct Packer {
    encoder: GzEncoder<Vec<u8>>,
    digest: Sha256,
    size_bytes: usize,
}

impl Packer {
    pub(crate) fn new() -> Self {
        Packer { encoder: GzEncoder::new(Vec::new(), Compression::default()), digest: Sha256::new(), size_bytes: 0 }
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.encoder.write_all(bytes).expect("a Vec takes every write");
        self.digest.update(bytes);
        self.size_bytes += bytes.len();
    }

    pub(crate) fn finish(self) -> Packed {
        let gzip = self.encoder.finish().expect("a Vec takes every write").into_boxed_slice();
        let digest = self.digest.finalize().iter().map(|byte| format!("{byte:02X}")).collect();
        Packed { gzip: Bytes::from(gzip), size_bytes: self.size_bytes, digest }
    }
}

/// So that JSON can be written into it.
impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_document_comes_as_it_was_compressed_or_not() {
        let text = b"text ".repeat(100_000);
        let packed = Packed::of(&text);
        assert!(packed.resting_bytes() < 5000);
        let mut headers = HeaderMap::new();
        let plain = packed.answer(&headers, "application/json", "tag");
        assert_eq!(plain.headers()[header::ETAG], "\"tag\"");
        let mut body = plain.into_body();
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(text.len() as u64));
        let (mut whole, mut longest) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            longest = longest.max(data.len());
            whole.extend_from_slice(&data);
        }
        assert!(whole == text && longest <= CHUNK_BYTES);

        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let compressed = packed.answer(&headers, "application/json", "tag");
        assert_eq!(compressed.headers()[header::CONTENT_ENCODING], "gzip");
        let bytes = compressed.into_body().collect().await.unwrap().to_bytes();
        let mut whole = Vec::new();
        flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut whole).unwrap();
        assert_eq!(whole, text);

        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"tag\""));
        let known = packed.answer(&headers, "application/json", "tag");
        assert_eq!((known.status(), known.headers().get(header::CONTENT_TYPE)), (StatusCode::NOT_MODIFIED, None));
        assert!(http_body::Body::is_end_stream(known.body()));
    }
}
