//! A container, for CRI.

use std::collections::HashMap;

use api::k8s::api::core::v1::{Container, Pod};
use cri::{CDIDevice, ContainerConfig, ContainerMetadata, Device, ImageSpec, KeyValue, LinuxContainerConfig, Mount};

use super::environment::Environment;
use super::expansion::expand;
use super::security::{self, ImageUser};
use super::{NodeFacts, resources, sandbox};
use crate::managers::Allotment;
use crate::managers::devices::messages::ContainerAllocateResponse;
use crate::pod::labels;
use crate::pod::spec::{self, Role};

/// What was found out before the configuration could be written.
pub(crate) struct Prepared {
    pub(crate) role: Role,
    pub(crate) restart_count: u32,
    /// What the image service calls the image.
    pub(crate) image_ref: String,
    pub(crate) image_user: ImageUser,
    pub(crate) environment: Environment,
    pub(crate) mounts: Vec<Mount>,
    /// The container whose processes an ephemeral one sees.
    pub(crate) target_id: Option<String>,
    pub(crate) allotment: Allotment,
}

pub(crate) fn config(pod: &Pod, container: &Container, prepared: Prepared, node: &NodeFacts) -> ContainerConfig {
    let lookup = |name: &str| prepared.environment.get(name);
    let expanded = |words: &Option<Vec<String>>| -> Vec<String> {
        words.iter().flatten().map(|word| expand(word, lookup)).collect()
    };
    let (command, args) = (expanded(&container.command), expanded(&container.args));
    let target = prepared.target_id.as_deref();
    let security = security::for_container(pod, container, prepared.role, target, &prepared.image_user, &node.root_dir);
    let mut config = ContainerConfig {
        metadata: Some(ContainerMetadata { name: container.name.clone(), attempt: prepared.restart_count }),
        image: Some(ImageSpec {
            image: prepared.image_ref,
            user_specified_image: container.image.clone().unwrap_or_default(),
            ..ImageSpec::default()
        }),
        command,
        args,
        working_dir: container.working_dir.clone().unwrap_or_default(),
        envs: prepared.environment.into_pairs().into_iter().map(|(key, value)| KeyValue { key, value }).collect(),
        mounts: prepared.mounts,
        labels: sandbox::identity(pod)
            .into_iter()
            .chain([(labels::CONTAINER_NAME.to_owned(), container.name.clone())])
            .collect(),
        annotations: annotations(pod, container, prepared.restart_count),
        log_path: format!("{}/{}.log", container.name, prepared.restart_count),
        stdin: container.stdin.unwrap_or(false),
        stdin_once: container.stdin_once.unwrap_or(false),
        tty: container.tty.unwrap_or(false),
        linux: Some(LinuxContainerConfig {
            resources: Some(resources::allotted(pod, container, node, &prepared.allotment)),
            security_context: Some(security),
        }),
        ..ContainerConfig::default()
    };
    for grant in prepared.allotment.devices.into_values() {
        add_devices(&mut config, grant.answer);
    }
    config
}

/// What a device plugin wants a container to have. The pod's own variables go before a plugin's.
fn add_devices(config: &mut ContainerConfig, answer: ContainerAllocateResponse) {
    let mut variables: Vec<(String, String)> = answer.envs.into_iter().collect();
    variables.sort();
    for (key, value) in variables {
        if !config.envs.iter().any(|present| present.key == key) {
            config.envs.push(KeyValue { key, value });
        }
    }
    config.mounts.extend(answer.mounts.into_iter().map(|mount| Mount {
        container_path: mount.container_path,
        host_path: mount.host_path,
        readonly: mount.read_only,
        ..Mount::default()
    }));
    config.devices.extend(answer.devices.into_iter().map(|device| Device {
        container_path: device.container_path,
        host_path: device.host_path,
        permissions: device.permissions,
    }));
    config.annotations.extend(answer.annotations);
    config.cdi_devices.extend(answer.cdi_devices.into_iter().map(|device| CDIDevice { name: device.name }));
}

fn annotations(pod: &Pod, container: &Container, restart_count: u32) -> HashMap<String, String> {
    let path = termination_message_path(container);
    let policy = container.termination_message_policy.as_deref().unwrap_or("File");
    HashMap::from([
        (labels::SPEC_HASH.to_owned(), spec::hash(container)),
        (labels::RESTART_COUNT.to_owned(), restart_count.to_string()),
        (labels::TERMINATION_MESSAGE_PATH.to_owned(), path.to_owned()),
        (labels::TERMINATION_MESSAGE_POLICY.to_owned(), policy.to_owned()),
        (labels::POD_TERMINATION_GRACE_PERIOD.to_owned(), spec::termination_grace_seconds(pod).to_string()),
    ])
}

pub(crate) fn termination_message_path(container: &Container) -> &str {
    container.termination_message_path.as_deref().filter(|path| !path.is_empty()).unwrap_or("/dev/termination-log")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::environment::{self, Objects};
    use crate::config::fields::Addresses;
    use crate::managers::devices::Grant;
    use crate::managers::devices::messages::{CdiDevice, DeviceSpec};
    use crate::testing::{node_facts, pod_from};

    #[test]
    fn commands_expand_and_identity_is_kept() {
        let pod = pod_from(
            r#"{"metadata":{"name":"p","namespace":"ns","uid":"u"},"spec":{"containers":[
                {"name":"c","image":"busybox","command":["sh","-c","echo $(A)"],"args":["$$(A)"],"env":[{"name":"A","value":"1"}]}]}}"#,
        );
        let container = &spec::spec(&pod).containers[0];
        let addresses = Addresses { pod_ips: &[], host_ips: &[] };
        let environment =
            environment::generate(&pod, container, &Objects::default(), &[], addresses, &node_facts()).unwrap();
        let answer = ContainerAllocateResponse {
            envs: [("A".to_owned(), "2".to_owned()), ("B".to_owned(), "3".to_owned())].into(),
            devices: vec![DeviceSpec { host_path: "/dev/x".to_owned(), ..DeviceSpec::default() }],
            cdi_devices: vec![CdiDevice { name: "example.com/x=0".to_owned() }],
            ..ContainerAllocateResponse::default()
        };
        let grant = Grant { answer, ..Grant::default() };
        let allotment = Allotment {
            cpus: "2-3".parse().unwrap(),
            is_exclusive: true,
            devices: [("example.com/x".to_owned(), grant)].into(),
            ..Allotment::default()
        };
        let prepared = Prepared {
            role: Role::App,
            restart_count: 3,
            image_ref: "sha256:1".to_owned(),
            image_user: ImageUser::default(),
            environment,
            mounts: Vec::new(),
            target_id: None,
            allotment,
        };
        let config = config(&pod, container, prepared, &node_facts());
        assert_eq!(
            (config.command, config.args),
            (vec!["sh".into(), "-c".into(), "echo 1".into()], vec!["$(A)".into()])
        );
        let variables: Vec<_> = config.envs.iter().map(|pair| (pair.key.as_str(), pair.value.as_str())).collect();
        assert!(variables.contains(&("A", "1")) && variables.contains(&("B", "3")), "the pod's own go first");
        assert_eq!((config.devices[0].host_path.as_str(), config.cdi_devices.len()), ("/dev/x", 1));
        let resources = config.linux.unwrap().resources.unwrap();
        assert_eq!((resources.cpuset_cpus.as_str(), resources.cpu_quota), ("2-3", -1));
        assert_eq!(config.log_path, "c/3.log");
        assert_eq!(config.annotations[labels::RESTART_COUNT], "3");
        assert_eq!(config.labels[labels::POD_UID], "u");
        assert_eq!(config.image.unwrap().user_specified_image, "busybox");
    }
}
