//! Layers as an attacker would write them.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use tar::{Builder, Header};

use super::*;

struct LayerFile(Builder<Vec<u8>>);

impl LayerFile {
    fn new() -> Self {
        LayerFile(Builder::new(Vec::new()))
    }

    fn entry(mut self, path: &str, kind: EntryType, link: &str, contents: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        // Written raw: the crate refuses names that lead outside, which are the point here.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o4755);
        header.set_uid(nix::unistd::getuid().as_raw().into());
        header.set_gid(nix::unistd::getgid().as_raw().into());
        header.set_mtime(1_000_000);
        header.set_size(contents.len() as u64);
        header.set_cksum();
        self.0.append(&header, contents).unwrap();
        self
    }

    fn file(self, path: &str, contents: &str) -> Self {
        self.entry(path, EntryType::Regular, "", contents.as_bytes())
    }

    fn folder(self, path: &str) -> Self {
        self.entry(path, EntryType::Directory, "", b"")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(path, EntryType::Symlink, target, b"")
    }

    fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(path, EntryType::Link, target, b"")
    }

    fn unpack(self) -> (tempfile::TempDir, Result<u64, UnpackError>) {
        self.unpack_within(Limits::default())
    }

    fn unpack_within(self, limits: Limits) -> (tempfile::TempDir, Result<u64, UnpackError>) {
        let folder = tempfile::tempdir().unwrap();
        let layer = folder.path().join("layer");
        std::fs::create_dir(&layer).unwrap();
        std::fs::write(folder.path().join("outside"), "untouched").unwrap();
        let bytes = self.0.into_inner().unwrap();
        let result = unpack(bytes.as_slice(), &layer, limits);
        assert_eq!(std::fs::read_to_string(folder.path().join("outside")).unwrap(), "untouched");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "something was made outside");
        (folder, result)
    }
}

fn read(folder: &tempfile::TempDir, path: &str) -> String {
    std::fs::read_to_string(folder.path().join("layer").join(path)).unwrap()
}

#[test]
fn ordinary_entries_keep_their_attributes() {
    let (folder, result) = LayerFile::new()
        .folder("./bin/")
        .file("bin/app", "program")
        .link("bin/sh", "app")
        .hard_link("bin/again", "bin/app")
        .file("deep/without/parents", "x")
        .entry("fifo", EntryType::Fifo, "", b"")
        .unpack();
    assert_eq!(result.unwrap(), 8);
    assert_eq!(read(&folder, "bin/sh"), "program");
    let app = std::fs::metadata(folder.path().join("layer/bin/app")).unwrap();
    assert_eq!((app.mode() & 0o7777, app.nlink(), app.mtime()), (0o4755, 2, 1_000_000));
    assert_eq!(std::fs::metadata(folder.path().join("layer/bin")).unwrap().mtime(), 1_000_000);
    assert!(std::fs::metadata(folder.path().join("layer/fifo")).unwrap().file_type().is_fifo());
}

#[test]
fn names_that_climb_are_refused() {
    for path in ["../outside", "a/../../outside", "..", "a/.."] {
        let (_, result) = LayerFile::new().file(path, "evil").unpack();
        assert!(matches!(result, Err(UnpackError::Escape { .. })), "{path}: {result:?}");
    }
    let (_, result) = LayerFile::new().hard_link("mine", "../outside").unpack();
    assert!(matches!(result, Err(UnpackError::Escape { .. })), "{result:?}");
}

#[test]
fn absolute_names_and_links_stay_inside() {
    let (folder, result) = LayerFile::new().file("/etc/evil", "inside").unpack();
    result.unwrap();
    assert_eq!(read(&folder, "etc/evil"), "inside");
    assert!(!Path::new("/etc/evil").exists());
    // A folder that is a link to the host's root, then a file through it.
    let (folder, result) = LayerFile::new().folder("etc").link("host", "/").file("host/etc/evil", "inside").unpack();
    result.unwrap();
    assert_eq!(read(&folder, "etc/evil"), "inside");
    // A climbing link ends at the layer's root.
    let (folder, result) = LayerFile::new().link("up", "../../../..").file("up/outside", "inside").unpack();
    result.unwrap();
    assert_eq!(read(&folder, "outside"), "inside");
}

#[test]
fn a_file_over_a_link_replaces_the_link() {
    let (folder, result) = LayerFile::new().link("target", "../outside").file("target", "new").unpack();
    result.unwrap();
    assert_eq!(read(&folder, "target"), "new");
    assert!(std::fs::symlink_metadata(folder.path().join("layer/target")).unwrap().is_file());
    let (folder, result) = LayerFile::new().link("target", "..").folder("target").file("target/x", "in").unpack();
    result.unwrap();
    assert_eq!(read(&folder, "target/x"), "in");
}

#[test]
fn a_hard_link_reaches_nothing_outside() {
    let (_, result) = LayerFile::new().link("up", "..").hard_link("mine", "up/outside").unpack();
    assert!(matches!(result, Err(UnpackError::Write { .. })), "{result:?}");
}

#[test]
fn devices_are_left_out_and_deletions_become_overlays_own() {
    let (folder, result) = LayerFile::new()
        .entry("dev/sda", EntryType::Block, "", b"")
        .entry("dev/kmem", EntryType::Char, "", b"")
        .folder("kept")
        .file("kept/.wh.gone", "")
        .file("kept/.wh..wh..opq", "")
        .unpack();
    result.unwrap();
    let layer = folder.path().join("layer");
    assert_eq!(std::fs::read_dir(layer.join("dev")).unwrap().count(), 0);
    let gone = std::fs::symlink_metadata(layer.join("kept/gone")).unwrap();
    assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
    assert_eq!(std::fs::read_dir(layer.join("kept")).unwrap().count(), 1);
}

#[test]
fn a_deletion_mark_names_one_entry_only() {
    for path in [".wh...", ".wh.."] {
        let (_, result) = LayerFile::new().file(path, "").unpack();
        assert!(matches!(result, Err(UnpackError::InvalidName { .. })), "{path}: {result:?}");
    }
}

#[test]
fn bombs_are_bounded() {
    let limits = Limits { bytes: 10, entries: 3 };
    let (_, result) = LayerFile::new().file("a", "123456").file("b", "123456").unpack_within(limits);
    assert!(matches!(result, Err(UnpackError::TooLarge { what: "bytes", .. })), "{result:?}");
    let many = (0..4).fold(LayerFile::new(), |layer, count| layer.file(&count.to_string(), ""));
    let (_, result) = many.unpack_within(limits);
    assert!(matches!(result, Err(UnpackError::TooLarge { what: "entries", .. })), "{result:?}");
}

#[test]
fn a_cut_stream_is_an_error() {
    let whole = LayerFile::new().file("a", &"x".repeat(2000)).0.into_inner().unwrap();
    for length in [100, 512, 600, 2000] {
        let folder = tempfile::tempdir().unwrap();
        let result = unpack(&whole[..length], folder.path(), Limits::default());
        assert!(matches!(result, Err(UnpackError::Damaged(_))), "{length}: {result:?}");
    }
}
