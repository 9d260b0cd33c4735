//! Environment variables from files that containers write into volumes (`fileKeyRef`).
//!
//! A file has lines like `KEY='value'`; values may span lines. Comments begin with `#`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use api::k8s::api::core::v1::Container;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

/// Upstream's bounds on a file, and on one key and value.
const MAXIMUM_FILE_BYTES: u64 = 64 << 10;
const MAXIMUM_KEY_BYTES: usize = 128;
const MAXIMUM_VALUE_BYTES: usize = 32 << 10;

/// What the files say that a container refers to, by volume and path. `None` where one cannot be understood.
pub(crate) type Files = BTreeMap<(String, String), Option<BTreeMap<String, String>>>;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum ParseError {
    #[error("line {0} is not KEY='value'")]
    Line(usize),
    #[error("a key is longer than {MAXIMUM_KEY_BYTES} bytes")]
    Key,
    #[error("a value is longer than {MAXIMUM_VALUE_BYTES} bytes")]
    Value,
}

/// Reads the files that the container's variables come from. `path_of` finds a volume; volumes that there are not
/// are left out.
pub(crate) fn read_all<'p>(container: &Container, path_of: impl Fn(&str) -> Option<&'p Path>) -> Files {
    let sources = container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref());
    let mut files = Files::new();
    for selector in sources.filter_map(|source| source.file_key_ref.as_ref()) {
        let Some(volume) = path_of(&selector.volume_name) else { continue };
        let key = (selector.volume_name.clone(), selector.path.clone());
        files.entry(key).or_insert_with(|| {
            let read = read(volume, Path::new(&selector.path)).map_err(|error| error.to_string());
            let parsed = read.and_then(|text| parse(&text).map_err(|error| error.to_string()));
            parsed
                .map_err(|error| {
                    tracing::info!(
                        volume = selector.volume_name,
                        path = selector.path,
                        error,
                        "an environment file cannot be used"
                    )
                })
                .ok()
        });
    }
    files
}

/// The volume's owner may have put any link there: the kernel resolves it inside the volume.
fn read(volume: &Path, path: &Path) -> io::Result<String> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = File::from(openat2(File::open(volume)?.as_fd(), path, how)?);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > MAXIMUM_FILE_BYTES {
        return Err(io::Error::other("it is no file, or too large"));
    }
    let mut text = String::new();
    file.take(MAXIMUM_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, ParseError> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    let line_at = |rest: &str| text[..text.len() - rest.len()].matches('\n').count() + 1;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(found);
        }
        if rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let wrong = || ParseError::Line(line_at(rest));
        let (key, after) = rest.split_once("='").ok_or_else(wrong)?;
        let (value, after) = after.split_once('\'').ok_or_else(wrong)?;
        let is_printable = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'=';
        if key.is_empty() || !key.bytes().all(is_printable) {
            return Err(wrong());
        }
        if key.len() > MAXIMUM_KEY_BYTES {
            return Err(ParseError::Key);
        }
        if value.len() > MAXIMUM_VALUE_BYTES {
            return Err(ParseError::Value);
        }
        // Nothing but a comment may follow on the line.
        let (tail, after) = after.split_once('\n').unwrap_or((after, ""));
        if !(tail.trim().is_empty() || tail.trim_start().starts_with('#')) {
            return Err(wrong());
        }
        found.insert(key.to_owned(), value.to_owned());
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn lines_are_keys_and_quoted_values() {
        let pairs = |text: &str| parse(text).map(|found| found.into_iter().collect::<Vec<_>>());
        let owned = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let text = "# made by init\n A='1'\n\nB='two\nlines' # and a comment\nC.d=''\nA='2'";
        assert_eq!(pairs(text), Ok(vec![owned("A", "2"), owned("B", "two\nlines"), owned("C.d", "")]));
        for (bad, line) in [("A=1", 1), ("\nA = '1'", 2), ("A='1", 1), ("A='1' B='2'", 1), ("='1'", 1), ("A=\"1\"", 1)]
        {
            assert_eq!(pairs(bad), Err(ParseError::Line(line)), "{bad:?}");
        }
        assert_eq!(pairs(&format!("{}='1'", "k".repeat(129))), Err(ParseError::Key));
        assert_eq!(pairs(&format!("K='{}'", "v".repeat(32_769))), Err(ParseError::Value));
    }

    #[test]
    fn no_path_leaves_the_volume() {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("volume");
        std::fs::create_dir(&volume).unwrap();
        std::fs::write(folder.path().join("secret"), "outside").unwrap();
        std::fs::write(volume.join("secret"), "inside").unwrap();
        symlink("/secret", volume.join("absolute")).unwrap();
        for path in ["secret", "../secret", "absolute"] {
            assert_eq!(read(&volume, Path::new(path)).unwrap(), "inside", "{path}");
        }
        std::fs::write(volume.join("large"), vec![b' '; 70_000]).unwrap();
        assert!(read(&volume, Path::new("large")).is_err() && read(&volume, Path::new(".")).is_err());
    }
}
