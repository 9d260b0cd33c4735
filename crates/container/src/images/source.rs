//! The files of an image archive or layout folder, by name, in any order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tar::{Archive, EntryType};

use super::compression::{Compression, decompress};

/// What a compressed archive may unpack to.
const ARCHIVE_LIMIT_BYTES: u64 = 64 << 30;
/// Manifests, configurations and indexes are small.
const DOCUMENT_LIMIT_BYTES: u64 = 8 << 20;

pub(crate) enum Source {
    Folder(PathBuf),
    Archive { file: File, members: HashMap<String, Member> },
}

#[derive(Clone, Debug)]
pub(crate) enum Member {
    At { offset: u64, size: u64 },
    Link(String),
}

impl Source {
    /// Opens a folder, a tar file or a compressed one. The last is unpacked into `work` first.
    pub(crate) fn open(path: &Path, work: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Ok(Source::Folder(path.to_owned()));
        }
        let mut file = File::open(path)?;
        if let Some(plain) = decompressed(&file, work)? {
            file = plain;
        }
        file.rewind()?;
        let members = read_members(&file)?;
        Ok(Source::Archive { file, members })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Source::Folder(folder) => folder.join(name).is_file(),
            Source::Archive { members, .. } => members.contains_key(name),
        }
    }

    pub(crate) fn open_member(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("{name:?} is missing"));
        match self {
            Source::Folder(folder) => {
                let inside = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
                if !inside {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidInput,
                        format!("{name:?} is not inside the layout"),
                    ));
                }
                Ok(Box::new(File::open(folder.join(name)).map_err(|error| match error.kind() {
                    io::ErrorKind::NotFound => missing(),
                    _ => error,
                })?))
            }
            Source::Archive { file, members } => {
                let mut member = members.get(name).ok_or_else(missing)?;
                // Older `docker save` links a layer that occurs twice; one step is all it uses.
                if let Member::Link(target) = member {
                    member = members.get(target).ok_or_else(missing)?;
                }
                match member {
                    Member::At { offset, size } => Ok(Box::new(Window { file, position: *offset, end: offset + size })),
                    Member::Link(_) => Err(missing()),
                }
            }
        }
    }

    pub(crate) fn read_document(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_member(name)?.take(DOCUMENT_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > DOCUMENT_LIMIT_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{name:?} is too large")));
        }
        Ok(bytes)
    }
}

fn read_members(file: &File) -> io::Result<HashMap<String, Member>> {
    let mut members = HashMap::new();
    let length = file.metadata()?.len();
    for entry in Archive::new(file).entries_with_seek()? {
        let entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        // Members are passed over, not read, so nothing else would notice.
        if entry.raw_file_position().saturating_add(entry.size()) > length {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("it is cut off inside {name:?}")));
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                members.insert(name, Member::At { offset: entry.raw_file_position(), size: entry.size() });
            }
            EntryType::Symlink | EntryType::Link => {
                let is_symbolic = entry.header().entry_type() == EntryType::Symlink;
                if let Some(target) = entry.link_name_bytes() {
                    let target = String::from_utf8_lossy(&target).into_owned();
                    members.insert(name.clone(), Member::Link(resolve(&name, &target, is_symbolic)));
                }
            }
            _ => {}
        }
    }
    Ok(members)
}

/// A symbolic link counts from its own folder, a hard link from the archive's root.
fn resolve(name: &str, target: &str, is_symbolic: bool) -> String {
    let mut parts: Vec<&str> = if is_symbolic { name.split('/').collect() } else { Vec::new() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads a part of a file without moving the file's own position.
struct Window<'a> {
    file: &'a File,
    position: u64,
    end: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.end - self.position).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(&mut buffer[..room], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// What a compressed archive unpacks to; `None` if it is none.
fn decompressed(file: &File, work: &Path) -> io::Result<Option<File>> {
    let (contents, compression) = decompress(file)?;
    if compression == Compression::None {
        return Ok(None);
    }
    let mut plain = tempfile_in(work)?;
    let copied = io::copy(&mut contents.take(ARCHIVE_LIMIT_BYTES + 1), &mut plain)?;
    if copied > ARCHIVE_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the archive unpacks to too many bytes"));
    }
    Ok(Some(plain))
}

/// A file without a name: gone when it is closed, whatever happens.
pub(crate) fn tempfile_in(folder: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_inside_an_archive_are_resolved() {
        assert_eq!(resolve("b/layer.tar", "../a/layer.tar", true), "a/layer.tar");
        assert_eq!(resolve("b/layer.tar", "a/layer.tar", false), "a/layer.tar");
        assert_eq!(resolve("layer.tar", "../../etc/passwd", true), "etc/passwd");
    }

    #[test]
    fn a_layout_folder_gives_nothing_outside() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::open(folder.path(), folder.path()).unwrap();
        for name in ["../etc/passwd", "/etc/passwd", "a/../../x"] {
            assert_eq!(source.open_member(name).err().unwrap().kind(), io::ErrorKind::InvalidInput, "{name}");
        }
    }
}
