//! Who did what, and how it ended. Never what was in it.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::auth::User;
use crate::wire::request_info::RequestInfo;

/// One request, from authentication to its answer.
pub(crate) struct Record<'a> {
    pub(crate) id: &'a [u8],
    pub(crate) info: &'a RequestInfo,
    /// None while nobody was recognised.
    pub(crate) user: Option<Arc<User>>,
}

impl Record<'_> {
    pub(crate) fn finish(&self, code: StatusCode, took: Duration) {
        tracing::debug!(
            target: "audit",
            id = %self.id.escape_ascii(),
            user = self.user.as_ref().map_or("", |user| user.name.as_str()),
            verb = self.info.verb,
            path = self.info.path,
            code = code.as_u16(),
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
    }
}
