//! The cluster's state in etcd: `--store etcd://…`, also with two API servers.

use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;

use e2e::{Cluster, Kubectl, Suite, run, trial, wait_for};
use tempfile::TempDir;

/// On a machine of its own, every port is free.
const ETCD: &str = "etcd://127.0.0.1:2379";

/// The server and its data, which outlive the cluster.
static SERVER: Mutex<Option<(Child, TempDir)>> = Mutex::new(None);

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        start_etcd(cluster);
        cluster.pintle("up", &["--store", ETCD]).success();
        cluster.load(&["echo.tar"]);
    });
    let trials = vec![
        trial(
            &suite,
            "a_cluster_lives_in_etcd_and_is_found_there_again",
            a_cluster_lives_in_etcd_and_is_found_there_again,
        ),
        trial(&suite, "two_api_servers_see_each_others_writes", two_api_servers_see_each_others_writes),
    ];
    let code = suite.run(1, trials);
    stop_etcd();
    code
}

/// Debian's, on the cluster's machine.
fn start_etcd(cluster: &Cluster) {
    let data = tempfile::tempdir().unwrap();
    let child = cluster
        .machine
        .command("etcd")
        .arg("--data-dir")
        .arg(data.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("etcd runs (package etcd-server)");
    *SERVER.lock().unwrap() = Some((child, data));
    wait_for("etcd", || cluster.fetch("http://127.0.0.1:2379/health"));
}

fn stop_etcd() {
    if let Some((mut child, _data)) = SERVER.lock().unwrap().take() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

fn a_cluster_lives_in_etcd_and_is_found_there_again(cluster: &Cluster) {
    cluster.k("create configmap kept --from-literal=a=b");
    cluster.k("create deployment echo --image=echo:1 --replicas=2");
    cluster.k("rollout status deployment/echo --timeout=60s");
    assert!(!cluster.data_dir().join("store").exists(), "nothing of it rests in the folder");

    let pid = cluster.server_pid();
    run(Command::new("kill").args(["-KILL", &pid.to_string()]), "").success();
    let refused = cluster.pintle("up", &["--store", "folder"]).failure();
    assert!(refused.contains("this cluster's state rests in etcd://127.0.0.1:2379"), "{refused}");
    // Nobody has to say it a second time.
    cluster.up();
    assert_eq!(cluster.k("get configmap kept --output=jsonpath={.data.a}"), "b");

    cluster.pintle("down", &[]).success();
    cluster.up();
    cluster.k("rollout status deployment/echo --timeout=60s");
    cluster.k("delete deployment/echo configmap/kept");
}

fn two_api_servers_see_each_others_writes(cluster: &Cluster) {
    // A second machine's server is stood for by one on other ports, with the first one's authority.
    let folder = cluster.machine.folder().join("second");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    run(Command::new("cp").arg("-r").arg(cluster.data_dir().join("pki")).arg(&data), "").success();
    let name = format!("{}b", cluster.name);
    let pintle = |words: &[&str]| {
        let mut command = cluster.machine.command("unshare");
        command.args(["--uts", "sh", "-ec", "hostname second; exec \"$@\"", "sh"]).arg(e2e::pintle()).args(words);
        command.args(["--name", &name, "--data-dir"]).arg(&data).arg("--run-dir").arg(folder.join("run"));
        command
    };
    let store = format!("{ETCD}/{}", cluster.name);
    let numbers =
        ["--port", "7443", "--kubelet-port", "10350", "--pod-cidr", "10.245.0.0/16", "--service-cidr", "10.200.0.0/16"];
    run(pintle(&["up", "--wait=false", "--store", &store]).args(numbers), "").success();

    let kubectl = |server: &str, words: &str| {
        let arguments: Vec<&str> = words.split(' ').chain(["--context", server]).collect();
        cluster.kubectl_with(Kubectl::usual(), &arguments, "")
    };
    let both = [cluster.name.as_str(), name.as_str()];
    for round in 0..10 {
        let [writer, reader] = if round % 2 == 0 { both } else { [both[1], both[0]] };
        kubectl(writer, &format!("create configmap round-{round} --from-literal=a=1")).success();
        // At once: what one has acknowledged, the other knows.
        kubectl(reader, &format!("get configmap round-{round}")).success();
        let listed = kubectl(reader, "get configmaps --output=name").success();
        assert!(listed.contains(&format!("configmap/round-{round}\n")), "{listed}");
        kubectl(reader, &format!("patch configmap round-{round} --patch={{\"data\":{{\"a\":\"2\"}}}}")).success();
        let read = kubectl(writer, &format!("get configmap round-{round} --output=jsonpath={{.data.a}}")).success();
        assert_eq!(read, "2");
        kubectl(writer, &format!("delete configmap round-{round}")).success();
        let gone = kubectl(reader, &format!("get configmap round-{round}")).failure();
        assert!(gone.contains("NotFound"), "{gone}");
    }
    let destroyed = run(&mut pintle(&["destroy", "--yes"]), "").success();
    assert!(destroyed.contains("Its state stays in etcd://127.0.0.1:2379"), "{destroyed}");
    kubectl(both[0], "delete node second --ignore-not-found").success();
}
