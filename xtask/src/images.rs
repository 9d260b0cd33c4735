//! Test images, made here: no registry is needed. Debian's static busybox, and small programs of
//! this workspace, packed as OCI archives that Docker reads too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use cargo_metadata::Message;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{clients, debian};

/// Everything the end-to-end tests find in the target folder, and the tools they call.
pub(crate) fn fixtures(target: &Path) -> anyhow::Result<()> {
    debian::ensure(&["curl", "iproute2", "nftables", "util-linux"])?;
    run(&target.join("images"))?;
    Ok(())
}

/// The emulator and the kernel of the tests that boot a machine.
pub(crate) fn machine(target: &Path) -> anyhow::Result<()> {
    debian::ensure(&["binutils", "qemu-system-x86", "xz-utils"])?;
    debian::unpack_dependency("linux-image-cloud-amd64", &target.join("debian"))?;
    Ok(())
}

/// Debian's programs that the tests let the cluster talk to; unpacked, not installed.
const PEERS: [&str; 2] = ["kubernetes-client", "docker-registry"];

/// Builds every image into `out`, and fetches the peers and client libraries beside it; answers the images made.
pub(crate) fn run(out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let target = out.parent().unwrap_or(out);
    clients::fixtures(target)?;
    let cache = target.join("debian");
    let busybox = busybox_layer(&debian::unpack("busybox-static", &cache)?.join("bin/busybox"))?;
    for peer in PEERS {
        debian::unpack(peer, &cache)?;
    }
    let programs = build_programs(&["echo", "eater"])?;
    let echo = program_layer(&[("app/echo", &programs["echo"])])?;
    let eater = program_layer(&[("bin/eater", &programs["eater"])])?;

    let busybox_image = Image {
        tags: &["docker.io/library/busybox:latest", "docker.io/library/busybox:1.36"],
        layers: vec![&busybox],
        command: &["sh"],
        ..Image::default()
    };
    let demo = Image {
        tags: &["docker.io/wardviaene/k8s-demo:latest", "docker.io/wardviaene/k8s-demo:1"],
        layers: vec![&busybox, &echo],
        entrypoint: &["/app/echo"],
        environment: &["PORT=3000", "GREETING=Hello World!"],
        working_folder: "/app",
        port: Some(3000),
        ..Image::default()
    };
    let demo_two = Image {
        tags: &["docker.io/wardviaene/k8s-demo:2"],
        environment: &["PORT=3000", "GREETING=Hello World v2!"],
        ..demo.clone()
    };
    let echo_image = Image { tags: &["docker.io/library/echo:1"], environment: &["PORT=3000"], ..demo.clone() };
    let eater_image = Image {
        tags: &["docker.io/library/eater:1"],
        layers: vec![&busybox, &eater],
        entrypoint: &["/bin/eater"],
        ..Image::default()
    };
    let cassandra = cassandra_layer()?;
    let cassandra_image = Image {
        tags: &["gcr.io/google-samples/cassandra:v13"],
        layers: vec![&busybox, &echo, &cassandra],
        entrypoint: &["/bin/sh", "-c", "hostname >> /cassandra_data/starts; exec /app/echo"],
        environment: &["PORT=7000,9042", "GREETING=cassandra"],
        ..Image::default()
    };
    let burning = Image {
        tags: &["gcr.io/google_containers/hpa-example:latest"],
        environment: &["PORT=80", "GREETING=OK!", "ROUNDS=1000000"],
        port: Some(80),
        ..demo.clone()
    };
    let foreign = Image {
        tags: &["docker.io/library/foreign:1"],
        architecture: if architecture() == "arm64" { "amd64" } else { "arm64" },
        ..busybox_image.clone()
    };

    let mut made = Vec::new();
    for (name, image) in [
        ("busybox.tar", &busybox_image),
        ("k8s-demo.tar", &demo),
        ("k8s-demo-2.tar", &demo_two),
        ("echo.tar", &echo_image),
        ("eater.tar", &eater_image),
        ("cassandra.tar", &cassandra_image),
        ("hpa-example.tar", &burning),
        ("foreign.tar", &foreign),
    ] {
        let path = out.join(name);
        write_archive(&path, &image.oci_files()?)?;
        made.push(path);
    }
    // The other two forms in which images travel: what `docker save` wrote for years, and a folder.
    let docker_image = Image { tags: &["docker.io/library/docker-form:1"], ..busybox_image.clone() };
    let docker_archive = out.join("docker-form.tar");
    write_archive(&docker_archive, &docker_image.docker_files()?)?;
    made.push(docker_archive);
    let folder_image = Image { tags: &["docker.io/library/folder-form:1"], ..busybox_image };
    let folder = out.join("folder-form");
    write_folder(&folder, &folder_image.oci_files()?)?;
    made.push(folder);
    Ok(made)
}

/// What an image is made of.
#[derive(Clone, Default)]
struct Image<'a> {
    tags: &'a [&'a str],
    /// Uncompressed tar archives, the lowest first.
    layers: Vec<&'a [u8]>,
    entrypoint: &'a [&'a str],
    command: &'a [&'a str],
    environment: &'a [&'a str],
    working_folder: &'a str,
    port: Option<u16>,
    /// Empty for the machine's own.
    architecture: &'a str,
}

type Files = BTreeMap<String, Vec<u8>>;

impl Image<'_> {
    fn config(&self) -> anyhow::Result<Vec<u8>> {
        let mut environment = vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
        environment.extend(self.environment);
        let ports: BTreeMap<String, Value> = self.port.iter().map(|port| (format!("{port}/tcp"), json!({}))).collect();
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| digest(layer)).collect();
        Ok(serde_json::to_vec(&json!({
            "architecture": if self.architecture.is_empty() { architecture() } else { self.architecture },
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": {
                "Env": environment,
                "Entrypoint": self.entrypoint,
                "Cmd": self.command,
                "WorkingDir": self.working_folder,
                "ExposedPorts": ports,
            },
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": diff_ids.iter().map(|_| json!({"created": "2026-01-01T00:00:00Z"})).collect::<Vec<_>>(),
        }))?)
    }

    /// An OCI layout, with the `manifest.json` that lets Docker load it.
    fn oci_files(&self) -> anyhow::Result<Files> {
        let mut files = Files::new();
        let mut layers = Vec::new();
        for layer in &self.layers {
            layers.push(blob(&mut files, "application/vnd.oci.image.layer.v1.tar+gzip", gzip(layer)?));
        }
        let config = blob(&mut files, "application/vnd.oci.image.config.v1+json", self.config()?);
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": layers,
        }))?;
        let manifest = blob(&mut files, "application/vnd.oci.image.manifest.v1+json", manifest);
        let manifests: Vec<Value> = self
            .tags
            .iter()
            .map(|name| {
                let mut entry = manifest.clone();
                let tag = name.rsplit(':').next().unwrap_or("latest");
                entry["annotations"] =
                    json!({"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag});
                entry
            })
            .collect();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": manifests,
        });
        let path_of = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap_or_default();
            format!("blobs/{}", digest.replace(':', "/"))
        };
        let docker = json!([{
            "Config": path_of(&config),
            "RepoTags": self.short_tags(),
            "Layers": layers.iter().map(path_of).collect::<Vec<_>>(),
        }]);
        files.insert("oci-layout".to_owned(), serde_json::to_vec(&json!({"imageLayoutVersion": "1.0.0"}))?);
        files.insert("index.json".to_owned(), serde_json::to_vec(&index)?);
        files.insert("manifest.json".to_owned(), serde_json::to_vec(&docker)?);
        Ok(files)
    }

    /// What `docker save` wrote before version 25: a folder for each layer, which is not compressed.
    fn docker_files(&self) -> anyhow::Result<Files> {
        let mut files = Files::new();
        let mut layers = Vec::new();
        for layer in &self.layers {
            let path = format!("{}/layer.tar", hex::encode(Sha256::digest(layer)));
            files.insert(path.clone(), layer.to_vec());
            layers.push(path);
        }
        let config = self.config()?;
        let config_path = format!("{}.json", hex::encode(Sha256::digest(&config)));
        files.insert(config_path.clone(), config);
        let manifest = json!([{"Config": config_path, "RepoTags": self.short_tags(), "Layers": layers}]);
        files.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest)?);
        Ok(files)
    }

    /// Names as Docker shows them: without its own host and its library.
    fn short_tags(&self) -> Vec<&str> {
        let short = |name: &'_ str| -> usize {
            ["docker.io/library/", "docker.io/"].iter().find(|prefix| name.starts_with(**prefix)).map_or(0, |p| p.len())
        };
        self.tags.iter().map(|name| &name[short(name)..]).collect()
    }
}

/// Adds a blob and answers its descriptor.
fn blob(files: &mut Files, media_type: &str, content: Vec<u8>) -> Value {
    let digest = digest(&content);
    let descriptor = json!({"mediaType": media_type, "digest": digest, "size": content.len()});
    files.insert(format!("blobs/{}", digest.replace(':', "/")), content);
    descriptor
}

/// Debian's busybox under all its names, and the few files that programs expect.
fn busybox_layer(busybox: &Path) -> anyhow::Result<Vec<u8>> {
    let applets = Command::new(busybox).arg("--list").output().context("cannot run busybox")?;
    ensure!(applets.status.success(), "busybox does not list its applets");
    let mut layer = Layer::new();
    for (folder, mode) in [("bin", 0o755), ("etc", 0o755), ("home", 0o755), ("root", 0o700), ("tmp", 0o1777)] {
        layer.folder(folder, mode)?;
    }
    for folder in ["usr", "usr/bin", "usr/sbin", "var", "var/spool"] {
        layer.folder(folder, 0o755)?;
    }
    layer.file("bin/busybox", &std::fs::read(busybox)?, 0o755)?;
    for applet in String::from_utf8(applets.stdout)?.lines().filter(|applet| *applet != "busybox") {
        layer.link(&format!("bin/{applet}"), "busybox")?;
    }
    layer.link("usr/bin/env", "../../bin/env")?;
    layer.file(
        "etc/passwd",
        b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
        0o644,
    )?;
    layer.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644)?;
    layer.file("etc/shadow", b"root:*:::::::\nnobody:*:::::::\n", 0o640)?;
    layer.finish()
}

/// What stands in for the database of a well-known walk: it keeps a note of its starts among its data, and has the
/// programs that the walk's manifest calls.
fn cassandra_layer() -> anyhow::Result<Vec<u8>> {
    let mut layer = Layer::new();
    let nodetool = "#!/bin/sh\ncase \"$1\" in\nstatus) echo \"UN $POD_IP\" ;;\ndrain) echo drained >> /cassandra_data/drains ;;\nesac\n";
    layer.file("bin/bash", b"#!/bin/sh\nexec /bin/sh \"$@\"\n", 0o755)?;
    layer.file("bin/nodetool", nodetool.as_bytes(), 0o755)?;
    layer.file("ready-probe.sh", b"#!/bin/sh\nnodetool status | grep -q \"UN $POD_IP\"\n", 0o755)?;
    layer.finish()
}

fn program_layer(programs: &[(&str, &PathBuf)]) -> anyhow::Result<Vec<u8>> {
    let mut layer = Layer::new();
    for (path, program) in programs {
        if let Some((folder, _)) = path.rsplit_once('/') {
            layer.folder(folder, 0o755)?;
        }
        layer.file(path, &std::fs::read(program)?, 0o755)?;
    }
    layer.finish()
}

/// A tar archive that is the same, byte for byte, whenever it is made.
struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Layer(tar::Builder::new(Vec::new()))
    }

    fn folder(&mut self, path: &str, mode: u32) -> io::Result<()> {
        self.append(tar::EntryType::Directory, &format!("{path}/"), &[], mode)
    }

    fn file(&mut self, path: &str, content: &[u8], mode: u32) -> io::Result<()> {
        self.append(tar::EntryType::Regular, path, content, mode)
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        let mut header = header(tar::EntryType::Symlink, 0, 0o777);
        self.0.append_link(&mut header, path, target)
    }

    fn append(&mut self, kind: tar::EntryType, path: &str, content: &[u8], mode: u32) -> io::Result<()> {
        self.0.append_data(&mut header(kind, content.len() as u64, mode), path, content)
    }

    fn finish(self) -> anyhow::Result<Vec<u8>> {
        Ok(self.0.into_inner()?)
    }
}

fn header(kind: tar::EntryType, size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// Builds packages of this workspace; answers the program of each.
fn build_programs(packages: &[&str]) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    crate::without_own_variables(&mut build).args(["build", "--quiet", "--message-format", "json-render-diagnostics"]);
    for package in packages {
        build.args(["--package", package]);
    }
    let output =
        build.current_dir(crate::repository()).stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    ensure!(output.status.success(), "building {} failed", packages.join(" "));
    let mut programs = BTreeMap::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        if let Message::CompilerArtifact(artifact) = message?
            && let Some(program) = artifact.executable
        {
            programs.insert(artifact.target.name, program.into_std_path_buf());
        }
    }
    let missing: Vec<&&str> = packages.iter().filter(|package| !programs.contains_key(**package)).collect();
    ensure!(missing.is_empty(), "cargo built no program for {missing:?}");
    Ok(programs)
}

fn write_archive(path: &Path, files: &Files) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut archive = tar::Builder::new(io::BufWriter::new(file));
    for (name, content) in files {
        let mut header = header(tar::EntryType::Regular, content.len() as u64, 0o644);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    archive.into_inner()?.flush()?;
    Ok(())
}

fn write_folder(folder: &Path, files: &Files) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    for (name, content) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, content)?;
    }
    Ok(())
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content)?;
    encoder.finish()
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

/// The machine's architecture by the name that images use.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
