//! How mounts made later travel between the host and a container's volumes.

use std::io;
use std::path::Path;

use cri::MountPropagation;
use libcontainer::oci_spec::runtime::Spec;
use nix::mount::{MsFlags, mount};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PropagationError {
    #[error("path {path:?} is mounted on {mount:?} but it is not a shared mount")]
    NotShared { path: String, mount: String },
    #[error("path {path:?} is mounted on {mount:?} but it is not a shared or slave mount")]
    NeitherSharedNorSlave { path: String, mount: String },
    #[error("could not find source mount of {0}")]
    NoMount(String),
}

/// Whether the host's mount under `path` can pass mounts on as `wanted`. `mountinfo` is the kernel's table.
pub(crate) fn check(path: &Path, wanted: MountPropagation, mountinfo: &str) -> Result<(), PropagationError> {
    if wanted == MountPropagation::Private {
        return Ok(());
    }
    let shown = path.display().to_string();
    // Of several at one place the last lies on top.
    let found = mountinfo
        .lines()
        .filter_map(Mounted::parse)
        .filter(|mounted| path.starts_with(mounted.place))
        .max_by_key(|mounted| Path::new(mounted.place).components().count())
        .ok_or_else(|| PropagationError::NoMount(shown.clone()))?;
    let mount = found.place.to_owned();
    match wanted {
        MountPropagation::Bidirectional if !found.is("shared:") => {
            Err(PropagationError::NotShared { path: shown, mount })
        }
        MountPropagation::HostToContainer if !found.is("shared:") && !found.is("master:") => {
            Err(PropagationError::NeitherSharedNorSlave { path: shown, mount })
        }
        _ => Ok(()),
    }
}

struct Mounted<'a> {
    place: &'a str,
    /// The optional fields: `shared:1 master:2`.
    peers: &'a str,
}

impl<'a> Mounted<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (head, _) = line.split_once(" - ")?;
        let mut fields = head.splitn(7, ' ');
        let place = fields.nth(4)?;
        let _options = fields.next();
        Some(Mounted { place, peers: fields.next().unwrap_or("") })
    }

    fn is(&self, kind: &str) -> bool {
        self.peers.split(' ').any(|peer| peer.starts_with(kind))
    }
}

/// Gives each bind mount of the specification the propagation its options name. Called inside the container,
/// before its program runs: libcontainer parses these options but applies none to a single mount.
pub(crate) fn apply(spec: &Spec) -> io::Result<()> {
    for volume in spec.mounts().iter().flatten() {
        let options = volume.options().as_deref().unwrap_or_default();
        let flag = options.iter().find_map(|option| match option.as_str() {
            "rprivate" => Some(MsFlags::MS_PRIVATE),
            "rslave" => Some(MsFlags::MS_SLAVE),
            "rshared" => Some(MsFlags::MS_SHARED),
            _ => None,
        });
        if let Some(flag) = flag {
            mount(None::<&str>, volume.destination(), None::<&str>, flag | MsFlags::MS_REC, None::<&str>)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        30 27 0:22 / /data rw,relatime shared:3 - tmpfs tmpfs rw\n\
        31 30 0:23 / /data/inner rw,relatime master:3 - tmpfs tmpfs rw\n\
        32 27 0:24 / /both rw shared:4 master:3 - tmpfs tmpfs rw\n";

    #[test]
    fn only_shared_mounts_pass_on_what_a_container_mounts() {
        use MountPropagation::{Bidirectional, HostToContainer, Private};
        let message = |path: &str, wanted| check(Path::new(path), wanted, TABLE).map_err(|error| error.to_string());
        for path in ["/data", "/data/a", "/both/b"] {
            assert_eq!(message(path, Bidirectional), Ok(()), "{path}");
        }
        for path in ["/data/a", "/data/inner/a", "/both"] {
            assert_eq!(message(path, HostToContainer), Ok(()), "{path}");
        }
        assert_eq!(message("/database", Private), Ok(()));
        let expected = r#"path "/database" is mounted on "/" but it is not a shared mount"#;
        assert_eq!(message("/database", Bidirectional), Err(expected.to_owned()));
        let expected = r#"path "/data/inner" is mounted on "/data/inner" but it is not a shared mount"#;
        assert_eq!(message("/data/inner", Bidirectional), Err(expected.to_owned()));
        let expected = r#"path "/srv" is mounted on "/" but it is not a shared or slave mount"#;
        assert_eq!(message("/srv", HostToContainer), Err(expected.to_owned()));
    }
}
