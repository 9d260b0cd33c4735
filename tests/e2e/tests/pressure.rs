//! A disk that fills: what goes first, who goes next and what is said of it, and that nobody else is harmed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use e2e::{Cluster, Namespace, Registry, Suite, run, trial, wait_for};
use serde_json::{Value, json};

/// Unused images may go at once, and a condition is over soon after its cause.
const CONFIGURATION: &str = "\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
evictionHard: {nodefs.available: 100Mi}
evictionPressureTransitionPeriod: 8s
imageMinimumGCAge: 0s
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
";
const DISK_MIB: u64 = 900;
const THRESHOLD_MIB: u64 = 100;
/// More than what is short when images are to go.
const IMAGE_MIB: u64 = 80;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        mount_small_disk(cluster);
        on_machine(
            cluster,
            &format!("mkdir -p {0} && cat >{0}/config.yaml", cluster.data_dir().join("kubelet").display()),
            CONFIGURATION,
        );
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "images_that_nobody_uses_go_before_any_pod", images_that_nobody_uses_go_before_any_pod),
        trial(&suite, "who_fills_the_disk_is_evicted_alone", who_fills_the_disk_is_evicted_alone),
        trial(&suite, "a_full_disk_is_survived", a_full_disk_is_survived),
    ];
    suite.run(1, trials)
}

fn images_that_nobody_uses_go_before_any_pod(cluster: &Cluster) {
    let namespace = cluster.namespace("images");
    let outside = tempfile::tempdir().unwrap();
    let registry = Registry::start_in(cluster, outside.path());
    let layout = outside.path().join("layout");
    make_large_image(&layout);
    registry.push(&layout, "large/box", "1");
    let image = format!("127.0.0.1:{}/large/box:1", Registry::PORT);
    namespace.create(&pod("steady", "sleep 100000 & wait", json!({})));
    namespace.wait_ready("pod/steady");
    let before = identity(&namespace, "steady");
    namespace.create(&pod("passing", "true", json!({ "image": image })));
    namespace.wait("jsonpath={.status.phase}=Succeeded", "pod/passing");
    namespace.k("delete pod passing");
    let is_present = || cluster.pintle("image ls", &["--output", "json"]).success().contains("large/box");
    assert!(is_present());

    leave_free(cluster, THRESHOLD_MIB - IMAGE_MIB / 4);
    wait_for("the image to go", || if is_present() { Err("it is there".to_owned()) } else { Ok(()) });
    wait_condition(cluster, "False");
    let events = cluster.get("events --namespace=default --field-selector=reason=EvictionThresholdMet");
    assert_eq!(events["items"][0]["message"], "Attempting to reclaim ephemeral-storage", "{events}");
    assert_eq!(identity(&namespace, "steady"), before, "there was no need for a pod to go");
    // The image loaded by hand, which no registry could give back, is still there.
    namespace.create(&pod("another", "sleep 100000 & wait", json!({})));
    namespace.wait_ready("pod/another");
    namespace.k("delete pod steady another");
    remove_ballast(cluster);
}

fn who_fills_the_disk_is_evicted_alone(cluster: &Cluster) {
    let namespace = cluster.namespace("filling");
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].clone();
    namespace.create(&pod("steady", "sleep 100000 & wait", json!({})));
    namespace.wait_ready("pod/steady");
    let before = identity(&namespace, "steady");
    leave_free(cluster, THRESHOLD_MIB + 40);
    let slowly = "for i in $(seq 1000); do dd if=/dev/zero of=/file$i bs=1M count=2; sleep 0.1; done; sleep 100000";
    namespace.create(&pod("greedy", slowly, json!({})));
    wait_condition(cluster, "True");
    let mut late: Value = serde_json::from_str(&pod("late", "true", json!({}))).unwrap();
    late["spec"]["nodeName"] = node.clone();
    namespace.create(&late.to_string());
    wait_for("the node's taint", || {
        let taints = cluster.get("nodes")["items"][0]["spec"]["taints"].clone();
        let mut all = taints.as_array().into_iter().flatten();
        let is_there =
            all.any(|taint| taint["key"] == "node.kubernetes.io/disk-pressure" && taint["effect"] == "NoSchedule");
        if is_there { Ok(()) } else { Err(taints.to_string()) }
    });
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/greedy");
    let status = namespace.get("pod greedy")["status"].clone();
    assert_eq!(status["reason"], "Evicted", "{status}");
    let message = status["message"].as_str().unwrap();
    let lead = "The node was low on resource: ephemeral-storage. Threshold quantity: 100Mi, available: ";
    assert!(message.starts_with(lead), "{message}");
    let used = message.split_once("Ki. Container main was using ").map_or("", |(_, used)| used);
    assert!(used.ends_with(", request is 0, has larger consumption of ephemeral-storage. "), "{message}");
    let conditions = status["conditions"].as_array().unwrap();
    let target = conditions.iter().find(|condition| condition["type"] == "DisruptionTarget").unwrap();
    assert_eq!((&target["reason"], &target["message"]), (&json!("TerminationByKubelet"), &json!(message)));
    namespace.wait("jsonpath={.status.phase}=Failed", "pod/late");
    let refused = namespace.get("pod late")["status"].clone();
    assert_eq!(
        (&refused["reason"], &refused["message"]),
        (&json!("Evicted"), &json!("Pod was rejected: The node had condition: [DiskPressure]. "))
    );
    wait_condition(cluster, "False");
    assert_eq!(identity(&namespace, "steady"), before);
    // What it wrote is gone, and how it ended is known all the same.
    let status = namespace.get("pod greedy")["status"].clone();
    assert_eq!(status["phase"], "Failed", "{status}");
    assert!(status["containerStatuses"][0]["state"]["terminated"].is_object(), "{status}");
    remove_ballast(cluster);
    namespace.k("delete pod steady greedy late");
}

/// Faster than anybody could look.
fn a_full_disk_is_survived(cluster: &Cluster) {
    let namespace = cluster.namespace("full");
    namespace.create(&pod("steady", "sleep 100000 & wait", json!({})));
    namespace.wait_ready("pod/steady");
    let before = identity(&namespace, "steady");
    leave_free(cluster, THRESHOLD_MIB + 20);
    namespace.create(&pod("greedy", "while true; do cat /dev/zero >>/file; done", json!({})));
    wait_for("the greedy pod to be evicted", || {
        let ran = namespace.try_k(&["get", "pod", "greedy", "--output=jsonpath={.status.reason}"]);
        if ran.stdout == "Evicted" { Ok(()) } else { Err(ran.to_string()) }
    });
    wait_condition(cluster, "False");
    // Everything works as before, writes too.
    namespace.create(&pod("after", "sleep 100000 & wait", json!({})));
    namespace.wait_ready("pod/after");
    assert_eq!(identity(&namespace, "steady"), before);
    remove_ballast(cluster);
    namespace.k("delete pod steady greedy after");
}

/// Puts a file system of its own, in a file, under everything that the cluster keeps; only the machine sees it.
fn mount_small_disk(cluster: &Cluster) {
    let folder = cluster.machine.folder();
    let image = folder.join("disk.img");
    let script = format!(
        "truncate --size={DISK_MIB}M {image}
         mkfs.ext4 -q -m 0 {image}
         mount -o loop {image} {folder}
         mkdir {folder}/home",
        image = image.display(),
        folder = folder.display(),
    );
    on_machine(cluster, &script, "");
}

/// Takes so much of the disk that `mib` are left.
fn leave_free(cluster: &Cluster, mib: u64) {
    let data = cluster.data_dir();
    let free = format!("df --output=avail --block-size=1M {} | tail -n 1", data.display());
    let free: u64 = on_machine(cluster, &free, "").trim().parse().unwrap();
    let ballast = free.checked_sub(mib).unwrap_or_else(|| panic!("only {free} MiB are free"));
    on_machine(cluster, &format!("fallocate --length={ballast}MiB {}", ballast_of(cluster).display()), "");
}

fn remove_ballast(cluster: &Cluster) {
    on_machine(cluster, &format!("rm {}", ballast_of(cluster).display()), "");
}

fn ballast_of(cluster: &Cluster) -> PathBuf {
    cluster.machine.folder().join("ballast")
}

#[track_caller]
fn on_machine(cluster: &Cluster, script: &str, input: &str) -> String {
    run(cluster.machine.command("sh").args(["-ec", script]), input).success()
}

#[track_caller]
fn wait_condition(cluster: &Cluster, expected: &str) {
    let conditions = || cluster.get("nodes")["items"][0]["status"]["conditions"].clone();
    let of = |conditions: &Value, type_: &str| {
        let mut all = conditions.as_array().unwrap().iter();
        all.find(|condition| condition["type"] == type_).unwrap()["status"].clone()
    };
    wait_for(&format!("DiskPressure to be {expected}"), || {
        let now = conditions();
        assert_eq!(of(&now, "Ready"), "True", "the node is well: {now}");
        if of(&now, "DiskPressure") == expected { Ok(()) } else { Err(now.to_string()) }
    });
}

/// Which container it is, and how often it was started.
fn identity(namespace: &Namespace<'_>, pod: &str) -> (Value, Value) {
    let status = namespace.get(&format!("pod {pod}"))["status"]["containerStatuses"][0].clone();
    assert!(status["containerID"].is_string(), "{status}");
    (status["containerID"].clone(), status["restartCount"].clone())
}

fn pod(name: &str, script: &str, more: Value) -> String {
    let mut container = json!({
        "name": "main", "image": "busybox:1.36", "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", format!("trap 'exit 0' TERM; {script}")],
    });
    for (key, value) in more.as_object().unwrap() {
        container[key] = value.clone();
    }
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": { "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container] },
    })
    .to_string()
}

/// An OCI layout of busybox and a large file above it.
fn make_large_image(layout: &Path) {
    let base = e2e::image("folder-form");
    run(Command::new("cp").arg("-r").arg(&base).arg(layout), "").success();
    let blob = |digest: &str| layout.join("blobs").join(digest.replace(':', "/"));
    let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let mut index = read(&layout.join("index.json"));
    let mut manifest = read(&blob(index["manifests"][0]["digest"].as_str().unwrap()));
    let mut config = read(&blob(manifest["config"]["digest"].as_str().unwrap()));

    let staged = layout.join("staged");
    fs::create_dir(&staged).unwrap();
    fs::write(staged.join("large"), vec![b'x'; usize::try_from(IMAGE_MIB).unwrap() << 20]).unwrap();
    let layer = layout.join("layer.tar");
    let mut tar = Command::new("tar");
    run(tar.arg("--create").arg("--file").arg(&layer).arg("--directory").arg(&staged).arg("large"), "").success();
    fs::remove_dir_all(&staged).unwrap();
    let adopt = |path: &Path| -> (String, u64) {
        let sum = run(Command::new("sha256sum").arg(path), "").success();
        let digest = format!("sha256:{}", sum.split(' ').next().unwrap());
        fs::rename(path, blob(&digest)).unwrap();
        let size = fs::metadata(blob(&digest)).unwrap().len();
        (digest, size)
    };
    let adopt_json = |value: &Value| -> (String, u64) {
        let path = layout.join("part.json");
        fs::write(&path, value.to_string()).unwrap();
        adopt(&path)
    };
    let (digest, size) = adopt(&layer);
    config["rootfs"]["diff_ids"].as_array_mut().unwrap().push(json!(digest));
    config.as_object_mut().unwrap().remove("history");
    let tar = "application/vnd.oci.image.layer.v1.tar";
    manifest["layers"].as_array_mut().unwrap().push(json!({ "mediaType": tar, "digest": digest, "size": size }));
    let (digest, size) = adopt_json(&config);
    (manifest["config"]["digest"], manifest["config"]["size"]) = (json!(digest), json!(size));
    let (digest, size) = adopt_json(&manifest);
    (index["manifests"][0]["digest"], index["manifests"][0]["size"]) = (json!(digest), json!(size));
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
}
