//! What every room needs and the standard library lacks.
//!
//! **Invariant:** nothing here knows of Kubernetes.

pub mod backoff;
pub mod clock;
pub mod error;
pub mod fs;
pub mod metrics;
pub mod random;
pub mod signal;
pub mod steps;
pub mod waiters;

pub use backoff::Backoff;
pub use clock::Clock;
pub use random::Random;
pub use signal::Signal;
pub use steps::Steps;

/// Time and chance, handed to every component that needs either, so that the same code runs on
/// a machine and, reproducibly, in the simulator.
#[derive(Clone, Debug)]
pub struct Ambient {
    pub clock: Clock,
    pub random: Random,
}

impl Ambient {
    /// The machine's own clock and randomness.
    pub fn system() -> Self {
        Ambient { clock: Clock::system(), random: Random::system() }
    }

    /// Virtual time that starts at a fixed moment, and a generator that repeats itself.
    ///
    /// Time moves with tokio's clock, so a paused runtime makes it fully deterministic.
    pub fn simulated(seed: u64) -> Self {
        Ambient { clock: Clock::simulated(), random: Random::seeded(seed) }
    }
}
