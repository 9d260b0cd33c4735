//! gzip for long answers, where the client can read it.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Shorter answers are not worth it, as upstream has it.
pub(crate) const THRESHOLD_BYTES: usize = 128 << 10;

/// Upstream's choice: most of the gain for a fraction of the time.
const LEVEL: u32 = 1;

/// Compressed bytes are handed on in pieces of about this size.
const PIECE_BYTES: usize = 32 << 10;

/// Whether the client says that it reads gzip.
pub(crate) fn accepted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|clause| {
        let mut parts = clause.split(';').map(str::trim);
        let named = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|weight| weight.parse() == Ok(0.0));
        named && !refused
    })
}

/// The chunks compressed, as they are asked for.
pub(crate) fn gzip(chunks: impl Iterator<Item = Bytes>) -> impl Iterator<Item = Bytes> {
    Gzip { chunks, encoder: Some(GzEncoder::new(Vec::new(), Compression::new(LEVEL))) }
}

struct Gzip<I> {
    chunks: I,
    /// None once the end was written.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl<I: Iterator<Item = Bytes>> Iterator for Gzip<I> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let encoder = self.encoder.as_mut()?;
        for chunk in self.chunks.by_ref() {
            encoder.write_all(&chunk).expect("a Vec takes every write");
            if encoder.get_ref().len() >= PIECE_BYTES {
                return Some(Bytes::from(std::mem::take(encoder.get_mut())));
            }
        }
        let rest = self.encoder.take()?.finish().expect("a Vec takes every write");
        Some(Bytes::from(rest))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{:x}", state >> 32)
        };
        let chunks: Vec<Bytes> = (0..20).map(|_| (0..2000).map(|_| noise()).collect::<String>().into()).collect();
        let pieces: Vec<Bytes> = gzip(chunks.clone().into_iter()).collect();
        let mut whole = Vec::new();
        flate2::read::GzDecoder::new(&*pieces.concat()).read_to_end(&mut whole).unwrap();
        assert_eq!(whole, chunks.concat());
        assert!(pieces.len() > 1, "it comes as it is made");
    }

    #[test]
    fn only_who_asks_is_answered_in_gzip() {
        for (value, expected) in
            [("gzip", true), ("deflate, GZIP;q=0.5", true), ("gzip;q=0", false), ("identity", false), ("", false)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(accepted(&headers), expected, "{value}");
        }
    }
}
