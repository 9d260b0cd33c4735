//! The thread that waits for the disk while the writer goes on.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::batch::Frame;
use super::log::{AppendError, Journal};

#[derive(Debug)]
pub(super) struct Appender {
    jobs: SyncSender<Job>,
    done: Receiver<Done>,
    thread: JoinHandle<()>,
}

/// The logs, lent for as long as it takes, and what to append to them.
#[derive(Debug)]
struct Job {
    journal: Journal,
    frame: Frame,
    salt: u32,
}

/// The logs given back, and whether the frame rests.
pub(super) type Done = (Journal, Result<(), AppendError>);

impl Appender {
    pub(super) fn start() -> io::Result<Appender> {
        // One frame is on its way at most.
        let (jobs, receiver) = sync_channel::<Job>(1);
        let (sender, done) = sync_channel(1);
        let thread = std::thread::Builder::new().name("store-appender".into()).spawn(move || {
            for Job { mut journal, frame, salt } in receiver {
                let result = journal.append(frame.builder, frame.first, salt);
                // Whoever does not wait for it has closed the store, and the journal with it.
                if sender.send((journal, result)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Appender { jobs, done, thread })
    }

    /// Begins to append; [`Appender::finish`] must follow.
    pub(super) fn begin(&self, journal: Journal, frame: Frame, salt: u32) {
        if self.jobs.send(Job { journal, frame, salt }).is_err() {
            // It panicked, which `finish` tells.
            tracing::error!("the store's appender is gone");
        }
    }

    /// Waits until what was begun rests or has failed. `None` when the thread is gone, and the logs
    /// with it.
    pub(super) fn finish(&self) -> Option<Done> {
        self.done.recv().ok()
    }

    pub(super) fn close(self) {
        drop(self.jobs);
        if self.thread.join().is_err() {
            tracing::error!("the store's appender panicked");
        }
    }
}
