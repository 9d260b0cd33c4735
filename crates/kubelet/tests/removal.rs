//! Removing a pod's folders on a real kernel, in a mount namespace of the test's own.

#[path = "../src/volumes/removal.rs"]
mod removal;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Runs in a thread whose mounts nobody else sees, and which go with it.
fn apart(test: impl FnOnce(&Path) + Send + 'static) {
    let outcome = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_FS).unwrap();
        let nothing = None::<&str>;
        mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing).unwrap();
        let folder = tempfile::tempdir().unwrap();
        test(folder.path());
    });
    outcome.join().unwrap();
}

fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}

fn mounts_below(path: &Path) -> usize {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    table.lines().filter(|line| line.split(' ').nth(4).unwrap().starts_with(path.to_str().unwrap())).count()
}

#[test]
fn nothing_is_removed_through_a_mount() {
    apart(|root| {
        let (host, pod) = (root.join("host"), root.join("pod"));
        fs::create_dir_all(host.join("inner")).unwrap();
        for file in ["precious", "inner/too"] {
            fs::write(host.join(file), "kept").unwrap();
        }
        for folder in ["volumes/memory", "volumes/disk/deep/bound", "volumes/disk/twice"] {
            fs::create_dir_all(pod.join(folder)).unwrap();
        }
        fs::write(pod.join("volumes/file"), "").unwrap();
        fs::write(pod.join("volumes/disk/own"), "gone").unwrap();
        symlink(&host, pod.join("volumes/disk/link")).unwrap();
        mount(Some("tmpfs"), &pod.join("volumes/memory"), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        fs::create_dir(pod.join("volumes/memory/inside")).unwrap();
        bind(&host, &pod.join("volumes/memory/inside"));
        // Of the same file system: its device is no other.
        bind(&host, &pod.join("volumes/disk/deep/bound"));
        bind(&host, &pod.join("volumes/disk/twice"));
        bind(&host.join("inner"), &pod.join("volumes/disk/twice"));
        bind(&host.join("precious"), &pod.join("volumes/file"));
        assert_eq!(mounts_below(&pod), 6);

        removal::remove_tree(&pod).unwrap();
        assert!(!pod.exists());
        assert_eq!(mounts_below(&pod), 0);
        for file in ["precious", "inner/too"] {
            assert_eq!(fs::read_to_string(host.join(file)).unwrap(), "kept", "{file}");
        }
        removal::remove_tree(&pod).unwrap();
        removal::remove_tree(&pod.join("missing/too")).unwrap();
    });
}

#[test]
fn a_mount_is_taken_off_with_all_that_lies_on_it() {
    apart(|root| {
        let (source, target) = (root.join("source"), root.join("target"));
        fs::create_dir(&source).unwrap();
        fs::create_dir(&target).unwrap();
        removal::unmount(&target).unwrap();
        removal::unmount(&root.join("missing")).unwrap();
        for _ in 0..3 {
            bind(&source, &target);
        }
        removal::unmount(&target).unwrap();
        assert_eq!(mounts_below(&target), 0);
    });
}

#[test]
fn a_folder_may_be_deep() {
    apart(|root| {
        let deep = root.join("deep");
        let mut path = deep.clone();
        for _ in 0..300 {
            path.push("d");
        }
        fs::create_dir_all(&path).unwrap();
        removal::remove_tree(&deep).unwrap();
        assert!(!deep.exists());
    });
}
