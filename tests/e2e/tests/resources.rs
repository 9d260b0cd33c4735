//! What the node gives out whole: processors, memory of one place, devices. And how it goes down.

mod device_plugin;

use std::fs;
use std::process::{Command, ExitCode};

use device_plugin::Plugin;
use e2e::{Cluster, Namespace, Suite, busybox_manifest, run, trial, wait_for};
use serde_json::{Value, json};

/// Processor 0 is kept for the system; the memory that is kept is what eviction keeps anyway.
const CONFIGURATION: &str = "\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cpuManagerPolicy: static
reservedSystemCPUs: '0'
memoryManagerPolicy: Static
reservedMemory:
- numaNode: 0
  limits: {memory: 100Mi}
topologyManagerPolicy: single-numa-node
shutdownGracePeriod: 20s
shutdownGracePeriodCriticalPods: 10s
";

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        let folder = cluster.data_dir().join("kubelet");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.yaml"), CONFIGURATION).unwrap();
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "a_whole_processor_is_its_containers_own", a_whole_processor_is_its_containers_own),
        trial(&suite, "who_cannot_be_placed_is_refused_before_room_is_counted", who_cannot_be_placed),
        trial(&suite, "devices_are_given_and_told_of", devices_are_given_and_told_of),
        trial(&suite, "a_node_that_goes_down_ends_its_pods_in_order", a_node_that_goes_down_ends_its_pods_in_order),
    ];
    suite.run(1, trials)
}

fn a_whole_processor_is_its_containers_own(cluster: &Cluster) {
    let namespace = cluster.namespace("processors");
    let node = cluster.get("nodes")["items"][0]["status"].clone();
    let capacity: u64 = node["capacity"]["cpu"].as_str().unwrap().parse().unwrap();
    assert_eq!(node["allocatable"]["cpu"], json!((capacity - 1).to_string()), "{node}");
    let all = if capacity > 1 { format!("0-{}", capacity - 1) } else { panic!("one processor cannot be shared out") };
    let rest = if capacity == 2 { "0".to_owned() } else { format!("0,2-{}", capacity - 1) };

    namespace.create(&busybox_manifest("sharing", "while true; do sleep 1; done"));
    namespace.wait_ready("pod/sharing");
    assert_eq!(processors(&namespace, "sharing"), all);
    namespace.create(&whole("owning", json!({ "cpu": "1", "memory": "64Mi" })));
    namespace.wait_ready("pod/owning");
    assert_eq!(processors(&namespace, "owning"), "1");
    let nodes = namespace.shell("owning", "grep Mems_allowed_list /proc/1/status").success();
    assert_eq!(nodes.split_whitespace().last(), Some("0"), "{nodes}");
    wait_for_processors(&namespace, "sharing", &rest);

    // Both outlive the kubelet, and so does the knowledge of them.
    kill_server(cluster, cluster.server_pid());
    cluster.up();
    assert_eq!((processors(&namespace, "owning").as_str(), processors(&namespace, "sharing")), ("1", rest.clone()));
    namespace.create(&busybox_manifest("late", "while true; do sleep 1; done"));
    namespace.wait_ready("pod/late");
    assert_eq!(processors(&namespace, "late"), rest);

    namespace.k("delete pod owning");
    wait_for_processors(&namespace, "sharing", &all);
    wait_for_processors(&namespace, "late", &all);
    namespace.k("delete pod sharing late");
}

/// The managers are asked first: they say why, not the lack of room.
fn who_cannot_be_placed(cluster: &Cluster) {
    let namespace = cluster.namespace("unplaceable");
    let mut vast: Value = serde_json::from_str(&whole("vast", json!({ "cpu": "1000", "memory": "64Mi" }))).unwrap();
    vast["spec"]["nodeName"] = cluster.get("nodes")["items"][0]["metadata"]["name"].clone();
    namespace.create(&vast.to_string());
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/vast");
    let status = namespace.get("pod vast")["status"].clone();
    assert_eq!(
        (&status["reason"], &status["message"]),
        (
            &json!("TopologyAffinityError"),
            &json!("Pod was rejected: Resources cannot be allocated with Topology locality")
        )
    );
    namespace.k("delete pod vast");
}

fn devices_are_given_and_told_of(cluster: &Cluster) {
    let namespace = cluster.namespace("devices");
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let amounts = |expected: [&str; 2]| {
        wait_for(&format!("{expected:?} devices"), || {
            let status = cluster.get(&format!("node {node}"))["status"].clone();
            let seen = [&status["capacity"]["example.com/thing"], &status["allocatable"]["example.com/thing"]];
            if seen == [&json!(expected[0]), &json!(expected[1])] { Ok(()) } else { Err(format!("{seen:?}")) }
        });
    };
    let folder = cluster.data_dir().join("kubelet/device-plugins");
    let plugin = Plugin::start(&folder, &["one", "two"]);
    amounts(["2", "2"]);

    namespace.create(&whole("user", json!({ "example.com/thing": "1" })));
    namespace.wait_ready("pod/user");
    let seen =
        namespace.shell("user", "echo $THING; cat /thing/file; echo gone > /dev/thing && echo written").success();
    assert_eq!(seen, "one\nof the plugin\nwritten\n");
    let socket = cluster.data_dir().join("kubelet/pod-resources/kubelet.sock");
    let told = plugin.pod_resources(&socket);
    let thing = "example.com/thing".to_owned();
    assert!(told.contains(&("user".to_owned(), thing.clone(), vec!["one".to_owned()])), "{told:?}");
    let of_user = plugin.resources_of(&socket, "user", &namespace.name).unwrap();
    assert_eq!(of_user, [(thing.clone(), vec!["one".to_owned()])]);
    let nobody = plugin.resources_of(&socket, "nobody", &namespace.name).unwrap_err();
    assert_eq!(nobody, format!("pod nobody in namespace {} not found", namespace.name));
    let (things, processors) = plugin.allocatable(&socket);
    assert_eq!(things, [(thing, vec!["one".to_owned(), "two".to_owned()])]);
    assert!(!processors.is_empty() && !processors.contains(&0), "{processors:?}");

    // Past the scheduler, which would have kept it waiting.
    let mut greedy: Value = serde_json::from_str(&whole("greedy", json!({ "example.com/thing": "2" }))).unwrap();
    greedy["spec"]["nodeName"] = json!(node);
    namespace.create(&greedy.to_string());
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/greedy");
    let status = namespace.get("pod greedy")["status"].clone();
    assert_eq!(status["reason"], "UnexpectedAdmissionError", "{status}");
    assert_eq!(
        status["message"],
        "Pod was rejected: Allocate failed due to requested number of devices unavailable for example.com/thing. \
         Requested: 2, Available: 1, which is unexpected"
    );
    drop(plugin);
    amounts(["2", "0"]);
    let _plugin = Plugin::start(&folder, &["one", "two"]);
    amounts(["2", "2"]);
    namespace.k("delete pod user greedy");
}

fn a_node_that_goes_down_ends_its_pods_in_order(cluster: &Cluster) {
    let namespace = cluster.namespace("going-down");
    let system = Namespace { cluster, name: "kube-system".to_owned() };
    let script = "trap 'sleep 2; exit 0' TERM; while true; do sleep 1; done";
    let mut ordinary: Value = serde_json::from_str(&whole("ordinary", json!({ "memory": "32Mi" }))).unwrap();
    ordinary["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    namespace.create(&ordinary.to_string());
    let mut critical: Value = serde_json::from_str(&whole("critical", json!({ "memory": "32Mi" }))).unwrap();
    critical["spec"]["priorityClassName"] = json!("system-node-critical");
    system.create(&critical.to_string());
    namespace.wait_ready("pod/ordinary");
    system.wait_ready("pod/critical");

    // Asked for now: a node that goes down is not ready, and its status an error.
    let server = cluster.server_pid();
    run(Command::new("kill").args(["-PWR", &server.to_string()]), "").success();
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/ordinary");
    system.wait("jsonpath={.status.phase}=Failed", "pod/critical");
    let ended = |namespace: &Namespace<'_>, name: &str| {
        let status = namespace.get(&format!("pod {name}"))["status"].clone();
        assert_eq!(status["reason"], "Terminated", "{status}");
        assert_eq!(status["message"], "Pod was terminated in response to imminent node shutdown.");
        let finished = &status["containerStatuses"][0]["state"]["terminated"]["finishedAt"];
        finished.as_str().unwrap_or_else(|| panic!("{status}")).to_owned()
    };
    let (first, second) = (ended(&namespace, "ordinary"), ended(&system, "critical"));
    assert!(first <= second, "the ordinary pod ended at {first}, the critical one at {second}");
    let node = cluster.get("nodes")["items"][0].clone();
    let ready = node["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "Ready").unwrap();
    assert_eq!((&ready["status"], &ready["message"]), (&json!("False"), &json!("node is shutting down")), "{ready}");

    let mut late: Value = serde_json::from_str(&whole("late", json!({ "memory": "32Mi" }))).unwrap();
    late["spec"]["nodeName"] = node["metadata"]["name"].clone();
    late["spec"]["tolerations"] = json!([{ "operator": "Exists" }]);
    namespace.create(&late.to_string());
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/late");
    let status = namespace.get("pod late")["status"].clone();
    assert_eq!(status["reason"], "NodeShutdown", "{status}");
    assert_eq!(status["message"], "Pod was rejected: Pod was rejected as the node is shutting down.", "{status}");
    namespace.k("delete pod ordinary late");
    system.k("delete pod critical");
    kill_server(cluster, server);
    cluster.up();
}

/// A pod that asks for the given amounts as limits, and so as requests.
fn whole(name: &str, limits: Value) -> String {
    let container = json!({
        "name": "main", "image": "busybox:1.36", "resources": { "limits": limits },
        "command": ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"],
    });
    let spec = json!({ "containers": [container], "terminationGracePeriodSeconds": 15 });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec }).to_string()
}

/// Where the pod's first process may run, as the kernel tells.
#[track_caller]
fn processors(namespace: &Namespace<'_>, pod: &str) -> String {
    let line = namespace.shell(pod, "grep Cpus_allowed_list /proc/1/status").success();
    line.split_whitespace().last().unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[track_caller]
fn wait_for_processors(namespace: &Namespace<'_>, pod: &str, expected: &str) {
    wait_for(&format!("{pod} on the processors {expected}"), || {
        let seen = processors(namespace, pod);
        if seen == expected { Ok(()) } else { Err(seen) }
    });
}

fn kill_server(cluster: &Cluster, pid: u32) {
    run(Command::new("kill").args(["-KILL", &pid.to_string()]), "").success();
    // Its lock goes with the last of its threads, a moment after the process seems gone.
    wait_for("the server's lock to be free", || {
        let tried = run(Command::new("flock").arg("--nonblock").arg(cluster.run_dir().join("lock")).arg("true"), "");
        if tried.is_success() { Ok(()) } else { Err(tried.to_string()) }
    });
}
