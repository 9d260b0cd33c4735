//! Mounts that travel, and mounts that are read only to the bottom.

use std::path::{Path, PathBuf};

use cri::*;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::bench::{Bench, config, with_security};

/// A memory file system with a peer group of its own; taken away with what was mounted below it.
struct Shared(PathBuf);

impl Shared {
    fn new(place: &Path, propagation: MsFlags) -> Self {
        std::fs::create_dir(place).unwrap();
        mount(Some("none"), place, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        mount(None::<&str>, place, None::<&str>, propagation, None::<&str>).unwrap();
        Shared(place.to_owned())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for inner in ["by-host", "by-container"] {
            match umount2(&self.0.join(inner), MntFlags::MNT_DETACH) {
                // Not there in a test that failed early, or no mount.
                Ok(()) | Err(Errno::ENOENT | Errno::EINVAL) => {}
                Err(error) => eprintln!("{inner} stays mounted: {error}"),
            }
        }
        umount2(&self.0, MntFlags::MNT_DETACH).unwrap();
    }
}

fn volume(source: &Path, propagation: MountPropagation) -> Mount {
    Mount {
        container_path: "/data".to_owned(),
        host_path: source.display().to_string(),
        propagation: propagation as i32,
        ..Mount::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mounts_travel_as_far_as_asked() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("propagate").await;
    for (wanted, from_host, from_container) in [
        (MountPropagation::Private, false, false),
        (MountPropagation::HostToContainer, true, false),
        (MountPropagation::Bidirectional, true, true),
    ] {
        let place = bench.folder.path().join(format!("shared-{}", wanted as i32));
        let shared = Shared::new(&place, MsFlags::MS_SHARED);
        for inner in ["by-host", "by-container"] {
            std::fs::create_dir(place.join(inner)).unwrap();
        }
        let context = LinuxContainerSecurityContext { privileged: true, ..Default::default() };
        let mut container = with_security(config(&format!("app{}", wanted as i32), "sleep 1000"), context);
        container.mounts = vec![volume(&place, wanted)];
        let id = bench.run(&sandbox, container).await;
        mount(Some("none"), &place.join("by-host"), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        bench.output(&id, "mount -t tmpfs none /data/by-container").await;
        let inside = bench.output(&id, "grep -c ' /data/by-host ' /proc/mounts || true").await;
        assert_eq!(inside == "1", from_host, "{wanted:?}");
        let table = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let outside = table.contains(&place.join("by-container").display().to_string());
        assert_eq!(outside, from_container, "{wanted:?}");
        // What the container has of its own stays its own.
        assert!(!table.lines().any(|line| line.contains(&format!("run/rootfs/{id}/"))), "{table}");
        bench.stop(&id).await;
        drop(shared);
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_does_not_share_cannot_travel() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("unshared").await;
    let place = bench.folder.path().join("private");
    let private = Shared::new(&place, MsFlags::MS_PRIVATE);
    for (wanted, reason) in [
        (MountPropagation::Bidirectional, "but it is not a shared mount"),
        (MountPropagation::HostToContainer, "but it is not a shared or slave mount"),
    ] {
        let mut container = config("app", "true");
        container.mounts = vec![volume(&place, wanted)];
        let error = bench.try_create(&sandbox, container).await.unwrap_err();
        assert!(error.message.ends_with(reason), "{error}");
    }
    bench.remove(&sandbox).await;
    drop(private);
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_reaches_nested_mounts_where_asked() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("rro").await;
    let place = bench.folder.path().join("outer");
    let outer = Shared::new(&place, MsFlags::MS_PRIVATE);
    std::fs::create_dir(place.join("by-host")).unwrap();
    mount(Some("none"), &place.join("by-host"), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    let mut container = config(
        "app",
        "for d in /data /data/by-host /all /all/by-host; do touch $d/x 2>/dev/null; echo $?; done | tr '\\n' ' '",
    );
    let plain = Mount { readonly: true, ..volume(&place, MountPropagation::Private) };
    let recursive = Mount { container_path: "/all".to_owned(), recursive_read_only: true, ..plain.clone() };
    container.mounts = vec![plain, recursive];
    let (_, output) = bench.script(&sandbox, container).await;
    assert_eq!(output.trim(), "1 0 1 1");
    bench.remove(&sandbox).await;
    drop(outer);
    bench.close();
}
