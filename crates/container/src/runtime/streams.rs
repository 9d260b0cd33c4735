//! Carrying bytes between a client's session and a process.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cri::{AttachRequest, ExecRequest, PortForwardRequest};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use remotecommand::exec::{self, Session, TerminalSize};
use remotecommand::portforward::{self, Forward};
use remotecommand::{ExitStatus, Reader, Writer};
use tokio::io::{AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio_util::sync::CancellationToken;

use super::shim_client;
use super::{Runtime, internal};
use crate::shim::protocol::Request;
use crate::shim::streams::set_window_size;

const READ_BYTES: usize = 16 * 1024;
/// A pipe holds 64 KiB; so many reads empty it, whatever is being added.
const PIPE_READS: usize = 8;

/// Our ends of a process's streams.
#[derive(Default)]
struct Ends {
    stdin: Option<Sender>,
    stdout: Option<Receiver>,
    stderr: Option<Receiver>,
}

pub(super) async fn exec(runtime: Arc<Runtime>, ask: ExecRequest, session: exec::Pending<Session>) {
    let session = match session.await {
        Ok(session) => session,
        Err(error) => return tracing::debug!(%error, "an exec did not come about"),
    };
    let (session, status) = run_exec(runtime, &ask, session).await;
    finish(session, status).await;
}

async fn run_exec(runtime: Arc<Runtime>, ask: &ExecRequest, mut session: Session) -> (Session, ExitStatus) {
    let started = async {
        let container = runtime.expect_container(&ask.container_id)?;
        let (mut ends, theirs) = if ask.tty { (Ends::default(), Vec::new()) } else { pipes(ask.stdin)? };
        let mut conversation = runtime.execute(&container, &ask.cmd, ask.tty, false, &theirs).await?;
        let terminal = if ask.tty { conversation.descriptors.pop() } else { None };
        if let Some(master) = &terminal {
            ends = terminal_ends(master, ask.stdin).map_err(internal("use the terminal"))?;
        }
        Ok::<_, cri::Status>((conversation, ends, terminal))
    };
    let (mut conversation, ends, terminal) = match started.await {
        Ok(started) => started,
        Err(error) => return (session, ExitStatus::Failed(error.message)),
    };
    let gone = session.disconnected();
    let ended = CancellationToken::new();
    let resize = std::mem::replace(&mut session.resize, tokio::sync::mpsc::channel(1).1);
    let sizes = async {
        let mut resize = resize;
        while let (Some(TerminalSize { width, height }), Some(master)) = (resize.recv().await, &terminal) {
            if let Err(error) = set_window_size(master, width, height) {
                tracing::debug!(%error, "cannot resize a terminal");
            }
        }
        std::future::pending::<()>().await;
    };
    let code = async {
        let code = conversation.exit_code().await;
        ended.cancel();
        code
    };
    let carried = carry(&mut session, ends, &ended);
    let status = tokio::select! {
        // Its terminal hangs up, or its pipes break: the process learns it as from any other end.
        () = gone.cancelled() => ExitStatus::Failed("the client went away".to_owned()),
        () = sizes => ExitStatus::Failed("the terminal went away".to_owned()),
        (code, ()) = async { tokio::join!(code, carried) } => match code {
            Ok(code) => ExitStatus::from_code(&ask.cmd, code),
            Err(error) => ExitStatus::Failed(stdx::error::chain(&error)),
        },
    };
    (session, status)
}

pub(super) async fn attach(runtime: Arc<Runtime>, ask: AttachRequest, session: exec::Pending<Session>) {
    let mut session = match session.await {
        Ok(session) => session,
        Err(error) => return tracing::debug!(%error, "an attach did not come about"),
    };
    let status = run_attach(runtime, &ask, &mut session).await;
    finish(session, status).await;
}

async fn run_attach(runtime: Arc<Runtime>, ask: &AttachRequest, session: &mut Session) -> ExitStatus {
    let joined = async {
        let container = runtime.expect_container(&ask.container_id)?;
        let stderr = ask.stderr && !container.config.tty;
        let (ends, mut theirs) = pipes(true)?;
        let wanted = [ask.stdin && container.config.stdin, ask.stdout, stderr];
        let mut wants = wanted.iter();
        theirs.retain(|_| wants.next().copied().unwrap_or(false));
        let [stdin, stdout, stderr] = wanted;
        let folder = runtime.shim_folder(&container.sandbox_id);
        let request = Request::Attach { container_id: container.id.clone(), stdin, stdout, stderr };
        let conversation = shim_client::ask(&folder, &request, &theirs).await;
        let conversation = conversation.map_err(|error| cri::Status::internal(stdx::error::chain(&error)))?;
        let ends = Ends {
            stdin: ends.stdin.filter(|_| stdin),
            stdout: ends.stdout.filter(|_| stdout),
            stderr: ends.stderr.filter(|_| stderr),
        };
        Ok::<_, cri::Status>((conversation, ends, folder, container))
    };
    let (mut conversation, ends, folder, container) = match joined.await {
        Ok(joined) => joined,
        Err(error) => return ExitStatus::Failed(error.message),
    };
    let gone = session.disconnected();
    let ended = CancellationToken::new();
    let mut resize = std::mem::replace(&mut session.resize, tokio::sync::mpsc::channel(1).1);
    let sizes = async {
        while let Some(TerminalSize { width, height }) = resize.recv().await {
            let request = Request::Resize { container_id: container.id.clone(), width, height };
            if let Err(error) = shim_client::ask(&folder, &request, &[]).await {
                tracing::debug!(%error, "cannot resize a terminal");
            }
        }
        std::future::pending::<()>().await;
    };
    let over = async {
        let over = conversation.exit_code().await;
        ended.cancel();
        over
    };
    let carried = carry(session, ends, &ended);
    tokio::select! {
        () = gone.cancelled() => ExitStatus::Success,
        () = sizes => ExitStatus::Success,
        // How the container ended is told by its status, not here.
        (_, ()) = async { tokio::join!(over, carried) } => ExitStatus::Success,
    }
}

pub(super) async fn forward(runtime: Arc<Runtime>, ask: PortForwardRequest, session: portforward::Pending) {
    let mut session = match session.await {
        Ok(session) => session,
        Err(error) => return tracing::debug!(%error, "a port-forward did not come about"),
    };
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            next = session.next() => match next {
                Some(connection) => {
                    connections.spawn(forward_one(runtime.clone(), ask.pod_sandbox_id.clone(), connection));
                }
                None => return,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn forward_one(runtime: Arc<Runtime>, sandbox_id: String, forward: Forward) {
    let Forward { port, reader, writer, mut error } = forward;
    let connected = async {
        let folder = runtime.shim_folder(&sandbox_id);
        let mut conversation = shim_client::ask(&folder, &Request::Connect { port }, &[]).await?;
        let socket = conversation.descriptors.pop().ok_or(shim_client::ShimError::OutOfTurn)?;
        let socket = std::net::TcpStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok::<_, shim_client::ShimError>(TcpStream::from_std(socket)?)
    };
    let mut socket = match connected.await {
        Ok(socket) => socket,
        Err(reason) => {
            let reason = stdx::error::chain(&reason);
            let line = format!("error forwarding port {port} to pod {sandbox_id}, uid : {reason}");
            if let Err(error) = error.write_all(line.as_bytes()).await {
                tracing::debug!(%error, "a client left before it heard why");
            }
            return;
        }
    };
    let mut client = tokio::io::join(reader, writer);
    // Either end may reset a connection it is done with. That is no failure of the forwarding, and newer clients end
    // the whole of it at the first error they are told.
    if let Err(error) = copy_bidirectional(&mut client, &mut socket).await {
        tracing::debug!(%error, port, "a forwarded connection was broken off");
    }
}

async fn finish(session: Session, status: ExitStatus) {
    if let Err(error) = session.finish(status).await {
        tracing::debug!(%error, "a client left before its command's end");
    }
}

/// Copies all three ways until the outputs have ended, or the process has and they are empty.
async fn carry(session: &mut Session, ends: Ends, ended: &CancellationToken) {
    let stdin = feed(session.stdin.take(), ends.stdin);
    let outputs = async {
        tokio::join!(
            drain(ends.stdout, session.stdout.as_mut(), ended),
            drain(ends.stderr, session.stderr.as_mut(), ended)
        )
    };
    tokio::pin!(stdin, outputs);
    let mut fed = false;
    loop {
        tokio::select! {
            _ = &mut outputs => return,
            () = &mut stdin, if !fed => fed = true,
        }
    }
}

/// The end of the client's input is the end of the process's.
async fn feed(from: Option<Reader>, to: Option<Sender>) {
    if let (Some(mut from), Some(mut to)) = (from, to)
        && let Err(error) = copy(&mut from, &mut to).await
    {
        tracing::debug!(%error, "input ended early");
    }
}

async fn drain(from: Option<Receiver>, to: Option<&mut Writer>, ended: &CancellationToken) {
    let (Some(from), Some(to)) = (from, to) else {
        return ended.cancelled().await;
    };
    let mut buffer = vec![0; READ_BYTES];
    loop {
        tokio::select! {
            biased;
            ready = from.readable() => {
                let count = match ready.and_then(|()| from.try_read(&mut buffer)) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    // A terminal whose last user has gone answers EIO.
                    Err(_) => break,
                };
                if to.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
            () = ended.cancelled() => {
                // All that the process wrote is in the pipe; ask the kernel itself for it.
                for _ in 0..PIPE_READS {
                    match nix::unistd::read(&from, &mut buffer) {
                        Ok(count) if count > 0 && to.write_all(&buffer[..count]).await.is_ok() => {}
                        _ => return,
                    }
                }
                return;
            }
        }
    }
    ended.cancelled().await;
}

/// Pipes for a process: our ends, and its own in the order stdin, stdout, stderr.
fn pipes(stdin: bool) -> cri::Result<(Ends, Vec<OwnedFd>)> {
    let made = || -> io::Result<(Ends, Vec<OwnedFd>)> {
        let (their_stdin, stdin) = match stdin {
            true => {
                let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
                (reader, Some(Sender::from_owned_fd(writer)?))
            }
            false => (OwnedFd::from(File::open("/dev/null")?), None),
        };
        let (stdout, their_stdout) = pipe2(OFlag::O_CLOEXEC)?;
        let (stderr, their_stderr) = pipe2(OFlag::O_CLOEXEC)?;
        let ends = Ends {
            stdin,
            stdout: Some(Receiver::from_owned_fd(stdout)?),
            stderr: Some(Receiver::from_owned_fd(stderr)?),
        };
        Ok((ends, vec![their_stdin, their_stdout, their_stderr]))
    };
    made().map_err(internal("make pipes"))
}

/// A terminal is read and written like a pipe.
fn terminal_ends(master: &OwnedFd, stdin: bool) -> io::Result<Ends> {
    let flags = OFlag::from_bits_retain(fcntl(master, FcntlArg::F_GETFL)?);
    fcntl(master, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    let stdin = match stdin {
        true => Some(Sender::from_owned_fd_unchecked(master.try_clone()?)?),
        false => None,
    };
    Ok(Ends { stdin, stdout: Some(Receiver::from_owned_fd_unchecked(master.try_clone()?)?), stderr: None })
}
