//! Logs that have grown long are set aside: the runtime begins a new file, the older ones are packed, and
//! the oldest go.
//!
//! A log tells nobody that it grows. The next look comes when it could be full, going by how fast it grew.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cri::{Container, ContainerState, ListContainersRequest, ReopenContainerLogRequest};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::pod::{Context, labels};
use crate::policy::Policy;

const LOOK_AGAIN_FIRST: Duration = Duration::from_secs(5);
const LOOK_AGAIN_CAP: Duration = Duration::from_secs(60);
/// A log may fill so much faster than it has so far.
const SURGE: u64 = 4;
const PACKED: &str = ".gz";
const UNFINISHED: &str = ".tmp";

pub(crate) struct LogKeeper {
    context: Arc<Context>,
    policy: Arc<Policy>,
    sizes: BTreeMap<PathBuf, u64>,
    looked_at: Option<Timestamp>,
}

impl LogKeeper {
    pub(crate) fn new(context: Arc<Context>, policy: Arc<Policy>) -> Self {
        LogKeeper { context, policy, sizes: BTreeMap::new(), looked_at: None }
    }

    /// Looks and rotates until dropped. While nothing runs nothing grows.
    pub(crate) async fn run(mut self) {
        let mut events = self.context.runtime_events.subscribe();
        loop {
            let clock = self.context.ambient.clock;
            let looked_at = clock.instant();
            match self.look().await {
                Some(wait) => {
                    tokio::select! {
                        () = clock.sleep(wait) => {}
                        // What begins to run may be in a hurry.
                        changed = events.changed() => {
                            if changed.is_err() {
                                return;
                            }
                            clock.sleep((looked_at + LOOK_AGAIN_FIRST).saturating_duration_since(clock.instant())).await;
                        }
                    }
                }
                None if events.changed().await.is_err() => return,
                None => {}
            }
        }
    }

    /// How long until a log could be full; `None` where there is none.
    async fn look(&mut self) -> Option<Duration> {
        let listed = self.context.runtime.list_containers(ListContainersRequest { filter: None }).await;
        let containers = match listed {
            Ok(listed) => listed.containers,
            Err(status) => {
                tracing::warn!(error = %status, "logs cannot be looked after");
                return Some(LOOK_AGAIN_CAP);
            }
        };
        let now = self.context.ambient.clock.now();
        let span = self.looked_at.replace(now).map(|before| now.duration_since(before).unsigned_abs());
        let mut sizes = BTreeMap::new();
        let mut soonest = None;
        for container in containers.iter().filter(|container| container.state == ContainerState::Running as i32) {
            let Some(path) = log_path(&self.context.node.pod_log_dir, container) else { continue };
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let mut size = metadata.len();
            if size > self.policy.container_log_maximum_bytes {
                match self.rotate(&container.id, &path).await {
                    Ok(()) => size = 0,
                    Err(error) => {
                        tracing::warn!(path = %path.display(), error = stdx::error::chain(&error), "a log was not rotated");
                    }
                }
            }
            let grown = self.sizes.get(&path).map(|before| size.saturating_sub(*before)).zip(span);
            let wait = time_to_fill(size, self.policy.container_log_maximum_bytes, grown);
            soonest = Some(soonest.map_or(wait, |soonest: Duration| soonest.min(wait)));
            sizes.insert(path, size);
        }
        self.sizes = sizes;
        soonest
    }

    async fn rotate(&self, container_id: &str, path: &Path) -> Result<(), RotateError> {
        let (owned, keep) = (path.to_owned(), self.policy.container_log_maximum_files.saturating_sub(2));
        tokio::task::spawn_blocking(move || pack_and_prune(&owned, keep)).await.map_err(io::Error::from)??;
        let now = self.context.ambient.clock.now().to_zoned(TimeZone::system());
        let aside = PathBuf::from(format!("{}.{}", path.display(), now.strftime("%Y%m%d-%H%M%S")));
        fs::rename(path, &aside)?;
        let request = ReopenContainerLogRequest { container_id: container_id.to_owned() };
        if let Err(status) = self.context.runtime.reopen_container_log(request).await {
            // The runtime still writes into the old file: it gets its name back.
            fs::rename(&aside, path)?;
            return Err(RotateError::Reopen(status));
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum RotateError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("the runtime did not begin a new file")]
    Reopen(#[source] cri::Status),
}

/// Where the runtime writes, as this program told it when it made the container.
fn log_path(pod_log_dir: &Path, container: &Container) -> Option<PathBuf> {
    let label = |name: &str| container.labels.get(name);
    let (namespace, pod, uid) = (label(labels::POD_NAMESPACE)?, label(labels::POD_NAME)?, label(labels::POD_UID)?);
    let count = container.annotations.get(labels::RESTART_COUNT)?;
    let folder = pod_log_dir.join(format!("{namespace}_{pod}_{uid}"));
    Some(folder.join(label(labels::CONTAINER_NAME)?).join(format!("{count}.log")))
}

/// `grown` is by how much since how long ago.
fn time_to_fill(size: u64, maximum: u64, grown: Option<(u64, Duration)>) -> Duration {
    let Some((grown, span)) = grown else { return LOOK_AGAIN_FIRST };
    let left = maximum.saturating_sub(size);
    let per_second = (grown.saturating_mul(SURGE) / span.as_secs().max(1)).max(1);
    Duration::from_secs(left / per_second).clamp(LOOK_AGAIN_FIRST, LOOK_AGAIN_CAP)
}

/// Of the files set aside before, the newest `keep` stay; all of them are packed.
fn pack_and_prune(path: &Path, keep: usize) -> io::Result<()> {
    let mut aside = rotated(path)?;
    for file in aside.extract_if(.., |file| file.to_string_lossy().ends_with(UNFINISHED)) {
        fs::remove_file(file)?;
    }
    // Their names sort by age.
    aside.sort();
    let excess = aside.len().saturating_sub(keep);
    for file in aside.drain(..excess) {
        fs::remove_file(file)?;
    }
    for file in aside.iter().filter(|file| !file.to_string_lossy().ends_with(PACKED)) {
        let packed = format!("{}{PACKED}", file.display());
        let unfinished = format!("{packed}{UNFINISHED}");
        let mut encoder = GzEncoder::new(File::create(&unfinished)?, Compression::default());
        io::copy(&mut File::open(file)?, &mut encoder)?;
        encoder.finish()?.sync_all()?;
        fs::rename(&unfinished, &packed)?;
        fs::remove_file(file)?;
    }
    Ok(())
}

/// The files set aside of a log: `0.log.20300101-000000`, packed or not.
fn rotated(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let prefix = format!("{}.", name.to_string_lossy());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Removes a log with all that was set aside of it.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let mut all = match rotated(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    all.push(path.to_owned());
    for file in all {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_next_look_comes_before_the_log_is_full() {
        let (maximum, span) = (10 << 20, Duration::from_secs(10));
        let wait = |size, grown| time_to_fill(size, maximum, grown);
        assert_eq!(wait(0, None), Duration::from_secs(5));
        assert_eq!(wait(0, Some((0, span))), Duration::from_secs(60));
        // One megabyte in ten seconds could be four by the next ten.
        assert_eq!(wait(0, Some((1 << 20, span))), Duration::from_secs(25));
        assert_eq!(wait(10 << 20, Some((1 << 20, span))), Duration::from_secs(5));
    }

    #[test]
    fn old_logs_are_packed_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let names = |folder: &Path| {
            let mut names: Vec<String> =
                fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        for (name, contents) in [
            ("0.log", "current"),
            ("0.log.20300101-000001.gz", "packed before"),
            ("0.log.20300101-000002", "oldest kept"),
            ("0.log.20300101-000003", "newest"),
            ("0.log.20300101-000000", "too old"),
            ("0.log.20300101-000002.gz.tmp", "torn"),
            ("1.log", "another run"),
        ] {
            fs::write(folder.path().join(name), contents).unwrap();
        }
        pack_and_prune(&path, 2).unwrap();
        let expected = ["0.log", "0.log.20300101-000002.gz", "0.log.20300101-000003.gz", "1.log"];
        assert_eq!(names(folder.path()), expected);
        let mut text = String::new();
        let packed = File::open(folder.path().join("0.log.20300101-000003.gz")).unwrap();
        flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
        assert_eq!(text, "newest");
        remove(&path).unwrap();
        assert_eq!(names(folder.path()), ["1.log"]);
        remove(&folder.path().join("absent/0.log")).unwrap();
    }
}
