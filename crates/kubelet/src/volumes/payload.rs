//! From ConfigMaps, Secrets and fields to files.

use api::k8s::api::core::v1::{ConfigMap, DownwardAPIVolumeFile, KeyToPath, Secret};

use super::atomic_writer::{Entry, Payload};
use super::{SetUp, VolumeError};
use crate::config::fields;

pub(crate) const DEFAULT_MODE: i32 = 0o644;

pub(crate) fn mode(mode: i32) -> u32 {
    u32::try_from(mode).unwrap_or(0) & 0o777
}

/// The files of a ConfigMap that may be missing where it is optional.
pub(crate) fn config_map(
    request: &SetUp<'_>,
    name: &str,
    items: Option<&[KeyToPath]>,
    default_mode: i32,
    optional: bool,
) -> Result<Payload, VolumeError> {
    let map = request.objects.config_maps.get(name);
    let map = found("configmap", name, map, optional)?;
    let contents = map.map(|ConfigMap { data, binary_data, .. }| {
        let text = data.iter().flatten().map(|(key, value)| (key.clone(), value.clone().into_bytes()));
        let binary = binary_data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone()));
        text.chain(binary).collect()
    });
    select("config map", contents.unwrap_or_default(), items, default_mode, optional)
}

pub(crate) fn secret(
    request: &SetUp<'_>,
    name: &str,
    items: Option<&[KeyToPath]>,
    default_mode: i32,
    optional: bool,
) -> Result<Payload, VolumeError> {
    let secret = request.objects.secrets.get(name);
    let secret = found("secret", name, secret, optional)?;
    let contents = secret
        .map(|Secret { data, .. }| data.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone())).collect());
    select("secret", contents.unwrap_or_default(), items, default_mode, optional)
}

pub(crate) fn downward(
    request: &SetUp<'_>,
    items: Option<&[DownwardAPIVolumeFile]>,
    default_mode: i32,
) -> Result<Payload, VolumeError> {
    let mut payload = Payload::new();
    for item in items.unwrap_or(&[]) {
        let value = match (&item.field_ref, &item.resource_field_ref) {
            (Some(selector), _) => fields::field(request.pod, selector, request.addresses)?,
            (_, Some(selector)) => fields::resource(request.pod, None, selector, request.node)?,
            (None, None) => String::new(),
        };
        let mode = mode(item.mode.unwrap_or(default_mode));
        payload.insert(item.path.clone(), Entry { data: value.into_bytes(), mode, owner: None });
    }
    Ok(payload)
}

fn found<'a, T>(
    kind: &'static str,
    name: &str,
    object: Option<&'a T>,
    optional: bool,
) -> Result<Option<&'a T>, VolumeError> {
    if object.is_none() && !optional {
        return Err(VolumeError::MissingObject { kind, name: name.to_owned() });
    }
    Ok(object)
}

fn select(
    kind: &'static str,
    mut contents: std::collections::BTreeMap<String, Vec<u8>>,
    items: Option<&[KeyToPath]>,
    default_mode: i32,
    optional: bool,
) -> Result<Payload, VolumeError> {
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        let entry = |data| Entry { data, mode: mode(default_mode), owner: None };
        return Ok(contents.into_iter().map(|(key, data)| (key, entry(data))).collect());
    };
    let mut payload = Payload::new();
    for item in items {
        match contents.get_mut(&item.key) {
            Some(data) => {
                let entry = Entry { data: data.clone(), mode: mode(item.mode.unwrap_or(default_mode)), owner: None };
                payload.insert(item.path.clone(), entry);
            }
            None if optional => {}
            None => return Err(VolumeError::MissingKey { kind, key: item.key.clone() }),
        }
    }
    Ok(payload)
}
