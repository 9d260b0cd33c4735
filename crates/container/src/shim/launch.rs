//! Makes a container's processes with libcontainer.
//!
//! libcontainer clones without exec, so everything here needs a process with a single thread.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use libcontainer::capabilities::{drop_privileges, reset_effective};
use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::error::LibcontainerError;
use libcontainer::oci_spec::runtime::{LinuxCapabilities, Mount, Spec, User};
use libcontainer::syscall::linux::{AT_EMPTY_PATH, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MountAttr};
use libcontainer::syscall::syscall::{SyscallType, create_syscall};
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};
use nix::cmsg_space;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::{Gid, Uid, fchown, pipe2, setgroups, setresgid, setresuid};
use seccompiler::BpfProgram;

use super::cgroup_view::CgroupView;
use super::protocol::{ProcessSecurity, Seccomp, short_path};
use crate::cgroup::Cgroups;
use crate::{devices, proc_guard, propagation, seccomp};

/// Longer reasons are cut; they end in an API object.
const FAILURE_LIMIT_BYTES: u64 = 4096;
const CONSOLE_FILE: &str = "console";

/// The standard streams of a new process.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: Option<OwnedFd>,
    pub(crate) stderr: Option<OwnedFd>,
}

impl Streams {
    /// Pipes become the user's, who could not open `/dev/stdout` otherwise. Files and devices do not.
    pub(crate) fn give_to(&self, user: u32) -> io::Result<()> {
        for stream in [&self.stdin, &self.stdout, &self.stderr].into_iter().flatten() {
            let kind = SFlag::from_bits_truncate(fstat(stream)?.st_mode) & SFlag::S_IFMT;
            if kind == SFlag::S_IFIFO {
                fchown(stream, Some(Uid::from_raw(user)), None)?;
            }
        }
        Ok(())
    }
}

/// A process that has begun to run its program.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) pid: i32,
    /// The master side of its terminal, if it has one.
    pub(crate) terminal: Option<OwnedFd>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// The text is the reason a user sees, e.g. `exec: "x": executable file not found in $PATH`.
    #[error("{0}")]
    Program(String),
    #[error("cannot create the container: {0}")]
    Container(String),
    #[error("cannot {step}")]
    System {
        step: &'static str,
        #[source]
        source: io::Error,
    },
}

impl LaunchError {
    pub(crate) fn system<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> Self {
        move |source| LaunchError::System { step, source: source.into() }
    }
}

/// Where libcontainer keeps its own state, and how one process is to be run.
pub(crate) struct Launcher<'a> {
    pub(crate) state_folder: &'a Path,
    pub(crate) container_id: &'a str,
    pub(crate) security: &'a ProcessSecurity,
    pub(crate) terminal: bool,
    /// The pod's own user namespace. libcontainer takes a container's first process there, but no later one.
    pub(crate) users: Option<RawFd>,
}

/// The group whose devices a program of ours must guard, where no controller does.
pub(crate) struct GuardedDevices {
    pub(crate) folder: PathBuf,
    pub(crate) rules: Vec<devices::Rule>,
}

impl GuardedDevices {
    pub(crate) fn of(bundle: &Path, cgroup: &str, cgroups: &Cgroups) -> Result<Option<Self>, LaunchError> {
        let Some(folder) = cgroups.unified_folder(cgroup) else { return Ok(None) };
        let spec = Spec::load(bundle.join("config.json"))
            .map_err(|error| LaunchError::Container(stdx::error::chain(&error)))?;
        let rules = devices::rules(&spec).map_err(LaunchError::Container)?;
        Ok(rules.map(|rules| GuardedDevices { folder, rules }))
    }
}

impl Launcher<'_> {
    /// Creates the container of `bundle` and runs its program.
    pub(crate) fn start(
        &self,
        bundle: &Path,
        devices: Option<&GuardedDevices>,
        cgroups: Option<CgroupView>,
        streams: Streams,
    ) -> Result<Launched, LaunchError> {
        self.run(streams, true, cgroups, |builder| {
            let mut container = builder.as_init(bundle).with_systemd(false).with_detach(true).build()?;
            if let Some(GuardedDevices { folder, rules }) = devices {
                devices::restrict(folder, rules).map_err(|error| {
                    LibcontainerError::Other(format!("cannot restrict the use of devices: {error}"))
                })?;
            }
            let pid = container.pid().map(|pid| pid.as_raw());
            let pid = pid.ok_or_else(|| LibcontainerError::Other("the process has no id".to_owned()))?;
            self.set_oom_score_of(pid)?;
            container.start()?;
            Ok(pid)
        })
    }

    /// Runs the process described in `process_file` inside the running container.
    pub(crate) fn execute(&self, process_file: &Path, streams: Streams) -> Result<Launched, LaunchError> {
        self.run(streams, false, None, |builder| {
            let pid = builder.as_tenant().with_detach(true).with_process(Some(process_file.to_owned())).build()?;
            Ok(pid.as_raw())
        })
    }

    /// In a user namespace a process may not set its own score; later ones do before they enter it.
    fn set_oom_score_of(&self, pid: i32) -> Result<(), LibcontainerError> {
        if !self.security.own_users {
            return Ok(());
        }
        match std::fs::write(format!("/proc/{pid}/oom_score_adj"), self.security.oom_score.to_string()) {
            // It may have ended already, or nobody may lower a score here.
            Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH) => {
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            result => result.map_err(LibcontainerError::OtherIO),
        }
    }

    fn run(
        &self,
        streams: Streams,
        is_first: bool,
        cgroups: Option<CgroupView>,
        create: impl FnOnce(ContainerBuilder) -> Result<i32, LibcontainerError>,
    ) -> Result<Launched, LaunchError> {
        let (failure_read, failure_write) =
            pipe2(OFlag::O_CLOEXEC).map_err(LaunchError::system("make the failure pipe"))?;
        let mut workload = Workload::new(self.security, is_first, failure_write.as_raw_fd())?;
        workload.users = self.users.filter(|_| !is_first);
        workload.cgroups = cgroups.map(Rc::new);
        let builder = ContainerBuilder::new(self.container_id.to_owned(), SyscallType::Linux)
            .with_executor(workload)
            .with_root_path(self.state_folder)
            .map_err(container_error)?;
        let console = if self.terminal { Some(Console::listen(self.state_folder)?) } else { None };
        let mut builder = builder.with_console_socket(console.as_ref().map(|console| console.path.clone()));
        if let Some(stdin) = streams.stdin {
            builder = builder.with_stdin(stdin);
        }
        if let Some(stdout) = streams.stdout {
            builder = builder.with_stdout(stdout);
        }
        if let Some(stderr) = streams.stderr {
            builder = builder.with_stderr(stderr);
        }
        let created = create(builder);
        drop(failure_write);
        let pid = created.map_err(container_error)?;
        let mut reason = String::new();
        File::from(failure_read)
            .take(FAILURE_LIMIT_BYTES)
            .read_to_string(&mut reason)
            .map_err(LaunchError::system("wait for the program to start"))?;
        if !reason.is_empty() {
            return Err(LaunchError::Program(reason));
        }
        let terminal = console.map(Console::accept).transpose()?;
        Ok(Launched { pid, terminal })
    }
}

/// Removes what libcontainer keeps of an ended container.
pub(crate) fn forget(state_folder: &Path, container_id: &str) -> io::Result<()> {
    match std::fs::remove_dir_all(state_folder.join(container_id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether libcontainer knows the container as running, which running a further process needs.
pub(crate) fn is_known(state_folder: &Path, container_id: &str) -> bool {
    Container::load(state_folder.join(container_id)).is_ok()
}

fn container_error(error: LibcontainerError) -> LaunchError {
    LaunchError::Container(stdx::error::chain(&error))
}

/// The last steps inside the new process: the filter, the capabilities, the program.
///
/// The filter is set while the process still holds every capability: without no-new-privileges the
/// kernel takes it from the privileged only. So the specification names no capabilities, which
/// leaves them to this executor.
#[derive(Clone)]
struct Workload {
    capabilities: LinuxCapabilities,
    filters: Rc<Vec<BpfProgram>>,
    oom_score: i64,
    own_users: bool,
    /// The user namespace still to be entered.
    users: Option<RawFd>,
    selinux_label: Option<String>,
    /// The groups to show, where that is not libcontainer's to do.
    cgroups: Option<Rc<CgroupView>>,
    /// Whether it is the container's first process, which sets up what later ones share.
    is_first: bool,
    /// Closed by a successful exec; otherwise carries the reason.
    failure: RawFd,
}

impl Workload {
    fn new(security: &ProcessSecurity, is_first: bool, failure: RawFd) -> Result<Self, LaunchError> {
        let sets = serde_json::json!({
            "bounding": security.capabilities,
            "permitted": security.capabilities,
            "effective": security.capabilities,
            "inheritable": security.ambient_capabilities,
            "ambient": security.ambient_capabilities,
        });
        let capabilities = serde_json::from_value(sets)
            .map_err(|error| LaunchError::Program(format!("unknown capability: {error}")))?;
        let filters = match &security.seccomp {
            Seccomp::Unconfined => Vec::new(),
            Seccomp::Default => vec![
                seccomp::default_filter(&security.capabilities)
                    .map_err(|error| LaunchError::Program(format!("cannot build the system call filter: {error}")))?,
            ],
            Seccomp::Profile(profile) => {
                seccomp::profile_filters(profile).map_err(|error| LaunchError::Program(stdx::error::chain(&error)))?
            }
        };
        Ok(Workload {
            capabilities,
            filters: Rc::new(filters),
            oom_score: security.oom_score,
            own_users: security.own_users,
            users: None,
            selinux_label: security.selinux_label.clone(),
            cgroups: None,
            is_first,
            failure,
        })
    }

    fn take_oom_score(&self) -> Result<(), String> {
        set_oom_score(self.oom_score).map_err(|error| format!("cannot set the out-of-memory score: {error}"))
    }

    fn become_program(&self, spec: &Spec) -> Result<std::convert::Infallible, String> {
        let process = spec.process().as_ref().ok_or("the specification has no process")?;
        let arguments = process.args().as_deref().unwrap_or_default();
        let environment = process.env().as_deref().unwrap_or_default();
        if let Some(users) = self.users {
            self.take_oom_score()?;
            enter_users(users, process.user()).map_err(|error| format!("cannot join the pod's users: {error}"))?;
        }
        let name = arguments.first().ok_or("no command specified")?;
        let program = find_program(name, environment)?;
        let program = CString::new(program.into_os_string().into_encoded_bytes()).map_err(|error| error.to_string())?;
        let strings = |values: &[String]| -> Result<Vec<CString>, String> {
            values.iter().map(|value| CString::new(value.as_str()).map_err(|error| error.to_string())).collect()
        };
        let (arguments, environment) = (strings(arguments)?, strings(environment)?);
        if let Some(cgroups) = &self.cgroups {
            cgroups.show().map_err(|error| format!("cannot show the container's cgroups: {error}"))?;
        }
        if self.is_first {
            propagation::apply(spec).map_err(|error| format!("cannot set the propagation of a mount: {error}"))?;
            proc_guard::check_mounts(spec).map_err(|error| error.to_string())?;
            seal_cgroups(spec).map_err(|error| format!("cannot make the cgroups read-only: {error}"))?;
        }
        if !self.own_users {
            self.take_oom_score()?;
        }
        if let Some(label) = &self.selinux_label {
            std::fs::write("/proc/self/attr/exec", label)
                .map_err(|error| format!("cannot set the SELinux label {label}: {error}"))?;
        }
        reset_signals().map_err(|error| format!("cannot reset signals: {error}"))?;
        for filter in self.filters.iter() {
            seccomp::install(filter).map_err(|error| format!("cannot set the system call filter: {error}"))?;
        }
        drop_privileges(&self.capabilities, create_syscall().as_ref())
            .map_err(|error| format!("cannot drop capabilities: {error}"))?;
        let error = match nix::unistd::execve(&program, &arguments, &environment) {
            Ok(never) => match never {},
            Err(error) => error,
        };
        Err(format!("exec {}: {}", program.to_string_lossy(), lower_first(error.desc())))
    }
}

impl Executor for Workload {
    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let reason = match self.become_program(spec) {
            Ok(never) => match never {},
            Err(reason) => reason,
        };
        // SAFETY: the descriptor was made by this program's `run` and stays open until the exec.
        let failure = unsafe { BorrowedFd::borrow_raw(self.failure) };
        nix::unistd::write(failure, reason.as_bytes())
            .map_err(|error| ExecutorError::Other(format!("cannot report {reason:?}: {error}")))?;
        Err(ExecutorError::Other(reason))
    }

    fn validate(&self, _: &Spec) -> Result<(), ExecutorValidationError> {
        Ok(())
    }

    /// The program gets its environment from exec; nothing of the shim's reaches it.
    fn setup_envs(&self, _: std::collections::HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }
}

/// Makes the cgroups read-only to the bottom where the specification says so. libcontainer binds those of version 1
/// for writing whatever it says, and a container's root could lift its own limits.
fn seal_cgroups(spec: &Spec) -> io::Result<()> {
    let is_sealed = |mount: &&Mount| {
        mount.typ().as_deref() == Some("cgroup") && mount.options().iter().flatten().any(|option| option == "ro")
    };
    let Some(mount) = spec.mounts().iter().flatten().find(is_sealed) else { return Ok(()) };
    let place = File::options().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(mount.destination())?;
    let read_only = MountAttr { attr_set: MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = AT_EMPTY_PATH | AT_RECURSIVE;
    create_syscall()
        .mount_setattr(place.as_fd(), Path::new(""), flags, &read_only, size_of::<MountAttr>())
        .map_err(io::Error::other)
}

/// Becomes the pod's user of these numbers, who were the host's until now; capabilities stay, of the pod's namespace.
fn enter_users(namespace: RawFd, user: &User) -> io::Result<()> {
    // SAFETY: the shim has this descriptor open as long as it runs, and this process is a copy of it.
    let namespace = unsafe { BorrowedFd::borrow_raw(namespace) };
    setns(namespace, CloneFlags::CLONE_NEWUSER)?;
    let groups = user.additional_gids().iter().flatten().map(|group| Gid::from_raw(*group)).collect::<Vec<_>>();
    setgroups(&groups)?;
    nix::sys::prctl::set_keepcaps(true)?;
    let (uid, gid) = (Uid::from_raw(user.uid()), Gid::from_raw(user.gid()));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    nix::sys::prctl::set_keepcaps(false)?;
    reset_effective(create_syscall().as_ref()).map_err(io::Error::other)
}

/// Resolves the program as runc does, inside the container; the texts are its own.
fn find_program(name: &str, environment: &[String]) -> Result<PathBuf, String> {
    let is_executable = |path: &Path| match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err("is a directory".to_owned()),
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Err("permission denied".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("no such file or directory".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err("permission denied".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    if name.contains('/') {
        return match is_executable(Path::new(name)) {
            Ok(()) => Ok(name.into()),
            Err(reason) if reason == "no such file or directory" => {
                Err(format!("exec: {name:?}: stat {name}: {reason}"))
            }
            Err(reason) => Err(format!("exec: {name:?}: {reason}")),
        };
    }
    let path = environment.iter().find_map(|variable| variable.strip_prefix("PATH=")).unwrap_or("");
    path.split(':')
        .map(|folder| Path::new(if folder.is_empty() { "." } else { folder }).join(name))
        .find(|candidate| is_executable(candidate).is_ok())
        .ok_or_else(|| format!("exec: {name:?}: executable file not found in $PATH"))
}

/// Set here and not by libcontainer, which would give the container's score to the shim as well.
fn set_oom_score(score: i64) -> io::Result<()> {
    match std::fs::write("/proc/self/oom_score_adj", score.to_string()) {
        // Where even root may not lower a score, the process lives with the shim's.
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

/// The shim blocks and ignores signals; a new program must start with none of that.
fn reset_signals() -> nix::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator().filter(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: the default disposition runs no code of ours.
        unsafe { sigaction(signal, &default) }?;
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// The socket on which libcontainer hands over a terminal's master side.
struct Console {
    path: PathBuf,
    listener: UnixListener,
}

impl Console {
    fn listen(folder: &Path) -> Result<Self, LaunchError> {
        let path = folder.join(CONSOLE_FILE);
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(LaunchError::System { step: "clear the terminal socket", source: error });
        }
        let listen = || UnixListener::bind(short_path(&File::open(folder)?, CONSOLE_FILE));
        let listener = listen().map_err(LaunchError::system("listen for the terminal"))?;
        Ok(Console { path, listener })
    }

    fn accept(self) -> Result<OwnedFd, LaunchError> {
        // The process has sent its terminal before it ran its program, so this does not wait.
        self.listener.set_nonblocking(true).map_err(LaunchError::system("receive the terminal"))?;
        let (stream, _) = self.listener.accept().map_err(LaunchError::system("receive the terminal"))?;
        let mut space = cmsg_space!(RawFd);
        let mut buffer = [0; 64];
        let mut slices = [IoSliceMut::new(&mut buffer)];
        let message = recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
            .map_err(LaunchError::system("receive the terminal"))?;
        let received =
            message.cmsgs().map_err(LaunchError::system("receive the terminal"))?.find_map(|control| match control {
                ControlMessageOwned::ScmRights(descriptors) => descriptors.first().copied(),
                _ => None,
            });
        match received {
            // SAFETY: the kernel has just made this descriptor for us; nothing else owns it.
            Some(master) => Ok(unsafe { OwnedFd::from_raw_fd(master) }),
            None => Err(LaunchError::Container("the terminal did not arrive".to_owned())),
        }
    }
}
