//! A machine whose only cgroup hierarchy is version 2, with no distribution around the program.
#![cfg(target_arch = "x86_64")]

use std::time::Duration;

use vm::{Kernel, Machine, build};

/// For the whole walk. An emulated computer is slow, and slower beside other work.
const PATIENCE: Duration = Duration::from_secs(240);

/// The walk's steps, in order.
const STEPS: [&str; 15] = [
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
    "out_of_memory",
    "restart",
    "down",
    "destroy",
];

#[test]
fn a_cluster_lives_on_cgroup_v2_alone() {
    let packages = e2e::repository().join("target/debian");
    let kernel = Kernel::newest(&packages).expect("a kernel in target/debian; type: cargo xtask test");
    let folder = tempfile::tempdir().expect("a folder");
    let initramfs = folder.path().join("initramfs");
    build(&kernel, &initramfs).expect("the guest's files");
    let mut machine = Machine::boot(&kernel, &initramfs, PATIENCE).expect("the emulator starts");
    for step in STEPS {
        let said = machine.next_line("VM-STEP ").unwrap_or_else(|reason| {
            panic!("{reason} before step {step} was done; the console:\n{}", machine.console())
        });
        let is_done = said.strip_prefix(step).is_some_and(|rest| rest.starts_with(" ok "));
        assert!(is_done, "step {step}: {said}; the console:\n{}", machine.console());
        println!("{said}");
    }
    machine.next_line("VM-OK").unwrap_or_else(|reason| panic!("{reason}; the console:\n{}", machine.console()));
}
