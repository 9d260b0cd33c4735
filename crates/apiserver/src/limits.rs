//! How many requests are worked on at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::status::ApiError;
use crate::wire::request_info::RequestInfo;

/// As upstream's defaults: reads and writes have their own share.
const READS: usize = 400;
const WRITES: usize = 200;
/// A request that waits longer than this for its turn is told to come back.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Limits {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { reads: Arc::new(Semaphore::new(READS)), writes: Arc::new(Semaphore::new(WRITES)) }
    }
}

impl Limits {
    /// A place to work in, or 429. Long-running requests do not ask for one.
    pub(crate) async fn enter(&self, info: &RequestInfo) -> Result<OwnedSemaphorePermit, ApiError> {
        let reads = matches!(info.verb, "get" | "list" | "head" | "options");
        let share = if reads { &self.reads } else { &self.writes };
        match tokio::time::timeout(PATIENCE, share.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(ApiError::too_many_requests("Too many requests, please try again later.", 1)),
        }
    }
}
