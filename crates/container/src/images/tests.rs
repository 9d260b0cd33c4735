//! Image files of every accepted kind, and of kinds that must be refused.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::config::own_architecture;
use super::*;

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn tar_of(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, contents) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, path, contents.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// An image of one layer with one file, in the parts that archives are made of.
pub(super) struct Sample {
    pub(super) config: Vec<u8>,
    pub(super) layer: Vec<u8>,
}

impl Sample {
    pub(super) fn new(contents: &str, architecture: &str) -> Self {
        let layer = tar_of(&BTreeMap::from([("hello".to_owned(), contents.as_bytes().to_vec())]));
        let config = json!({
            "architecture": architecture, "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
            "config": { "Env": ["A=b"], "Cmd": ["/bin/sh"], "User": "1000", "StopSignal": "SIGQUIT" },
        });
        Sample { config: serde_json::to_vec(&config).unwrap(), layer }
    }

    fn docker(&self, names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let manifest = json!([{ "Config": "config.json", "RepoTags": names, "Layers": ["l/layer.tar"] }]);
        BTreeMap::from([
            ("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap()),
            ("config.json".to_owned(), self.config.clone()),
            ("l/layer.tar".to_owned(), self.layer.clone()),
        ])
    }

    pub(super) fn manifest(&self, layer: &[u8]) -> Vec<u8> {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(&self.config), "size": self.config.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(layer), "size": layer.len(),
            }],
        });
        serde_json::to_vec(&manifest).unwrap()
    }

    fn layout(&self, layer: &[u8], name: &str) -> BTreeMap<String, Vec<u8>> {
        let manifest = self.manifest(layer);
        let index = json!({ "schemaVersion": 2, "manifests": [{
            "digest": digest(&manifest), "size": manifest.len(), "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "annotations": { "org.opencontainers.image.ref.name": name },
        }] });
        let blob = |bytes: &[u8]| (format!("blobs/{}", digest(bytes).replacen(':', "/", 1)), bytes.to_vec());
        BTreeMap::from([
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), serde_json::to_vec(&index).unwrap()),
            blob(&manifest),
            blob(&self.config),
            blob(layer),
        ])
    }
}

struct Bench {
    folder: tempfile::TempDir,
    store: ImageStore,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = ImageStore::open(folder.path().join("images")).unwrap();
        Bench { folder, store }
    }

    fn load(&self, bytes: &[u8]) -> Result<Vec<Image>, LoadError> {
        let path = self.folder.path().join("archive");
        fs::write(&path, bytes).unwrap();
        self.store.load(&path)
    }

    fn refuse(&self, bytes: &[u8]) -> String {
        let error = self.load(bytes).unwrap_err();
        assert!(self.store.list().unwrap().is_empty(), "a refused archive changed the index");
        stdx::error::chain(&error)
    }

    fn hello(&self, name: &str) -> String {
        let image = self.store.find(name).unwrap().unwrap();
        let layers = self.store.layer_folders(&image);
        fs::read_to_string(layers.last().unwrap().join("hello")).unwrap()
    }
}

#[test]
fn a_docker_archive_is_loaded_plain_and_compressed() {
    let sample = Sample::new("from docker", own_architecture());
    let archive = tar_of(&sample.docker(&["busybox:1.36", "wardviaene/k8s-demo"]));
    for bytes in [archive.clone(), gzip(&archive), zstd(&archive)] {
        let bench = Bench::new();
        let images = bench.load(&bytes).unwrap();
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].id, digest(&sample.config));
        assert_eq!(images[0].names, ["docker.io/library/busybox:1.36", "docker.io/wardviaene/k8s-demo:latest"]);
        assert_eq!((images[0].origin, images[0].size_bytes), (Origin::Load, 11));
        assert_eq!(bench.hello("busybox:1.36"), "from docker");
        let config = bench.store.config(&images[0]).unwrap();
        assert_eq!((config.user.as_str(), config.stop_signal.as_str()), ("1000", "SIGQUIT"));
    }
}

#[test]
fn a_layout_is_loaded_from_archive_and_folder() {
    let sample = Sample::new("from a layout", own_architecture());
    for layer in [sample.layer.clone(), gzip(&sample.layer), zstd(&sample.layer)] {
        let files = sample.layout(&layer, "docker.io/library/app:v1");
        let bench = Bench::new();
        let images = bench.load(&tar_of(&files)).unwrap();
        let wanted = format!("docker.io/library/app@{}", digest(&sample.manifest(&layer)));
        assert_eq!(images[0].digests, std::slice::from_ref(&wanted));
        assert_eq!(bench.store.find(&wanted).unwrap().unwrap().id, images[0].id);
        let bench = Bench::new();
        let layout = bench.folder.path().join("layout");
        for (path, contents) in &files {
            let path = layout.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, contents).unwrap();
        }
        bench.store.load(&layout).unwrap();
        assert_eq!(bench.hello("app:v1"), "from a layout");
    }
}

#[test]
fn another_architecture_is_refused_with_both_names() {
    let reason = Bench::new().refuse(&tar_of(&Sample::new("x", "s390x").docker(&["app"])));
    let ours = own_architecture();
    assert_eq!(reason, format!("image docker.io/library/app:latest is for linux/s390x; this machine is linux/{ours}"));
}

#[test]
fn damaged_archives_change_nothing() {
    let sample = Sample::new("x", own_architecture());
    let mut files = sample.docker(&["app"]);
    files.insert("l/layer.tar".to_owned(), Sample::new("y", own_architecture()).layer);
    let reason = Bench::new().refuse(&tar_of(&files));
    assert!(reason.starts_with("the image archive is damaged: a layer has digest sha256:"), "{reason}");
    files.remove("l/layer.tar");
    let reason = Bench::new().refuse(&tar_of(&files));
    assert_eq!(reason, "the image archive is damaged: \"l/layer.tar\" is missing");
    let whole = tar_of(&sample.docker(&["app"]));
    let reason = Bench::new().refuse(&whole[..whole.len() / 2]);
    assert!(reason.starts_with("the image archive is damaged: "), "{reason}");
    assert!(Bench::new().refuse(b"hello").starts_with("the image archive is damaged: "));
    let other = BTreeMap::from([("readme".to_owned(), b"hello".to_vec())]);
    assert_eq!(Bench::new().refuse(&tar_of(&other)), stdx::error::chain(&LoadError::UnknownFormat));
    let mut files = sample.layout(&sample.layer, "docker.io/library/app:v1");
    let config = format!("blobs/{}", digest(&sample.config).replacen(':', "/", 1));
    files.insert(config, b"{}".to_vec());
    let reason = Bench::new().refuse(&tar_of(&files));
    assert!(reason.starts_with("the image archive is damaged: a blob has digest"), "{reason}");
    let mut files = sample.docker(&["app"]);
    files.insert("l/layer.tar".to_owned(), vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
    let reason = Bench::new().refuse(&tar_of(&files));
    assert!(reason.contains("damaged"), "{reason}");
}

#[test]
fn names_move_and_leave() {
    let bench = Bench::new();
    let (one, two) = (Sample::new("one", own_architecture()), Sample::new("two", own_architecture()));
    bench.load(&tar_of(&one.docker(&["app", "app:1"]))).unwrap();
    bench.load(&tar_of(&two.docker(&["app"]))).unwrap();
    assert_eq!((bench.hello("app"), bench.hello("app:1")), ("two".to_owned(), "one".to_owned()));
    assert_eq!(bench.store.list().unwrap().len(), 2);
    // Another process sees the same, at once.
    let other = ImageStore::open(bench.store.folder()).unwrap();
    assert!(other.remove("app").unwrap().is_some());
    assert_eq!(bench.store.find("app").unwrap(), None);
    assert_eq!(bench.store.list().unwrap().len(), 1);
    assert!(bench.store.remove(&digest(&one.config)[..20]).unwrap().is_some());
    assert_eq!(bench.store.remove("app:1").unwrap(), None);
    assert_eq!(fs::read_dir(bench.store.folder().join("layers")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(bench.store.folder().join("blobs/sha256")).unwrap().count(), 0);
}

#[test]
fn many_loads_at_once_lose_nothing() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let bench = &bench;
            scope.spawn(move || {
                let sample = Sample::new(&format!("image {number}"), own_architecture());
                let path = bench.folder.path().join(format!("archive-{number}"));
                fs::write(&path, tar_of(&sample.docker(&[&format!("app:{number}")]))).unwrap();
                ImageStore::open(bench.store.folder()).unwrap().load(&path).unwrap();
            });
        }
    });
    for number in 0..6 {
        assert_eq!(bench.hello(&format!("app:{number}")), format!("image {number}"));
    }
}
