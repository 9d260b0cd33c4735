//! Header blocks: name/value pairs, compressed as one zlib stream per direction.

use std::sync::LazyLock;

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::Error;

/// Largest header block after decompression.
const BLOCK_BYTES: usize = 32 * 1024;
const BLOCK_PAIRS: usize = 64;
/// What deflate may refer back to.
const WINDOW_BYTES: usize = 32 * 1024;

/// Inflates the blocks of one connection; each refers back to those before it.
pub(crate) struct Decompressor {
    /// None until the first block has brought the zlib header.
    started: bool,
    state: Box<DecompressorOxide>,
    window: Box<[u8]>,
    position: usize,
}

impl Decompressor {
    pub(crate) fn new() -> Self {
        Decompressor {
            started: false,
            state: Box::default(),
            window: vec![0; WINDOW_BYTES].into_boxed_slice(),
            position: 0,
        }
    }

    pub(crate) fn headers(&mut self, block: &[u8]) -> Result<HeaderMap, Error> {
        parse_block(&self.inflate(block)?)
    }

    fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, Error> {
        let mut input = if self.started { block } else { self.start(block)? };
        let mut plain = Vec::new();
        loop {
            let (status, consumed, produced) =
                decompress(&mut self.state, input, &mut self.window, self.position, TINFL_FLAG_HAS_MORE_INPUT);
            input = &input[consumed..];
            plain.extend_from_slice(&self.window[self.position..self.position + produced]);
            self.position = (self.position + produced) % WINDOW_BYTES;
            if plain.len() > BLOCK_BYTES {
                return Err(Error::HeadersTooLarge);
            }
            match status {
                TINFLStatus::NeedsMoreInput if input.is_empty() => return Ok(plain),
                TINFLStatus::HasMoreOutput => {}
                _ => return Err(Error::Compression),
            }
        }
    }

    /// Reads the zlib header (RFC 1950), which says whether the dictionary is used.
    fn start<'b>(&mut self, block: &'b [u8]) -> Result<&'b [u8], Error> {
        let &[method, flags, ref rest @ ..] = block else { return Err(Error::Compression) };
        if method & 0x0f != 8 || method >> 4 > 7 || u16::from_be_bytes([method, flags]) % 31 != 0 {
            return Err(Error::Compression);
        }
        self.started = true;
        if flags & 0x20 == 0 {
            return Ok(rest);
        }
        let (identifier, rest) = rest.split_first_chunk::<4>().ok_or(Error::Compression)?;
        if u32::from_be_bytes(*identifier) != adler32(&DICTIONARY) {
            return Err(Error::Compression);
        }
        self.window[..DICTIONARY.len()].copy_from_slice(&DICTIONARY);
        self.position = DICTIONARY.len();
        Ok(rest)
    }
}

/// Writes blocks uncompressed: deflate's "stored" form, which every decompressor reads. The few
/// headers of a stream are not worth a compressor's memory.
#[derive(Debug, Default)]
pub(crate) struct Compressor {
    started: bool,
}

impl Compressor {
    pub(crate) fn block(&mut self, headers: &HeaderMap) -> BytesMut {
        let plain = format_block(headers);
        let mut block = BytesMut::with_capacity(plain.len() + 16);
        if !self.started {
            block.put_slice(&[0x78, 0x01]);
            self.started = true;
        }
        for part in plain.chunks(usize::from(u16::MAX)) {
            put_stored(part, &mut block);
        }
        // The empty part makes a reader hand out what came before, as zlib's sync flush does.
        put_stored(&[], &mut block);
        block
    }
}

fn put_stored(part: &[u8], block: &mut BytesMut) {
    // Callers cut parts to u16::MAX.
    let length = part.len() as u16;
    block.put_u8(0);
    block.put_u16_le(length);
    block.put_u16_le(!length);
    block.put_slice(part);
}

fn format_block(headers: &HeaderMap) -> Vec<u8> {
    let mut block = Vec::new();
    block.put_u32(headers.keys_len() as u32);
    for name in headers.keys() {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let value = values.join(&0);
        block.put_u32(name.as_str().len() as u32);
        block.put_slice(name.as_str().as_bytes());
        block.put_u32(value.len() as u32);
        block.put_slice(&value);
    }
    block
}

fn parse_block(mut block: &[u8]) -> Result<HeaderMap, Error> {
    let count = take_u32(&mut block)? as usize;
    if count > BLOCK_PAIRS {
        return Err(Error::HeadersTooLarge);
    }
    let mut headers = HeaderMap::with_capacity(count);
    for _ in 0..count {
        let name = HeaderName::from_bytes(take_string(&mut block)?).map_err(|_| Error::Headers)?;
        for value in take_string(&mut block)?.split(|byte| *byte == 0) {
            headers.append(name.clone(), HeaderValue::from_bytes(value).map_err(|_| Error::Headers)?);
        }
    }
    if block.is_empty() { Ok(headers) } else { Err(Error::Headers) }
}

fn take_u32(block: &mut &[u8]) -> Result<u32, Error> {
    let (number, rest) = block.split_first_chunk::<4>().ok_or(Error::Headers)?;
    *block = rest;
    Ok(u32::from_be_bytes(*number))
}

fn take_string<'b>(block: &mut &'b [u8]) -> Result<&'b [u8], Error> {
    let length = take_u32(block)? as usize;
    let (string, rest) = block.split_at_checked(length).ok_or(Error::Headers)?;
    *block = rest;
    Ok(string)
}

fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    (high << 16) | low
}

/// SPDY/3 draft, section 2.6.10.1: frequent words, each after its length, then frequent values.
static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut dictionary = Vec::with_capacity(1423);
    for word in DICTIONARY_WORDS {
        dictionary.put_u32(word.len() as u32);
        dictionary.put_slice(word.as_bytes());
    }
    dictionary.put_slice(DICTIONARY_TAIL.as_bytes());
    dictionary
});

#[rustfmt::skip]
const DICTIONARY_WORDS: [&str; 65] = [
    "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding",
    "accept-language", "accept-ranges", "age", "allow", "authorization", "cache-control", "connection",
    "content-base", "content-encoding", "content-language", "content-length", "content-location",
    "content-md5", "content-range", "content-type", "date", "etag", "expect", "expires", "from", "host",
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified",
    "location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer",
    "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via",
    "warning", "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1", "url",
    "public", "set-cookie", "keep-alive", "origin",
];

const DICTIONARY_TAIL: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
    403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
    Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
    chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,\
    text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_dictionary_is_the_published_one() {
        assert_eq!(DICTIONARY.len(), 1423);
        // The identifier that every SPDY/3 zlib stream starts with.
        assert_eq!(adler32(&DICTIONARY), 0xe3c6_a7c2);
    }

    #[test]
    fn blocks_survive_one_stream_of_them() {
        let (mut compressor, mut decompressor) = (Compressor::default(), Decompressor::new());
        for pairs in [&[("streamtype", "error")][..], &[], &[("streamtype", "data"), ("port", "8080")]] {
            let block = compressor.block(&headers(pairs));
            assert_eq!(decompressor.headers(&block).unwrap(), headers(pairs));
        }
    }

    /// Made with zlib: level 9, the dictionary, a sync flush after each of two blocks.
    #[test]
    fn reads_what_zlib_compressed_with_the_dictionary() {
        let blocks = [
            "78f9e3c6a7c202a62346703a2b294a4dcc851625aca9a08006000000ffff",
            "02651c48d15c044ac64c1606180a41654e22000000ffff",
        ];
        let mut decompressor = Decompressor::new();
        let expected = [headers(&[("streamtype", "error")]), headers(&[("port", "80"), ("streamtype", "data")])];
        for (block, expected) in blocks.iter().zip(expected) {
            assert_eq!(decompressor.headers(&hex(block)).unwrap(), expected);
        }
    }

    #[test]
    fn a_bomb_is_an_error() {
        let mut bomb = vec![0x78, 0x01];
        let mut body = miniz_oxide::deflate::compress_to_vec(&vec![0; 1 << 20], 9);
        bomb.append(&mut body);
        assert!(matches!(Decompressor::new().headers(&bomb), Err(Error::HeadersTooLarge)));
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
