//! What every controller shares: informer caches, the work queue, the harness, the event recorder.
//!
//! A trigger carries a key, never a delta: the harness calls `reconcile(key)`, which re-reads what it
//! needs from the caches and the API, is idempotent, and says when it wants to be called again.
