//! What CRI shows of sandboxes and containers, and how lists are filtered.

use std::collections::HashMap;

use cri::{
    Container as ListedContainer, ContainerFilter, ContainerStatus, ContainerUser, ImageSpec, LinuxContainerUser,
    LinuxPodSandboxStatus, Namespace, PodIP, PodSandbox, PodSandboxFilter, PodSandboxNetworkStatus, PodSandboxState,
    PodSandboxStatus,
};

use super::Runtime;
use super::container::{Container, state_of};
use super::sandbox::Sandbox;

impl Runtime {
    pub(super) fn status_of_sandbox(&self, sandbox: &Sandbox) -> PodSandboxStatus {
        let record = sandbox.record();
        let context = sandbox.config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
        let mut addresses = record.addresses.iter();
        PodSandboxStatus {
            id: sandbox.id.clone(),
            metadata: sandbox.config.metadata.clone(),
            state: sandbox_state(record.ready),
            created_at: record.created_at,
            network: Some(PodSandboxNetworkStatus {
                ip: addresses.next().cloned().unwrap_or_default(),
                additional_ips: addresses.map(|ip| PodIP { ip: ip.clone() }).collect(),
            }),
            linux: Some(LinuxPodSandboxStatus {
                namespaces: Some(Namespace { options: context.and_then(|context| context.namespace_options.clone()) }),
            }),
            labels: sandbox.config.labels.clone(),
            annotations: sandbox.config.annotations.clone(),
            runtime_handler: record.runtime_handler,
        }
    }

    pub(super) fn list_sandboxes(&self, filter: Option<PodSandboxFilter>) -> Vec<PodSandbox> {
        let filter = filter.unwrap_or_default();
        let named = |sandbox: &Sandbox| {
            sandbox.id.starts_with(&filter.id) && has_labels(&sandbox.config.labels, &filter.label_selector)
        };
        let wanted = filter.state.as_ref().map(|wanted| wanted.state);
        let mut found = Vec::new();
        for sandbox in self.sandboxes_where(named) {
            let record = sandbox.record();
            let state = sandbox_state(record.ready);
            if wanted.is_some_and(|wanted| wanted != state) {
                continue;
            }
            found.push(PodSandbox {
                id: sandbox.id.clone(),
                metadata: sandbox.config.metadata.clone(),
                state,
                created_at: record.created_at,
                labels: sandbox.config.labels.clone(),
                annotations: sandbox.config.annotations.clone(),
                runtime_handler: record.runtime_handler,
            });
        }
        found.sort_by_key(|sandbox| std::cmp::Reverse(sandbox.created_at));
        found
    }

    pub(super) fn status_of_container(&self, container: &Container) -> cri::Result<ContainerStatus> {
        let record = self.state(container)?;
        let state = state_of(record.as_ref());
        let record = record.unwrap_or_default();
        let sandbox = self.sandbox(&container.sandbox_id);
        let log_folder = sandbox.as_ref().map_or("", |sandbox| sandbox.config.log_directory.as_str());
        let log_path = match (log_folder.is_empty(), container.config.log_path.is_empty()) {
            (false, false) => format!("{}/{}", log_folder.trim_end_matches('/'), container.config.log_path),
            _ => String::new(),
        };
        let facts = &container.facts;
        Ok(ContainerStatus {
            id: container.id.clone(),
            metadata: container.config.metadata.clone(),
            state: state as i32,
            created_at: facts.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            exit_code: record.exit_code,
            image: container.config.image.clone(),
            image_ref: facts.image_ref.clone(),
            reason: record.reason,
            message: record.message,
            labels: container.config.labels.clone(),
            annotations: container.config.annotations.clone(),
            mounts: container.config.mounts.clone(),
            log_path,
            resources: container
                .config
                .linux
                .as_ref()
                .and_then(|linux| linux.resources.clone())
                .map(|resources| cri::ContainerResources { linux: Some(resources), windows: None }),
            image_id: facts.image_id.clone(),
            user: Some(ContainerUser {
                linux: Some(LinuxContainerUser {
                    uid: facts.uid.into(),
                    gid: facts.gid.into(),
                    supplemental_groups: facts.groups.iter().map(|group| (*group).into()).collect(),
                }),
            }),
            stop_signal: container.config.stop_signal,
        })
    }

    pub(super) fn list_containers(&self, filter: Option<ContainerFilter>) -> cri::Result<Vec<ListedContainer>> {
        let filter = filter.unwrap_or_default();
        let named = |container: &Container| {
            container.id.starts_with(&filter.id)
                && (filter.pod_sandbox_id.is_empty() || container.sandbox_id.starts_with(&filter.pod_sandbox_id))
                && has_labels(&container.config.labels, &filter.label_selector)
        };
        let mut found = Vec::new();
        for container in self.containers_where(named) {
            let state = state_of(self.state(&container)?.as_ref()) as i32;
            if filter.state.as_ref().is_some_and(|wanted| wanted.state != state) {
                continue;
            }
            found.push(ListedContainer {
                id: container.id.clone(),
                pod_sandbox_id: container.sandbox_id.clone(),
                metadata: container.config.metadata.clone(),
                image: Some(container.config.image.clone().unwrap_or_else(ImageSpec::default)),
                image_ref: container.facts.image_ref.clone(),
                state,
                created_at: container.facts.created_at,
                labels: container.config.labels.clone(),
                annotations: container.config.annotations.clone(),
                image_id: container.facts.image_id.clone(),
            });
        }
        found.sort_by_key(|container| std::cmp::Reverse(container.created_at));
        Ok(found)
    }
}

fn sandbox_state(ready: bool) -> i32 {
    if ready { PodSandboxState::Ready as i32 } else { PodSandboxState::Notready as i32 }
}

pub(super) fn has_labels(labels: &HashMap<String, String>, wanted: &HashMap<String, String>) -> bool {
    wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
}
