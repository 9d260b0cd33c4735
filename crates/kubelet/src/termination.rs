//! The last words of a container.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// A message file longer than this is cut, as upstream does.
const MAXIMUM_MESSAGE_BYTES: u64 = 4096;
/// How much of a log stands in for a missing message, in bytes and lines.
const MAXIMUM_LOG_BYTES: u64 = 2048;
const MAXIMUM_LOG_LINES: usize = 80;

/// The message file's contents; `None` where there is no file to read.
pub(crate) fn read_message(host_path: &str) -> Option<String> {
    let mut contents = Vec::new();
    let file = File::open(host_path).ok()?;
    file.take(MAXIMUM_MESSAGE_BYTES).read_to_end(&mut contents).ok()?;
    Some(String::from_utf8_lossy(&contents).into_owned())
}

/// The last lines of a container's log, without the runtime's prefix to each.
pub(crate) fn read_log_tail(log_path: &str) -> Option<String> {
    let mut file = File::open(log_path).ok()?;
    let length = file.metadata().ok()?.len();
    // Each line carries a prefix of some forty bytes, so read more than may be returned.
    file.seek(SeekFrom::Start(length.saturating_sub(MAXIMUM_LOG_BYTES * 4))).ok()?;
    let mut contents = Vec::new();
    file.take(MAXIMUM_LOG_BYTES * 4).read_to_end(&mut contents).ok()?;
    let text = String::from_utf8_lossy(&contents);
    Some(tail(&text))
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter_map(|line| line.splitn(4, ' ').nth(3)).collect();
    let mut message = String::new();
    for line in lines.iter().skip(lines.len().saturating_sub(MAXIMUM_LOG_LINES)) {
        message.push_str(line);
        message.push('\n');
    }
    let excess = message.len().saturating_sub(MAXIMUM_LOG_BYTES as usize);
    let cut = (excess..=message.len()).find(|&at| message.is_char_boundary(at)).unwrap_or(message.len());
    message.split_off(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_of_a_log_has_no_prefixes_and_a_bound() {
        assert_eq!(
            tail("2030-01-01T00:00:00Z stdout F one two\n2030-01-01T00:00:00Z stderr F three\n"),
            "one two\nthree\n"
        );
        let long: String =
            (0..200).map(|n| format!("2030-01-01T00:00:00Z stdout F line {n:04} {}\n", "é".repeat(20))).collect();
        let tail = tail(&long);
        assert!(tail.len() <= 2048 && tail.ends_with(&format!("line 0199 {}\n", "é".repeat(20))));
    }

    #[test]
    fn a_message_is_cut_and_a_missing_file_is_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message");
        std::fs::write(&path, "x".repeat(5000)).unwrap();
        assert_eq!(read_message(path.to_str().unwrap()).unwrap().len(), 4096);
        assert_eq!(read_message("/does/not/exist"), None);
    }
}
