//! A machine whose only cgroup hierarchy is version 2, with no distribution around the program.
#![cfg(target_arch = "x86_64")]

use std::time::Duration;

use vm::{Kernel, Machine, build, make_disk};

/// For each of the two walks. An emulated computer is slow, and slower beside other work.
const PATIENCE: Duration = Duration::from_secs(420);

/// The steps of the first walk, in order. At its end the power fails.
const BEFORE: [&str; 18] = [
    "prepare",
    "unified",
    "check",
    "up",
    "load",
    "node_ready",
    "pod_running",
    "node_port",
    "exec_in_pod",
    "devices",
    "limits",
    "huge_pages",
    "resize",
    "out_of_memory",
    "eviction",
    "restart",
    "write",
    "power_fails",
];

/// The same machine after the power has come back.
const AFTER: [&str; 8] = ["prepare", "up", "node_ready", "survived", "node_port", "exec_in_pod", "down", "destroy"];

#[test]
fn a_cluster_lives_on_cgroup_v2_alone_and_survives_a_power_cut() {
    let packages = e2e::repository().join("target/debian");
    let kernel = Kernel::newest(&packages).expect("a kernel in target/debian; type: cargo xtask test");
    let folder = tempfile::tempdir().expect("a folder");
    let (initramfs, disk) = (folder.path().join("initramfs"), folder.path().join("disk"));
    build(&kernel, &initramfs).expect("the guest's files");
    make_disk(&disk).expect("a disk");
    for (walk, steps) in [("before", &BEFORE[..]), ("after", &AFTER[..])] {
        let machine = Machine::boot(&kernel, &initramfs, &disk, walk, PATIENCE).expect("the emulator starts");
        follow(machine, steps);
    }
}

/// Watches the walk to its end.
fn follow(mut machine: Machine, steps: &[&str]) {
    for step in steps {
        let said = machine.next_line("VM-STEP ").unwrap_or_else(|reason| {
            panic!("{reason} before step {step} was done; the console:\n{}", machine.console())
        });
        let is_done = said.strip_prefix(step).is_some_and(|rest| rest.starts_with(" ok "));
        assert!(is_done, "step {step}: {said}; the console:\n{}", machine.console());
        println!("{said}");
    }
    machine.next_line("VM-OK").unwrap_or_else(|reason| panic!("{reason}; the console:\n{}", machine.console()));
}
