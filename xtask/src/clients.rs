//! The official client libraries of other languages, as the end-to-end tests use them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

use crate::debian;

const PYTHON: &str = "kubernetes==37.0.2";
/// The newest that runs on the Node.js of Debian's stable release.
const JAVASCRIPT: &str = "@kubernetes/client-node@1.4.0";

/// Installs what is not there yet below `target/clients`.
pub(crate) fn fixtures(target: &Path) -> anyhow::Result<()> {
    let folder = target.join("clients");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    once(&folder.join("python"), PYTHON, |place| {
        if !answers("python3", &["-c", "import ensurepip, venv"]) {
            debian::ensure(&["python3", "python3-venv"])?;
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(place))?;
        run(Command::new(place.join("bin/python3")).args(["-m", "pip", "install", "--quiet", PYTHON]))
    })?;
    once(&folder.join("javascript"), JAVASCRIPT, |place| {
        if !answers("npm", &["--version"]) {
            debian::ensure(&["nodejs", "npm"])?;
        }
        fs::create_dir_all(place)?;
        fs::write(place.join("package.json"), "{\"private\": true}\n")?;
        let options = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", JAVASCRIPT];
        run(Command::new("npm").args(options).current_dir(place))
    })
}

/// Makes a folder unless it was made before for the same package; the mark is written last.
fn once(place: &Path, package: &str, make: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mark = place.join("made-for");
    if fs::read_to_string(&mark).is_ok_and(|made| made == package) {
        return Ok(());
    }
    if place.exists() {
        fs::remove_dir_all(place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    make(place).with_context(|| format!("cannot install {package}"))?;
    fs::write(&mark, package).with_context(|| format!("cannot write {}", mark.display()))
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    ensure!(status.success(), "{} ended with {status}", command.get_program().display());
    Ok(())
}
