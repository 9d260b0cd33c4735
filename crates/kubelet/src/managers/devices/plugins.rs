//! Plugins: they register at the kubelet's socket, and are asked at their own for their devices as long as they live.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use grpc::{Answer, Channel, Service, Status};
use prost::Message;
use tokio_util::sync::CancellationToken;

use super::messages::{self, DevicePluginOptions, Empty, ListAndWatchResponse, RegisterRequest};
use super::{Device, Devices, Resource, checkpoint};

const SOCKET: &str = "kubelet.sock";
/// A plugin that went away may come back within this before the node forgets its devices: upstream's span.
const STOPPED_GRACE: Duration = Duration::from_secs(5 * 60);
/// How many plugins are served; each is a task with a connection.
const MAXIMUM_PLUGINS: usize = 256;

/// Takes registrations until cancelled. Sockets that are there already are removed first: it is how plugins learn
/// that they must register anew.
pub(crate) async fn serve(devices: Arc<Devices>, cancel: CancellationToken) -> io::Result<()> {
    clear(&devices.folder)?;
    let listener = grpc::bind(&devices.folder.join(SOCKET))?;
    let clock = devices.clock;
    let registration = Arc::new(Registration { devices, cancel: cancel.clone() });
    grpc::serve(listener, registration, clock, cancel).await;
    Ok(())
}

fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() != checkpoint::FILE && !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

struct Registration {
    devices: Arc<Devices>,
    cancel: CancellationToken,
}

impl Service for Registration {
    fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer, Status>> {
        Box::pin(async move {
            if path != "/v1beta1.Registration/Register" {
                return Err(Status::unimplemented(format!("unknown method {path}")));
            }
            let request = RegisterRequest::decode(message).map_err(|error| Status::invalid(error.to_string()))?;
            self.register(request)?;
            Ok(Answer::one(&Empty {}))
        })
    }
}

impl Registration {
    fn register(&self, request: RegisterRequest) -> Result<(), Status> {
        check(&request)?;
        let (devices, name) = (Arc::clone(&self.devices), request.resource_name);
        let channel = Arc::new(Channel::unix(&devices.folder.join(&request.endpoint)));
        let session = devices.begin(&name, Arc::clone(&channel), request.options.unwrap_or_default())?;
        tracing::info!(resource = name, "a device plugin has registered");
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            let watch = async {
                let ended = devices.watch(&name, session, &channel).await;
                tracing::info!(resource = name, reason = %ended, "a device plugin has gone");
                if devices.stopped(&name, session) {
                    devices.clock.sleep(STOPPED_GRACE).await;
                    devices.forget(&name, session);
                }
            };
            cancel.run_until_cancelled(watch).await;
        });
        Ok(())
    }
}

fn check(request: &RegisterRequest) -> Result<(), Status> {
    if request.version != messages::VERSION {
        return Err(Status::invalid(format!(
            "requested API version {:?} is not supported by kubelet. Supported version is {:?}",
            request.version,
            messages::VERSION
        )));
    }
    if !is_extended_resource(&request.resource_name) {
        return Err(Status::invalid(format!("the ResourceName {:?} is invalid", request.resource_name)));
    }
    // A file of this folder, whatever the name.
    if request.endpoint.is_empty() || request.endpoint.contains('/') || request.endpoint == SOCKET {
        return Err(Status::invalid(format!("the endpoint {:?} is invalid", request.endpoint)));
    }
    Ok(())
}

/// `vendor.example/name`, outside of what Kubernetes keeps for itself.
fn is_extended_resource(name: &str) -> bool {
    let Some((domain, short)) = name.split_once('/') else { return false };
    let plain = |text: &str, more: &[u8]| {
        let inner = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
        let ends = [text.bytes().next(), text.bytes().last()];
        inner && ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric())) && text.len() <= 63
    };
    let reserved = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io") || name.starts_with("requests.");
    !reserved && domain.split('.').all(|label| plain(label, b"-")) && domain.len() <= 253 && plain(short, b"-_.")
}

impl Devices {
    /// A plugin is there; which session that is.
    fn begin(&self, name: &str, plugin: Arc<Channel>, options: DevicePluginOptions) -> Result<u64, Status> {
        let mut state = self.lock();
        if !state.resources.contains_key(name) && state.resources.len() >= MAXIMUM_PLUGINS {
            return Err(Status::new(grpc::Code::ResourceExhausted, "too many device plugins"));
        }
        state.sessions += 1;
        state.lost.remove(name);
        let session = state.sessions;
        let resource = state.resources.entry(name.to_owned()).or_default();
        *resource = Resource { options, plugin: Some(plugin), session, devices: std::mem::take(&mut resource.devices) };
        Ok(session)
    }

    /// Follows what the plugin tells of its devices; why that ended.
    async fn watch(&self, name: &str, session: u64, channel: &Channel) -> Status {
        let mut lists = match channel.stream("v1beta1.DevicePlugin/ListAndWatch", &Empty {}).await {
            Ok(lists) => lists,
            Err(status) => return status,
        };
        loop {
            let list: ListAndWatchResponse = match lists.next().await {
                Some(Ok(list)) => list,
                Some(Err(status)) => return status,
                None => return Status::new(grpc::Code::Unavailable, "EOF"),
            };
            if !self.set(name, session, list) {
                return Status::new(grpc::Code::Cancelled, "another plugin has registered for the resource");
            }
        }
    }

    /// Whether the session is still the current one.
    fn set(&self, name: &str, session: u64, list: ListAndWatchResponse) -> bool {
        let device = |device: messages::Device| {
            let nodes = device.topology.into_iter().flat_map(|topology| topology.nodes);
            let nodes = nodes.filter_map(|node| usize::try_from(node.id).ok()).collect();
            (device.id, Device { is_healthy: device.health == messages::HEALTHY, nodes })
        };
        let devices = list.devices.into_iter().map(device).collect();
        let mut is_current = false;
        let saved = self.change(|state| {
            if let Some(resource) = state.resources.get_mut(name).filter(|resource| resource.session == session) {
                resource.devices = devices;
                is_current = true;
            }
        });
        if let Err(error) = saved {
            tracing::warn!(error = stdx::error::chain(&error), "the devices of a plugin were not noted");
        }
        self.changed.notify_one();
        is_current
    }

    /// The plugin has gone: its devices are there, but of no use. False where another has come meanwhile.
    fn stopped(&self, name: &str, session: u64) -> bool {
        let mut state = self.lock();
        let current = state.resources.get_mut(name).filter(|resource| resource.session == session);
        let Some(resource) = current else { return false };
        resource.plugin = None;
        resource.devices.values_mut().for_each(|device| device.is_healthy = false);
        drop(state);
        self.changed.notify_one();
        true
    }

    fn forget(&self, name: &str, session: u64) {
        let saved = self.change(|state| {
            if state.resources.get(name).is_some_and(|resource| resource.session == session) {
                state.resources.remove(name);
                state.lost.insert(name.to_owned());
            }
        });
        if let Err(error) = saved {
            tracing::warn!(error = stdx::error::chain(&error), "that a plugin is gone was not noted");
        }
        self.changed.notify_one();
    }

    /// Plugins that were there before this program started have as long to come back.
    pub(crate) async fn forget_the_absent(&self) {
        let absent: Vec<String> = self.lock().resources.keys().cloned().collect();
        if absent.is_empty() {
            return;
        }
        self.clock.sleep(STOPPED_GRACE).await;
        for name in absent {
            // Session 0 is nobody's.
            self.forget(&name, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_plugin_registers() {
        let request = |version: &str, endpoint: &str, name: &str| {
            let (version, endpoint, resource_name) = (version.to_owned(), endpoint.to_owned(), name.to_owned());
            check(&RegisterRequest { version, endpoint, resource_name, options: None }).map_err(|status| status.message)
        };
        assert_eq!(request("v1beta1", "a.sock", "example.com/gpu"), Ok(()));
        assert_eq!(
            request("v1alpha", "a.sock", "example.com/gpu").unwrap_err(),
            "requested API version \"v1alpha\" is not supported by kubelet. Supported version is \"v1beta1\""
        );
        for name in ["cpu", "kubernetes.io/x", "a.kubernetes.io/x", "requests.example.com/x", "/x", "example.com/"] {
            assert_eq!(
                request("v1beta1", "a.sock", name).unwrap_err(),
                format!("the ResourceName {name:?} is invalid")
            );
        }
        for endpoint in ["", "../x", "kubelet.sock", "a/b"] {
            assert!(request("v1beta1", endpoint, "example.com/gpu").is_err(), "{endpoint}");
        }
    }
}
