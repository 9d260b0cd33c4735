//! What the tests need that is built or fetched: the program, the images, Debian's programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The workspace's root folder.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this package lies two folders deep")
}

/// The program under test: `$PINTLE_BIN`, else the one of this build.
pub fn pintle() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| match std::env::var_os("PINTLE_BIN") {
        Some(path) => path.into(),
        None => {
            cargo(&["build", "--quiet", "--package", "pintle"]);
            build_folder().join("pintle")
        }
    });
    program.clone()
}

/// A test image by its file's name, such as `busybox.tar`.
pub fn image(name: &str) -> PathBuf {
    fixtures().join("images").join(name)
}

/// A program of a Debian package that was unpacked beside the build, such as `usr/bin/kubectl`.
pub fn debian_program(package: &str, path: &str) -> Option<PathBuf> {
    let program = fixtures().join("debian").join(package).join("root").join(path);
    program.is_file().then_some(program)
}

/// A file of the client libraries that were installed beside the build, such as `python/bin/python3`.
pub fn client_library(path: &str) -> PathBuf {
    fixtures().join("clients").join(path)
}

/// A manifest of the `manifests` folder.
pub fn manifest(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A pod that runs `script` in busybox and ends at once when told to.
pub fn busybox_manifest(name: &str, script: &str) -> String {
    let script = serde_json::to_string(&format!("trap 'exit 0' TERM; {script}")).expect("a string becomes JSON");
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  labels: {{app: {name}}}\nspec:\n  containers:\n  \
         - name: main\n    image: busybox:1.36\n    command: [sh, -c, {script}]\n"
    )
}

/// Target folder with images and packages in it, made when they are missing.
fn fixtures() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let target = build_folder().ancestors().nth(2).expect("the build folder lies two deep").to_owned();
        let complete = [
            "images/busybox.tar",
            "images/folder-form/index.json",
            "images/hpa-example.tar",
            "debian/docker-registry/root",
            "clients/python/made-for",
            "clients/javascript/made-for",
        ];
        if !complete.iter().all(|part| target.join(part).exists()) {
            cargo(&["xtask", "images"]);
        }
        target
    })
}

/// Where this test's own build put its programs: `target/<triple>/debug`.
fn build_folder() -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    own.ancestors().nth(2).expect("tests lie in the folder deps").to_owned()
}

fn cargo(arguments: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Build scripts that look at what cargo tells of this package would run again for nothing.
    let own = std::env::vars_os().map(|(name, _)| name);
    for name in own.filter(|name| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        command.env_remove(name);
    }
    command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH").env_remove("CARGO_CRATE_NAME");
    let status = command.args(arguments).current_dir(repository()).status();
    assert!(status.is_ok_and(|status| status.success()), "cargo {} failed", arguments.join(" "));
}
