//! Logs: which of a container's files to read, from where, and in what dress.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::follow::Follower;
use super::{Answer, Refusal, plain, query_values};
use crate::pod::observed::{self, Container};
use crate::pod::{Context, spec};

/// Chunks on their way to a client; a slow client slows the reader.
const CHUNKS_IN_FLIGHT: usize = 16;
const CHUNK_BYTES: usize = 16 * 1024;
/// A line longer than the runtime ever writes.
const MAXIMUM_LINE_BYTES: u64 = 1 << 20;

#[derive(Clone, Debug, Default, PartialEq)]
struct Options {
    follow: bool,
    previous: bool,
    timestamps: bool,
    tail_lines: Option<u64>,
    limit_bytes: Option<u64>,
    since_seconds: Option<i64>,
    since_time: Option<Timestamp>,
    /// `stdout` or `stderr`, where only one is wanted.
    stream: Option<&'static str>,
}

impl Options {
    fn parse(query: &str) -> Result<Options, Refusal> {
        let value = |name| query_values(query, name).next().filter(|value| !value.is_empty());
        let flag = |name| value(name).is_some_and(|value| value == "true" || value == "1");
        let number = |name: &'static str| {
            let parsed = value(name).map(|value| value.parse::<u64>());
            parsed.transpose().map_err(|_| Refusal::bad_request(format!("invalid value of {name}")))
        };
        let since_time = value("sinceTime").map(|value| value.parse()).transpose();
        Ok(Options {
            follow: flag("follow"),
            previous: flag("previous"),
            timestamps: flag("timestamps"),
            tail_lines: number("tailLines")?,
            limit_bytes: number("limitBytes")?,
            since_seconds: number("sinceSeconds")?.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
            since_time: since_time.map_err(|_| Refusal::bad_request("invalid value of sinceTime"))?,
            stream: match value("stream").as_deref() {
                None | Some("All") => None,
                Some("Stdout") => Some("stdout"),
                Some("Stderr") => Some("stderr"),
                Some(_) => return Err(Refusal::bad_request("invalid value of stream")),
            },
        })
    }

    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let seconds = self.since_seconds.and_then(|seconds| now.checked_sub(SignedDuration::from_secs(seconds)).ok());
        seconds.or(self.since_time)
    }
}

pub(crate) async fn answer(context: &Arc<Context>, pod: &Pod, container: &str, query: &str) -> Result<Answer, Refusal> {
    let options = Options::parse(query)?;
    if spec::find(pod, container).is_none() {
        let message = format!("container {container:?} not found in pod {:?}", spec::name(pod));
        return Err(Refusal::not_found(message));
    }
    let observed = observed::observe(&*context.runtime, spec::uid(pod)).await;
    let observed = observed.map_err(|status| Refusal::internal(status.message))?;
    let source = choose(pod, container, &observed.containers, options.previous)?;
    let follow = options.follow && source.is_running();
    let file = File::open(&source.log_path).map_err(|error| {
        Refusal::internal(format!("failed to try resolving symlinks in path {:?}: {error}", source.log_path))
    })?;
    let follower = if follow {
        let follower = Follower::new(Arc::clone(context), source.id.clone(), source.log_path.as_ref());
        Some(follower.map_err(|error| Refusal::internal(error.to_string()))?)
    } else {
        None
    };
    let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
    let since = options.since(context.ambient.clock.now());
    let reader = Reader { filter: Filter { since, left: options.limit_bytes, options }, sender, chunk: Vec::new() };
    let path = source.log_path.clone();
    tokio::spawn(async move {
        if let Err(error) = reader.run(file, follower).await {
            tracing::warn!(path, %error, "a log was cut short");
        }
    });
    let frames = futures::stream::unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async move {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(chunk)), receiver))
    });
    Ok(plain(BodyExt::boxed(StreamBody::new(SyncStream(Box::pin(frames))))))
}

/// Boxed bodies must be `Sync`; a stream is only ever polled through `&mut`.
struct SyncStream<S>(std::pin::Pin<Box<S>>);

impl<S: futures::Stream> futures::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

/// The container whose log is asked for, with upstream's words where there is none.
fn choose<'a>(pod: &Pod, name: &str, containers: &'a [Container], previous: bool) -> Result<&'a Container, Refusal> {
    let pod_name = spec::name(pod);
    let mut history = containers.iter().filter(|container| container.name == name && !container.log_path.is_empty());
    let ran = |container: &&Container| container.is_running() || container.exit().is_some();
    if previous {
        let mut ended = history.filter(ran);
        let older = ended.next().filter(|latest| latest.exit().is_some() && is_waiting(pod, name)).or(ended.next());
        let message = format!("previous terminated container {name:?} in pod {pod_name:?} not found");
        return older.ok_or_else(|| Refusal::bad_request(message));
    }
    history.find(ran).ok_or_else(|| {
        let reason = match waiting_reason(pod, name).as_deref() {
            None | Some("") => {
                return Refusal::bad_request(format!("container {name:?} in pod {pod_name:?} is not available"));
            }
            Some("ErrImagePull") => "image can't be pulled".to_owned(),
            Some("ImagePullBackOff") => "trying and failing to pull image".to_owned(),
            Some(other) => other.to_owned(),
        };
        Refusal::bad_request(format!("container {name:?} in pod {pod_name:?} is waiting to start: {reason}"))
    })
}

fn is_waiting(pod: &Pod, name: &str) -> bool {
    waiting_reason(pod, name).is_some()
}

fn waiting_reason(pod: &Pod, name: &str) -> Option<String> {
    let status = pod.status.as_ref()?;
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    let status = lists.into_iter().flatten().flatten().find(|status| status.name == name)?;
    status.state.as_ref()?.waiting.as_ref()?.reason.clone()
}

struct Reader {
    filter: Filter,
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

/// Whether there is more to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Go,
    Stop,
}

impl Reader {
    async fn run(mut self, mut file: File, mut follower: Option<Follower>) -> io::Result<()> {
        if let Some(lines) = self.filter.options.tail_lines {
            let start = tail_start(&mut file, lines)?;
            file.seek(SeekFrom::Start(start))?;
        }
        let mut file = BufReader::with_capacity(CHUNK_BYTES, file);
        let mut line = Vec::new();
        let mut successor = None;
        loop {
            // A line without its end is still being written; the rest of it follows.
            let room = MAXIMUM_LINE_BYTES.saturating_sub(line.len() as u64);
            let read = (&mut file).take(room).read_until(b'\n', &mut line)?;
            if read > 0 && (line.ends_with(b"\n") || line.len() as u64 >= MAXIMUM_LINE_BYTES) {
                let flow = self.filter.pass(&line, &mut self.chunk);
                line.clear();
                if flow == Flow::Stop || (self.chunk.len() >= CHUNK_BYTES && self.flush().await == Flow::Stop) {
                    break;
                }
                continue;
            }
            if self.flush().await == Flow::Stop {
                return Ok(());
            }
            if let Some(next) = successor.take() {
                file = BufReader::with_capacity(CHUNK_BYTES, next);
                continue;
            }
            if let Some(follower) = &follower {
                successor = follower.successor(file.get_ref())?;
                if successor.is_some() {
                    // What came into the old file before the new one was there is read first.
                    continue;
                }
            }
            let more = match &mut follower {
                Some(follower) => follower.more(&self.sender).await?,
                None => false,
            };
            if !more {
                break;
            }
        }
        if !line.is_empty() {
            self.filter.pass(&line, &mut self.chunk);
        }
        self.flush().await;
        Ok(())
    }

    async fn flush(&mut self) -> Flow {
        if self.chunk.is_empty() {
            return Flow::Go;
        }
        let chunk = Bytes::from(std::mem::take(&mut self.chunk));
        // A client that has gone has closed the channel.
        if self.sender.send(chunk).await.is_ok() { Flow::Go } else { Flow::Stop }
    }
}

struct Filter {
    options: Options,
    since: Option<Timestamp>,
    /// Bytes that may still be sent.
    left: Option<u64>,
}

impl Filter {
    /// Appends what is to be shown of one line of the file.
    fn pass(&mut self, line: &[u8], shown: &mut Vec<u8>) -> Flow {
        let Some(parsed) = Line::parse(line) else { return Flow::Go };
        if self.options.stream.is_some_and(|stream| stream.as_bytes() != parsed.stream) {
            return Flow::Go;
        }
        if let Some(since) = self.since {
            let written = std::str::from_utf8(parsed.time).ok().and_then(|time| time.parse::<Timestamp>().ok());
            if written.is_some_and(|written| written < since) {
                return Flow::Go;
            }
        }
        let before = shown.len();
        if self.options.timestamps {
            shown.extend_from_slice(parsed.time);
            shown.push(b' ');
        }
        shown.extend_from_slice(parsed.content);
        if !parsed.partial {
            shown.push(b'\n');
        }
        if let Some(left) = &mut self.left {
            let added = (shown.len() - before) as u64;
            if added >= *left {
                shown.truncate(before + usize::try_from(*left).unwrap_or(0));
                *left = 0;
                return Flow::Stop;
            }
            *left -= added;
        }
        Flow::Go
    }
}

/// `<time> <stream> <F|P> <content>`, as runtimes write logs.
#[derive(Debug, PartialEq, Eq)]
struct Line<'a> {
    time: &'a [u8],
    stream: &'a [u8],
    /// The line goes on in the next.
    partial: bool,
    content: &'a [u8],
}

impl<'a> Line<'a> {
    fn parse(line: &'a [u8]) -> Option<Line<'a>> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut fields = line.splitn(4, |&byte| byte == b' ');
        let (time, stream, tags, content) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let partial = tags.split(|&byte| byte == b':').next() == Some(b"P");
        Some(Line { time, stream, partial, content })
    }
}

/// Where the last `lines` lines begin: the file is read backwards, so that a long log costs no more
/// than its tail.
fn tail_start(file: &mut File, lines: u64) -> io::Result<u64> {
    const BLOCK: u64 = 4096;
    let length = file.metadata()?.len();
    if lines == 0 {
        return Ok(length);
    }
    let (mut end, mut seen) = (length, 0);
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        (&mut *file).take(end - start).read_to_end(&mut block)?;
        for (at, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let position = start + at as u64;
            // The newline that ends the file ends its last line.
            if position + 1 == length {
                continue;
            }
            seen += 1;
            if seen == lines {
                return Ok(position + 1);
            }
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2030-01-01T00:00:01.5Z stdout F one\n2030-01-01T00:00:02Z stderr F two\n2030-01-01T00:00:03Z stdout P thr\n2030-01-01T00:00:03Z stdout F ee\n";

    async fn read(query: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        std::fs::write(&path, LOG).unwrap();
        let options = Options::parse(query).unwrap();
        let now: Timestamp = "2030-01-01T00:00:04Z".parse().unwrap();
        let (sender, mut receiver) = mpsc::channel(16);
        let filter = Filter { since: options.since(now), left: options.limit_bytes, options };
        let reader = Reader { filter, sender, chunk: Vec::new() };
        reader.run(File::open(path).unwrap(), None).await.unwrap();
        let mut text = Vec::new();
        while let Some(chunk) = receiver.recv().await {
            text.extend_from_slice(&chunk);
        }
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn following_goes_on_in_the_file_that_takes_the_place() {
        let world = crate::testing::context::World::new();
        let path = world.folder.path().join("0.log");
        std::fs::write(&path, "2030-01-01T00:00:01Z stdout F one\n").unwrap();
        let follower = Follower::new(Arc::clone(&world.context), "unknown".to_owned(), &path).unwrap();
        let (sender, mut receiver) = mpsc::channel(16);
        let options = Options { follow: true, ..Options::default() };
        let reader = Reader { filter: Filter { since: None, left: None, options }, sender, chunk: Vec::new() };
        let reading = tokio::spawn(reader.run(File::open(&path).unwrap(), Some(follower)));
        assert_eq!(receiver.recv().await.unwrap(), "one\n");
        std::fs::rename(&path, world.folder.path().join("0.log.20300101-000000")).unwrap();
        std::fs::write(&path, "2030-01-01T00:00:02Z stdout F two\n").unwrap();
        assert_eq!(receiver.recv().await.unwrap(), "two\n");
        world.context.runtime_events.send_modify(|count| *count += 1);
        reading.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn options_choose_what_is_shown() {
        assert_eq!(read("").await, "one\ntwo\nthree\n");
        assert_eq!(read("stream=Stderr").await, "two\n");
        assert_eq!(read("tailLines=3").await, "two\nthree\n");
        assert_eq!(read("tailLines=0").await, "");
        assert_eq!(read("tailLines=100").await, "one\ntwo\nthree\n");
        assert_eq!(read("limitBytes=5").await, "one\nt");
        assert_eq!(read("sinceSeconds=2").await, "two\nthree\n");
        assert_eq!(read("sinceTime=2030-01-01T00:00:03Z").await, "three\n");
        assert_eq!(read("timestamps=true&limitBytes=26").await, "2030-01-01T00:00:01.5Z one");
    }

    #[test]
    fn the_right_run_is_chosen_or_its_absence_told() {
        use crate::pod::observed::{Exit, State};
        let run = |restart_count, state| Container {
            id: format!("c{restart_count}"),
            sandbox_id: String::new(),
            name: "c".to_owned(),
            restart_count,
            created_at: Timestamp::UNIX_EPOCH,
            state,
            image: String::new(),
            image_id: String::new(),
            log_path: format!("{restart_count}.log"),
            spec_hash: String::new(),
        };
        let running = || State::Running { started_at: Timestamp::UNIX_EPOCH };
        let ended = || {
            let (reason, message) = (String::new(), String::new());
            State::Exited(Exit { started_at: None, finished_at: Timestamp::UNIX_EPOCH, exit_code: 1, reason, message })
        };
        let pod = |state: &str| {
            crate::testing::pod_from(&format!(
                r#"{{"metadata":{{"name":"p"}},"status":{{"containerStatuses":[{{"name":"c","image":"","imageID":"","ready":false,
                    "restartCount":0,"state":{state}}}]}}}}"#
            ))
        };
        let path = |pod: &Pod, runs: &[Container], previous| {
            choose(pod, "c", runs, previous).map(|run| run.log_path.clone()).map_err(|refusal| refusal.message)
        };
        let alive = pod(r#"{"running":{}}"#);
        let runs = [run(1, running()), run(0, ended())];
        assert_eq!(path(&alive, &runs, false), Ok("1.log".to_owned()));
        assert_eq!(path(&alive, &runs, true), Ok("0.log".to_owned()));
        let missing = "previous terminated container \"c\" in pod \"p\" not found";
        assert_eq!(path(&alive, &runs[..1], true), Err(missing.to_owned()));
        let crashing = pod(r#"{"waiting":{"reason":"CrashLoopBackOff"}}"#);
        assert_eq!(path(&crashing, &runs[1..], true), Ok("0.log".to_owned()));
        let pulling = pod(r#"{"waiting":{"reason":"ImagePullBackOff"}}"#);
        let waits = "container \"c\" in pod \"p\" is waiting to start: trying and failing to pull image";
        assert_eq!(path(&pulling, &[], false), Err(waits.to_owned()));
    }

    #[test]
    fn bad_options_are_refused() {
        for query in ["tailLines=x", "sinceTime=yesterday", "stream=Both", "limitBytes=-1"] {
            assert!(Options::parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_long_tail_is_found_across_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.log");
        let text: String = (0..2000).map(|number| format!("line {number}\n")).collect();
        std::fs::write(&path, &text).unwrap();
        let start = tail_start(&mut File::open(&path).unwrap(), 1000).unwrap();
        assert!(text[usize::try_from(start).unwrap()..].starts_with("line 1000\n"));
    }
}
