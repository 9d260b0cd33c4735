//! A cluster whose node runs its containers with another's runtime, and a node whose runtime another looks at.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use cri::{
    Endpoint, ExecSyncRequest, ListContainersRequest, ListPodSandboxRequest, PodSandbox, RuntimeClient, RuntimeService,
    VersionRequest,
};
use cri_contract::{Containerd, IMAGE, busybox_archive};
use e2e::{Cluster, Suite, busybox_manifest, run, trial, wait_for};
use serde_json::json;
use stdx::Clock;
use tempfile::TempDir;

/// The runtime and its data, which outlive the cluster.
static RUNTIME: Mutex<Option<(Containerd, TempDir)>> = Mutex::new(None);

fn main() -> ExitCode {
    let remote = Suite::new(|cluster| {
        start_containerd(cluster);
        keep_images(cluster);
        up(cluster);
    });
    let on_containerd = vec![
        trial(&remote, "pods_run_on_containerd", pods_run_on_containerd),
        trial(&remote, "a_runtime_class_names_one_of_its_handlers", a_runtime_class_names_one_of_its_handlers),
        trial(&remote, "pods_outlive_the_server", pods_outlive_the_server),
        trial(&remote, "down_takes_the_pods_and_up_brings_them_back", down_takes_the_pods_and_up_brings_them_back),
        trial(&remote, "images_are_the_runtimes_own", images_are_the_runtimes_own),
    ];
    let built_in = Suite::new(|cluster| {
        // What does not answer ends the start, and the next one is none the worse for it.
        let refused = cluster.pintle("up", &["--container-runtime-endpoint", "unix:///nowhere/c.sock"]).failure();
        assert!(refused.contains("validate CRI v1 runtime API for endpoint \"unix:///nowhere/c.sock\""), "{refused}");
        assert!(refused.contains("dial unix /nowhere/c.sock: connect: no such file or directory"), "{refused}");
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let beside = vec![trial(&built_in, "another_client_sees_the_nodes_pods", another_client_sees_the_nodes_pods)];

    let codes = [remote.run(1, on_containerd), built_in.run(1, beside)];
    let runtime = RUNTIME.lock().unwrap().take();
    let left = runtime.map(|(containerd, _folder)| containerd.leftovers()).unwrap_or_default();
    if !left.is_empty() {
        eprintln!("containerd was left with:\n{}", left.join("\n"));
        return ExitCode::from(101);
    }
    codes.into_iter().find(|code| *code != ExitCode::SUCCESS).unwrap_or(ExitCode::SUCCESS)
}

/// On the cluster's machine, which has a pod network of CNI's then.
fn start_containerd(cluster: &Cluster) {
    let folder = tempfile::Builder::new().prefix("pc").tempdir().unwrap();
    let containerd = Containerd::start(folder.path(), |program| cluster.machine.command(program));
    containerd.load(&busybox_archive(IMAGE, &["sh"]));
    *RUNTIME.lock().unwrap() = Some((containerd, folder));
}

/// Images are in nobody's use for a while, and the disk of the computer that runs the tests may be full enough to have
/// them collected then.
fn keep_images(cluster: &Cluster) {
    let folder = cluster.data_dir().join("kubelet");
    std::fs::create_dir_all(&folder).unwrap();
    let settings = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nimageMinimumGCAge: 1h\n";
    std::fs::write(folder.join("config.yaml"), settings).unwrap();
}

fn endpoint() -> String {
    RUNTIME.lock().unwrap().as_ref().expect("containerd runs").0.endpoint()
}

fn up(cluster: &Cluster) {
    cluster.pintle("up", &["--container-runtime-endpoint", &endpoint()]).success();
}

/// Asks a runtime as `crictl` would.
fn ask<T>(endpoint: &str, question: impl AsyncFnOnce(&RuntimeClient) -> cri::Result<T>) -> T {
    let endpoint: Endpoint = endpoint.parse().unwrap();
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    executor.block_on(async { question(&RuntimeClient::new(&endpoint, Clock::system())).await.unwrap() })
}

fn sandboxes(endpoint: &str) -> Vec<PodSandbox> {
    ask(endpoint, async |runtime| runtime.list_pod_sandbox(ListPodSandboxRequest { filter: None }).await).items
}

const SERVES: &str = "echo hello; while sleep 0.1; do :; done";

fn pods_run_on_containerd(cluster: &Cluster) {
    let node = cluster.get("nodes");
    let version = &node["items"][0]["status"]["nodeInfo"]["containerRuntimeVersion"];
    assert!(version.as_str().unwrap().starts_with("containerd://1."), "{version}");
    let space = cluster.namespace("remote");
    space.create(&busybox_manifest("web", SERVES));
    let host = busybox_manifest("host", SERVES).replace("spec:\n", "spec:\n  hostNetwork: true\n");
    space.create(&host);
    for pod in ["web", "host"] {
        space.wait_ready(&format!("pod/{pod}"));
        assert_eq!(space.k(&format!("logs {pod}")), "hello\n");
        assert_eq!(space.shell(pod, "cat /proc/1/comm").success(), "sh\n");
    }
    let web = space.get("pod web");
    let address = web["status"]["podIP"].as_str().unwrap();
    assert!(address.starts_with("10.88."), "the pod network is the runtime's: {address}");
    assert_eq!(space.get("pod host")["status"]["podIP"], e2e::NODE_ADDRESS);
    let id = web["status"]["containerStatuses"][0]["containerID"].as_str().unwrap();
    assert!(id.starts_with("containerd://"), "{id}");
    assert_eq!(space.shell("web", "hostname").success(), "web\n");
    // Services of the cluster are reached from a network that is not ours.
    let answer = wait_for("DNS from the runtime's network", || {
        let asked = space.shell("web", "nslookup kubernetes.default.svc.cluster.local");
        if asked.is_success() { Ok(asked.stdout) } else { Err(asked.to_string()) }
    });
    assert!(answer.contains("10.96.0.1"), "{answer}");

    let uid = web["metadata"]["uid"].as_str().unwrap();
    let own = |sandbox: &&PodSandbox| sandbox.metadata.as_ref().is_some_and(|metadata| metadata.uid == uid);
    assert_eq!(sandboxes(&endpoint()).iter().filter(own).count(), 1);
    space.k("delete pod web host");
    wait_for("containerd to hold nothing of it", || {
        let left = sandboxes(&endpoint()).iter().filter(own).count();
        if left == 0 { Ok(()) } else { Err(format!("{left} sandboxes")) }
    });
}

/// The sandbox is made by the handler that the pod's class names; another's is refused in the runtime's own words.
fn a_runtime_class_names_one_of_its_handlers(cluster: &Cluster) {
    let space = cluster.namespace("handlers");
    for handler in ["runc", "none-such"] {
        let class = json!({
            "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": handler }, "handler": handler,
        });
        cluster.create(&class.to_string());
        let pod = busybox_manifest(handler, SERVES);
        space.create(&pod.replace("spec:\n", &format!("spec:\n  runtimeClassName: {handler}\n")));
    }
    space.wait_ready("pod/runc");
    let own = |sandbox: &&PodSandbox| sandbox.metadata.as_ref().is_some_and(|metadata| metadata.name == "runc");
    let made = sandboxes(&endpoint());
    assert_eq!(made.iter().find(own).map(|sandbox| sandbox.runtime_handler.as_str()), Some("runc"));
    let refusal = wait_for("the handler that is missing to be named", || {
        let selector = "events --field-selector=involvedObject.name=none-such,reason=FailedCreatePodSandBox";
        let events = space.get(selector);
        events["items"][0]["message"].as_str().map(str::to_owned).ok_or_else(|| events.to_string())
    });
    assert!(refusal.starts_with("Failed to create pod sandbox: "), "{refusal}");
    assert!(refusal.contains("no runtime for \"none-such\" is configured"), "{refusal}");
    space.k("delete pod runc none-such");
    cluster.k("delete runtimeclass runc none-such");
}

fn pods_outlive_the_server(cluster: &Cluster) {
    let space = cluster.namespace("outlive");
    space.create(&busybox_manifest("steady", SERVES));
    space.wait_ready("pod/steady");
    let status = || space.get("pod steady")["status"]["containerStatuses"][0].clone();
    let before = status();
    run(std::process::Command::new("kill").args(["-KILL", &cluster.server_pid().to_string()]), "").success();
    up(cluster);
    space.wait_ready("pod/steady");
    assert_eq!(
        (&status()["containerID"], &status()["restartCount"]),
        (&before["containerID"], &before["restartCount"])
    );
    space.k("delete pod steady");
}

fn down_takes_the_pods_and_up_brings_them_back(cluster: &Cluster) {
    let space = cluster.namespace("again");
    space.create(&busybox_manifest("again", SERVES));
    space.wait_ready("pod/again");
    let before = space.get("pod again")["status"]["containerStatuses"][0]["containerID"].clone();
    cluster.pintle("down", &[]).success();
    let left: Vec<String> = sandboxes(&endpoint()).into_iter().map(|sandbox| sandbox.id).collect();
    assert!(left.is_empty(), "{left:?}");
    // Whose runtime it is need not be said again.
    cluster.up();
    wait_for("another container", || {
        let status = space.get("pod again")["status"]["containerStatuses"][0].clone();
        let is_new = status["containerID"] != before && status["ready"] == true;
        if is_new { Ok(()) } else { Err(status.to_string()) }
    });
    space.k("delete pod again");
}

fn images_are_the_runtimes_own(cluster: &Cluster) {
    let refused = cluster.pintle("image ls", &[]).failure();
    assert!(refused.contains(&format!("are kept by the runtime at {}", endpoint())), "{refused}");
    let listed = cluster.get("nodes")["items"][0]["status"]["images"].to_string();
    assert!(listed.contains("docker.io/library/busybox:1.36"), "{listed}");
}

fn another_client_sees_the_nodes_pods(cluster: &Cluster) {
    let space = cluster.namespace("seen");
    space.create(&busybox_manifest("web", SERVES));
    space.wait_ready("pod/web");
    let socket = cluster.run_dir().join("cri.sock");
    assert_eq!(mode(&socket), 0o600);
    let endpoint = format!("unix://{}", socket.display());
    let version = VersionRequest { version: "v1".to_owned() };
    let version = ask(&endpoint, async |runtime| runtime.version(version).await);
    assert_eq!((version.runtime_name.as_str(), version.runtime_api_version.as_str()), ("pintle", "v1"));
    let seen = sandboxes(&endpoint);
    let pod = space.get("pod web");
    let own = seen.iter().find(|sandbox| sandbox.labels["io.kubernetes.pod.name"] == "web").expect("the pod is seen");
    assert_eq!(own.metadata.as_ref().unwrap().uid, pod["metadata"]["uid"].as_str().unwrap());
    let listed = ask(&endpoint, async |runtime| runtime.list_containers(ListContainersRequest { filter: None }).await);
    let container = listed.containers.iter().find(|container| container.pod_sandbox_id == own.id).unwrap();
    let id = pod["status"]["containerStatuses"][0]["containerID"].as_str().unwrap();
    assert_eq!(id.split("://").nth(1), Some(container.id.as_str()));
    let cmd = ["cat", "/etc/hostname"].map(str::to_owned).into();
    let request = ExecSyncRequest { container_id: container.id.clone(), cmd, timeout: 10 };
    let answer = ask(&endpoint, async |runtime| runtime.exec_sync(request).await);
    assert_eq!((answer.stdout, answer.exit_code), (b"web\n".to_vec(), 0));
    space.k("delete pod web");
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
