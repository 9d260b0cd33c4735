//! The shim's loop: requests, output, exits.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use super::cgroup_view::CgroupView;
use super::launch::{self, GuardedDevices, LaunchError, Launcher, Streams};
use super::log::{LogFile, Stream};
use super::protocol::{
    ContainerRecord, EventKind, LAUNCH_FILE, LaunchSettings, Reply, Request, SOCKET_FILE, STATE_FILE, SandboxSettings,
    read_frame, short_path, write_frame,
};
use super::sandbox::World;
use super::streams::{Listener, Readable, read_now, set_nonblocking, set_window_size, write_now, write_some};
use super::write_whole;
use crate::cgroup::Cgroups;

/// A client that stops in the middle of a frame is dropped after this; it is our own program.
const FRAME_TIMEOUT: Duration = Duration::from_secs(2);
const READ_BYTES: usize = 32 * 1024;
/// One busy container does not starve the others: so many reads, then the rest get their turn.
const READS_PER_TURN: usize = 8;
const STDIN_BYTES: usize = 8 * 1024;
const CONNECTION_LIMIT: usize = 1024;

pub(crate) struct Server {
    state_folder: PathBuf,
    cgroups: Cgroups,
    /// The shim's own group.
    own_cgroup: String,
    world: World,
    epoll: Epoll,
    signals: SignalFd,
    listener: UnixListener,
    sources: HashMap<u64, Source>,
    next_token: u64,
    containers: HashMap<String, Supervised>,
    /// Processes beside a container's first, and the connections that wait for their end.
    executions: HashMap<i32, u64>,
    clock: stdx::Clock,
    finished: bool,
}

/// What a readiness event is about.
enum Source {
    Connection(Connection),
    Output {
        container_id: String,
        stream: Stream,
        reader: File,
    },
    /// The standard input of someone attached.
    Input {
        container_id: String,
        reader: File,
    },
}

struct Connection {
    stream: UnixStream,
    role: Role,
}

enum Role {
    Requests,
    Subscriber,
    Attached { container_id: String },
    Executing { pid: i32, tied: bool },
}

struct Supervised {
    bundle: PathBuf,
    settings: LaunchSettings,
    record: ContainerRecord,
    log: Option<LogFile>,
    terminal: Option<OwnedFd>,
    stdin: Option<File>,
    /// Input that did not fit into the container's pipe; its source waits until it does.
    stdin_pending: Vec<u8>,
    stdin_waits: Option<u64>,
    outputs: Vec<u64>,
    listeners: Vec<Listener>,
}

const SIGNALS: u64 = 0;
const LISTENER: u64 = 1;
const FIRST_TOKEN: u64 = 2;
/// Set in a token that stands for a container's full standard input becoming writable.
const STDIN_READY: u64 = 1 << 63;

impl Server {
    pub(crate) fn listen(
        folder: &Path,
        state_folder: PathBuf,
        settings: &SandboxSettings,
        world: World,
        awaited: SigSet,
    ) -> io::Result<Self> {
        let socket = folder.join(SOCKET_FILE);
        let listener = UnixListener::bind(short_path(&File::open(folder)?, SOCKET_FILE))?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let signals = SignalFd::with_flags(&awaited, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&signals, EpollEvent::new(EpollFlags::EPOLLIN, SIGNALS))?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        Ok(Server {
            state_folder,
            cgroups: settings.cgroups.clone(),
            own_cgroup: settings.shim_cgroup.clone(),
            world,
            epoll,
            signals,
            listener,
            sources: HashMap::new(),
            next_token: FIRST_TOKEN,
            containers: HashMap::new(),
            executions: HashMap::new(),
            clock: stdx::Clock::system(),
            finished: false,
        })
    }

    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 32];
        while !self.finished {
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(count) => count,
                Err(nix::errno::Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in &events[..count] {
                self.handle(event.data())?;
            }
        }
        Ok(())
    }

    fn handle(&mut self, token: u64) -> io::Result<()> {
        match token {
            SIGNALS => self.take_signals(),
            LISTENER => self.accept(),
            token if token & STDIN_READY != 0 => {
                self.flush_stdin(token & !STDIN_READY);
                Ok(())
            }
            token => {
                // A source may have gone by an earlier event of the same round.
                match self.sources.get(&token) {
                    Some(Source::Connection(_)) => self.connection_ready(token),
                    Some(Source::Output { .. }) => self.output_ready(token),
                    Some(Source::Input { .. }) => self.input_ready(token),
                    None => {}
                }
                Ok(())
            }
        }
    }

    // Sources

    fn add_source(&mut self, source: Source) -> io::Result<u64> {
        let token = self.next_token;
        self.next_token += 1;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, token);
        match &source {
            Source::Connection(connection) => self.epoll.add(&connection.stream, event)?,
            Source::Output { reader, .. } | Source::Input { reader, .. } => self.epoll.add(reader, event)?,
        }
        self.sources.insert(token, source);
        Ok(token)
    }

    /// Dropping the descriptor takes it out of the epoll, unless a duplicate lives; so do both.
    fn remove_source(&mut self, token: u64) -> Option<Source> {
        let source = self.sources.remove(&token)?;
        let removed = match &source {
            Source::Connection(connection) => self.epoll.delete(&connection.stream),
            Source::Output { reader, .. } | Source::Input { reader, .. } => self.epoll.delete(reader),
        };
        match removed {
            Ok(()) | Err(nix::errno::Errno::ENOENT) => {}
            Err(error) => eprintln!("cannot leave a descriptor alone: {error}"),
        }
        Some(source)
    }

    // Connections

    fn accept(&mut self) -> io::Result<()> {
        let stream = match self.listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => {
                eprintln!("cannot accept: {error}");
                return Ok(());
            }
        };
        let peer = getsockopt(&stream, PeerCredentials)?;
        if peer.uid() != 0 || self.sources.len() >= CONNECTION_LIMIT {
            return Ok(());
        }
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(FRAME_TIMEOUT))?;
        stream.set_write_timeout(Some(FRAME_TIMEOUT))?;
        self.add_source(Source::Connection(Connection { stream, role: Role::Requests }))?;
        Ok(())
    }

    fn connection_ready(&mut self, token: u64) {
        let Some(Source::Connection(connection)) = self.sources.get(&token) else { return };
        if !matches!(connection.role, Role::Requests) {
            // These speak no more; readiness means that the other side has gone.
            self.hang_up(token);
            return;
        }
        match read_frame::<Request>(&connection.stream) {
            Ok(Some((request, descriptors))) => {
                if let Err(error) = self.serve(token, request, descriptors) {
                    self.reply(token, &Reply::Refused { message: error }, &[]);
                }
            }
            Ok(None) => self.hang_up(token),
            Err(error) => {
                eprintln!("cannot read a request: {error}");
                self.hang_up(token);
            }
        }
    }

    /// Sends a reply; whoever does not take it has gone.
    fn reply(&mut self, token: u64, reply: &Reply, descriptors: &[&OwnedFd]) {
        let Some(Source::Connection(connection)) = self.sources.get(&token) else { return };
        let descriptors: Vec<_> = descriptors.iter().map(|descriptor| descriptor.as_raw_fd()).collect();
        if write_frame(&connection.stream, reply, &descriptors).is_err() {
            self.hang_up(token);
        }
    }

    fn set_role(&mut self, token: u64, role: Role) {
        if let Some(Source::Connection(connection)) = self.sources.get_mut(&token) {
            connection.role = role;
        }
    }

    fn hang_up(&mut self, token: u64) {
        let Some(Source::Connection(connection)) = self.remove_source(token) else { return };
        match connection.role {
            Role::Executing { pid, tied: true } if self.executions.contains_key(&pid) => {
                if let Err(error) = kill(Pid::from_raw(pid), Signal::SIGKILL) {
                    eprintln!("cannot kill process {pid}: {error}");
                }
            }
            Role::Attached { container_id } => {
                if let Some(container) = self.containers.get_mut(&container_id) {
                    container.listeners.retain(|listener| listener.connection != token);
                }
            }
            Role::Requests | Role::Subscriber | Role::Executing { .. } => {}
        }
    }

    fn announce(&mut self, container_id: &str, kind: EventKind) {
        let subscribers: Vec<u64> = self
            .sources
            .iter()
            .filter(|(_, source)| matches!(source, Source::Connection(Connection { role: Role::Subscriber, .. })))
            .map(|(token, _)| *token)
            .collect();
        for token in subscribers {
            self.reply(token, &Reply::Event { container_id: container_id.to_owned(), kind }, &[]);
        }
    }

    // Requests

    fn serve(&mut self, token: u64, request: Request, descriptors: Vec<OwnedFd>) -> Result<(), String> {
        match request {
            Request::Start { container_id, bundle } => {
                self.start(&container_id, bundle)?;
                self.reply(token, &Reply::Done, &[]);
                self.announce(&container_id, EventKind::Started);
            }
            Request::Signal { container_id, signal, everyone } => {
                self.signal(&container_id, signal, everyone)?;
                self.reply(token, &Reply::Done, &[]);
            }
            Request::Exec { container_id, process, terminal, tied } => {
                if !self.is_running(&container_id) {
                    self.reply(token, &Reply::NotFound, &[]);
                    return Ok(());
                }
                let (pid, terminal) = self.execute(&container_id, &process, terminal, descriptors)?;
                self.executions.insert(pid, token);
                self.set_role(token, Role::Executing { pid, tied });
                self.reply(token, &Reply::Done, &terminal.iter().collect::<Vec<_>>());
            }
            Request::Attach { container_id, stdin, stdout, stderr } => {
                if !self.is_running(&container_id) {
                    self.reply(token, &Reply::NotFound, &[]);
                    return Ok(());
                }
                self.set_role(token, Role::Attached { container_id: container_id.clone() });
                self.reply(token, &Reply::Done, &[]);
                self.attach(token, &container_id, [stdin, stdout, stderr], descriptors)?;
            }
            Request::Resize { container_id, width, height } => {
                let terminal = self.containers.get(&container_id).and_then(|container| container.terminal.as_ref());
                let terminal = terminal.ok_or("the container has no terminal")?;
                set_window_size(terminal, width, height).map_err(|error| error.to_string())?;
                self.reply(token, &Reply::Done, &[]);
            }
            Request::ReopenLog { container_id } => {
                match self.containers.get_mut(&container_id).and_then(|container| container.log.as_mut()) {
                    Some(log) => {
                        log.reopen().map_err(|error| error.to_string())?;
                        self.reply(token, &Reply::Done, &[]);
                    }
                    None => self.reply(token, &Reply::NotFound, &[]),
                }
            }
            Request::Delete { container_id } => {
                self.delete(&container_id)?;
                self.reply(token, &Reply::Done, &[]);
            }
            Request::Connect { port } => {
                let address = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port));
                let socket = std::net::TcpStream::connect_timeout(&address, FRAME_TIMEOUT)
                    .or_else(|_| std::net::TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, port)))
                    .map_err(|error| error.to_string())?;
                self.reply(token, &Reply::Done, &[&OwnedFd::from(socket)]);
            }
            Request::UserNamespace => match self.world.users.as_ref().map(File::try_clone) {
                Some(users) => {
                    let users = users.map_err(|error| error.to_string())?;
                    self.reply(token, &Reply::Done, &[&OwnedFd::from(users)]);
                }
                None => self.reply(token, &Reply::NotFound, &[]),
            },
            Request::Subscribe => {
                self.set_role(token, Role::Subscriber);
                self.reply(token, &Reply::Done, &[]);
            }
            Request::Shutdown => {
                self.shut_down()?;
                self.reply(token, &Reply::Done, &[]);
            }
        }
        Ok(())
    }

    fn is_running(&self, container_id: &str) -> bool {
        self.containers.get(container_id).is_some_and(|container| container.record.pid.is_some())
    }

    fn start(&mut self, container_id: &str, bundle: PathBuf) -> Result<(), String> {
        if self.containers.contains_key(container_id) {
            return Err("the container was started already".to_owned());
        }
        let settings =
            fs::read(bundle.join(LAUNCH_FILE)).map_err(|error| format!("cannot read the bundle: {error}"))?;
        let settings: LaunchSettings =
            serde_json::from_slice(&settings).map_err(|error| format!("cannot read the bundle: {error}"))?;
        let log = match &settings.log_path {
            Some(path) => {
                Some(LogFile::open(path).map_err(|error| format!("cannot open the log {}: {error}", path.display()))?)
            }
            None => None,
        };
        let plumbing = Plumbing::new(&settings).map_err(|error| format!("cannot make the streams: {error}"))?;
        plumbing
            .theirs
            .give_to(settings.security.host_user)
            .map_err(|error| format!("cannot give the streams away: {error}"))?;
        let launcher = Launcher {
            state_folder: &self.state_folder,
            container_id,
            security: &settings.security,
            terminal: settings.terminal,
            users: self.world.users.as_ref().map(File::as_raw_fd),
        };
        let launched = GuardedDevices::of(&bundle, &settings.cgroup, &self.cgroups).and_then(|devices| {
            let view = settings.shown_cgroups.map(|access| {
                CgroupView::prepare(&self.cgroups, &settings.cgroup, &self.own_cgroup, access)
                    .map_err(LaunchError::system("take hold of the container's cgroups"))
            });
            launcher.start(&bundle, devices.as_ref(), view.transpose()?, plumbing.theirs)
        });
        let launched = match launched {
            Ok(launched) => launched,
            Err(error) => {
                self.clean_up(container_id, &settings.cgroup);
                return Err(stdx::error::chain(&error));
            }
        };
        let record = ContainerRecord {
            pid: Some(launched.pid),
            started_at: self.now_nanoseconds(),
            ..ContainerRecord::default()
        };
        save(&bundle, &record)?;
        let mut container = Supervised {
            bundle,
            settings,
            record,
            log,
            terminal: None,
            stdin: plumbing.stdin,
            stdin_pending: Vec::new(),
            stdin_waits: None,
            outputs: Vec::new(),
            listeners: Vec::new(),
        };
        let mut outputs = plumbing.outputs;
        if let Some(master) = launched.terminal {
            let clone = |master: &OwnedFd| master.try_clone().map(File::from).map_err(|error| error.to_string());
            set_nonblocking(&master).map_err(|error| error.to_string())?;
            outputs.push((Stream::Stdout, clone(&master)?));
            container.stdin = if container.settings.stdin { Some(clone(&master)?) } else { None };
            container.terminal = Some(master);
        }
        for (stream, reader) in outputs {
            let source = Source::Output { container_id: container_id.to_owned(), stream, reader };
            container.outputs.push(self.add_source(source).map_err(|error| error.to_string())?);
        }
        self.containers.insert(container_id.to_owned(), container);
        Ok(())
    }

    fn execute(
        &mut self,
        container_id: &str,
        process: &serde_json::Value,
        terminal: bool,
        descriptors: Vec<OwnedFd>,
    ) -> Result<(i32, Option<OwnedFd>), String> {
        let container = self.containers.get(container_id).ok_or("the container is not running")?;
        if !launch::is_known(&self.state_folder, container_id) {
            return Err("the container is not running".to_owned());
        }
        let process_file = self.state_folder.join("process.json");
        let text = serde_json::to_vec(process).map_err(|error| error.to_string())?;
        write_whole(&process_file, &text).map_err(|error| error.to_string())?;
        let mut descriptors = descriptors.into_iter();
        let streams = Streams { stdin: descriptors.next(), stdout: descriptors.next(), stderr: descriptors.next() };
        let owner = container.settings.security.host_user;
        streams.give_to(owner).map_err(|error| format!("cannot give the streams away: {error}"))?;
        let launcher = Launcher {
            state_folder: &self.state_folder,
            container_id,
            security: &container.settings.security,
            terminal,
            users: self.world.users.as_ref().map(File::as_raw_fd),
        };
        match launcher.execute(&process_file, streams) {
            Ok(launched) => Ok((launched.pid, launched.terminal)),
            Err(LaunchError::Program(reason)) => Err(reason),
            Err(error) => Err(stdx::error::chain(&error)),
        }
    }

    fn signal(&mut self, container_id: &str, signal: i32, everyone: bool) -> Result<(), String> {
        let Some(container) = self.containers.get(container_id) else { return Ok(()) };
        let Some(pid) = container.record.pid else { return Ok(()) };
        if everyone && !container.settings.own_processes {
            return self.cgroups.kill(&container.settings.cgroup).map_err(|error| error.to_string());
        }
        // SAFETY: a plain system call. The number is not limited to named signals: real-time ones exist.
        match unsafe { libc::kill(pid, signal) } {
            0 => Ok(()),
            _ => match io::Error::last_os_error() {
                error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
                error => Err(error.to_string()),
            },
        }
    }

    fn delete(&mut self, container_id: &str) -> Result<(), String> {
        let Some(container) = self.containers.get(container_id) else { return Ok(()) };
        if container.record.pid.is_some() {
            return Err("the container is running".to_owned());
        }
        self.close_outputs(container_id);
        if let Some(container) = self.containers.remove(container_id) {
            self.clean_up(container_id, &container.settings.cgroup);
        }
        Ok(())
    }

    fn shut_down(&mut self) -> Result<(), String> {
        let running: Vec<String> = self.containers.keys().filter(|id| self.is_running(id)).cloned().collect();
        for container_id in &running {
            self.signal(container_id, libc::SIGKILL, true)?;
        }
        self.finished = running.is_empty();
        if self.finished
            && let Some(pause) = self.world.pause
            && let Err(error) = kill(pause, Signal::SIGKILL)
        {
            eprintln!("cannot stop the process namespace: {error}");
        }
        if self.finished { Ok(()) } else { Err("containers are still running".to_owned()) }
    }

    /// What a container leaves behind; a leftover is removed again with the sandbox.
    fn clean_up(&self, container_id: &str, cgroup: &str) {
        if let Err(error) = launch::forget(&self.state_folder, container_id) {
            eprintln!("cannot remove the state of {container_id}: {error}");
        }
        if let Err(error) = self.cgroups.remove(cgroup) {
            eprintln!("cannot remove the cgroup {cgroup}: {error}");
        }
    }

    // Streams

    fn output_ready(&mut self, token: u64) {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS_PER_TURN {
            let Some(Source::Output { container_id, stream, reader }) = self.sources.get(&token) else { return };
            let (container_id, stream) = (container_id.clone(), *stream);
            match read_now(reader, &mut buffer) {
                Readable::Bytes(count) => self.distribute(&container_id, stream, &buffer[..count]),
                Readable::Nothing => return,
                Readable::End => {
                    self.end_output(token);
                    return;
                }
            }
        }
    }

    fn distribute(&mut self, container_id: &str, stream: Stream, bytes: &[u8]) {
        let now = self.clock.now();
        let Some(container) = self.containers.get_mut(container_id) else { return };
        if let Some(log) = &mut container.log
            && let Err(error) = log.write(stream, bytes, now)
        {
            eprintln!("cannot write the log of {container_id}: {error}");
        }
        let keeps_up = |listener: &Listener| {
            let sink = match stream {
                Stream::Stdout => &listener.stdout,
                Stream::Stderr => &listener.stderr,
            };
            sink.as_ref().is_none_or(|sink| write_now(sink, bytes))
        };
        let lost: Vec<u64> = container
            .listeners
            .iter()
            .filter(|listener| !keeps_up(listener))
            .map(|listener| listener.connection)
            .collect();
        for connection in lost {
            self.hang_up(connection);
        }
    }

    fn end_output(&mut self, token: u64) {
        let Some(Source::Output { container_id, stream, .. }) = self.remove_source(token) else { return };
        let now = self.clock.now();
        let Some(container) = self.containers.get_mut(&container_id) else { return };
        container.outputs.retain(|output| *output != token);
        if let Some(log) = &mut container.log
            && let Err(error) = log.finish(stream, now)
        {
            eprintln!("cannot write the log of {container_id}: {error}");
        }
    }

    /// Reads what the container has written before it ended.
    fn drain_outputs(&mut self, container_id: &str) {
        let outputs = self.containers.get(container_id).map(|container| container.outputs.clone());
        for token in outputs.into_iter().flatten() {
            // Bounded by the pipe: its writer is gone, or it is a leftover child that goes on as before.
            self.output_ready(token);
        }
    }

    fn close_outputs(&mut self, container_id: &str) {
        let outputs = self.containers.get(container_id).map(|container| container.outputs.clone());
        for token in outputs.into_iter().flatten() {
            self.end_output(token);
        }
    }

    fn attach(
        &mut self,
        token: u64,
        container_id: &str,
        wanted: [bool; 3],
        descriptors: Vec<OwnedFd>,
    ) -> Result<(), String> {
        let mut descriptors = descriptors.into_iter().map(File::from);
        let mut next = |wanted: bool| if wanted { descriptors.next() } else { None };
        let [stdin, stdout, stderr] = wanted.map(&mut next);
        for descriptor in [&stdin, &stdout, &stderr].into_iter().flatten() {
            set_nonblocking(descriptor).map_err(|error| error.to_string())?;
        }
        if let Some(container) = self.containers.get_mut(container_id) {
            container.listeners.push(Listener { connection: token, stdout, stderr });
        }
        if let Some(reader) = stdin {
            let source = Source::Input { container_id: container_id.to_owned(), reader };
            self.add_source(source).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn input_ready(&mut self, token: u64) {
        let Some(Source::Input { container_id, reader }) = self.sources.get(&token) else { return };
        let container_id = container_id.clone();
        let mut buffer = [0; STDIN_BYTES];
        match read_now(reader, &mut buffer) {
            Readable::Nothing => {}
            Readable::Bytes(count) => self.feed(token, &container_id, &buffer[..count]),
            Readable::End => {
                self.remove_source(token);
                if let Some(container) = self.containers.get_mut(&container_id)
                    && container.settings.stdin_once
                    && container.terminal.is_none()
                {
                    container.stdin = None;
                }
            }
        }
    }

    fn feed(&mut self, token: u64, container_id: &str, bytes: &[u8]) {
        let Some(container) = self.containers.get_mut(container_id) else { return };
        let Some(stdin) = &container.stdin else { return };
        match write_some(stdin, bytes) {
            Some(count) if count < bytes.len() => {
                let event = EpollEvent::new(EpollFlags::EPOLLOUT | EpollFlags::EPOLLONESHOT, token | STDIN_READY);
                if self.epoll.add(stdin, event).is_ok() {
                    container.stdin_pending = bytes[count..].to_vec();
                    container.stdin_waits = Some(token);
                    self.pause_input(token);
                }
            }
            Some(_) => {}
            None => container.stdin = None,
        }
    }

    fn pause_input(&self, token: u64) {
        if let Some(Source::Input { reader, .. }) = self.sources.get(&token)
            && let Err(error) = self.epoll.delete(reader)
        {
            eprintln!("cannot hold input back: {error}");
        }
    }

    /// The container's standard input takes bytes again.
    fn flush_stdin(&mut self, token: u64) {
        let Some(Source::Input { container_id, .. }) = self.sources.get(&token) else { return };
        let container_id = container_id.clone();
        let Some(container) = self.containers.get_mut(&container_id) else { return };
        if container.stdin_waits.take().is_none() {
            return;
        }
        let pending = std::mem::take(&mut container.stdin_pending);
        if let Some(stdin) = &container.stdin
            && let Err(error) = self.epoll.delete(stdin)
        {
            eprintln!("cannot leave standard input alone: {error}");
        }
        self.feed(token, &container_id, &pending);
        let waits = self.containers.get(&container_id).is_some_and(|container| container.stdin_waits.is_some());
        if !waits
            && let Some(Source::Input { reader, .. }) = self.sources.get(&token)
            && let Err(error) = self.epoll.add(reader, EpollEvent::new(EpollFlags::EPOLLIN, token))
        {
            eprintln!("cannot take input up again: {error}");
        }
    }

    // Exits

    fn take_signals(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.read_signal()? {
            // The program never signals a shim; an administrator who does means it.
            if signal.ssi_signo != libc::SIGCHLD as u32
                && let Err(reason) = self.shut_down()
            {
                eprintln!("asked to stop: {reason}");
            }
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => self.exited(pid.as_raw(), code),
                Ok(WaitStatus::Signaled(pid, signal, _)) => self.exited(pid.as_raw(), 128 + signal as i32),
                Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::ECHILD) => return Ok(()),
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn exited(&mut self, pid: i32, exit_code: i32) {
        if let Some(connection) = self.executions.remove(&pid) {
            self.reply(connection, &Reply::Exited { exit_code }, &[]);
            self.hang_up(connection);
            return;
        }
        let of_container = |(_, container): &(&String, &Supervised)| container.record.pid == Some(pid);
        let Some(container_id) = self.containers.iter().find(of_container).map(|(id, _)| id.clone()) else { return };
        self.drain_outputs(&container_id);
        let finished_at = self.now_nanoseconds();
        let Some(container) = self.containers.get_mut(&container_id) else { return };
        let out_of_memory = self.cgroups.out_of_memory(&container.settings.cgroup).unwrap_or_else(|error| {
            eprintln!("cannot tell whether memory ran out: {error}");
            false
        });
        container.record.pid = None;
        container.record.exit_code = exit_code;
        container.record.finished_at = finished_at;
        container.record.reason = match (out_of_memory, exit_code) {
            (true, _) => "OOMKilled",
            (false, 0) => "Completed",
            (false, _) => "Error",
        }
        .to_owned();
        if let Err(reason) = save(&container.bundle, &container.record) {
            eprintln!("{reason}");
        }
        container.stdin = None;
        let cgroup = container.settings.cgroup.clone();
        let listeners = std::mem::take(&mut container.listeners);
        // With a process namespace of its own everything has ended with the first process; in a
        // shared one the rest of the container has not.
        if !container.settings.own_processes
            && let Err(error) = self.cgroups.kill(&cgroup)
        {
            eprintln!("cannot end the rest of {container_id}: {error}");
        }
        for listener in listeners {
            self.reply(listener.connection, &Reply::Exited { exit_code }, &[]);
            let connection = listener.connection;
            drop(listener);
            self.hang_up(connection);
        }
        self.announce(&container_id, EventKind::Stopped);
    }

    fn now_nanoseconds(&self) -> i64 {
        i64::try_from(self.clock.now().as_nanosecond()).unwrap_or(i64::MAX)
    }
}

fn save(bundle: &Path, record: &ContainerRecord) -> Result<(), String> {
    let text = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    write_whole(&bundle.join(STATE_FILE), &text).map_err(|error| format!("cannot write the container's state: {error}"))
}

/// The pipes of a new container: one side for it, one for us.
struct Plumbing {
    theirs: Streams,
    outputs: Vec<(Stream, File)>,
    stdin: Option<File>,
}

impl Plumbing {
    fn new(settings: &LaunchSettings) -> io::Result<Self> {
        if settings.terminal {
            return Ok(Plumbing { theirs: Streams::default(), outputs: Vec::new(), stdin: None });
        }
        let (stdout_reader, stdout) = pipe2(OFlag::O_CLOEXEC)?;
        let (stderr_reader, stderr) = pipe2(OFlag::O_CLOEXEC)?;
        for reader in [stdout_reader.as_fd(), stderr_reader.as_fd()] {
            set_nonblocking(&reader)?;
        }
        let (stdin, writer) = match settings.stdin {
            true => {
                let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
                set_nonblocking(&writer)?;
                (reader, Some(File::from(writer)))
            }
            false => (OwnedFd::from(File::open("/dev/null")?), None),
        };
        Ok(Plumbing {
            theirs: Streams { stdin: Some(stdin), stdout: Some(stdout), stderr: Some(stderr) },
            outputs: vec![(Stream::Stdout, File::from(stdout_reader)), (Stream::Stderr, File::from(stderr_reader))],
            stdin: writer,
        })
    }
}
