//! Running a command in a container to its end.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::Duration;

use cri::{Code, ExecSyncResponse, Status};
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::net::unix::pipe::Receiver;

use super::container::Container;
use super::shim_client::{self, Conversation, ShimError};
use super::{Runtime, internal, internal_chain};
use crate::shim::protocol::Request;
use crate::spec;

/// More output than this is cut; containerd's bound.
const OUTPUT_LIMIT_BYTES: usize = 16 << 20;
const READ_BYTES: usize = 16 * 1024;
/// A pipe holds 64 KiB; so many reads empty it, whatever is being added.
const PIPE_READS: usize = 8;

impl Runtime {
    pub(super) async fn run_to_end(
        &self,
        container_id: &str,
        command: &[String],
        timeout: Option<Duration>,
    ) -> cri::Result<ExecSyncResponse> {
        let container = self.expect_container(container_id)?;
        let (stdout, their_stdout) = pipe()?;
        let (stderr, their_stderr) = pipe()?;
        let stdin = File::open("/dev/null").map_err(internal("open /dev/null"))?;
        let streams = [OwnedFd::from(stdin), their_stdout, their_stderr];
        let mut conversation = self.execute(&container, command, false, true, &streams).await?;
        drop(streams);
        let run = async {
            let (mut out, mut err) = (Output::new(stdout)?, Output::new(stderr)?);
            let ended = {
                let exit = conversation.exit_code();
                tokio::pin!(exit);
                loop {
                    tokio::select! {
                        code = &mut exit => break code,
                        () = out.read(), if !out.ended => {}
                        () = err.read(), if !err.ended => {}
                    }
                }
            };
            // All it wrote before it ended is in the pipes by now; what its children write is not awaited.
            out.drain();
            err.drain();
            let exit_code = ended.map_err(|error| internal_chain(&error))?;
            Ok(ExecSyncResponse { stdout: out.bytes, stderr: err.bytes, exit_code })
        };
        match timeout {
            None => run.await,
            // Dropping the conversation kills the command.
            Some(timeout) => tokio::time::timeout(timeout, run).await.unwrap_or_else(|_| {
                let text = format!("timeout {timeout:?} exceeded: context deadline exceeded");
                Err(Status::new(Code::DeadlineExceeded, format!("failed to exec in container: {text}")))
            }),
        }
    }

    /// Starts a process in a container; `tied` ones end with the conversation.
    pub(super) async fn execute(
        &self,
        container: &Container,
        command: &[String],
        terminal: bool,
        tied: bool,
        streams: &[OwnedFd],
    ) -> cri::Result<Conversation> {
        if command.is_empty() {
            return Err(Status::invalid("exec needs a command"));
        }
        let specification = self.specification(container).map_err(|error| internal_chain(&error))?;
        let process = spec::exec_process(&specification, command, terminal);
        let request = Request::Exec { container_id: container.id.clone(), process, terminal, tied };
        match shim_client::ask(&self.shim_folder(&container.sandbox_id), &request, streams).await {
            Ok(conversation) => Ok(conversation),
            Err(ShimError::NotRunning | ShimError::Gone(_)) => {
                Err(Status::new(Code::FailedPrecondition, format!("container {:?} is not running", container.id)))
            }
            Err(error) => Err(Status::new(
                Code::Unknown,
                format!("failed to exec in container: failed to start exec: {}", stdx::error::chain(&error)),
            )),
        }
    }
}

fn pipe() -> cri::Result<(OwnedFd, OwnedFd)> {
    pipe2(OFlag::O_CLOEXEC).map_err(|error| internal("make a pipe")(error.into()))
}

/// The bytes of one stream, up to the bound; beyond it they are read and dropped.
struct Output {
    reader: Receiver,
    bytes: Vec<u8>,
    ended: bool,
}

impl Output {
    fn new(reader: OwnedFd) -> cri::Result<Self> {
        let reader = Receiver::from_owned_fd(reader).map_err(internal("read the command's output"))?;
        Ok(Output { reader, bytes: Vec::new(), ended: false })
    }

    async fn read(&mut self) {
        let mut buffer = [0; READ_BYTES];
        if self.reader.readable().await.is_err() {
            self.ended = true;
            return;
        }
        match self.reader.try_read(&mut buffer) {
            Ok(count) if count > 0 => self.keep(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => self.ended = true,
        }
    }

    /// Takes what is in the pipe. It asks the kernel itself: tokio may not have heard of it yet.
    fn drain(&mut self) {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..PIPE_READS {
            match nix::unistd::read(&self.reader, &mut buffer) {
                Ok(count) if count > 0 => self.keep(&buffer[..count]),
                Ok(_) | Err(_) => return,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = OUTPUT_LIMIT_BYTES - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
