//! A plugin of our own at real sockets.

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use grpc::{Answer, Service, Status};
use prost::Message;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::messages::{
    self, AllocateRequest, AllocateResponse, ContainerAllocateResponse, ContainerPreferredAllocationResponse,
    DevicePluginOptions, Empty, ListAndWatchResponse, PreStartContainerRequest, PreferredAllocationRequest,
    PreferredAllocationResponse, RegisterRequest, VERSION,
};
use super::{Arc, BTreeMap, BTreeSet, Channel, CheckpointError, Clock, Devices, Grant, Grants, Hint, Mutex};
use super::{Notify, Pod, Registered, checkpoint, serve, spec};
use crate::testing::pod_from;

const RESOURCE: &str = "example.com/thing";
const ANYWHERE: Hint = Hint { nodes: None, is_preferred: true };

/// Offers what its channel says, prefers the last devices, and puts their names into a variable.
struct Plugin {
    devices: watch::Receiver<Vec<(&'static str, bool)>>,
    prepared: Mutex<Vec<String>>,
}

impl Service for Plugin {
    fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer, Status>> {
        Box::pin(async move {
            match path.rsplit('/').next().unwrap() {
                "ListAndWatch" => {
                    let changes =
                        futures::stream::unfold((self.devices.clone(), true), |(mut devices, first)| async move {
                            if !first && devices.changed().await.is_err() {
                                return None;
                            }
                            let offered = devices.borrow_and_update().clone();
                            let list = offered.into_iter().map(|(id, healthy)| messages::Device {
                                id: id.to_owned(),
                                health: if healthy { "Healthy" } else { "Unhealthy" }.to_owned(),
                                topology: None,
                            });
                            let list = ListAndWatchResponse { devices: list.collect() };
                            Some((Ok(list), (devices, false)))
                        });
                    Ok(Answer::many(changes.boxed()))
                }
                "GetPreferredAllocation" => {
                    let request = PreferredAllocationRequest::decode(message).unwrap().container_requests.remove(0);
                    let size = usize::try_from(request.allocation_size).unwrap();
                    let device_ids = request.available_device_ids.into_iter().rev().take(size).collect();
                    let response = ContainerPreferredAllocationResponse { device_ids };
                    Ok(Answer::one(&PreferredAllocationResponse { container_responses: vec![response] }))
                }
                "Allocate" => {
                    let request = AllocateRequest::decode(message).unwrap().container_requests.remove(0);
                    let response = ContainerAllocateResponse {
                        envs: [("THINGS".to_owned(), request.device_ids.join(","))].into(),
                        ..Default::default()
                    };
                    Ok(Answer::one(&AllocateResponse { container_responses: vec![response] }))
                }
                "PreStartContainer" => {
                    let request = PreStartContainerRequest::decode(message).unwrap();
                    self.prepared.lock().unwrap().extend(request.device_ids);
                    Ok(Answer::one(&Empty {}))
                }
                other => Err(Status::unimplemented(other)),
            }
        })
    }
}

struct World {
    folder: tempfile::TempDir,
    changed: Arc<Notify>,
    devices: Arc<Devices>,
    cancel: CancellationToken,
}

impl World {
    async fn new() -> World {
        World::at(tempfile::tempdir().unwrap()).await
    }

    async fn at(folder: tempfile::TempDir) -> World {
        let changed = Arc::new(Notify::new());
        let devices = Arc::new(Devices::open(folder.path(), Arc::clone(&changed), Clock::system()).unwrap());
        let cancel = CancellationToken::new();
        // What a kubelet before has left is not to be taken for this one's.
        drop(std::fs::remove_file(folder.path().join("kubelet.sock")));
        let serving = serve(Arc::clone(&devices), cancel.clone());
        tokio::spawn(async move { serving.await.unwrap() });
        let world = World { folder, changed, devices, cancel };
        // The socket is there as soon as the task has run.
        while !world.folder.path().join("kubelet.sock").exists() {
            tokio::task::yield_now().await;
        }
        world
    }

    /// Starts the plugin and registers it.
    async fn plugin(
        &self,
        devices: &[(&'static str, bool)],
    ) -> (Arc<Plugin>, watch::Sender<Vec<(&'static str, bool)>>, CancellationToken) {
        let (sender, receiver) = watch::channel(devices.to_vec());
        let plugin = Arc::new(Plugin { devices: receiver, prepared: Mutex::default() });
        let listener = grpc::bind(&self.folder.path().join("thing.sock")).unwrap();
        let cancel = CancellationToken::new();
        tokio::spawn(grpc::serve(listener, Arc::clone(&plugin) as _, Clock::system(), cancel.clone()));
        let request = RegisterRequest {
            version: VERSION.to_owned(),
            endpoint: "thing.sock".to_owned(),
            resource_name: RESOURCE.to_owned(),
            options: Some(DevicePluginOptions { pre_start_required: true, get_preferred_allocation_available: true }),
        };
        let kubelet = Channel::unix(&self.folder.path().join("kubelet.sock"));
        kubelet.unary::<Empty>("v1beta1.Registration/Register", &request, None).await.unwrap();
        (plugin, sender, cancel)
    }

    async fn until(&self, amounts: (usize, usize)) {
        while self.devices.amounts().get(RESOURCE) != Some(&amounts) {
            self.changed.notified().await;
        }
    }
}

fn pod(uid: &str, count: usize) -> Pod {
    pod_from(&format!(
        r#"{{"metadata":{{"name":"p","uid":"{uid}"}},"spec":{{
            "initContainers":[{{"name":"i","resources":{{"limits":{{"{RESOURCE}":"1"}}}}}}],
            "containers":[{{"name":"c","resources":{{"limits":{{"{RESOURCE}":"{count}"}}}}}}]}}}}"#
    ))
}

async fn assign(devices: &Devices, pod: &Pod) -> Result<(), String> {
    for container in spec::init_containers(pod).iter().chain(&spec::spec(pod).containers) {
        devices.assign(pod, container, ANYWHERE).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn given(devices: &Devices, uid: &str, container: &str) -> String {
    let grants = devices.of(uid, container);
    grants.get(RESOURCE).map_or(String::new(), |grant| grant.answer.envs["THINGS"].clone())
}

#[tokio::test]
async fn containers_get_devices_and_keep_them_over_a_restart() {
    let world = World::new().await;
    let (plugin, offers, cancel) = world.plugin(&[("a", true), ("b", true), ("c", true), ("d", false)]).await;
    world.until((4, 3)).await;
    assign(&world.devices, &pod("one", 2)).await.unwrap();
    assert_eq!(given(&world.devices, "one", "i"), "c", "the plugin prefers the last");
    assert_eq!(given(&world.devices, "one", "c"), "b,c", "what the init container had is used again");
    let error = assign(&world.devices, &pod("two", 2)).await.unwrap_err();
    let expected = "requested number of devices unavailable for example.com/thing. Requested: 1, Available: 0";
    assert_eq!(error, expected, "its init container got the last one");
    world.devices.release("two").unwrap();
    world.devices.before_start("one", "c").await.unwrap();
    assert_eq!(*plugin.prepared.lock().unwrap(), ["b", "c"]);

    offers.send(vec![("a", true)]).unwrap();
    world.until((1, 1)).await;
    cancel.cancel();
    world.until((1, 0)).await;
    let error = assign(&world.devices, &pod("three", 1)).await.unwrap_err();
    assert_eq!(error, "no healthy devices present; cannot allocate unhealthy devices example.com/thing");

    world.cancel.cancel();
    let again = World::at(world.folder).await;
    assert_eq!(again.devices.amounts()[RESOURCE], (1, 0), "known, but of no use before its plugin is back");
    assert_eq!(given(&again.devices, "one", "c"), "b,c");
    assign(&again.devices, &pod("one", 2)).await.unwrap();
    let changed = assign(&again.devices, &pod("one", 3)).await.unwrap_err();
    assert!(changed.ends_with("changed request for resource \"example.com/thing\" from 2 to 3"), "{changed}");
    assert!(!again.folder.path().join("thing.sock").exists(), "plugins see that they must register anew");
    let (_plugin, _offers, _cancel) = again.plugin(&[("a", true), ("b", true)]).await;
    again.until((2, 2)).await;
    again.devices.keep_only(&BTreeSet::new()).unwrap();
    assert_eq!(given(&again.devices, "one", "c"), "");
    again.cancel.cancel();
}

#[tokio::test]
async fn a_plugin_of_the_same_resource_takes_the_place_of_the_first() {
    let world = World::new().await;
    let (_first, first_offers, first_cancel) = world.plugin(&[("a", true)]).await;
    world.until((1, 1)).await;
    let (_second, _offers, _cancel) = world.plugin(&[("x", true), ("y", true)]).await;
    world.until((2, 2)).await;
    // Neither what the first still says nor its end counts any more.
    drop(first_offers);
    first_cancel.cancel();
    assign(&world.devices, &pod("one", 2)).await.unwrap();
    assert_eq!(world.devices.amounts()[RESOURCE], (2, 2));
    world.cancel.cancel();
}

#[test]
fn a_corrupted_checkpoint_is_not_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let grant = Grant { devices: [("a".to_owned(), vec![0, 1]), ("b".to_owned(), vec![])].into(), ..Grant::default() };
    let own = BTreeMap::from([("c".to_owned(), BTreeMap::from([(RESOURCE.to_owned(), grant)]))]);
    let grants = Grants::from([("u".to_owned(), own)]);
    checkpoint::save(folder.path(), &grants, Registered::new()).unwrap();
    assert_eq!(checkpoint::load(folder.path()).unwrap().0, grants);
    let path = folder.path().join(checkpoint::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"b\"", "\"x\"")).unwrap();
    assert!(matches!(checkpoint::load(folder.path()), Err(CheckpointError::Corrupted(_))));
}
