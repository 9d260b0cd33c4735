//! A container's environment variables.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::{ConfigMap, Container, EnvVar, EnvVarSource, Pod, Secret, Service};

use super::NodeFacts;
use super::env_file::Files;
use super::expansion::expand;
use super::fields::{self, Addresses, FieldError};
use crate::pod::spec;

/// The objects a pod refers to, as far as they exist.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) config_maps: BTreeMap<String, ConfigMap>,
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// What the container's environment files say.
    pub(crate) files: Files,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnvironmentError {
    #[error("{kind} {name:?} not found")]
    Missing { kind: &'static str, name: String },
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    MissingKey { kind: &'static str, namespace: String, name: String, key: String },
    #[error("cannot find the volume {0:?} referenced by FileKeyRef")]
    MissingVolume(String),
    #[error("couldn't parse env file")]
    File,
    #[error("environment variable key {key:?} not found in file {path:?}")]
    MissingFileKey { key: String, path: String },
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Ordered: a later variable may refer to an earlier one.
pub(crate) struct Environment {
    variables: Vec<(String, String)>,
}

impl Environment {
    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.variables
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(existing, _)| existing == name).map(|(_, value)| value.clone())
    }

    fn set(&mut self, name: &str, value: String) {
        match self.variables.iter_mut().find(|(existing, _)| existing == name) {
            Some((_, current)) => *current = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }
}

pub(crate) fn generate(
    pod: &Pod,
    container: &Container,
    objects: &Objects,
    services: &[Service],
    addresses: Addresses<'_>,
    node: &NodeFacts,
) -> Result<Environment, EnvironmentError> {
    let links = spec::spec(pod).enable_service_links.unwrap_or(true);
    let service_variables = service_variables(services, spec::namespace(pod), links);
    let mut environment = Environment { variables: Vec::new() };
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or("");
        for (key, value) in from_source(source, objects)? {
            environment.set(&format!("{prefix}{key}"), value);
        }
    }
    for variable in container.env.iter().flatten() {
        let lookup = |name: &str| environment.get(name).or_else(|| service_variables.get(name).cloned());
        if let Some(value) = value_of(pod, container, variable, objects, addresses, node, lookup)? {
            environment.set(&variable.name, value);
        }
    }
    for (name, value) in service_variables {
        if environment.get(&name).is_none() {
            environment.variables.push((name, value));
        }
    }
    Ok(environment)
}

fn from_source(
    source: &api::k8s::api::core::v1::EnvFromSource,
    objects: &Objects,
) -> Result<Vec<(String, String)>, EnvironmentError> {
    if let Some(reference) = &source.config_map_ref {
        return match objects.config_maps.get(&reference.name) {
            Some(map) => Ok(map.data.clone().unwrap_or_default().into_iter().collect()),
            None if reference.optional == Some(true) => Ok(Vec::new()),
            None => Err(EnvironmentError::Missing { kind: "configmap", name: reference.name.clone() }),
        };
    }
    if let Some(reference) = &source.secret_ref {
        return match objects.secrets.get(&reference.name) {
            Some(secret) => {
                Ok(secret.data.iter().flatten().map(|(key, value)| (key.clone(), text(&value.0))).collect())
            }
            None if reference.optional == Some(true) => Ok(Vec::new()),
            None => Err(EnvironmentError::Missing { kind: "secret", name: reference.name.clone() }),
        };
    }
    Ok(Vec::new())
}

fn value_of(
    pod: &Pod,
    container: &Container,
    variable: &EnvVar,
    objects: &Objects,
    addresses: Addresses<'_>,
    node: &NodeFacts,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, EnvironmentError> {
    let Some(source) = &variable.value_from else {
        return Ok(Some(expand(variable.value.as_deref().unwrap_or(""), lookup)));
    };
    let EnvVarSource { config_map_key_ref, field_ref, file_key_ref, resource_field_ref, secret_key_ref } = source;
    if let Some(selector) = field_ref {
        return Ok(Some(fields::field(pod, selector, addresses)?));
    }
    if let Some(selector) = resource_field_ref {
        return Ok(Some(fields::resource(pod, Some(&container.name), selector, node)?));
    }
    let missing_key = |kind, name: &str, key: &str| EnvironmentError::MissingKey {
        kind,
        namespace: spec::namespace(pod).to_owned(),
        name: name.to_owned(),
        key: key.to_owned(),
    };
    if let Some(selector) = config_map_key_ref {
        let optional = selector.optional == Some(true);
        let Some(map) = objects.config_maps.get(&selector.name) else {
            let missing = EnvironmentError::Missing { kind: "configmap", name: selector.name.clone() };
            return if optional { Ok(None) } else { Err(missing) };
        };
        return match map.data.as_ref().and_then(|data| data.get(&selector.key)) {
            Some(value) => Ok(Some(value.clone())),
            None if optional => Ok(None),
            None => Err(missing_key("ConfigMap", &selector.name, &selector.key)),
        };
    }
    if let Some(selector) = secret_key_ref {
        let optional = selector.optional == Some(true);
        let Some(secret) = objects.secrets.get(&selector.name) else {
            let missing = EnvironmentError::Missing { kind: "secret", name: selector.name.clone() };
            return if optional { Ok(None) } else { Err(missing) };
        };
        return match secret.data.as_ref().and_then(|data| data.get(&selector.key)) {
            Some(value) => Ok(Some(text(&value.0))),
            None if optional => Ok(None),
            None => Err(missing_key("Secret", &selector.name, &selector.key)),
        };
    }
    if let Some(selector) = file_key_ref {
        let key = (selector.volume_name.clone(), selector.path.clone());
        let file = objects.files.get(&key);
        let file = file.ok_or_else(|| EnvironmentError::MissingVolume(selector.volume_name.clone()))?;
        let values = file.as_ref().ok_or(EnvironmentError::File)?;
        return match values.get(&selector.key).filter(|value| !value.is_empty()) {
            Some(value) => Ok(Some(value.clone())),
            None if selector.optional == Some(true) => Ok(None),
            None => {
                let (key, path) = (selector.key.clone(), selector.path.clone());
                Err(EnvironmentError::MissingFileKey { key, path })
            }
        };
    }
    Ok(None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `WEB_SERVICE_HOST` and its kin for every Service of the namespace that has an address, and for
/// `default/kubernetes` in any case.
fn service_variables(services: &[Service], namespace: &str, links: bool) -> BTreeMap<String, String> {
    let mut chosen: BTreeMap<&str, &Service> = BTreeMap::new();
    let named = |service: &Service| (service.metadata.name.clone(), service.metadata.namespace.clone());
    for service in services {
        let (Some(name), Some(home)) = named(service) else { continue };
        let is_api = name == "kubernetes" && home == "default";
        let own = links && home == namespace;
        let key = service.metadata.name.as_deref().unwrap_or("");
        if own || (is_api && !chosen.contains_key(key)) {
            chosen.insert(key, service);
        }
    }
    let mut variables = BTreeMap::new();
    for (name, service) in chosen {
        add_service(&mut variables, name, service);
    }
    variables
}

fn add_service(variables: &mut BTreeMap<String, String>, name: &str, service: &Service) {
    let Some(spec) = &service.spec else { return };
    let address = spec.cluster_ip.as_deref().filter(|ip| !ip.is_empty() && *ip != "None");
    let (Some(ip), Some(ports)) = (address, spec.ports.as_ref()) else { return };
    let Some(first) = ports.first() else { return };
    let prefix = upper(name);
    let host = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
    variables.insert(format!("{prefix}_SERVICE_HOST"), ip.to_owned());
    variables.insert(format!("{prefix}_SERVICE_PORT"), first.port.to_string());
    for (at, port) in ports.iter().enumerate() {
        if let Some(port_name) = port.name.as_deref().filter(|port_name| !port_name.is_empty()) {
            variables.insert(format!("{prefix}_SERVICE_PORT_{}", upper(port_name)), port.port.to_string());
        }
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let url = format!("{}://{host}:{}", protocol.to_lowercase(), port.port);
        if at == 0 {
            variables.insert(format!("{prefix}_PORT"), url.clone());
        }
        let link = format!("{prefix}_PORT_{}_{}", port.port, protocol.to_uppercase());
        variables.insert(format!("{link}_PROTO"), protocol.to_lowercase());
        variables.insert(format!("{link}_PORT"), port.port.to_string());
        variables.insert(format!("{link}_ADDR"), ip.to_owned());
        variables.insert(link, url);
    }
}

fn upper(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{node_facts, pod_from};

    fn services() -> Vec<Service> {
        serde_json::from_str(
            r#"[{"metadata":{"name":"kubernetes","namespace":"default"},"spec":{"clusterIP":"10.96.0.1","ports":[{"name":"https","port":443}]}},
                {"metadata":{"name":"my-db","namespace":"ns"},"spec":{"clusterIP":"10.96.0.7","ports":[{"port":5432}]}},
                {"metadata":{"name":"headless","namespace":"ns"},"spec":{"clusterIP":"None","ports":[{"port":1}]}},
                {"metadata":{"name":"other","namespace":"elsewhere"},"spec":{"clusterIP":"10.96.0.9","ports":[{"port":1}]}}]"#,
        )
        .unwrap()
    }

    fn objects() -> Objects {
        let map = serde_json::from_str(r#"{"metadata":{"name":"m"},"data":{"k":"v","x":"y"}}"#).unwrap();
        let secret = serde_json::from_str(r#"{"metadata":{"name":"s"},"data":{"k":"c2VjcmV0"}}"#).unwrap();
        Objects {
            config_maps: BTreeMap::from([("m".to_owned(), map)]),
            secrets: BTreeMap::from([("s".to_owned(), secret)]),
            files: Files::from([
                (("v".to_owned(), "f".to_owned()), Some([("K".to_owned(), "of a file".to_owned())].into())),
                (("v".to_owned(), "bad".to_owned()), None),
            ]),
        }
    }

    fn check(container: &str, links: bool) -> Result<Vec<String>, String> {
        let pod = pod_from(&format!(
            r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u"}},"spec":{{"enableServiceLinks":{links},"containers":[{{"name":"c",{container}}}]}}}}"#
        ));
        let addresses = Addresses { pod_ips: &[], host_ips: &[] };
        let container = &spec::spec(&pod).containers[0];
        generate(&pod, container, &objects(), &services(), addresses, &node_facts())
            .map(|environment| {
                environment.into_pairs().into_iter().map(|(name, value)| format!("{name}={value}")).collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn values_come_from_everywhere_in_order() {
        let variables = check(
            r#""envFrom":[{"prefix":"M_","configMapRef":{"name":"m"}},{"configMapRef":{"name":"none","optional":true}}],
               "env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)-$(M_k)-$(MY_DB_SERVICE_PORT)"},
                      {"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
                      {"name":"O","valueFrom":{"secretKeyRef":{"name":"s","key":"no","optional":true}}},
                      {"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]"#,
            true,
        )
        .unwrap();
        assert_eq!(variables[..6], ["M_k=v", "M_x=y", "A=1", "B=1-v-5432", "S=secret", "N=p"]);
        for expected in [
            "KUBERNETES_SERVICE_HOST=10.96.0.1",
            "KUBERNETES_SERVICE_PORT_HTTPS=443",
            "KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1",
            "MY_DB_PORT=tcp://10.96.0.7:5432",
        ] {
            assert!(variables.iter().any(|variable| variable == expected), "{expected}");
        }
        assert!(!variables.iter().any(|variable| variable.starts_with("OTHER") || variable.starts_with("HEADLESS")));
    }

    #[test]
    fn files_of_volumes_hold_variables() {
        let reference = |volume: &str, path: &str, key: &str, optional: bool| {
            let variable = format!(
                r#""env":[{{"name":"A","valueFrom":{{"fileKeyRef":{{"volumeName":"{volume}","path":"{path}",
                    "key":"{key}","optional":{optional}}}}}}}]"#
            );
            let variables = check(&variable, false)?;
            Ok::<_, String>(variables.into_iter().find(|variable| variable.starts_with("A=")))
        };
        assert_eq!(reference("v", "f", "K", false), Ok(Some("A=of a file".to_owned())));
        assert_eq!(reference("v", "f", "X", true), Ok(None));
        let error = |volume: &str, path: &str| reference(volume, path, "X", false).unwrap_err();
        assert_eq!(error("v", "f"), "environment variable key \"X\" not found in file \"f\"");
        assert_eq!(error("v", "bad"), "couldn't parse env file");
        assert_eq!(error("w", "f"), "cannot find the volume \"w\" referenced by FileKeyRef");
    }

    #[test]
    fn without_service_links_only_the_api_is_named() {
        let variables = check(r#""env":[]"#, false).unwrap();
        assert!(variables.iter().all(|variable| variable.starts_with("KUBERNETES_")) && !variables.is_empty());
    }

    #[test]
    fn what_is_missing_is_named_as_upstream_names_it() {
        let key = |kind: &str, name: &str| {
            format!(r#""env":[{{"name":"A","valueFrom":{{"{kind}":{{"name":"{name}","key":"no"}}}}}}]"#)
        };
        assert_eq!(check(&key("configMapKeyRef", "m"), true).unwrap_err(), "couldn't find key no in ConfigMap ns/m");
        assert_eq!(check(&key("secretKeyRef", "s"), true).unwrap_err(), "couldn't find key no in Secret ns/s");
        assert_eq!(check(&key("configMapKeyRef", "none"), true).unwrap_err(), "configmap \"none\" not found");
        assert_eq!(
            check(r#""envFrom":[{"secretRef":{"name":"none"}}]"#, true).unwrap_err(),
            "secret \"none\" not found"
        );
    }
}
