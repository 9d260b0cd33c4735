//! Images of busybox, as `docker save` writes them: there is no registry.

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::EntryType;

/// The image that promises are kept with.
pub const IMAGE: &str = "docker.io/library/busybox:1.36";

/// Debian's busybox under `name`, which runs `command`.
pub fn busybox_archive(name: &str, command: &[&str]) -> Vec<u8> {
    let (config, layer) = parts(command);
    let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    let mut archive = tar::Builder::new(Vec::new());
    for (name, contents) in
        [("manifest.json", manifest.to_string().into_bytes()), ("config.json", config), ("layer.tar", layer)]
    {
        append(&mut archive, name, EntryType::Regular, 0o644, &contents);
    }
    archive.into_inner().expect("memory takes everything")
}

/// The configuration and the one layer of such an image.
pub(crate) fn parts(command: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let layer = layer();
    let config = json!({
        "architecture": match std::env::consts::ARCH { "x86_64" => "amd64", "aarch64" => "arm64", other => other },
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", hex::encode(Sha256::digest(&layer)))] },
        "config": { "Cmd": command, "Env": ["PATH=/bin"] },
    });
    (config.to_string().into_bytes(), layer)
}

fn layer() -> Vec<u8> {
    let program = std::fs::read("/bin/busybox").expect("Debian's busybox-static is installed");
    let listed = std::process::Command::new("/bin/busybox").arg("--list").output().expect("busybox runs").stdout;
    let mut layer = tar::Builder::new(Vec::new());
    for folder in ["bin", "etc", "root"] {
        append(&mut layer, folder, EntryType::Directory, 0o755, b"");
    }
    append(&mut layer, "tmp", EntryType::Directory, 0o1777, b"");
    append(&mut layer, "bin/busybox", EntryType::Regular, 0o755, &program);
    for name in String::from_utf8_lossy(&listed).lines().filter(|name| *name != "busybox") {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
        layer.append_link(&mut header, format!("bin/{name}"), "busybox").expect("memory takes everything");
    }
    append(&mut layer, "etc/passwd", EntryType::Regular, 0o644, b"root:x:0:0:root:/root:/bin/sh\n");
    append(&mut layer, "etc/group", EntryType::Regular, 0o644, b"root:x:0:\n");
    layer.into_inner().expect("memory takes everything")
}

fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, contents: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(contents.len() as u64);
    archive.append_data(&mut header, path, contents).expect("memory takes everything");
}
