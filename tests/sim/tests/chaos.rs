//! A fixed handful of seeds of the chaos. `cargo xtask chaos` runs as many as asked.

use sim::chaos;

/// Lines of a failed seed's trace to show.
const END: usize = 60;

fn check(seeds: [u64; 4]) {
    for seed in seeds {
        let outcome = chaos::run(seed).unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        let end = outcome.trace.len().saturating_sub(END);
        assert!(
            outcome.findings.is_empty(),
            "{}\nseed {seed}:\n{}",
            outcome.trace[end..].join("\n"),
            outcome.findings.join("\n")
        );
    }
}

#[test]
fn after_quiet_the_world_is_as_declared() {
    check([0, 1, 2, 5]);
}
