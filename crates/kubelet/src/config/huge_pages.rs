//! Huge pages: their sizes as the kernel, control groups and the API name them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use api::Quantity;

use super::totals::binary_si;

/// A resource of so many bytes in huge pages: `hugepages-2Mi`.
pub(crate) const RESOURCE_PREFIX: &str = "hugepages-";

/// In bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PageSize(pub(crate) i64);

impl PageSize {
    /// `hugepages-2Mi`
    pub(crate) fn resource(self) -> String {
        format!("{RESOURCE_PREFIX}{}", binary_si(self.0))
    }

    /// `2MB`, as the files of control groups have it.
    pub(crate) fn in_cgroups(self) -> String {
        const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
        let (mut amount, mut unit) = (self.0, 0);
        while amount >= 1024 && unit + 1 < UNITS.len() {
            amount /= 1024;
            unit += 1;
        }
        format!("{amount}{}", UNITS[unit])
    }

    /// Of `hugepages-2Mi`; none for any other resource.
    pub(crate) fn of_resource(resource: &str) -> Option<PageSize> {
        PageSize::parse(resource.strip_prefix(RESOURCE_PREFIX)?)
    }

    pub(crate) fn parse(size: &str) -> Option<PageSize> {
        Some(PageSize(size.parse::<Quantity>().ok()?.units()))
    }
}

/// Bytes that are set aside in huge pages of each size that the kernel has; `folder` is `hugepages` below
/// `/sys/kernel/mm` or below a NUMA node's. A kernel without huge pages has no folder.
pub(crate) fn read(folder: &Path) -> io::Result<BTreeMap<PageSize, i64>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries?,
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let kib = name.to_str().and_then(|name| name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok());
        let Some(size) = kib.map(|kib: i64| PageSize(kib.saturating_mul(1024))) else { continue };
        let pages = fs::read_to_string(entry.path().join("nr_hugepages"))?;
        let pages: i64 = pages.trim().parse().map_err(io::Error::other)?;
        found.insert(size, pages.saturating_mul(size.0));
    }
    Ok(found)
}

/// None is as good as nothing.
pub(crate) fn bytes(amount: Option<Quantity>) -> u64 {
    amount.map_or(0, |amount| u64::try_from(amount.units()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_three_names() {
        for (bytes, resource, in_cgroups) in [
            (2 << 20, "hugepages-2Mi", "2MB"),
            (1 << 30, "hugepages-1Gi", "1GB"),
            (64 << 10, "hugepages-64Ki", "64KB"),
            (16 << 30, "hugepages-16Gi", "16GB"),
        ] {
            let size = PageSize(bytes);
            assert_eq!((size.resource().as_str(), size.in_cgroups().as_str()), (resource, in_cgroups));
            assert_eq!(PageSize::of_resource(resource), Some(size));
        }
        assert_eq!((PageSize::of_resource("memory"), PageSize::parse("much")), (None, None));
    }

    #[test]
    fn the_kernel_tells_how_much_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        for (name, pages) in [("hugepages-2048kB", "3\n"), ("hugepages-1048576kB", "0\n")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("nr_hugepages"), pages).unwrap();
        }
        let found: Vec<_> = read(folder.path()).unwrap().into_iter().collect();
        assert_eq!(found, [(PageSize(2 << 20), 6 << 20), (PageSize(1 << 30), 0)]);
        assert_eq!(read(&folder.path().join("absent")).unwrap(), BTreeMap::new());
    }
}
