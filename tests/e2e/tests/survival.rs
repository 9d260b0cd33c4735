//! The program dies; what it runs and what it acknowledged do not.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Cluster, NODE_ADDRESS, Suite, manifest, run, trial, wait_for};
use serde_json::Value;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar", "k8s-demo.tar", "echo.tar"]);
    });
    let trials = vec![
        trial(&suite, "pods_serve_on_and_are_found_again_after_kill_9", pods_serve_on_and_are_found_again_after_kill_9),
        trial(&suite, "no_acknowledged_write_is_lost_by_kill_9", no_acknowledged_write_is_lost_by_kill_9),
        trial(&suite, "what_happened_meanwhile_is_noticed", what_happened_meanwhile_is_noticed),
    ];
    suite.run(1, trials)
}

fn pods_serve_on_and_are_found_again_after_kill_9(cluster: &Cluster) {
    cluster.create(&manifest("helloworld.yml"));
    cluster.create(&manifest("helloworld-service.yml"));
    cluster.k("create deployment echo --image=echo:1 --replicas=2");
    cluster.k("wait --for=condition=Ready pod/nodehelloworld.example.com --timeout=60s");
    cluster.k("rollout status deployment/echo --timeout=60s");
    let url = format!("http://{NODE_ADDRESS}:31001/");
    wait_for("the node port to answer", || cluster.fetch(&url));
    let before = containers(cluster);
    assert_eq!(before.len(), 3, "{before:?}");

    kill_server(cluster);
    assert!(!cluster.pintle("status", &[]).is_success());
    assert_eq!(cluster.fetch(&url), Ok("Hello World!".to_owned()), "while nothing of the program runs");
    assert_eq!(cluster.fetch_from_neighbour(&url), Ok("Hello World!".to_owned()));

    cluster.up();
    assert_eq!(cluster.fetch(&url), Ok("Hello World!".to_owned()));
    wait_for("every pod to be ready again", || {
        let ready = cluster.get("pods -A")["items"].as_array().unwrap().iter().all(is_ready);
        if ready { Ok(()) } else { Err(cluster.k("get pods -A")) }
    });
    assert_eq!(containers(cluster), before, "the same containers, restarted as often as before");
    // And they are managed again, not merely listed.
    assert_eq!(cluster.k("exec nodehelloworld.example.com -- hostname").trim(), "nodehelloworld.example.com");
    cluster.k("delete deployment/echo service/helloworld-service pod/nodehelloworld.example.com");
}

fn what_happened_meanwhile_is_noticed(cluster: &Cluster) {
    cluster.k("create deployment meanwhile --image=echo:1 --replicas=1");
    cluster.k("rollout status deployment/meanwhile --timeout=60s");
    let pod = cluster.get("pods --selector app=meanwhile")["items"][0].clone();
    let name = pod["metadata"]["name"].as_str().unwrap();
    let address = pod["status"]["podIP"].as_str().unwrap();
    kill_server(cluster);
    assert!(cluster.fetch(&format!("http://{address}:3000/exit?code=4")).is_ok());
    cluster.up();
    let status = wait_for("the restart", || {
        let status = cluster.get(&format!("pod {name}"))["status"]["containerStatuses"][0].clone();
        if status["restartCount"] == 1 && status["ready"] == true { Ok(status) } else { Err(status.to_string()) }
    });
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 4, "{status}");
    cluster.k("delete deployment meanwhile");
}

/// Writers run until the server is killed under them; whatever was answered with success must be
/// there afterwards.
fn no_acknowledged_write_is_lost_by_kill_9(cluster: &Cluster) {
    const WRITERS: usize = 3;
    let stop = AtomicBool::new(false);
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut written = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let name = format!("write-{writer}-{}", written.len());
                        let ran = cluster.kubectl(&["create", "configmap", &name, "--from-literal=a=b"]);
                        if !ran.is_success() {
                            break;
                        }
                        written.push(name);
                    }
                    written
                })
            })
            .collect();
        wait_for("some writes", || {
            let count = cluster.get("configmaps")["items"].as_array().map_or(0, Vec::len);
            if count > 10 { Ok(()) } else { Err(format!("{count}")) }
        });
        kill_server(cluster);
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    cluster.up();
    let found = cluster.k("get configmaps --output=name");
    for name in &acknowledged {
        assert!(
            found.lines().any(|line| line == format!("configmap/{name}")),
            "{name} of {} is lost",
            acknowledged.len()
        );
    }
}

fn kill_server(cluster: &Cluster) {
    let pid = cluster.server_pid();
    run(Command::new("kill").args(["-KILL", &pid.to_string()]), "").success();
    wait_for("the server to be gone", || {
        if std::path::Path::new(&format!("/proc/{pid}/exe")).exists() {
            Err(format!("process {pid} lives"))
        } else {
            Ok(())
        }
    });
}

/// Container ids and restart counts by pod and container.
fn containers(cluster: &Cluster) -> BTreeMap<String, (String, u64)> {
    let pods = cluster.get("pods -A");
    let pods = pods["items"].as_array().unwrap().clone();
    pods.iter()
        .flat_map(|pod| {
            let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
            let statuses = pod["status"]["containerStatuses"].as_array().cloned().unwrap_or_default();
            statuses.into_iter().map(move |status| {
                let key = format!("{name}/{}", status["name"].as_str().unwrap());
                (key, (status["containerID"].as_str().unwrap().to_owned(), status["restartCount"].as_u64().unwrap()))
            })
        })
        .collect()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
