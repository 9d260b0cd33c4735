//! How many requests are worked on at once.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::status::ApiError;
use crate::wire::request_info::RequestInfo;

/// As upstream's defaults: reads and writes have their own share.
const READS: usize = 400;
const WRITES: usize = 200;
/// A request that waits longer than this for its turn is told to come back.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Limits {
    reads: Semaphore,
    writes: Semaphore,
}

/// How many requests are being worked on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InFlight {
    pub(crate) mutating: usize,
    pub(crate) read_only: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { reads: Semaphore::new(READS), writes: Semaphore::new(WRITES) }
    }
}

impl Limits {
    /// A place to work in, or 429. Long-running requests do not ask for one.
    pub(crate) async fn enter(&self, info: &RequestInfo) -> Result<SemaphorePermit<'_>, ApiError> {
        let reads = matches!(info.verb, "get" | "list" | "head" | "options");
        let share = if reads { &self.reads } else { &self.writes };
        if let Ok(place) = share.try_acquire() {
            return Ok(place);
        }
        match tokio::time::timeout(PATIENCE, share.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(ApiError::too_many_requests("Too many requests, please try again later.", 1)),
        }
    }

    pub(crate) fn in_flight(&self) -> InFlight {
        InFlight {
            mutating: WRITES.saturating_sub(self.writes.available_permits()),
            read_only: READS.saturating_sub(self.reads.available_permits()),
        }
    }
}
