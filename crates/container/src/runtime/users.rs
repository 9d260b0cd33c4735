//! Whom a pod's users are on the host.

use cri::{IDMapping, NamespaceMode, PodSandboxConfig};

use crate::shim::protocol::{IdRange, UserMappings};

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UsersError {
    #[error("unsupported user namespace mode: {0}")]
    Mode(String),
    #[error("can't use user namespace mode \"NODE\" with mappings. Got {uids} UID mappings and {gids} GID mappings")]
    MappingsOnTheHost { uids: usize, gids: usize },
    #[error("a user namespace needs UID and GID mappings of the same ranges that have a root")]
    Mappings,
    #[error("a pod on the host's network has the host's users")]
    HostNetwork,
}

/// What the sandbox's configuration asks for; none: the host's users.
pub(super) fn of_sandbox(config: &PodSandboxConfig) -> Result<Option<UserMappings>, UsersError> {
    let context = config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
    let Some(options) = context.and_then(|context| context.namespace_options.as_ref()) else { return Ok(None) };
    let Some(asked) = &options.userns_options else { return Ok(None) };
    match NamespaceMode::try_from(asked.mode) {
        Ok(NamespaceMode::Node) if asked.uids.is_empty() && asked.gids.is_empty() => Ok(None),
        Ok(NamespaceMode::Node) => {
            Err(UsersError::MappingsOnTheHost { uids: asked.uids.len(), gids: asked.gids.len() })
        }
        Ok(NamespaceMode::Pod) if options.network == NamespaceMode::Node as i32 => Err(UsersError::HostNetwork),
        Ok(NamespaceMode::Pod) => {
            let mappings = UserMappings { uids: ranges(&asked.uids), gids: ranges(&asked.gids) };
            let is_whole = mappings.uids == mappings.gids && mappings.outside_uid(0).is_some();
            if is_whole { Ok(Some(mappings)) } else { Err(UsersError::Mappings) }
        }
        Ok(mode) => Err(UsersError::Mode(format!("{mode:?}").to_uppercase())),
        Err(_) => Err(UsersError::Mode(asked.mode.to_string())),
    }
}

/// Whom the pod's root is on the host.
pub(super) fn root_of(users: Option<&UserMappings>) -> (u32, u32) {
    let root = users.and_then(|users| Some((users.outside_uid(0)?, users.outside_gid(0)?)));
    root.unwrap_or((0, 0))
}

/// Whether a mount asks for what its pod has, which is all that one namespace can give.
pub(super) fn is_mapped_alike(uids: &[IDMapping], gids: &[IDMapping], users: &UserMappings) -> bool {
    ranges(uids) == users.uids && ranges(gids) == users.gids
}

fn ranges(mappings: &[IDMapping]) -> Vec<IdRange> {
    let range = |mapping: &IDMapping| IdRange {
        inside: mapping.container_id,
        outside: mapping.host_id,
        length: mapping.length,
    };
    mappings.iter().map(range).collect()
}

#[cfg(test)]
mod tests {
    use cri::{LinuxPodSandboxConfig, LinuxSandboxSecurityContext, NamespaceOption, UserNamespace};

    use super::*;

    fn asked(network: NamespaceMode, mode: NamespaceMode, uids: &[IDMapping], gids: &[IDMapping]) -> PodSandboxConfig {
        let userns_options = Some(UserNamespace { mode: mode as i32, uids: uids.to_vec(), gids: gids.to_vec() });
        let options = NamespaceOption { network: network as i32, userns_options, ..NamespaceOption::default() };
        let security_context =
            Some(LinuxSandboxSecurityContext { namespace_options: Some(options), ..Default::default() });
        PodSandboxConfig {
            linux: Some(LinuxPodSandboxConfig { security_context, ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn only_whole_mappings_make_a_user_namespace() {
        use NamespaceMode::{Container, Node, Pod};
        let map = |container_id, host_id| [IDMapping { host_id, container_id, length: 65536 }];
        assert_eq!(of_sandbox(&PodSandboxConfig::default()), Ok(None));
        assert_eq!(of_sandbox(&asked(Pod, Node, &[], &[])), Ok(None));
        let users = of_sandbox(&asked(Pod, Pod, &map(0, 65536), &map(0, 65536))).unwrap().unwrap();
        assert_eq!((users.outside_uid(1000), users.outside_gid(65536)), (Some(66536), None));
        assert_eq!(root_of(Some(&users)), (65536, 65536));
        assert!(is_mapped_alike(&map(0, 65536), &map(0, 65536), &users));
        assert!(!is_mapped_alike(&map(0, 131_072), &map(0, 131_072), &users));
        for (network, mode, uids, gids) in [
            (Pod, Pod, &[][..], &[][..]),
            (Pod, Pod, &map(1, 65536)[..], &map(1, 65536)[..]),
            (Pod, Pod, &map(0, 65536)[..], &map(0, 131_072)[..]),
        ] {
            assert_eq!(of_sandbox(&asked(network, mode, uids, gids)), Err(UsersError::Mappings));
        }
        let text = of_sandbox(&asked(Pod, Node, &map(0, 65536), &[])).unwrap_err().to_string();
        assert!(text.ends_with("Got 1 UID mappings and 0 GID mappings"), "{text}");
        assert_eq!(of_sandbox(&asked(Node, Pod, &map(0, 65536), &map(0, 65536))), Err(UsersError::HostNetwork));
        let text = of_sandbox(&asked(Pod, Container, &[], &[])).unwrap_err().to_string();
        assert_eq!(text, "unsupported user namespace mode: CONTAINER");
    }
}
