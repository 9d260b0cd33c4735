//! Debian's kernel, as `cargo xtask test` unpacked it.

use std::path::{Path, PathBuf};

/// A kernel and the folder of its modules.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub image: PathBuf,
    pub modules: PathBuf,
}

impl Kernel {
    /// The newest one among the unpacked packages in `folder`.
    pub fn newest(folder: &Path) -> Option<Self> {
        let mut found: Vec<Kernel> = list(folder)
            .iter()
            .filter(|package| name(package).starts_with("linux-image-"))
            .flat_map(|package| list(&package.join("root/boot")))
            .filter_map(|image| Kernel::of_image(&image))
            .collect();
        found.sort_by_key(|kernel| std::fs::metadata(&kernel.image).and_then(|facts| facts.modified()).ok());
        found.pop()
    }

    fn of_image(image: &Path) -> Option<Self> {
        let release = name(image).strip_prefix("vmlinuz-")?.to_owned();
        let root = image.parent()?.parent()?;
        let modules = ["lib/modules", "usr/lib/modules"].map(|place| root.join(place).join(&release));
        let modules = modules.into_iter().find(|modules| modules.is_dir())?;
        Some(Kernel { image: image.to_owned(), modules })
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
