//! How a watch sees a change: whether it does, and the bytes it is told in.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use registry::Kind;
use serde_json::Value;
use store::{Entry, Event, Revision};

use super::selector::Filter;
use crate::respond::View;
use crate::status::ApiError;
use crate::storage::Encoded;
use crate::wire::accept::Form;
use crate::wire::encode;

pub(crate) struct Lens {
    view: View,
    /// The form in which the kind rests.
    stored: &'static Kind,
    filter: Filter,
    /// Tables name their columns once.
    columns_told: AtomicBool,
}

impl Lens {
    pub(crate) fn new(view: View, stored: &'static Kind, filter: Filter) -> Self {
        Lens { view, stored, filter, columns_told: AtomicBool::new(false) }
    }

    /// The store's change as a watcher sees it: an object that stops matching is gone for it, one
    /// that begins to match is new.
    pub(crate) fn line(&self, event: &Event) -> Result<Option<Bytes>, ApiError> {
        // What is gone is shown as it last was, at the revision that took it out of sight.
        let at_event = |entry: &Entry| Encoded::at(entry.value.clone(), event.revision);
        let previous = event.previous.as_ref().map(at_event);
        let current = event.current().map(at_event);
        let matches = |encoded: &Option<Encoded>| match encoded {
            Some(encoded) => self.filter.matches(self.stored, event.key(), encoded),
            None => Ok(false),
        };
        let (kind, encoded) = match (matches(&previous)?, matches(&current)?, previous, current) {
            (false, true, _, Some(current)) => ("ADDED", current),
            (true, true, _, Some(current)) => ("MODIFIED", current),
            (true, false, Some(previous), _) => ("DELETED", previous),
            _ => return Ok(None),
        };
        let mut line = Vec::new();
        self.write(&mut line, kind, &encoded)?;
        Ok(Some(Bytes::from(line)))
    }

    /// Appends the line that says an object is there from the beginning.
    pub(crate) fn write_initial(&self, out: &mut Vec<u8>, entry: Entry) -> Result<(), ApiError> {
        self.write(out, "ADDED", &Encoded::from(entry))
    }

    pub(crate) fn bookmark(&self, revision: Revision, initial_events_end: bool) -> Result<Bytes, ApiError> {
        self.framed("BOOKMARK", &self.view.bookmark(revision, initial_events_end))
    }

    pub(crate) fn error(&self, error: &ApiError) -> Result<Bytes, ApiError> {
        let status = serde_json::to_value(error.status()).map_err(|error| ApiError::internal(&error.to_string()))?;
        self.framed("ERROR", &status)
    }

    fn write(&self, out: &mut Vec<u8>, event: &str, encoded: &Encoded) -> Result<(), ApiError> {
        if self.view.shares_bytes() {
            out.reserve(encoded.bytes.len() + 96);
            encode::json_frame(out, event, |out| encoded.write_to(out));
            return Ok(());
        }
        if let Form::Table { .. } = self.view.form {
            let mut table = self.view.value(encoded)?;
            if self.columns_told.swap(true, Ordering::Relaxed) {
                table["columnDefinitions"] = Value::Null;
            }
            out.extend_from_slice(&self.framed(event, &table)?);
            return Ok(());
        }
        let bytes = self.view.bytes(encoded)?;
        out.reserve(bytes.len() + 96);
        encode::frame(out, self.view.encoding, event, &bytes);
        Ok(())
    }

    fn framed(&self, event: &str, object: &Value) -> Result<Bytes, ApiError> {
        let object = encode::value(self.view.encoding, object)?;
        let mut line = Vec::with_capacity(object.len() + 96);
        encode::frame(&mut line, self.view.encoding, event, &object);
        Ok(Bytes::from(line))
    }
}
