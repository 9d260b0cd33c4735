//! emptyDir: room that lives as long as the pod, on disk, in memory or in huge pages.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

use api::Quantity;
use api::k8s::api::core::v1::{Pod, Volume};
use async_trait::async_trait;
use cri::LinuxContainerResources;

use super::{Plugin, Ready, SetUp, VolumeError, ownership};
use crate::config::huge_pages::PageSize;
use crate::config::qos::requests;
use crate::config::resources;
use crate::pod::spec;

pub(crate) struct EmptyDir;

#[async_trait]
impl Plugin for EmptyDir {
    fn folder(&self) -> &'static str {
        "kubernetes.io~empty-dir"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.empty_dir.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let directory = &request.directory;
        let failed = |step| VolumeError::file(step, directory);
        let source = request.volume.empty_dir.as_ref();
        if !directory.exists() {
            make(request).map_err(failed("make"))?;
        }
        let medium = source.and_then(|source| source.medium.as_deref()).unwrap_or("");
        if medium.is_empty() || request.mounter.is_file_system(directory).map_err(failed("look at the mounts of"))? {
            return Ok(Ready::at(directory.clone()));
        }
        if medium == MEMORY {
            let limit = source.and_then(|source| source.size_limit.as_ref());
            let limit = limit.and_then(|limit| Quantity::of(limit).ok()).map(Quantity::units);
            let size_bytes = memory_size(limit, resources::for_pod(request.pod), request.node.memory_bytes);
            request.mounter.mount_tmpfs(directory, size_bytes).map_err(failed("mount tmpfs at"))?;
        } else {
            let size = page_size(medium, request.pod)?;
            request.mounter.mount_huge_pages(directory, size).map_err(failed("mount hugetlbfs at"))?;
        }
        if let Some(group) = request.fs_group() {
            ownership::give_to_group(directory, group, false).map_err(failed("set the group of"))?;
        }
        Ok(Ready::at(directory.clone()))
    }
}

const MEMORY: &str = "Memory";
const HUGE_PAGES: &str = "HugePages";

/// The size of the pages of `HugePages-2Mi`, or of those that the pod asks for, which must be of one size then.
fn page_size(medium: &str, pod: &Pod) -> Result<PageSize, VolumeError> {
    let unknown = || VolumeError::UnknownMedium(medium.to_owned());
    let named = match medium.strip_prefix(HUGE_PAGES).ok_or_else(unknown)? {
        "" => None,
        size => Some(size.strip_prefix('-').and_then(PageSize::parse).ok_or_else(unknown)?),
    };
    let of_whole = spec::spec(pod).resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let containers = spec::spec(pod).containers.iter().chain(spec::init_containers(pod));
    let asked = of_whole.into_iter().chain(containers.filter_map(requests)).flat_map(|amounts| amounts.keys());
    let sizes: BTreeSet<PageSize> = asked.filter_map(|name| PageSize::of_resource(name)).collect();
    match named {
        Some(size) if sizes.contains(&size) => Ok(size),
        None if sizes.len() > 1 => Err(VolumeError::SeveralPageSizes(medium.to_owned())),
        None if let Some(size) = sizes.first() => Ok(*size),
        _ => Err(VolumeError::NoHugePages(medium.to_owned())),
    }
}

/// Makes the folder beside its place and moves it there, so that what is found is always finished. What
/// the pod has done inside since is the pod's own business.
fn make(request: &SetUp<'_>) -> io::Result<()> {
    let parent = request.directory.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // No volume's name holds a dot.
    let unfinished = parent.join(format!("{}.new", request.volume.name));
    fs::create_dir_all(&unfinished)?;
    fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o777))?;
    if let Some(group) = request.fs_group() {
        ownership::give_to_group(&unfinished, group, false)?;
    }
    fs::rename(&unfinished, &request.directory)
}

/// A volume in memory holds no more than the pod may use, nor more than it says itself.
fn memory_size(limit_bytes: Option<i64>, pod: LinuxContainerResources, node_bytes: i64) -> u64 {
    let of_pod = Some(pod.memory_limit_in_bytes).filter(|bytes| *bytes > 0).unwrap_or(node_bytes);
    let own = limit_bytes.filter(|bytes| *bytes > 0);
    u64::try_from(own.map_or(of_pod, |own| own.min(of_pod))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn huge_pages_are_of_the_size_that_is_asked_for() {
        let size = |medium: &str, of_a: &str, of_init: &str| {
            let pod = pod_from(&format!(
                r#"{{"metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"a","resources":{{"requests":{{{of_a}}}}}}}],
                    "initContainers":[{{"name":"i","resources":{{"requests":{{{of_init}}}}}}}]}}}}"#
            ));
            page_size(medium, &pod).map(PageSize::resource).map_err(|error| error.to_string())
        };
        let (small, large) = (r#""hugepages-2Mi":"2Mi""#, r#""hugepages-1Gi":"1Gi""#);
        assert_eq!(size("HugePages", small, small).as_deref(), Ok("hugepages-2Mi"));
        assert_eq!(size("HugePages-1Gi", small, large).as_deref(), Ok("hugepages-1Gi"));
        let several = "medium: HugePages can't be used if container requests multiple huge page sizes";
        assert_eq!(size("HugePages", small, large), Err(several.to_owned()));
        let none = "medium HugePages-1Gi: hugePages storage requested, but there is no resource request for huge pages";
        assert_eq!(size("HugePages-1Gi", small, ""), Err(none.to_owned()));
        assert!(size("HugePages", "", "").unwrap_err().contains("there is no resource request for huge pages"));
        assert_eq!(size("Tape", "", ""), Err("unknown storage medium \"Tape\"".to_owned()));
    }

    #[test]
    fn memory_is_bounded_by_volume_pod_and_node() {
        let pod = |memory_limit_in_bytes| LinuxContainerResources { memory_limit_in_bytes, ..Default::default() };
        assert_eq!(memory_size(None, pod(0), 100), 100);
        assert_eq!(memory_size(Some(30), pod(0), 100), 30);
        assert_eq!(memory_size(Some(30), pod(20), 100), 20);
        assert_eq!(memory_size(Some(0), pod(50), 100), 50);
    }
}
