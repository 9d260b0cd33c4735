//! Events: what happened to an object, for people to read.

mod correlator;

use std::sync::Arc;

use api::k8s::api::core::v1::{Event, EventSource, ObjectReference};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use client::kube::Resource;
use client::kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use client::{CallError, Client};
use serde_json::json;
use stdx::Ambient;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use correlator::{Correlator, Occurrence, Verdict};

/// Events waiting to be written; more are dropped, as events are a courtesy and must not slow work.
const BUFFER: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    Normal,
    Warning,
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// Writes events in the background. Clones share one writer, which ends with its token.
#[derive(Clone)]
pub struct Recorder {
    ambient: Ambient,
    sender: mpsc::Sender<Occurrence>,
    component: Arc<str>,
}

impl Recorder {
    /// `component` is the reporter's name, `host` the node it reports from, where it is of a node.
    pub fn start(
        client: Client,
        component: &str,
        host: Option<&str>,
        ambient: &Ambient,
        cancel: CancellationToken,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(BUFFER);
        let writer = Writer {
            client,
            source: EventSource { component: Some(component.to_owned()), host: host.map(str::to_owned) },
            ambient: ambient.clone(),
            correlator: Correlator::default(),
        };
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = writer.run(receiver) => {}
            }
        });
        Recorder { ambient: ambient.clone(), sender, component: component.into() }
    }

    /// Never waits.
    pub fn event(&self, about: &ObjectReference, r#type: EventType, reason: &str, message: impl Into<String>) {
        let occurrence = Occurrence {
            about: about.clone(),
            r#type,
            reason: reason.to_owned(),
            message: truncate(message.into()),
            at: self.ambient.clock.now_seconds(),
        };
        if self.sender.try_send(occurrence).is_err() {
            tracing::debug!(component = &*self.component, reason, "an event was dropped");
        }
    }

    pub fn normal<K: Resource<DynamicType = ()>>(&self, about: &K, reason: &str, message: impl Into<String>) {
        self.event(&reference_to(about), EventType::Normal, reason, message);
    }

    pub fn warning<K: Resource<DynamicType = ()>>(&self, about: &K, reason: &str, message: impl Into<String>) {
        self.event(&reference_to(about), EventType::Warning, reason, message);
    }
}

/// How an event names its object.
pub fn reference_to<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    ObjectReference { resource_version: object.meta().resource_version.clone(), ..object.object_ref(&()) }
}

/// The API refuses messages over 1024 bytes.
fn truncate(mut message: String) -> String {
    const LIMIT: usize = 1024;
    if message.len() > LIMIT {
        let end = (0..=LIMIT).rev().find(|&at| message.is_char_boundary(at)).unwrap_or(0);
        message.truncate(end);
    }
    message
}

struct Writer {
    client: Client,
    source: EventSource,
    ambient: Ambient,
    correlator: Correlator,
}

impl Writer {
    async fn run(mut self, mut receiver: mpsc::Receiver<Occurrence>) {
        while let Some(occurrence) = receiver.recv().await {
            if let Err(error) = self.write(occurrence).await {
                tracing::debug!(error = stdx::error::chain(&error), "an event could not be written");
            }
        }
    }

    async fn write(&mut self, occurrence: Occurrence) -> Result<(), CallError> {
        // Events about cluster-scoped objects live in the default namespace.
        let namespace = occurrence.about.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let api: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        match self.correlator.observe(occurrence, self.ambient.clock.instant()) {
            Verdict::Drop => Ok(()),
            Verdict::Repeat { name, count, occurrence, identity } => {
                let patch = json!({
                    "count": count,
                    "lastTimestamp": Time(occurrence.at),
                    "message": occurrence.message,
                });
                match api.patch(&name, &PatchParams::default(), &Patch::Strategic(patch)).await.map_err(CallError::from)
                {
                    // The old event's time to live is over: begin anew.
                    Err(error) if error.is_not_found() => {
                        let event = self.event(&namespace, &occurrence, count);
                        self.create(&api, event, identity).await
                    }
                    other => other.map(drop),
                }
            }
            Verdict::New { occurrence, identity } => {
                let event = self.event(&namespace, &occurrence, 1);
                self.create(&api, event, identity).await
            }
        }
    }

    async fn create(
        &mut self,
        api: &Api<Event>,
        event: Event,
        identity: correlator::Identity,
    ) -> Result<(), CallError> {
        api.create(&PostParams::default(), &event).await?;
        self.correlator.written(identity, event.metadata.name.unwrap_or_default());
        Ok(())
    }

    /// Nanoseconds since the epoch, as upstream names events: clients show those of one second in the order of their
    /// names. The clock stops at microseconds; chance keeps other components' names apart.
    fn serial(&self) -> i128 {
        let below_clock = i128::from(self.ambient.random.below(1000));
        self.ambient.clock.now().as_nanosecond() + below_clock
    }

    fn event(&self, namespace: &str, occurrence: &Occurrence, count: i32) -> Event {
        let object = occurrence.about.name.clone().unwrap_or_default();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{object}.{:x}", self.serial())),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            involved_object: occurrence.about.clone(),
            reason: Some(occurrence.reason.clone()),
            message: Some(occurrence.message.clone()),
            type_: Some(occurrence.r#type.as_str().to_owned()),
            first_timestamp: Some(Time(occurrence.at)),
            last_timestamp: Some(Time(occurrence.at)),
            count: Some(count),
            reporting_component: self.source.component.clone(),
            reporting_instance: self.source.host.clone(),
            source: Some(self.source.clone()),
            ..Event::default()
        }
    }
}
