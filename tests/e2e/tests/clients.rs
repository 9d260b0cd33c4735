//! The API as other people's clients see it: the official Python and JavaScript clients and Rust's `kube` walk through it.

mod rust_walk;

use std::process::{Command, ExitCode};

use e2e::{Cluster, Suite, client_library, run, trial};

/// Set for the process that walks in Rust: it must run on the cluster's machine, as the others do.
const RUST_WALK: &str = "WALK_IN_NAMESPACE";

fn main() -> ExitCode {
    if let Ok(namespace) = std::env::var(RUST_WALK) {
        rust_walk::run(&namespace);
        println!("walked");
        return ExitCode::SUCCESS;
    }
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let trials = vec![
        trial(&suite, "the_python_client_walks", |cluster| {
            walk(cluster, "python", |cluster| {
                let mut command = cluster.machine.command(client_library("python/bin/python3"));
                command.arg(script("walk.py"));
                command
            });
        }),
        trial(&suite, "the_javascript_client_walks", |cluster| {
            walk(cluster, "javascript", |cluster| {
                let mut command = cluster.machine.command("node");
                // Modules are looked up from where the script lies.
                let folder = client_library("javascript");
                let copy = folder.join("walk.mjs");
                std::fs::copy(script("walk.mjs"), &copy).expect("the script can be copied");
                command.arg(copy);
                command
            });
        }),
        trial(&suite, "the_rust_client_walks", |cluster| {
            walk(cluster, "rust", |cluster| {
                let mut command =
                    cluster.machine.command(std::env::current_exe().expect("a process knows its program"));
                command.env(RUST_WALK, "rust");
                command
            });
        }),
    ];
    suite.run(2, trials)
}

fn walk(cluster: &Cluster, name: &str, command: impl Fn(&Cluster) -> Command) {
    let _namespace = cluster.namespace(name);
    let mut command = command(cluster);
    command.env("KUBECONFIG", cluster.machine.kubeconfig()).arg(name);
    let ran = run(&mut command, "");
    assert!(ran.clone().success().ends_with("walked\n"), "{ran}");
}

fn script(name: &str) -> std::path::PathBuf {
    e2e::repository().join("tests/e2e/clients").join(name)
}
