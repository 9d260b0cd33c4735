//! Keeps a cache current: list once, then watch from where the list ended, for as long as it goes.

use std::sync::Arc;
use std::time::Duration;

use client::CallError;
use client::kube::api::{Api, ListParams, WatchEvent, WatchParams};
use futures::StreamExt;
use stdx::{Ambient, Backoff};
use tokio_util::sync::CancellationToken;

use super::{Kind, ListOptions, Shared};

/// How long a server may keep one watch before it asks for a new one; spread so that the watches
/// of one process do not all end at once.
const WATCH_SECONDS: u32 = 240;
const WATCH_SPREAD_SECONDS: u64 = 50;
/// A watch that ends sooner, having said nothing, counts as a failure.
const SHORT_WATCH: Duration = Duration::from_secs(1);
const PAGE: u32 = 500;
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error("listing failed")]
    List(#[source] CallError),
    #[error("the list carries no resourceVersion")]
    NoVersion,
    #[error("watching failed")]
    Watch(#[source] CallError),
    #[error("the watch ended at once")]
    Short,
}

pub(super) async fn run<K: Kind>(
    api: Api<K>,
    options: ListOptions<K>,
    shared: Arc<Shared<K>>,
    ambient: Ambient,
    cancel: CancellationToken,
) {
    let mut reflector = Reflector { api, options, shared, ambient, position: None, backoff: new_backoff() };
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        () = reflector.keep_current() => {}
    }
}

fn new_backoff() -> Backoff {
    Backoff::new(FIRST_RETRY, LAST_RETRY)
}

struct Reflector<K> {
    api: Api<K>,
    options: ListOptions<K>,
    shared: Arc<Shared<K>>,
    ambient: Ambient,
    /// The resourceVersion up to which the cache is current; none before the first list, and after
    /// the server has forgotten it.
    position: Option<String>,
    backoff: Backoff,
}

impl<K: Kind> Reflector<K> {
    async fn keep_current(&mut self) {
        loop {
            let Err(error) = self.list_and_watch().await else { continue };
            if let WatchError::List(call) | WatchError::Watch(call) = &error
                && call.is_expired()
            {
                self.position = None;
            }
            let delay = self.backoff.next_delay();
            let delay = delay + delay.mul_f64(self.ambient.random.fraction());
            tracing::debug!(
                resource = self.api.resource_url(),
                error = stdx::error::chain(&error),
                retry_milliseconds = delay.as_millis(),
                "the informer starts over"
            );
            self.ambient.clock.sleep(delay).await;
        }
    }

    async fn list_and_watch(&mut self) -> Result<(), WatchError> {
        let position = match &self.position {
            Some(position) => position.clone(),
            None => self.list().await?,
        };
        self.watch(position).await
    }

    async fn list(&mut self) -> Result<String, WatchError> {
        let mut parameters = ListParams {
            label_selector: self.options.labels.clone(),
            field_selector: self.options.fields.clone(),
            limit: Some(PAGE),
            ..ListParams::default()
        };
        let mut objects = Vec::new();
        loop {
            let page = self.api.list(&parameters).await.map_err(|error| WatchError::List(error.into()))?;
            objects.extend(page.items);
            if let Some(token) = page.metadata.continue_.filter(|token| !token.is_empty()) {
                parameters.continue_token = Some(token);
                continue;
            }
            let version = page.metadata.resource_version.filter(|version| !version.is_empty());
            let version = version.ok_or(WatchError::NoVersion)?;
            self.shared.replace_all(objects);
            self.position = Some(version.clone());
            return Ok(version);
        }
    }

    async fn watch(&mut self, position: String) -> Result<(), WatchError> {
        let spread = u32::try_from(self.ambient.random.below(WATCH_SPREAD_SECONDS)).unwrap_or_default();
        let parameters = WatchParams {
            label_selector: self.options.labels.clone(),
            field_selector: self.options.fields.clone(),
            timeout: Some(WATCH_SECONDS + spread),
            bookmarks: true,
            send_initial_events: false,
        };
        let started = self.ambient.clock.instant();
        let call_failed = |error: client::ClientError| WatchError::Watch(error.into());
        let stream = self.api.watch(&parameters, &position).await.map_err(call_failed)?;
        let mut stream = std::pin::pin!(stream);
        let mut spoke = false;
        while let Some(event) = stream.next().await {
            match event.map_err(call_failed)? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.advance(&object);
                    self.shared.upsert(object);
                }
                WatchEvent::Deleted(object) => {
                    self.advance(&object);
                    self.shared.remove(object);
                }
                WatchEvent::Bookmark(bookmark) => self.position = Some(bookmark.metadata.resource_version),
                WatchEvent::Error(status) => return Err(call_failed(client::ClientError::Api(status))),
            }
            if !spoke {
                spoke = true;
                self.backoff.reset();
            }
        }
        if spoke || started.elapsed() >= SHORT_WATCH { Ok(()) } else { Err(WatchError::Short) }
    }

    fn advance(&mut self, object: &K) {
        if let Some(version) = &object.meta().resource_version {
            self.position = Some(version.clone());
        }
    }
}
