//! Has the image of a container ready, as its pull policy says.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::{Container, Pod, Secret};
use cri::{AuthConfig, Code, Image, ImageSpec, ImageStatusRequest, PullImageRequest};
use reconcile::EventType::{Normal, Warning};
use tokio::time::Instant;

use super::Context;
use super::backoff::go_duration;

/// Marks an image that somebody loaded by hand.
const ORIGIN_ANNOTATION: &str = "pintle.dev/origin";
const ORIGIN_LOADED: &str = "load";
/// How long a registry may take to answer while an image loaded by hand lies ready.
const PATIENCE_WITH_LOCAL_IMAGE: Duration = Duration::from_secs(2);

/// A registry that did not answer is not asked again for so long, where an image lies ready.
const SILENCE_KEPT_FOR: Duration = Duration::from_secs(60);
const MAXIMUM_SILENT_REGISTRIES: usize = 100;

/// Registries that did not answer, and until when not to ask them: each restart of a container would
/// wait for them anew.
#[derive(Debug, Default)]
pub(crate) struct SilentRegistries {
    until: Mutex<BTreeMap<String, Instant>>,
}

impl SilentRegistries {
    fn is_silent(&self, registry: &str, now: Instant) -> bool {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, end| *end > now);
        until.contains_key(registry)
    }

    fn note(&self, registry: &str, now: Instant) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() < MAXIMUM_SILENT_REGISTRIES {
            until.insert(registry.to_owned(), now + SILENCE_KEPT_FOR);
        }
    }
}

/// Why there is no image: a container's waiting reason and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageFailure {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// Finds or pulls the image and says so in events.
pub(crate) async fn ensure(
    context: &Context,
    pod: &Pod,
    container: &Container,
    secrets: &[Secret],
) -> Result<Image, ImageFailure> {
    let name = container.image.as_deref().unwrap_or("");
    let say = |event_type, reason, message: String| {
        context.container_event(pod, &container.name, event_type, reason, message);
    };
    let present = present(context, name).await.map_err(|status| {
        let message = format!("Failed to inspect image {name:?}: {status}");
        say(Warning, "InspectFailed", message.clone());
        ImageFailure { reason: "ImageInspectError", message }
    })?;
    match (policy(container), present) {
        ("IfNotPresent" | "Never", Some(image)) => {
            say(Normal, "Pulled", format!("Container image {name:?} already present on machine"));
            Ok(image)
        }
        ("Never", None) => {
            let message = format!("Container image {name:?} is not present with pull policy of Never");
            say(Warning, "ErrImageNeverPull", message.clone());
            Err(ImageFailure { reason: "ErrImageNeverPull", message })
        }
        (_, local) => pull(context, pod, container, secrets, local).await,
    }
}

async fn pull(
    context: &Context,
    pod: &Pod,
    container: &Container,
    secrets: &[Secret],
    local: Option<Image>,
) -> Result<Image, ImageFailure> {
    let name = container.image.as_deref().unwrap_or("");
    let say = |event_type, reason, message: String| {
        context.container_event(pod, &container.name, event_type, reason, message);
    };
    let loaded = local.filter(is_loaded);
    say(Normal, "Pulling", format!("Pulling image {name:?}"));
    let started = context.ambient.clock.instant();
    let spec = ImageSpec { image: name.to_owned(), user_specified_image: name.to_owned(), ..ImageSpec::default() };
    let auth = auth_for(name, secrets);
    let request = PullImageRequest { image: Some(spec), auth, sandbox_config: None };
    let pulled = match &loaded {
        Some(_) if !may_reach_registry(name) => {
            Err(cri::Status::new(Code::Unavailable, "the node has no route to a registry"))
        }
        Some(_) if context.registries.is_silent(registry_of(name), started) => {
            Err(cri::Status::new(Code::Unavailable, "its registry did not answer a moment ago"))
        }
        Some(_) => match tokio::time::timeout(PATIENCE_WITH_LOCAL_IMAGE, context.images.pull_image(request)).await {
            Ok(result) => result,
            Err(_) => Err(cri::Status::new(Code::DeadlineExceeded, "its registry did not answer in time")),
        },
        None => context.images.pull_image(request).await,
    };
    match (pulled, loaded) {
        (Ok(_), _) => {
            let image = present(context, name).await.ok().flatten().ok_or_else(|| ImageFailure {
                reason: "ErrImagePull",
                message: format!("image {name:?} is gone right after it was pulled"),
            })?;
            let took = go_duration(Duration::from_millis(started.elapsed().as_millis().try_into().unwrap_or(u64::MAX)));
            let size = image.size;
            context.node_changed.notify_one();
            say(
                Normal,
                "Pulled",
                format!(
                    "Successfully pulled image {name:?} in {took} ({took} including waiting). Image size: {size} bytes."
                ),
            );
            Ok(image)
        }
        (Err(status), Some(image)) if is_unreachable(&status) => {
            if !context.registries.is_silent(registry_of(name), started) {
                context.registries.note(registry_of(name), context.ambient.clock.instant());
            }
            let message = format!("Using image {name:?} as it was loaded by hand: {}", status.message);
            say(Normal, "UsingLocalImage", message);
            Ok(image)
        }
        (Err(status), _) => {
            say(Warning, "Failed", format!("Failed to pull image {name:?}: {status}"));
            let reason = if status.code == Code::InvalidArgument { "InvalidImageName" } else { "ErrImagePull" };
            Err(ImageFailure { reason, message: status.to_string() })
        }
    }
}

async fn present(context: &Context, name: &str) -> cri::Result<Option<Image>> {
    let spec = ImageSpec { image: name.to_owned(), ..ImageSpec::default() };
    Ok(context.images.image_status(ImageStatusRequest { image: Some(spec), verbose: false }).await?.image)
}

/// The policy; the API sets one, by the rule that is repeated here.
fn policy(container: &Container) -> &str {
    let image = container.image.as_deref().unwrap_or("");
    let last = image.rsplit('/').next().unwrap_or(image);
    let latest = !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    container.image_pull_policy.as_deref().unwrap_or(if latest { "Always" } else { "IfNotPresent" })
}

pub(crate) fn is_loaded(image: &Image) -> bool {
    let origin = image.spec.as_ref().and_then(|spec| spec.annotations.get(ORIGIN_ANNOTATION));
    origin.is_some_and(|origin| origin == ORIGIN_LOADED)
}

/// Whether nobody answered, as against a registry that said no.
fn is_unreachable(status: &cri::Status) -> bool {
    matches!(status.code, Code::Unavailable | Code::DeadlineExceeded)
}

/// Whether asking can make sense: without a default route only this machine's own registries answer.
fn may_reach_registry(image: &str) -> bool {
    let host = registry_of(image);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    host == "localhost" || is_address || has_default_route()
}

fn has_default_route() -> bool {
    let ipv4 = std::fs::read_to_string("/proc/net/route").is_ok_and(|table| lists_default_ipv4(&table));
    ipv4 || std::fs::read_to_string("/proc/net/ipv6_route").is_ok_and(|table| lists_default_ipv6(&table))
}

fn lists_default_ipv4(table: &str) -> bool {
    table.lines().skip(1).any(|line| line.split_whitespace().nth(1) == Some("00000000"))
}

/// The kernel lists an unreachable default on `lo` even where there is none.
fn lists_default_ipv6(table: &str) -> bool {
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let unspecified = fields.first().is_some_and(|destination| destination.bytes().all(|byte| byte == b'0'));
        unspecified && fields.get(1) == Some(&"00") && fields.last() != Some(&"lo")
    })
}

/// `registry.example/app:1` → `registry.example`; a name without a host is the default registry's.
fn registry_of(image: &str) -> &str {
    const DEFAULT: &str = "docker.io";
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => DEFAULT,
    }
}

/// The credentials for the image's registry in the pod's pull secrets.
fn auth_for(image: &str, secrets: &[Secret]) -> Option<AuthConfig> {
    secrets.iter().find_map(|secret| auth_in(registry_of(image), secret))
}

fn auth_in(registry: &str, secret: &Secret) -> Option<AuthConfig> {
    #[derive(serde::Deserialize)]
    struct DockerConfig {
        auths: std::collections::BTreeMap<String, DockerAuth>,
    }
    #[derive(serde::Deserialize)]
    struct DockerAuth {
        #[serde(default)]
        username: String,
        #[serde(default)]
        password: String,
        #[serde(default)]
        auth: String,
    }
    let data = secret.data.as_ref()?;
    let config = match (data.get(".dockerconfigjson"), data.get(".dockercfg")) {
        (Some(json), _) => serde_json::from_slice::<DockerConfig>(&json.0).ok()?,
        (None, Some(json)) => DockerConfig { auths: serde_json::from_slice(&json.0).ok()? },
        (None, None) => return None,
    };
    config.auths.into_iter().find_map(|(server, auth)| {
        let host = server.trim_start_matches("https://").trim_start_matches("http://");
        let host = host.split('/').next().unwrap_or(host);
        let same = host == registry || (registry == "docker.io" && host == "index.docker.io");
        same.then(|| AuthConfig {
            username: auth.username,
            password: auth.password,
            auth: auth.auth,
            server_address: server.clone(),
            ..AuthConfig::default()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_follows_the_tag() {
        for (image, expected) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("localhost:5000/nginx", "Always"),
            ("nginx:1.27", "IfNotPresent"),
            ("nginx@sha256:00", "IfNotPresent"),
        ] {
            let container = Container { image: Some(image.to_owned()), ..Container::default() };
            assert_eq!(policy(&container), expected, "{image}");
        }
    }

    #[test]
    fn registries_and_their_credentials() {
        assert_eq!(registry_of("nginx"), "docker.io");
        assert_eq!(registry_of("library/nginx"), "docker.io");
        assert_eq!(registry_of("localhost:5000/a/b:1"), "localhost:5000");
        let data = r#"{".dockerconfigjson":"eyJhdXRocyI6eyJyZWcuZXhhbXBsZSI6eyJhdXRoIjoiZFRwdyJ9fX0="}"#;
        let secret: Secret = serde_json::from_str(&format!(r#"{{"metadata":{{"name":"s"}},"data":{data}}}"#)).unwrap();
        let secrets = [secret];
        assert_eq!(auth_for("reg.example/app", &secrets).unwrap().auth, "dTpw");
        assert!(auth_for("other.example/app", &secrets).is_none());
    }

    #[test]
    fn default_routes_are_seen() {
        let header = "Iface\tDestination\tGateway\n";
        assert!(!lists_default_ipv4(header));
        assert!(!lists_default_ipv4(&format!("{header}eth0\t0000A8C0\t00000000\n")));
        assert!(lists_default_ipv4(&format!("{header}eth0\t00000000\t0100A8C0\n")));
        let zero = "0".repeat(32);
        assert!(!lists_default_ipv6(&format!(
            "{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200       lo\n"
        )));
        assert!(lists_default_ipv6(&format!(
            "{zero} 00 {zero} 00 {zero} 00000400 00000001 00000000 00000003     eth0\n"
        )));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_registry_is_left_alone_for_a_while() {
        let (silent, now) = (SilentRegistries::default(), Instant::now());
        silent.note("a", now);
        assert!(silent.is_silent("a", now) && !silent.is_silent("b", now));
        assert!(!silent.is_silent("a", now + SILENCE_KEPT_FOR));
    }

    #[test]
    fn only_silence_counts_as_unreachable() {
        assert!(is_unreachable(&cri::Status::new(Code::Unavailable, "")));
        assert!(!is_unreachable(&cri::Status::not_found("")) && !is_unreachable(&cri::Status::internal("")));
    }
}
