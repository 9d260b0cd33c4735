//! A device plugin as small as they come: its devices are `/dev/null` by another name.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use e2e::wait_for;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use grpc::{Answer, Channel, Service, Status};
use prost::Message;
use stdx::Clock;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

#[derive(Clone, PartialEq, Message)]
struct Empty {}

#[derive(Clone, PartialEq, Message)]
struct RegisterRequest {
    #[prost(string, tag = "1")]
    version: String,
    #[prost(string, tag = "2")]
    endpoint: String,
    #[prost(string, tag = "3")]
    resource_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Device {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    health: String,
}

#[derive(Clone, PartialEq, Message)]
struct DeviceList {
    #[prost(message, repeated, tag = "1")]
    devices: Vec<Device>,
}

#[derive(Clone, PartialEq, Message)]
struct AllocateRequest {
    #[prost(message, repeated, tag = "1")]
    containers: Vec<Names>,
}

#[derive(Clone, PartialEq, Message)]
struct Names {
    #[prost(string, repeated, tag = "1")]
    ids: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct AllocateResponse {
    #[prost(message, repeated, tag = "1")]
    containers: Vec<Given>,
}

#[derive(Clone, PartialEq, Message)]
struct Given {
    #[prost(map = "string, string", tag = "1")]
    variables: HashMap<String, String>,
    #[prost(message, repeated, tag = "2")]
    mounts: Vec<Place>,
    #[prost(message, repeated, tag = "3")]
    devices: Vec<Place>,
}

/// A mount, or a device: both are two paths; of a device the third field is what may be done with it.
#[derive(Clone, PartialEq, Message)]
struct Place {
    #[prost(string, tag = "1")]
    inside: String,
    #[prost(string, tag = "2")]
    outside: String,
    #[prost(string, optional, tag = "3")]
    access: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct PodName {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct OnePod {
    #[prost(message, optional, tag = "1")]
    pod: Option<Pod>,
}

#[derive(Clone, PartialEq, Message)]
struct Allocatable {
    #[prost(message, repeated, tag = "1")]
    devices: Vec<Devices>,
    #[prost(int64, repeated, tag = "2")]
    cpus: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct PodList {
    #[prost(message, repeated, tag = "1")]
    pods: Vec<Pod>,
}

#[derive(Clone, PartialEq, Message)]
struct Pod {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "3")]
    containers: Vec<Container>,
}

#[derive(Clone, PartialEq, Message)]
struct Container {
    #[prost(message, repeated, tag = "2")]
    devices: Vec<Devices>,
}

#[derive(Clone, PartialEq, Message)]
struct Devices {
    #[prost(string, tag = "1")]
    resource: String,
    #[prost(string, repeated, tag = "2")]
    ids: Vec<String>,
}

/// A plugin for `example.com/thing`; it goes when dropped.
pub(crate) struct Plugin {
    runtime: Runtime,
    cancel: CancellationToken,
}

struct Answering {
    ids: Vec<String>,
    /// What containers see at `/thing`.
    mounted: PathBuf,
}

impl Service for Answering {
    fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer, Status>> {
        Box::pin(async move {
            match path.as_str() {
                "/v1beta1.DevicePlugin/ListAndWatch" => {
                    let device = |id: &String| Device { id: id.clone(), health: "Healthy".to_owned() };
                    let list = DeviceList { devices: self.ids.iter().map(device).collect() };
                    Ok(Answer::many(stream::once(async { Ok(list) }).chain(stream::pending())))
                }
                "/v1beta1.DevicePlugin/Allocate" => {
                    let request =
                        AllocateRequest::decode(message).map_err(|error| Status::invalid(error.to_string()))?;
                    let given = |names: &Names| Given {
                        variables: HashMap::from([("THING".to_owned(), names.ids.join(","))]),
                        mounts: vec![Place {
                            inside: "/thing".to_owned(),
                            outside: self.mounted.to_string_lossy().into_owned(),
                            access: None,
                        }],
                        devices: vec![Place {
                            inside: "/dev/thing".to_owned(),
                            outside: "/dev/null".to_owned(),
                            access: Some("rw".to_owned()),
                        }],
                    };
                    let containers = request.containers.iter().map(given).collect();
                    Ok(Answer::one(&AllocateResponse { containers }))
                }
                other => Err(Status::unimplemented(other)),
            }
        })
    }
}

impl Plugin {
    /// Serves beside the kubelet's socket in `folder` and registers there.
    pub(crate) fn start(folder: &Path, ids: &[&str]) -> Plugin {
        let runtime = Runtime::new().unwrap();
        let cancel = CancellationToken::new();
        let mounted = folder.with_file_name("thing");
        fs::create_dir_all(&mounted).unwrap();
        fs::write(mounted.join("file"), "of the plugin\n").unwrap();
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let service = Arc::new(Answering { ids, mounted });
        runtime.block_on(async {
            let listener = grpc::bind(&folder.join("thing.sock")).unwrap();
            tokio::spawn(grpc::serve(listener, service, Clock::system(), cancel.clone()));
        });
        let request = RegisterRequest {
            version: "v1beta1".to_owned(),
            endpoint: "thing.sock".to_owned(),
            resource_name: "example.com/thing".to_owned(),
        };
        let kubelet = Channel::unix(&folder.join("kubelet.sock"));
        wait_for("the kubelet to take the plugin", || {
            let registered = kubelet.unary::<Empty>("v1beta1.Registration/Register", &request, None);
            runtime.block_on(registered).map_err(|status| status.to_string())
        });
        Plugin { runtime, cancel }
    }

    /// Resource and devices of one pod.
    pub(crate) fn resources_of(
        &self,
        socket: &Path,
        pod: &str,
        namespace: &str,
    ) -> Result<Vec<(String, Vec<String>)>, String> {
        let request = PodName { name: pod.to_owned(), namespace: namespace.to_owned() };
        let channel = Channel::unix(socket);
        let asked = channel.unary::<OnePod>("v1.PodResourcesLister/Get", &request, None);
        let pod = self.runtime.block_on(asked).map_err(|status| status.message)?.pod.unwrap_or_default();
        let devices = pod.containers.into_iter().flat_map(|container| container.devices);
        Ok(devices.map(|devices| (devices.resource, devices.ids)).collect())
    }

    /// Resource and devices that may be given, and the processors.
    pub(crate) fn allocatable(&self, socket: &Path) -> (Vec<(String, Vec<String>)>, Vec<i64>) {
        let channel = Channel::unix(socket);
        let asked = channel.unary::<Allocatable>("v1.PodResourcesLister/GetAllocatableResources", &Empty {}, None);
        let told = self.runtime.block_on(asked).unwrap();
        (told.devices.into_iter().map(|devices| (devices.resource, devices.ids)).collect(), told.cpus)
    }

    /// Pod, resource and devices, as the kubelet tells monitors.
    pub(crate) fn pod_resources(&self, socket: &Path) -> Vec<(String, String, Vec<String>)> {
        let channel = Channel::unix(socket);
        let listed = self.runtime.block_on(channel.unary::<PodList>("v1.PodResourcesLister/List", &Empty {}, None));
        let mut found = Vec::new();
        for pod in listed.unwrap().pods {
            for devices in pod.containers.into_iter().flat_map(|container| container.devices) {
                found.push((pod.name.clone(), devices.resource, devices.ids));
            }
        }
        found
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
