//! A fixed handful of seeds of the chaos. `cargo xtask chaos` runs as many as asked.

use sim::chaos;

/// Lines of a failed seed's trace to show.
const END: usize = 60;

fn check(seeds: std::ops::Range<u64>) {
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
    check(0..5);
}

#[test]
fn after_quiet_another_world_is_as_declared() {
    check(5..10);
}

#[test]
fn the_same_seed_takes_the_same_course() {
    for seed in [0, 100] {
        let [one, other] = [chaos::run(seed).unwrap(), chaos::run(seed).unwrap()];
        for (one, other) in [(&one.trace, &other.trace), (&one.history, &other.history)] {
            let difference = one.iter().zip(other).find(|(one, other)| one != other);
            assert_eq!(difference, None, "seed {seed}");
            assert_eq!(one.len(), other.len(), "seed {seed}");
        }
    }
}
