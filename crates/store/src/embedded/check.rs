//! What a store's folder holds, and what of it is damaged. Changes nothing.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stdx::Clock;

use super::OpenError;
use super::disk::{Disk, DiskFile, FolderDisk};
use super::format::{FileHeader, FrameHeader, HeaderError, SECTOR_BYTES};
use super::frames::{Tail, judge_tail, next_whole_frame, whole_frame};
use super::recovery::{Found, Inventory, read};
use crate::core::Core;
use crate::shared::Moment;
use crate::{Options, Revision};

/// How often a folder in use is read anew because files came and went meanwhile.
const MAX_TRIES: usize = 100;

/// What a store's folder holds.
#[derive(Clone, Debug)]
pub struct Report {
    /// The process that uses the folder.
    pub holder: Option<String>,
    pub files: Vec<FileFound>,
    /// `None` where damage keeps it from being read.
    pub contents: Option<Contents>,
    /// Where a write is unfinished: a crash cut it short, or it is under way. No damage.
    pub unfinished: Option<(PathBuf, u64)>,
    pub damage: Vec<Damage>,
}

/// A file of the store's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFound {
    pub name: String,
    pub bytes: u64,
    /// `None` when its header cannot be read.
    pub format: Option<u32>,
}

/// The state that a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    pub revision: Revision,
    pub keys: usize,
    /// Of keys and values.
    pub bytes: u64,
    /// The oldest state that history reaches back to, and when that came to be.
    pub oldest: Revision,
    pub oldest_time: SystemTime,
    /// When the newest revision was committed.
    pub time: SystemTime,
}

/// A part of a file that cannot be read or is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub path: PathBuf,
    /// Where it begins.
    pub offset: u64,
    pub reason: String,
}

/// Looks at the store in `folder`, which a server may be using.
pub fn check(folder: &Path) -> Result<Report, OpenError> {
    let disk = FolderDisk::look(folder)?;
    let holder =
        disk.holder().map_err(|source| OpenError::Io { action: "ask who uses", path: folder.to_owned(), source })?;
    check_on(&disk, holder)
}

/// Looks at the store on a disk that `holder` uses.
pub fn check_on(disk: &dyn Disk, holder: Option<String>) -> Result<Report, OpenError> {
    let found = read_settled(disk, holder.is_some());
    let inventory = Inventory::take(disk)?;
    let files: Vec<(FileFound, Vec<Damage>)> = inventory
        .names()
        .filter_map(|name| look_at(disk, name, found.is_err()).transpose())
        .collect::<Result<_, _>>()?;
    let mut damage = Vec::new();
    let mut report_files = Vec::new();
    for (file, damaged) in files {
        report_files.push(file);
        damage.extend(damaged);
    }
    let mut report = Report { holder, files: report_files, contents: None, unfinished: None, damage };
    match found {
        Ok(found) => {
            report.contents = Some(Contents::of(&found.core));
            let torn = found.logs.iter().find(|log| log.is_torn);
            report.unfinished = torn.map(|log| (log.input.path.clone(), log.end));
        }
        Err(OpenError::Damaged { path, offset, reason }) => {
            if !report.damage.iter().any(|damage| damage.path == path && damage.offset == offset) {
                report.damage.push(Damage { path, offset, reason });
            }
        }
        Err(OpenError::Io { .. } | OpenError::Foreign { .. }) if !report.damage.is_empty() => {}
        Err(error) => return Err(error),
    }
    Ok(report)
}

/// Reads the state. In a folder that a server uses, files come and go: what looks like damage then
/// is looked at again.
pub(super) fn read_settled(disk: &dyn Disk, is_in_use: bool) -> Result<Found, OpenError> {
    let options = Options::default();
    let mut tries = 1;
    loop {
        let now = Moment::now(&Clock::system());
        match read(disk, &options, now) {
            Err(OpenError::Damaged { .. } | OpenError::Io { .. }) if is_in_use && tries < MAX_TRIES => tries += 1,
            result => return result,
        }
    }
}

impl Contents {
    pub(super) fn of(core: &Core) -> Contents {
        Contents {
            revision: core.revision(),
            keys: core.entries.len(),
            bytes: core.live_bytes(),
            oldest: core.history.oldest(),
            oldest_time: core.history.oldest_time(),
            time: core.time(),
        }
    }
}

/// A file, and its damages if they are asked for. `None` when it went meanwhile.
fn look_at(
    disk: &dyn Disk,
    name: String,
    is_damage_wanted: bool,
) -> Result<Option<(FileFound, Vec<Damage>)>, OpenError> {
    let path = disk.path(&name);
    let failed = |source| OpenError::Io { action: "read", path: path.clone(), source };
    let file = match disk.open(&name) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let length = file.length().map_err(failed)?;
    if !is_damage_wanted {
        let mut header = [0; SECTOR_BYTES];
        let filled = file.read_at(0, &mut header).map_err(failed)?;
        let format = FileHeader::decode(&header[..filled]).ok().map(|header| header.version);
        return Ok(Some((FileFound { name, bytes: length, format }, Vec::new())));
    }
    let pieces = Pieces::read(&*file).map_err(failed)?;
    let format = pieces.header.ok().map(|header| header.version);
    let mut damage =
        pieces.unreadable.iter().map(|&offset| (offset, "the disk cannot read it".to_owned())).collect::<Vec<_>>();
    match pieces.header {
        Err(HeaderError::Version(found)) => {
            let supported = super::format::VERSION;
            return Err(OpenError::NewerFormat { path, found, supported });
        }
        Err(HeaderError::Foreign) => damage.push((0, "it is not a store file".into())),
        Err(HeaderError::Damaged) => damage.push((0, "its header fails its checksum".into())),
        Ok(_) => {
            pieces.for_each(|piece| {
                if let Piece::Gap { offset, reason, .. } = piece
                    && !damage.iter().any(|(known, _)| known.abs_diff(offset) < SECTOR_BYTES as u64)
                {
                    damage.push((offset, reason.into()));
                }
            });
        }
    }
    let damage = damage.into_iter().map(|(offset, reason)| Damage { path: path.clone(), offset, reason });
    Ok(Some((FileFound { name, bytes: length, format }, damage.collect())))
}

/// A whole file, its sectors that cannot be read taken for zeros.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) header: Result<FileHeader, HeaderError>,
    bytes: Vec<u8>,
    /// Where they are.
    pub(super) unreadable: Vec<u64>,
}

/// A part of a file.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Frame {
        header: FrameHeader,
        payload: &'a [u8],
    },
    /// What is no whole frame.
    Gap {
        offset: u64,
        reason: &'static str,
        is_torn: bool,
    },
}

impl Pieces {
    pub(super) fn read(file: &dyn DiskFile) -> std::io::Result<Pieces> {
        let (bytes, unreadable) = read_leniently(file)?;
        Ok(Pieces { header: FileHeader::decode(&bytes), bytes, unreadable })
    }

    /// Every whole frame, and what lies between them, in order; nothing where the header says nothing.
    /// Returns where the last whole frame ends.
    pub(super) fn for_each<'a>(&'a self, mut each: impl FnMut(Piece<'a>)) -> u64 {
        let Ok(header) = self.header else { return 0 };
        let alignment = header.alignment_bytes();
        let mut offset = alignment;
        while let Some(rest) = self.bytes.get(offset..).filter(|rest| !rest.is_empty()) {
            if let Some((frame, payload)) = whole_frame(rest, header.salt) {
                each(Piece::Frame { header: frame, payload });
                offset += (super::format::UNIT_BYTES + payload.len()).next_multiple_of(alignment);
                continue;
            }
            let next = next_whole_frame(rest, &header);
            match judge_tail(&rest[..next.unwrap_or(rest.len())], offset as u64, &header) {
                Tail::Clean if next.is_none() => {}
                Tail::Clean => {
                    each(Piece::Gap { offset: offset as u64, reason: "a record is missing", is_torn: false })
                }
                Tail::Torn => {
                    let (reason, is_torn) = ("the record is cut short", next.is_none());
                    each(Piece::Gap { offset: offset as u64, reason, is_torn });
                }
                Tail::Damaged(reason) => each(Piece::Gap { offset: offset as u64, reason, is_torn: false }),
            }
            match next {
                Some(next) => offset += next,
                None => break,
            }
        }
        offset as u64
    }
}

/// The file's bytes, zeros where the disk cannot read a sector, and where that is.
fn read_leniently(file: &dyn DiskFile) -> std::io::Result<(Vec<u8>, Vec<u64>)> {
    const BLOCK_BYTES: usize = 1 << 20;
    let mut bytes = vec![0; file.length()? as usize];
    let mut unreadable = Vec::new();
    for (number, block) in bytes.chunks_mut(BLOCK_BYTES).enumerate() {
        let start = (number * BLOCK_BYTES) as u64;
        if file.read_at(start, block).is_ok() {
            continue;
        }
        for (number, sector) in block.chunks_mut(SECTOR_BYTES).enumerate() {
            let offset = start + (number * SECTOR_BYTES) as u64;
            if file.read_at(offset, sector).is_err() {
                sector.fill(0);
                unreadable.push(offset);
            }
        }
    }
    Ok((bytes, unreadable))
}
