//! The default system call profile (`RuntimeDefault`), with the meaning of Docker's: what an
//! ordinary program needs is allowed, what a capability guards is allowed to its holders, the rest
//! fails with EPERM, and calls newer than this list with ENOSYS so that libraries fall back.

mod profile;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use cri::{LinuxContainerSecurityContext, ProfileType};
use libc::{c_long, c_ulong};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};

use crate::shim::protocol::Seccomp;
pub(crate) use profile::{ProfileError, compile as profile_filters};

/// What a container's security context asks for; nothing said is the default profile.
pub(crate) fn choose(security: &LinuxContainerSecurityContext) -> Result<Seccomp, ProfileError> {
    let Some(asked) = &security.seccomp else {
        return Ok(if security.privileged { Seccomp::Unconfined } else { Seccomp::Default });
    };
    Ok(match ProfileType::try_from(asked.profile_type) {
        _ if security.privileged => Seccomp::Unconfined,
        Ok(ProfileType::Unconfined) => Seccomp::Unconfined,
        Ok(ProfileType::Localhost) => Seccomp::Profile(Box::new(profile::load(Path::new(&asked.localhost_ref))?)),
        Ok(ProfileType::Runtimedefault) | Err(_) => Seccomp::Default,
    })
}

/// Flags of clone that make namespaces, except the one for cgroups' own bit, which overlaps none.
const CLONE_NAMESPACES: u64 = 0x7E02_0000;
/// The address families that programs may use; vsock (40) reaches the host past the network.
const AF_VSOCK: u64 = 40;
/// Execution domains that personality may ask for.
const PERSONALITIES: [u64; 5] = [0x0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// Compiles the profile for a process with these capabilities (`CAP_…`).
pub(crate) fn default_filter(capabilities: &[String]) -> Result<BpfProgram, seccompiler::BackendError> {
    let has = |name: &str| capabilities.iter().any(|capability| capability == name);
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> = ALWAYS.iter().map(|number| (*number, Vec::new())).collect();
    rules.extend(ALWAYS_ON_THIS_PROCESSOR.iter().map(|number| (*number, Vec::new())));
    let mut restricted = |number: c_long, conditions: Vec<SeccompCondition>| -> Result<(), seccompiler::BackendError> {
        rules.entry(number).or_default().push(SeccompRule::new(conditions)?);
        Ok(())
    };
    for domain in PERSONALITIES {
        restricted(libc::SYS_personality, vec![argument(0, SeccompCmpOp::Eq, domain)?])?;
    }
    restricted(libc::SYS_socket, vec![argument(0, SeccompCmpOp::Ne, AF_VSOCK)?])?;
    if !has("CAP_SYS_ADMIN") {
        restricted(libc::SYS_clone, vec![argument(0, SeccompCmpOp::MaskedEq(CLONE_NAMESPACES), 0)?])?;
    }
    for (capability, numbers) in WITH_CAPABILITY {
        if has(capability) {
            rules.extend(numbers.iter().map(|number| (*number, Vec::new())));
        }
    }
    let newest = rules.keys().copied().max().unwrap_or(0).max(NEWEST_KNOWN);
    let architecture = std::env::consts::ARCH.try_into()?;
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, architecture)?;
    let mut program = answer_unknown(newest, !has("CAP_SYS_ADMIN"));
    program.extend(BpfProgram::try_from(filter)?);
    Ok(program)
}

/// Sets the filter on the calling process, for good. Needs CAP_SYS_ADMIN or no-new-privileges.
#[expect(unsafe_code, reason = "seccomp(2) has no safe wrapper that leaves no-new-privileges alone")]
pub(crate) fn install(program: &BpfProgram) -> io::Result<()> {
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::Error::other("the filter is too long"))?,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    let flags: c_ulong = 0;
    // SAFETY: the kernel copies the program during the call; both structures outlive it, and
    // seccompiler's instruction has the layout of the kernel's.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn argument(index: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Qword, operator, value)
}

/// Instructions put before the filter: ENOSYS for calls beyond the list, and for clone3, whose
/// flags a filter cannot see.
fn answer_unknown(newest: c_long, hide_clone3: bool) -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_GREATER: u16 = 0x25;
    const RETURN: u16 = 0x06;
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let no_such_call = instruction(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32);
    let mut program = vec![
        instruction(LOAD_WORD, 0, 0, 0), // the call's number stands first in the data
        instruction(JUMP_GREATER, 0, 1, newest as u32),
        no_such_call.clone(),
    ];
    if hide_clone3 {
        program.push(instruction(JUMP_EQUAL, 0, 1, libc::SYS_clone3 as u32));
        program.push(no_such_call);
    }
    program
}

/// The newest call that the list below decides about (`mseal`).
const NEWEST_KNOWN: c_long = 462;

macro_rules! calls {
    ($($name:ident)*) => { &[$(libc::$name),*] };
}

const ALWAYS: &[c_long] = calls! {
    SYS_accept SYS_accept4 SYS_adjtimex SYS_bind SYS_brk SYS_capget SYS_capset SYS_chdir SYS_clock_adjtime
    SYS_clock_getres SYS_clock_gettime SYS_clock_nanosleep SYS_close SYS_close_range SYS_connect
    SYS_copy_file_range SYS_dup SYS_dup3 SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait
    SYS_epoll_pwait2 SYS_eventfd2 SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_faccessat
    SYS_faccessat2 SYS_fadvise64 SYS_fallocate SYS_fanotify_mark SYS_fchdir SYS_fchmod SYS_fchmodat
    SYS_fchmodat2 SYS_fchown SYS_fchownat SYS_fcntl SYS_fdatasync SYS_fgetxattr SYS_flistxattr SYS_flock
    SYS_fremovexattr SYS_fsetxattr SYS_fstat SYS_fstatfs SYS_fsync SYS_ftruncate SYS_futex SYS_futex_waitv
    SYS_getcpu SYS_getcwd SYS_getdents64 SYS_getegid SYS_geteuid SYS_getgid SYS_getgroups SYS_getitimer
    SYS_getpeername SYS_getpgid SYS_getpid SYS_getppid SYS_getpriority SYS_getrandom SYS_getresgid
    SYS_getresuid SYS_getrlimit SYS_get_robust_list SYS_getrusage SYS_getsid SYS_getsockname
    SYS_getsockopt SYS_gettid SYS_gettimeofday SYS_getuid SYS_getxattr SYS_inotify_add_watch
    SYS_inotify_init1 SYS_inotify_rm_watch SYS_io_cancel SYS_ioctl SYS_io_destroy SYS_io_getevents
    SYS_ioprio_get SYS_ioprio_set SYS_io_setup SYS_io_submit SYS_kill SYS_landlock_add_rule
    SYS_landlock_create_ruleset SYS_landlock_restrict_self SYS_lgetxattr SYS_linkat SYS_listen
    SYS_listxattr SYS_llistxattr SYS_lremovexattr SYS_lseek SYS_lsetxattr SYS_madvise SYS_membarrier
    SYS_memfd_create SYS_memfd_secret SYS_mincore SYS_mkdirat SYS_mknodat SYS_mlock SYS_mlock2 SYS_mlockall
    SYS_mmap SYS_mprotect SYS_mq_getsetattr SYS_mq_notify SYS_mq_open SYS_mq_timedreceive
    SYS_mq_timedsend SYS_mq_unlink SYS_mremap SYS_mseal SYS_msgctl SYS_msgget SYS_msgrcv SYS_msgsnd SYS_msync
    SYS_munlock SYS_munlockall SYS_munmap SYS_name_to_handle_at SYS_nanosleep SYS_newfstatat SYS_openat
    SYS_openat2 SYS_pidfd_open SYS_pidfd_send_signal SYS_pipe2 SYS_pkey_alloc SYS_pkey_free
    SYS_pkey_mprotect SYS_ppoll SYS_prctl SYS_pread64 SYS_preadv SYS_preadv2 SYS_prlimit64
    SYS_process_mrelease SYS_process_vm_readv SYS_process_vm_writev SYS_pselect6 SYS_ptrace SYS_pwrite64
    SYS_pwritev SYS_pwritev2 SYS_read SYS_readahead SYS_readlinkat SYS_readv SYS_recvfrom SYS_recvmmsg SYS_recvmsg
    SYS_remap_file_pages SYS_removexattr SYS_renameat SYS_renameat2 SYS_restart_syscall SYS_rseq SYS_rt_sigaction
    SYS_rt_sigpending SYS_rt_sigprocmask SYS_rt_sigqueueinfo SYS_rt_sigreturn SYS_rt_sigsuspend
    SYS_rt_sigtimedwait SYS_rt_tgsigqueueinfo SYS_sched_getaffinity SYS_sched_getattr SYS_sched_getparam
    SYS_sched_get_priority_max SYS_sched_get_priority_min SYS_sched_getscheduler
    SYS_sched_rr_get_interval SYS_sched_setaffinity SYS_sched_setattr SYS_sched_setparam
    SYS_sched_setscheduler SYS_sched_yield SYS_seccomp SYS_semctl SYS_semget SYS_semop SYS_semtimedop
    SYS_sendfile SYS_sendmmsg SYS_sendmsg SYS_sendto SYS_setfsgid SYS_setfsuid SYS_setgid SYS_setgroups SYS_setitimer
    SYS_setpgid SYS_setpriority SYS_setregid SYS_setresgid SYS_setresuid SYS_setreuid SYS_setrlimit
    SYS_set_robust_list SYS_setsid SYS_setsockopt SYS_set_tid_address SYS_setuid SYS_setxattr SYS_shmat SYS_shmctl
    SYS_shmdt SYS_shmget SYS_shutdown SYS_sigaltstack SYS_signalfd4 SYS_socketpair
    SYS_splice SYS_statfs SYS_statx SYS_symlinkat SYS_sync SYS_sync_file_range SYS_syncfs SYS_sysinfo
    SYS_tee SYS_tgkill SYS_timer_create SYS_timer_delete SYS_timerfd_create SYS_timerfd_gettime
    SYS_timerfd_settime SYS_timer_getoverrun SYS_timer_gettime SYS_timer_settime SYS_times SYS_tkill
    SYS_truncate SYS_umask SYS_uname SYS_unlinkat SYS_utimensat SYS_vmsplice SYS_wait4
    SYS_waitid SYS_write SYS_writev
};

/// Calls of the older processors, which newer ones do without.
#[cfg(target_arch = "x86_64")]
const ALWAYS_ON_THIS_PROCESSOR: &[c_long] = calls! {
    SYS_access SYS_alarm SYS_arch_prctl SYS_chmod SYS_chown SYS_creat SYS_dup2 SYS_epoll_create
    SYS_epoll_ctl_old SYS_epoll_wait SYS_epoll_wait_old SYS_eventfd SYS_fork SYS_futimesat SYS_getdents
    SYS_getpgrp SYS_get_thread_area SYS_inotify_init SYS_lchown SYS_link SYS_lstat SYS_mkdir SYS_mknod SYS_modify_ldt SYS_open
    SYS_pause SYS_pipe SYS_poll SYS_readlink SYS_rename SYS_rmdir SYS_select SYS_set_thread_area SYS_signalfd
    SYS_stat SYS_symlink SYS_time SYS_unlink SYS_utime SYS_utimes SYS_vfork
};
#[cfg(not(target_arch = "x86_64"))]
const ALWAYS_ON_THIS_PROCESSOR: &[c_long] = &[];

const WITH_CAPABILITY: &[(&str, &[c_long])] = &[
    ("CAP_DAC_READ_SEARCH", calls! { SYS_open_by_handle_at }),
    (
        "CAP_SYS_ADMIN",
        calls! {
            SYS_bpf SYS_clone SYS_clone3 SYS_fanotify_init SYS_fsconfig SYS_fsmount SYS_fsopen SYS_fspick
            SYS_lookup_dcookie SYS_mount SYS_mount_setattr SYS_move_mount SYS_open_tree SYS_perf_event_open
            SYS_quotactl SYS_quotactl_fd SYS_setdomainname SYS_sethostname SYS_setns SYS_syslog SYS_umount2
            SYS_unshare
        },
    ),
    ("CAP_SYS_BOOT", calls! { SYS_reboot }),
    ("CAP_SYS_CHROOT", calls! { SYS_chroot }),
    ("CAP_SYS_MODULE", calls! { SYS_delete_module SYS_init_module SYS_finit_module }),
    ("CAP_SYS_PACCT", calls! { SYS_acct }),
    ("CAP_SYS_PTRACE", calls! { SYS_kcmp SYS_pidfd_getfd SYS_process_madvise }),
    ("CAP_SYS_TIME", calls! { SYS_settimeofday SYS_clock_settime }),
    ("CAP_SYS_TTY_CONFIG", calls! { SYS_vhangup }),
    ("CAP_SYS_NICE", calls! { SYS_get_mempolicy SYS_mbind SYS_set_mempolicy SYS_set_mempolicy_home_node }),
    ("CAP_SYSLOG", calls! { SYS_syslog }),
    ("CAP_BPF", calls! { SYS_bpf }),
    ("CAP_PERFMON", calls! { SYS_perf_event_open }),
];

#[cfg(test)]
mod tests {
    use cri::SecurityProfile;

    use super::*;

    /// Runs the program as the kernel would for one call, on the few instructions that filters use.
    pub(super) fn decide(program: &BpfProgram, number: c_long, first_argument: u64) -> u32 {
        let mut data = [0u8; 64];
        data[..4].copy_from_slice(&(number as u32).to_le_bytes());
        data[4..8].copy_from_slice(&0xc000_003e_u32.to_le_bytes());
        data[16..24].copy_from_slice(&first_argument.to_le_bytes());
        let (mut counter, mut accumulator) = (0usize, 0u32);
        loop {
            let step = &program[counter];
            counter += 1;
            match step.code {
                0x20 => {
                    let offset = step.k as usize;
                    accumulator = u32::from_le_bytes(data[offset..offset + 4].try_into().unwrap());
                }
                0x54 => accumulator &= step.k,
                0x05 => counter += step.k as usize,
                0x15 => counter += usize::from(if accumulator == step.k { step.jt } else { step.jf }),
                0x25 => counter += usize::from(if accumulator > step.k { step.jt } else { step.jf }),
                0x35 => counter += usize::from(if accumulator >= step.k { step.jt } else { step.jf }),
                0x06 => return step.k,
                code => panic!("instruction {code:#x}"),
            }
        }
    }

    #[test]
    fn the_default_confines_and_privilege_lifts_it() {
        let choose = |kind: Option<ProfileType>, privileged: bool| {
            let seccomp = kind.map(|kind| SecurityProfile {
                profile_type: kind as i32,
                localhost_ref: "/no/such/profile".to_owned(),
            });
            choose(&LinuxContainerSecurityContext { seccomp, privileged, ..Default::default() })
        };
        for (kind, expected) in [
            (None, Seccomp::Default),
            (Some(ProfileType::Runtimedefault), Seccomp::Default),
            (Some(ProfileType::Unconfined), Seccomp::Unconfined),
        ] {
            assert_eq!(choose(kind, false).unwrap(), expected);
        }
        let missing = choose(Some(ProfileType::Localhost), false).unwrap_err();
        assert!(missing.to_string().contains("/no/such/profile"), "{missing}");
        for kind in [None, Some(ProfileType::Runtimedefault), Some(ProfileType::Localhost)] {
            assert_eq!(choose(kind, true).unwrap(), Seccomp::Unconfined);
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_profile_decides_as_docker_does() {
        const ALLOW: u32 = 0x7fff_0000;
        let errno = |number: i32| 0x0005_0000 | number as u32;
        let plain = default_filter(&["CAP_CHOWN".to_owned()]).unwrap();
        let admin = default_filter(&["CAP_SYS_ADMIN".to_owned()]).unwrap();
        for (number, argument, without, with) in [
            (libc::SYS_write, 1, ALLOW, ALLOW),
            (libc::SYS_mount, 0, errno(libc::EPERM), ALLOW),
            (libc::SYS_unshare, 0, errno(libc::EPERM), ALLOW),
            (libc::SYS_keyctl, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_add_key, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_request_key, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_userfaultfd, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_io_uring_setup, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_kexec_load, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_pivot_root, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_swapon, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_open_by_handle_at, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_init_module, 0, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_bpf, 0, errno(libc::EPERM), ALLOW),
            (libc::SYS_perf_event_open, 0, errno(libc::EPERM), ALLOW),
            (libc::SYS_setns, 0, errno(libc::EPERM), ALLOW),
            (libc::SYS_move_mount, 0, errno(libc::EPERM), ALLOW),
            (libc::SYS_clone, libc::CLONE_VM as u64, ALLOW, ALLOW),
            (libc::SYS_clone, libc::CLONE_NEWUSER as u64, errno(libc::EPERM), ALLOW),
            (libc::SYS_clone3, 0, errno(libc::ENOSYS), ALLOW),
            (libc::SYS_socket, libc::AF_INET as u64, ALLOW, ALLOW),
            (libc::SYS_socket, AF_VSOCK, errno(libc::EPERM), errno(libc::EPERM)),
            (libc::SYS_personality, 0x0008, ALLOW, ALLOW),
            (libc::SYS_personality, 0x0004, errno(libc::EPERM), errno(libc::EPERM)),
            (9999, 0, errno(libc::ENOSYS), errno(libc::ENOSYS)),
            (0x4000_0001, 0, errno(libc::ENOSYS), errno(libc::ENOSYS)),
        ] {
            assert_eq!(decide(&plain, number, argument), without, "call {number} ({argument:#x})");
            assert_eq!(decide(&admin, number, argument), with, "call {number} ({argument:#x}) as administrator");
        }
    }
}
