//! One node with real containers: the program as people run it, in namespaces of its own, and its pods.

mod cluster;
mod crowd;
mod crun;
mod hundred;
pub(crate) mod inside;
mod pods;
mod runtime;
mod starts;

use crate::Measurement;

pub(crate) const MEASUREMENTS: &[Measurement] = &[
    ("A sandbox and a container", runtime::measure),
    ("Pods, one a second", starts::measure),
    ("A hundred pods", hundred::measure),
    ("A crowd of pods", crowd::measure),
];
