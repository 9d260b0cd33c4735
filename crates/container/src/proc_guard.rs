//! What may lie over a container's /proc: little, or a volume could hide that nothing is masked, and swallow the
//! profile that the process asks the kernel to run under.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Component, Path, PathBuf};

use libcontainer::oci_spec::runtime::Spec;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

/// Files that tools like LXCFS replace, as runc allows them.
const REPLACEABLE: [&str; 11] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/slabinfo",
    "/proc/net/dev",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/crypto/fips_enabled",
];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProcError {
    #[error("{0:?} cannot be mounted because it is not of type proc")]
    OverProc(String),
    #[error("{0:?} cannot be mounted because it is inside /proc")]
    InsideProc(String),
}

/// Whether a volume's place may be what it is, going by its name; the host's own /proc may lie over the container's.
pub(crate) fn check_place(place: &str, source: &str) -> Result<(), ProcError> {
    let path = lexical(place);
    if path == Path::new("/proc") {
        let is_proc = lexical(source) == Path::new("/proc");
        return if is_proc { Ok(()) } else { Err(ProcError::OverProc(place.to_owned())) };
    }
    match path.starts_with("/proc") && !REPLACEABLE.iter().any(|file| path == Path::new(file)) {
        true => Err(ProcError::InsideProc(place.to_owned())),
        false => Ok(()),
    }
}

/// The same of what was really mounted, for a name may lead through an image's links. Called inside the container.
pub(crate) fn check_mounts(spec: &Spec) -> io::Result<()> {
    let has_hosts = spec.mounts().iter().flatten().any(|mount| mount.destination() == Path::new("/proc"))
        && spec.mounts().iter().flatten().all(|mount| mount.typ().as_deref() != Some("proc"));
    if has_hosts {
        return Ok(());
    }
    let table = File::open("/proc/self/mountinfo")
        .map_err(|error| io::Error::new(error.kind(), format!("cannot see what lies over /proc: {error}")))?;
    if fstatfs(&table)?.filesystem_type() != PROC_SUPER_MAGIC {
        return Err(io::Error::other(ProcError::OverProc("/proc/self".to_owned())));
    }
    let linux = spec.linux().as_ref();
    let sealed =
        |paths: Option<&Vec<String>>, place: &str| paths.is_some_and(|paths| paths.iter().any(|path| path == place));
    for line in BufReader::new(table).lines() {
        let line = line?;
        let Some(place) = line.split(' ').nth(4).filter(|place| place.starts_with("/proc/")) else { continue };
        let is_ours = sealed(linux.and_then(|linux| linux.masked_paths().as_ref()), place)
            || sealed(linux.and_then(|linux| linux.readonly_paths().as_ref()), place);
        if !is_ours && !REPLACEABLE.contains(&place) {
            return Err(io::Error::other(ProcError::InsideProc(place.to_owned())));
        }
    }
    Ok(())
}

fn lexical(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in Path::new(path).components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_may_lie_over_proc() {
        for (place, source, expected) in [
            ("/data", "/proc", Ok(())),
            ("/process", "/x", Ok(())),
            ("/host/proc", "/proc", Ok(())),
            ("/proc", "/proc/", Ok(())),
            ("/proc/meminfo", "/lxcfs/meminfo", Ok(())),
            ("/proc", "/tmp", Err("is not of type proc")),
            ("//./proc/", "/proc/1", Err("is not of type proc")),
            ("/proc/sys", "/x", Err("is inside /proc")),
            ("/proc/self/attr", "/proc", Err("is inside /proc")),
            ("/a/../proc/meminfo/../sys", "/x", Err("is inside /proc")),
        ] {
            let found = check_place(place, source).map_err(|error| error.to_string());
            let expected = expected.map_err(|reason| format!("{place:?} cannot be mounted because it {reason}"));
            assert_eq!(found, expected, "{place} {source}");
        }
    }
}
