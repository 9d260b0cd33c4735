//! The archive that Linux unpacks into its first file system ("newc").

use std::io::{self, Write};

const ALIGNMENT: usize = 4;
const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_000;

/// Writes entries one after another; [`finish`](Archive::finish) ends the archive.
pub(crate) struct Archive<W> {
    output: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(output: W) -> Self {
        Archive { output, entries: 0 }
    }

    /// A folder; the ones above it must have been written.
    pub(crate) fn folder(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, FOLDER, &[])
    }

    pub(crate) fn file(&mut self, path: &str, content: &[u8], permissions: u32) -> io::Result<()> {
        self.entry(path, FILE | permissions, content)
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, &[])?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        self.entries += 1;
        let size = u32::try_from(content.len()).map_err(|_| io::Error::other(format!("{path} is too large")))?;
        let name_size = u32::try_from(path.len() + 1).map_err(|_| io::Error::other("a path is too long"))?;
        // Inode, mode, owner, group, links, time, size, four device numbers, name size, checksum.
        let fields = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        let header: String = fields.iter().map(|field| format!("{field:08x}")).collect();
        let head = format!("070701{header}{path}\0");
        self.aligned(head.as_bytes())?;
        self.aligned(content)
    }

    fn aligned(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        let padding = bytes.len().next_multiple_of(ALIGNMENT) - bytes.len();
        self.output.write_all(&[0; ALIGNMENT][..padding])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_aligned_and_the_end_is_marked() {
        let mut archive = Archive::new(Vec::new());
        archive.folder("a").unwrap();
        archive.file("a/b", b"12345", 0o644).unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % ALIGNMENT, 0);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("07070100000001000041ed"), "{text}");
        let second = &text[112..];
        assert!(second.starts_with("07070100000002000081a4"), "{second}");
        // 110 bytes of header, four of name, two of padding, eight of content with its padding.
        assert_eq!(&second[110..124], "a/b\0\0\x0012345\0\0\0".get(0..14).unwrap());
        assert!(text.trim_end_matches('\0').ends_with("TRAILER!!!"));
    }
}
