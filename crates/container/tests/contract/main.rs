//! What a container runtime promises its kubelet, held against three: ours in this process, ours over its socket, and
//! Debian's containerd with runc. Needs root, and Debian's busybox-static, containerd, runc and
//! containernetworking-plugins.

mod runtimes;

use std::any::Any;
use std::process::{Command, ExitCode};

use cri_contract::PROMISES;
use libtest_mimic::{Arguments, Failed, Trial};
use nix::sched::{CloneFlags, unshare};

use crate::runtimes::{Kind, Runtimes};

fn main() -> ExitCode {
    // Before any thread: links, addresses and mounts of the computer that runs the tests stay as they are.
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("namespaces can be made: are you root?");
    let setup = Command::new("sh").args(["-ec", "mount --make-rprivate /; ip link set lo up"]).status();
    assert!(setup.is_ok_and(|status| status.success()), "a machine of the tests' own could not be made");

    let runtimes = Runtimes::new();
    let mut trials = Vec::new();
    for kind in Kind::ALL {
        for (name, promise) in PROMISES {
            let runtimes = runtimes.clone();
            trials.push(Trial::test(format!("{kind}::{name}"), move || {
                let node = runtimes.get(kind);
                let kept = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtimes.wait(promise(&node))));
                kept.map_err(|panic| Failed::from(format!("{}\n{}", message(&*panic), runtimes.log(kind))))
            }));
        }
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    let left = runtimes.close();
    if left.is_empty() {
        return conclusion.exit_code();
    }
    eprintln!("the runtimes left traces:\n{}", left.join("\n"));
    ExitCode::from(101)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}
