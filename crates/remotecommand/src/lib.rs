//! Streams to and from containers: exec, attach and port-forward.
//!
//! The protocols are those of the ecosystem: SPDY/3.1 and WebSocket upgrades of one HTTP/1.1
//! request. [`tunnel`] is for whoever stands between (API server, kubelet) and copies bytes.

pub mod tunnel;
