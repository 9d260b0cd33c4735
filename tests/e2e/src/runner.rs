//! Runs a file's tests on one cluster, and takes the cluster away after the last.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::Cluster;

/// One test: a name that says what must hold, and the cluster it is shown on.
pub fn trial(suite: &Arc<Suite>, name: &str, test: impl FnOnce(&Cluster) + Send + 'static) -> Trial {
    let suite = suite.clone();
    Trial::test(name, move || {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(suite.cluster())));
        outcome.map_err(|panic| {
            let message = panic.downcast_ref::<String>().cloned();
            let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let message = message.unwrap_or_else(|| "panicked".to_owned());
            Failed::from(format!("{message}\n{}", suite.cluster().diagnostics()))
        })
    })
}

/// The cluster of a test file, made when the first test asks for it.
pub struct Suite {
    cluster: std::sync::OnceLock<Cluster>,
    start: fn(&Cluster),
}

impl Suite {
    /// `start` brings the cluster into the state that the file's tests expect.
    pub fn new(start: fn(&Cluster)) -> Arc<Self> {
        Arc::new(Suite { cluster: std::sync::OnceLock::new(), start })
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.get_or_init(|| {
            let cluster = Cluster::new();
            (self.start)(&cluster);
            cluster
        })
    }

    /// Runs the tests, `threads` at a time, then destroys the cluster. What that leaves behind
    /// fails the run.
    pub fn run(&self, threads: usize, trials: Vec<Trial>) -> ExitCode {
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert(threads);
        let conclusion = libtest_mimic::run(&arguments, trials);
        let Some(cluster) = self.cluster.get() else { return conclusion.exit_code() };
        match cluster.destroy() {
            Ok(()) => conclusion.exit_code(),
            Err(left) => {
                eprintln!("destroy left traces:\n{left}");
                ExitCode::from(101)
            }
        }
    }
}
