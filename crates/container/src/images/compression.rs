//! How image files and layers are compressed, told by their first bytes: media types lie.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const BUFFER_BYTES: usize = 64 << 10;

/// A frame may ask for no larger window, which is held in memory. `zstd --ultra --long=27` asks for as much.
const MAX_WINDOW_BYTES: u64 = 128 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstandard,
}

impl Compression {
    fn of(first: &[u8]) -> Compression {
        match first {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstandard,
            _ => Compression::None,
        }
    }
}

/// What `input` says once it is decompressed, and how it was compressed.
pub(super) fn decompress<'a>(input: impl Read + 'a) -> io::Result<(Box<dyn Read + 'a>, Compression)> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let compression = Compression::of(input.fill_buf()?);
    let plain: Box<dyn Read + 'a> = match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Zstandard => Box::new(Frames { input, decoder: None }),
        Compression::None => Box::new(input),
    };
    Ok((plain, compression))
}

/// All frames of a zstd stream, one after the other (RFC 8878, section 3). Tools for lazy pulling cut
/// layers into many, and put indexes between and behind them that a reader skips.
struct Frames<R> {
    input: R,
    /// Of the present frame; `None` before the first.
    decoder: Option<FrameDecoder>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let count = decoder.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                if !decoder.is_finished() {
                    let one = BlockDecodingStrategy::UptoBlocks(1);
                    decoder.decode_blocks(&mut self.input, one).map_err(io::Error::other)?;
                    continue;
                }
            }
            if !self.begin_frame()? {
                return Ok(0);
            }
        }
    }
}

impl<R: BufRead> Frames<R> {
    /// Whether there was another one.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            let decoder = self.decoder.get_or_insert_with(|| {
                let mut decoder = FrameDecoder::new();
                decoder.set_max_window_size(MAX_WINDOW_BYTES);
                decoder
            });
            match decoder.reset(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let skipped = io::copy(&mut (&mut self.input).take(length.into()), &mut io::sink())?;
                    if skipped < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Each frame stores its contents as one block that is not compressed.
    fn stored(contents: &[u8]) -> Vec<u8> {
        // A window of 8 MiB; no size, no checksum.
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
        let header = (contents.len() as u32) << 3 | 1;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(contents);
        frame
    }

    fn skippable(contents: &[u8]) -> Vec<u8> {
        [&[0x53, 0x2a, 0x4d, 0x18], &(contents.len() as u32).to_le_bytes()[..], contents].concat()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        decompress(bytes)?.0.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn frames_follow_one_another_and_some_are_skipped() {
        let whole =
            [skippable(b"index"), stored(b"one "), stored(b""), skippable(b""), stored(b"two"), skippable(b"end")];
        let whole = whole.concat();
        assert_eq!(read(&whole).unwrap(), b"one two");
        for end in 5..whole.len() {
            // Cut between frames it is a shorter stream; anywhere else it is an error.
            if let Ok(plain) = read(&whole[..end]) {
                assert!(b"one two".starts_with(&plain), "{end}");
            }
        }
        assert!(read(&whole[..whole.len() - 1]).is_err());
        assert!(read(&[&whole[..], b"more"].concat()).is_err());
    }

    /// As `zstd --ultra -22` writes 200 lines.
    #[test]
    fn what_zstd_compresses_is_read() {
        let lines: String = (1..=200).map(|line| format!("line {line}\n")).collect();
        let compressed = hex::decode(COMPRESSED).unwrap();
        assert!(compressed.len() < lines.len() / 2);
        assert_eq!(read(&compressed).unwrap(), lines.as_bytes());
        for position in 0..compressed.len() {
            let mut damaged = compressed.clone();
            damaged[position] ^= 0x55;
            // An error or other bytes (which the digest tells), never a panic.
            assert!(read(&damaged).map_or(true, |plain| plain.len() < 1 << 20), "{position}");
        }
    }

    #[test]
    fn a_window_beyond_all_reason_is_refused() {
        let mut frame = stored(b"x");
        frame[5] = 0xff;
        assert!(read(&frame).is_err());
    }

    #[test]
    fn others_are_told_apart() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"zipped").unwrap();
        assert_eq!(read(&encoder.finish().unwrap()).unwrap(), b"zipped");
        assert_eq!(read(b"plain").unwrap(), b"plain");
        assert_eq!(read(b"").unwrap(), b"");
    }

    const COMPRESSED: &str = "28b52ffd048845070076542612b0a5d06a8ee0928042884476eff18883030128001f001a00e586086745536c88705634a586086745536888705634654631bcb6d2b91c229c158de00060204020ffff5f4a29a59452ca21c259d1943144382b9a228608674553c210e1ac6802afb5d65a6badb5b5d65a6badb5524a29a594523ae79c73ce3927029119c7711cc7711c47511445511445510cc3300cc3300cc37befbdf7de0b80c7a81068be19e095351012e503140c63548c615286614a86312aba134eda84263289c94b58a212d43a3c270c7c099da5f01c0dc76be82c85e768385ee636ee6e666bcd8cbb33efa6c04e019be3bb71";
}
