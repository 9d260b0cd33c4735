//! What tests need from Debian.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail, ensure};

/// Installs the packages that are missing. Where this may not, the error says what to type.
pub(crate) fn ensure(packages: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let advice = format!("type: sudo apt-get update && sudo apt-get install --yes {}", missing.join(" "));
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    if apt_get(&install).is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    // A machine that never asked for the lists knows no package.
    apt_get(&["update"]).with_context(|| advice.clone())?;
    let output = apt_get(&install).with_context(|| advice.clone())?;
    ensure!(output.status.success(), "cannot install {} ({})\n{advice}", missing.join(" "), last_line(&output.stderr));
    Ok(())
}

/// Fetches a package and unpacks it below `cache`, installing nothing; answers the folder that
/// stands for `/`. It needs no root, and what is there already is not fetched again.
pub(crate) fn unpack(package: &str, cache: &Path) -> anyhow::Result<PathBuf> {
    let folder = cache.join(package);
    let root = folder.join("root");
    if root.is_dir() {
        return Ok(root);
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    if !download(package, &folder)? {
        let updated = apt_get(&["update"])?;
        ensure!(
            updated.status.success() && download(package, &folder)?,
            "cannot fetch the package {package}: check the network and type: sudo apt-get update"
        );
    }
    let archive = archive_in(&folder)?.with_context(|| format!("no package arrived in {}", folder.display()))?;
    // Unpacked beside its place and then moved: a folder that exists is complete.
    let unfinished = folder.join("unfinished");
    let status = Command::new("dpkg-deb").arg("--extract").arg(&archive).arg(&unfinished).status()?;
    ensure!(status.success(), "cannot unpack {}", archive.display());
    std::fs::rename(&unfinished, &root)?;
    Ok(root)
}

/// Does the same for the package that a package without content stands for, as the kernel's newest.
pub(crate) fn unpack_dependency(package: &str, cache: &Path) -> anyhow::Result<PathBuf> {
    let mut dependency = first_dependency(package)?;
    if dependency.is_none() {
        apt_get(&["update"])?;
        dependency = first_dependency(package)?;
    }
    unpack(&dependency.with_context(|| format!("Debian's lists do not tell what {package} stands for"))?, cache)
}

fn first_dependency(package: &str) -> anyhow::Result<Option<String>> {
    let output = Command::new("apt-cache").args(["depends", package]).output().context("cannot run apt-cache")?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().find_map(|line| line.trim().strip_prefix("Depends: ")).map(str::to_owned))
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["--show", "--showformat", "${db:Status-Status}", package]).output();
    query.is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

fn download(package: &str, folder: &Path) -> anyhow::Result<bool> {
    let output = Command::new("apt-get")
        .args(["download", package])
        .current_dir(folder)
        .output()
        .context("cannot run apt-get: this needs Debian or a relative of it")?;
    Ok(output.status.success() && archive_in(folder)?.is_some())
}

fn archive_in(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<Output> {
    match Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output() {
        Ok(output) => Ok(output),
        Err(error) => bail!("cannot run apt-get: {error}"),
    }
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().lines().last().unwrap_or_default().to_owned()
}
