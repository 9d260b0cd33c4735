//! A registry on the machine, and who vouches for it.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::fixtures::debian_program;
use crate::machine::NODE_ADDRESS;
use crate::{Cluster, run, wait_for};

/// A process that ends with the test.
pub struct Background(pub Child);

impl Drop for Background {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait().map(drop)) {
            eprintln!("a background process could not be ended: {error}");
        }
    }
}

/// A certificate for the node's address that vouches for itself, as PEM files; made at the first call.
pub struct Certificate {
    pub path: PathBuf,
    key_path: PathBuf,
}

impl Certificate {
    pub fn of_the_node(cluster: &Cluster) -> Self {
        let folder = cluster.machine.folder();
        let certificate = Certificate { path: folder.join("node.crt"), key_path: folder.join("node.key") };
        if !certificate.path.exists() {
            let made = rcgen::generate_simple_self_signed([NODE_ADDRESS.to_owned()]).unwrap();
            std::fs::write(&certificate.key_path, made.signing_key.serialize_pem()).unwrap();
            std::fs::write(&certificate.path, made.cert.pem()).unwrap();
        }
        certificate
    }
}

/// Debian's docker-registry on the machine's loopback.
pub struct Registry<'c> {
    cluster: &'c Cluster,
    folder: PathBuf,
    _server: Background,
}

impl<'c> Registry<'c> {
    pub const PORT: u16 = 5000;
    pub const SECURED_PORT: u16 = 5443;

    pub fn start(cluster: &'c Cluster) -> Self {
        Self::start_in(cluster, cluster.machine.folder())
    }

    /// Keeps its images in `folder`.
    pub fn start_in(cluster: &'c Cluster, folder: &Path) -> Self {
        let server = Self::serve(cluster, folder, "registry.yml", &format!("addr: '127.0.0.1:{}'", Self::PORT));
        wait_for("the registry to answer", || cluster.fetch(&format!("http://127.0.0.1:{}/v2/", Self::PORT)));
        Registry { cluster, folder: folder.to_owned(), _server: server }
    }

    /// Serves the same storage over TLS on the node's address, until dropped.
    pub fn serve_secured(&self) -> Background {
        let Certificate { path, key_path } = Certificate::of_the_node(self.cluster);
        let tls = format!("tls: {{certificate: {}, key: {}}}", path.display(), key_path.display());
        let address = format!("{NODE_ADDRESS}:{}", Self::SECURED_PORT);
        let server = Self::serve(self.cluster, &self.folder, "secured.yml", &format!("addr: '{address}', {tls}"));
        wait_for("the secured registry to answer", || {
            let mut curl = self.cluster.machine.command("curl");
            curl.args(["--silent", "--fail", "--cacert"]).arg(&path).arg(format!("https://{address}/v2/"));
            let ran = run(&mut curl, "");
            if ran.is_success() { Ok(()) } else { Err(ran.to_string()) }
        });
        server
    }

    fn serve(cluster: &Cluster, folder: &Path, config: &str, http: &str) -> Background {
        let program = debian_program("docker-registry", "usr/bin/docker-registry").expect("the registry's program");
        let config = folder.join(config);
        let storage = folder.join("registry");
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\nhttp: {{{http}}}\n",
            storage.display(),
        );
        std::fs::write(&config, text).unwrap();
        let mut command = cluster.machine.command(program);
        command.arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        Background(command.spawn().unwrap())
    }

    /// Uploads the first image of an OCI layout folder.
    pub fn push(&self, layout: &Path, repository: &str, tag: &str) {
        let read = |digest: &str| layout.join("blobs").join(digest.replace(':', "/"));
        let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
        let manifest_path = read(index["manifests"][0]["digest"].as_str().unwrap());
        let manifest: Value = serde_json::from_slice(&std::fs::read(&manifest_path).unwrap()).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        for blob in layers.chain([&manifest["config"]]) {
            let digest = blob["digest"].as_str().unwrap();
            let base = format!("http://127.0.0.1:{}/v2/{repository}/blobs/uploads/", Self::PORT);
            let mut begin = self.cluster.machine.command("curl");
            begin.args([
                "--silent",
                "--fail",
                "--request",
                "POST",
                "--output",
                "/dev/null",
                "--write-out",
                "%header{location}",
            ]);
            let location = run(begin.arg(base), "").success();
            let separator = if location.contains('?') { '&' } else { '?' };
            self.upload(&read(digest), "application/octet-stream", &format!("{location}{separator}digest={digest}"));
        }
        let media_type = manifest["mediaType"].as_str().unwrap();
        self.upload(
            &manifest_path,
            media_type,
            &format!("http://127.0.0.1:{}/v2/{repository}/manifests/{tag}", Self::PORT),
        );
    }

    fn upload(&self, file: &Path, media_type: &str, url: &str) {
        let mut curl = self.cluster.machine.command("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--request",
            "PUT",
            "--header",
            &format!("Content-Type: {media_type}"),
        ]);
        run(curl.arg("--data-binary").arg(format!("@{}", file.display())).arg(url), "").success();
    }
}
