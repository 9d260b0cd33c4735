//! Leases for keys with a lifetime, shared as upstream's lease manager shares them: events come by the hundred, and a
//! lease for each would cost etcd more than the event.

use std::time::Duration;

use stdx::Clock;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::client::Client;
use crate::grpc::CallError;

/// A key may live longer than it was told by this much, or by a twentieth, whichever is less.
const REUSE_SECONDS: i64 = 60;
const REUSE_FRACTION: i64 = 20;
/// Ending a lease removes all its keys in one step; more would hold up etcd.
const MAX_KEYS: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Leases {
    last: Mutex<Option<Lease>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    id: i64,
    /// Not later than etcd ends it.
    expires: Instant,
    keys: usize,
}

impl Leases {
    /// A lease that ends not before `lifetime` from now, and little later.
    pub(crate) async fn for_lifetime(
        &self,
        lifetime: Duration,
        client: &Client,
        clock: Clock,
        deadline: Instant,
    ) -> Result<i64, CallError> {
        let mut last = self.last.lock().await;
        let now = clock.instant();
        if let Some(lease) = last.as_mut().filter(|lease| lease.fits(lifetime, now)) {
            lease.keys += 1;
            return Ok(lease.id);
        }
        let seconds = seconds(lifetime);
        let (id, granted) = client.grant_lease(seconds + reuse_seconds(seconds), deadline).await?;
        let granted = Duration::from_secs(u64::try_from(granted).unwrap_or(0));
        *last = Some(Lease { id, expires: now + granted, keys: 1 });
        Ok(id)
    }

    /// etcd does not know the lease any more.
    pub(crate) async fn forget(&self) {
        *self.last.lock().await = None;
    }
}

impl Lease {
    fn fits(&self, lifetime: Duration, now: Instant) -> bool {
        let seconds = seconds(lifetime);
        let extra = Duration::from_secs(reuse_seconds(seconds).unsigned_abs());
        let ends = now + Duration::from_secs(seconds.unsigned_abs());
        ends < self.expires && self.expires <= ends + extra && self.keys < MAX_KEYS
    }
}

/// Whole seconds, rounded up; etcd refuses leases of more than 9,000,000,000 seconds.
fn seconds(lifetime: Duration) -> i64 {
    let whole = lifetime.as_secs().saturating_add(u64::from(lifetime.subsec_nanos() > 0));
    i64::try_from(whole).unwrap_or(i64::MAX).clamp(1, 8_000_000_000)
}

fn reuse_seconds(seconds: i64) -> i64 {
    (seconds / REUSE_FRACTION).min(REUSE_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_shared_for_about_a_minute_or_a_twentieth() {
        let now = Clock::system().instant();
        let hour = Duration::from_secs(3600);
        let lease = Lease { id: 1, expires: now + Duration::from_secs(3660), keys: 1 };
        assert!(lease.fits(hour, now));
        assert!(lease.fits(hour, now + Duration::from_secs(59)));
        assert!(!lease.fits(hour, now + Duration::from_secs(60)), "it would end too early");
        assert!(!lease.fits(Duration::from_secs(60), now), "it would end much too late");
        assert!(!Lease { keys: MAX_KEYS, ..lease }.fits(hour, now));
        assert_eq!([1, 19, 20, 600, 1200, 86_400].map(reuse_seconds), [0, 0, 1, 30, 60, 60]);
    }

    #[test]
    fn lifetimes_are_whole_seconds_rounded_up() {
        assert_eq!(seconds(Duration::from_millis(1)), 1);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::MAX), 8_000_000_000);
    }
}
