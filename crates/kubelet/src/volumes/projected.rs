//! projected: several sources in one volume; above all the service account's token that every pod has.

use api::k8s::api::core::v1::{Pod, ServiceAccountTokenProjection, Volume, VolumeProjection};
use async_trait::async_trait;
use jiff::Timestamp;

use super::atomic_writer::{Entry, Payload};
use super::config_map::{make_in_memory, publish};
use super::{Plugin, Ready, SetUp, VolumeError, payload};
use crate::pod::spec;

pub(crate) struct Projected;

const DEFAULT_TOKEN_SECONDS: i64 = 3600;

#[async_trait]
impl Plugin for Projected {
    fn folder(&self) -> &'static str {
        "kubernetes.io~projected"
    }

    fn serves(&self, volume: &Volume) -> bool {
        volume.projected.is_some()
    }

    async fn set_up(&self, request: &SetUp<'_>) -> Result<Ready, VolumeError> {
        let source = request.volume.projected.as_ref().ok_or(VolumeError::NoPlugin)?;
        let default_mode = source.default_mode.unwrap_or(payload::DEFAULT_MODE);
        let mut files = Payload::new();
        let mut refresh_at: Option<Timestamp> = None;
        for projection in source.sources.iter().flatten() {
            let (more, refresh) = project(request, projection, default_mode).await?;
            files.extend(more);
            refresh_at = refresh_at.into_iter().chain(refresh).min();
        }
        make_in_memory(request)?;
        publish(request, &files)?;
        Ok(Ready { refresh_at, ..Ready::at(request.directory.clone()) })
    }
}

async fn project(
    request: &SetUp<'_>,
    projection: &VolumeProjection,
    default_mode: i32,
) -> Result<(Payload, Option<Timestamp>), VolumeError> {
    if let Some(source) = &projection.config_map {
        let optional = source.optional == Some(true);
        let files = payload::config_map(request, &source.name, source.items.as_deref(), default_mode, optional)?;
        return Ok((files, None));
    }
    if let Some(source) = &projection.secret {
        let optional = source.optional == Some(true);
        let files = payload::secret(request, &source.name, source.items.as_deref(), default_mode, optional)?;
        return Ok((files, None));
    }
    if let Some(source) = &projection.downward_api {
        return Ok((payload::downward(request, source.items.as_deref(), default_mode)?, None));
    }
    if let Some(source) = &projection.service_account_token {
        return token(request, source, default_mode).await;
    }
    Err(VolumeError::NoPlugin)
}

async fn token(
    request: &SetUp<'_>,
    source: &ServiceAccountTokenProjection,
    default_mode: i32,
) -> Result<(Payload, Option<Timestamp>), VolumeError> {
    let audience = source.audience.as_deref().filter(|audience| !audience.is_empty());
    let seconds = source.expiration_seconds.unwrap_or(DEFAULT_TOKEN_SECONDS);
    let token = request.tokens.get(request.pod, audience, seconds, request.now).await?;
    // Only who must read the token may: the pod's group, its one user, or else anybody in the pod.
    let owner = only_user(request.pod);
    let mode = if request.fs_group().is_some() || owner.is_some() { 0o600 } else { payload::mode(default_mode) };
    let entry = Entry { data: token.token.into_bytes(), mode, owner };
    Ok((Payload::from([(source.path.clone(), entry)]), Some(token.refresh_at)))
}

/// The user that all containers of the pod run as, where the spec says it.
fn only_user(pod: &Pod) -> Option<u32> {
    let spec = spec::spec(pod);
    let of_pod = spec.security_context.as_ref().and_then(|context| context.run_as_user);
    let containers = spec::init_containers(pod).iter().chain(&spec.containers);
    let mut users = containers
        .map(|container| container.security_context.as_ref().and_then(|context| context.run_as_user).or(of_pod));
    let first = users.next()??;
    users.all(|user| user == Some(first)).then_some(first).and_then(|user| u32::try_from(user).ok())
}
