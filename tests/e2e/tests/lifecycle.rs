//! The cluster as a whole: up, status, down, destroy, and what is refused without doing harm.
//!
//! The tests run one after the other, in this order, on one machine: the first ones before there
//! is a cluster.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode, Stdio};

use e2e::{Cluster, Ran, Suite, run, trial, wait_for};
use serde_json::Value;

const OTHER_CONTEXT: &str = "\
apiVersion: v1
kind: Config
current-context: elsewhere
clusters:
- name: elsewhere
  cluster: {server: 'https://192.0.2.99:6443'}
contexts:
- name: elsewhere
  context: {cluster: elsewhere, user: somebody}
users:
- name: somebody
  user: {token: secret}
";

fn main() -> ExitCode {
    let suite = Suite::new(|_| {});
    let trials = vec![
        trial(&suite, "a_damaged_kubeconfig_is_refused_and_kept", a_damaged_kubeconfig_is_refused_and_kept),
        trial(&suite, "without_root_it_says_so", without_root_it_says_so),
        trial(&suite, "a_read_only_or_full_disk_is_one_clear_line", a_read_only_or_full_disk_is_one_clear_line),
        trial(&suite, "check_finds_nothing_missing", check_finds_nothing_missing),
        trial(&suite, "up_tells_its_steps_and_adds_a_context", up_tells_its_steps_and_adds_a_context),
        trial(&suite, "a_second_up_finds_the_cluster", a_second_up_finds_the_cluster),
        trial(&suite, "status_and_version", status_and_version),
        trial(&suite, "a_taken_port_is_named", a_taken_port_is_named),
        trial(&suite, "down_stops_everything_and_up_brings_it_back", down_stops_everything_and_up_brings_it_back),
        trial(&suite, "two_ups_at_once_make_one_cluster", two_ups_at_once_make_one_cluster),
        trial(&suite, "up_without_waiting_returns_at_once", up_without_waiting_returns_at_once),
        trial(&suite, "up_in_the_foreground_stays_until_it_is_told", up_in_the_foreground_stays_until_it_is_told),
        trial(&suite, "a_damaged_store_is_refused_and_kept", a_damaged_store_is_refused_and_kept),
        trial(&suite, "destroy_asks", destroy_asks),
    ];
    suite.run(1, trials)
}

fn a_damaged_kubeconfig_is_refused_and_kept(cluster: &Cluster) {
    let path = cluster.machine.folder().join("damaged");
    fs::write(&path, "clusters: [{{{").unwrap();
    let refused = run(cluster.pintle_command("up").env("KUBECONFIG", &path), "");
    one_line(&refused, &["damaged", "kubeconfig"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "clusters: [{{{");
    assert_eq!(cluster.traces(), Vec::<String>::new());
}

fn without_root_it_says_so(cluster: &Cluster) {
    let program = cluster.machine.folder().join("pintle");
    fs::copy(e2e::pintle(), &program).unwrap();
    let mut command = cluster.machine.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program);
    command.args(["up", "--name", &cluster.name]).arg("--data-dir").arg(cluster.data_dir());
    command.arg("--run-dir").arg(cluster.run_dir()).env("HOME", "/tmp");
    let refused = run(&mut command, "");
    assert!(refused.clone().failure().contains("root") && refused.stderr.contains("sudo"), "{refused}");
    assert_eq!(cluster.traces(), Vec::<String>::new());
}

fn a_read_only_or_full_disk_is_one_clear_line(cluster: &Cluster) {
    let disk = cluster.machine.folder().join("disk");
    fs::create_dir(&disk).unwrap();
    for (options, reason) in [("ro", "ead-only"), ("size=64k", "free some space")] {
        let mount = run(cluster.machine.command("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&disk), "");
        mount.success();
        let mut up = cluster.machine.command(e2e::pintle());
        up.args(["up", "--name", &cluster.name]).arg("--data-dir").arg(disk.join("data"));
        let refused = run(up.arg("--run-dir").arg(cluster.run_dir()), "");
        let message = refused.clone().failure();
        assert!(message.contains(reason) && message.contains(disk.to_str().unwrap()), "{options}: {refused}");
        assert_eq!(message.trim().lines().count(), 1, "{options}: {refused}");
        let mut destroy = cluster.machine.command(e2e::pintle());
        destroy.args(["destroy", "--yes", "--name", &cluster.name]).arg("--data-dir").arg(disk.join("data"));
        let destroyed = run(destroy.arg("--run-dir").arg(cluster.run_dir()), "");
        run(cluster.machine.command("umount").arg(&disk), "").success();
        assert!(destroyed.is_success() || options == "ro", "{destroyed}");
        assert_eq!(cluster.traces(), Vec::<String>::new(), "{options}");
    }
}

fn check_finds_nothing_missing(cluster: &Cluster) {
    assert!(cluster.pintle("check", &[]).is_success());
}

fn up_tells_its_steps_and_adds_a_context(cluster: &Cluster) {
    cluster.pintle("destroy", &["--yes"]).success();
    let kubeconfig = cluster.machine.kubeconfig();
    fs::create_dir_all(kubeconfig.parent().unwrap()).unwrap();
    fs::write(&kubeconfig, OTHER_CONTEXT).unwrap();
    let told = cluster.pintle("up", &["--output", "json"]).success();
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["name"]), (&Value::from("ready"), &Value::from(cluster.name.as_str())), "{told}");
    assert!(lines.len() > 3, "{told}");

    let view: Value = cluster.kubectl(&["config", "view", "--raw", "--output=json"]).json();
    assert_eq!(view["current-context"], cluster.name.as_str());
    let contexts: BTreeSet<&str> =
        view["contexts"].as_array().unwrap().iter().map(|context| context["name"].as_str().unwrap()).collect();
    assert_eq!(contexts, BTreeSet::from(["elsewhere", &cluster.name]));
    let other = view["users"].as_array().unwrap().iter().find(|user| user["name"] == "somebody").unwrap();
    assert_eq!(other["user"]["token"], "secret");
    let mode = run(cluster.machine.command("stat").args(["--format=%a"]).arg(&kubeconfig), "").success();
    assert_eq!(mode.trim(), "600");

    let nodes = cluster.get("nodes");
    let conditions = nodes["items"][0]["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
    assert_eq!(ready["status"], "True", "up has waited for it");
}

fn a_second_up_finds_the_cluster(cluster: &Cluster) {
    cluster.up();
    let pid = cluster.server_pid();
    let again = cluster.pintle("up", &[]).success();
    assert!(again.contains("runs already") && again.contains(&pid.to_string()), "{again}");
    assert_eq!(cluster.server_pid(), pid);
    // It leads a session of its own, so the end of a terminal is not its end.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned();
    assert_eq!(session, pid.to_string());
}

fn status_and_version(cluster: &Cluster) {
    cluster.up();
    let status = cluster.pintle("status", &["--output", "json"]).json();
    assert_eq!((&status["running"], &status["nodeReady"]), (&Value::from(true), &Value::from(true)), "{status}");
    let text = cluster.pintle("status", &[]).success();
    assert!(text.contains(&cluster.name) && text.contains("Ready"), "{text}");
    let program = e2e::pintle();
    let version = run(Command::new(&program).arg("version"), "").success();
    assert!(version.starts_with("pintle ") && version.contains("v1.37"), "{version}");
    let version = run(Command::new(&program).args(["version", "--output", "json"]), "").json();
    assert_eq!(version["kubernetes"], "v1.37.0");
}

fn a_taken_port_is_named(cluster: &Cluster) {
    cluster.up();
    let other = cluster.machine.folder().join("other");
    let mut up = cluster.machine.command(e2e::pintle());
    up.args(["up", "--name", "other"]).arg("--data-dir").arg(other.join("data"));
    let refused = run(up.arg("--run-dir").arg(other.join("run")), "");
    let message = refused.clone().failure();
    assert!(message.contains("port 6443") && !message.contains("panicked"), "{refused}");
    assert!(!other.exists(), "nothing was touched");
    assert!(cluster.pintle("status", &[]).is_success());
}

fn down_stops_everything_and_up_brings_it_back(cluster: &Cluster) {
    cluster.up();
    cluster.load(&["busybox.tar"]);
    cluster.k("create configmap kept --from-literal=a=b");
    let script = "date +%s%N >>/data/starts; sleep 100000 & wait";
    let pod = e2e::busybox_manifest("kept", script);
    let pod = pod.replace("    command:", "    volumeMounts: [{name: data, mountPath: /data}]\n    command:");
    cluster.create(&format!("{pod}  volumes: [{{name: data, emptyDir: {{}}}}]\n"));
    cluster.k("wait --for=condition=Ready pod/kept --timeout=60s");
    let uid = cluster.get("pod kept")["metadata"]["uid"].clone();

    cluster.pintle("down", &[]).success();
    let left = cluster.traces();
    let running: Vec<&String> =
        left.iter().filter(|trace| !trace.starts_with("folder") && !trace.starts_with("context")).collect();
    // Volumes on a file system of their own stay mounted.
    let running: Vec<&&String> = running.iter().filter(|trace| !trace.starts_with("mount")).collect();
    assert!(running.is_empty(), "{running:#?}");
    assert!(!cluster.pintle("status", &[]).is_success());
    cluster.pintle("down", &[]).success();

    cluster.up();
    assert_eq!(cluster.get("configmap kept")["data"]["a"], "b");
    wait_for("the pod to run again", || {
        let ran = cluster.kubectl(&["exec", "kept", "--", "wc", "-l", "/data/starts"]);
        if ran.stdout.starts_with("2 ") { Ok(()) } else { Err(ran.to_string()) }
    });
    assert_eq!(cluster.get("pod kept")["metadata"]["uid"], uid, "the same pod, with its volume");
    cluster.k("delete pod kept");
}

fn two_ups_at_once_make_one_cluster(cluster: &Cluster) {
    cluster.up();
    cluster.k("create configmap before --from-literal=a=b");
    cluster.pintle("down", &[]).success();
    let outcomes: Vec<Ran> = std::thread::scope(|scope| {
        let ups: Vec<_> = (0..2).map(|_| scope.spawn(|| cluster.pintle("up", &[]))).collect();
        ups.into_iter().map(|up| up.join().unwrap()).collect()
    });
    assert!(outcomes.iter().any(Ran::is_success), "{}\n{}", outcomes[0], outcomes[1]);
    for loser in outcomes.iter().filter(|ran| !ran.is_success()) {
        one_line(loser, &["pintle"]);
    }
    cluster.up();
    assert_eq!(cluster.get("configmap before")["data"]["a"], "b");
}

fn up_without_waiting_returns_at_once(cluster: &Cluster) {
    cluster.pintle("down", &[]).success();
    cluster.pintle("up", &["--wait=false"]).success();
    wait_for("the node to become ready", || {
        let ran = cluster.pintle("status", &[]);
        if ran.is_success() { Ok(()) } else { Err(ran.to_string()) }
    });
}

fn up_in_the_foreground_stays_until_it_is_told(cluster: &Cluster) {
    cluster.pintle("down", &[]).success();
    let mut up = cluster.pintle_command("up --foreground").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the node to become ready", || {
        let ran = cluster.pintle("status", &[]);
        if ran.is_success() { Ok(()) } else { Err(ran.to_string()) }
    });
    assert_eq!(cluster.server_pid(), up.id(), "it is the server itself");
    run(Command::new("kill").args(["-INT", &up.id().to_string()]), "").success();
    assert!(up.wait().unwrap().success());
    assert!(!cluster.pintle("status", &[]).is_success());
}

fn a_damaged_store_is_refused_and_kept(cluster: &Cluster) {
    cluster.up();
    cluster.k("create configmap stored --from-literal=a=b");
    cluster.pintle("down", &[]).success();
    let store = cluster.data_dir().join("store");
    let largest = fs::read_dir(&store)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let intact = fs::read(&largest).unwrap();
    let mut damaged = intact.clone();
    // In the middle of what was written: not a torn tail, which recovery may cut. Whole sectors, for
    // behind each frame the log leaves the rest of one empty.
    let written = intact.iter().rposition(|byte| *byte != 0).unwrap();
    for byte in &mut damaged[written / 4..written / 4 + 4096] {
        *byte ^= 0xff;
    }
    fs::write(&largest, &damaged).unwrap();
    let refused = cluster.pintle("up", &[]);
    let message = refused.clone().failure();
    assert!(message.contains(store.to_str().unwrap()) && message.contains("damaged"), "{refused}");
    assert_eq!(fs::read(&largest).unwrap(), damaged, "it was left as it was");
    fs::write(&largest, &intact).unwrap();
    cluster.up();
    assert_eq!(cluster.get("configmap stored")["data"]["a"], "b");
}

fn destroy_asks(cluster: &Cluster) {
    cluster.up();
    one_line(&cluster.pintle("destroy", &[]), &["--yes"]);
    assert!(cluster.pintle("status", &[]).is_success());
}

/// A refusal is one line that names what matters.
#[track_caller]
fn one_line(ran: &Ran, parts: &[&str]) {
    let message = ran.clone().failure();
    assert_eq!(message.trim().lines().count(), 1, "{ran}");
    for part in parts {
        assert!(message.contains(part), "{part}: {ran}");
    }
}
