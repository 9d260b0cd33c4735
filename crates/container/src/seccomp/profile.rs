//! Profiles that a node's administrator wrote (`Localhost`), in the format of the OCI runtime
//! specification ("Seccomp").
//!
//! A filter of the kernel's answers with one of two actions here, a profile with many. So it becomes
//! several: one that gives the default to all calls the profile does not name, and one for each
//! further action. The kernel asks all, and the strictest answer counts.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use libc::c_long;
use libcontainer::oci_spec::runtime::{
    LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator, LinuxSyscall,
};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// A longer file is no profile.
const LIMIT_BYTES: u64 = 4 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileError {
    #[error("cannot load seccomp profile {path:?}")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("decoding seccomp profile failed")]
    Decode(#[source] serde_json::Error),
    #[error("{0} is not supported in a seccomp profile")]
    Unsupported(String),
    #[error("cannot build the system call filter")]
    Build(#[from] BackendError),
}

pub(crate) fn load(path: &Path) -> Result<LinuxSeccomp, ProfileError> {
    let failed = |source| ProfileError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > LIMIT_BYTES {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    let text = std::fs::read(path).map_err(failed)?;
    let profile = serde_json::from_slice(&text).map_err(ProfileError::Decode)?;
    // What cannot be obeyed is told before anything is made.
    compile(&profile)?;
    Ok(profile)
}

/// The filters, in the order in which they must be set: once one is, the others are set under it.
pub(crate) fn compile(profile: &LinuxSeccomp) -> Result<Vec<BpfProgram>, ProfileError> {
    let default = action(profile.default_action(), profile.default_errno_ret())?;
    let mut named = Rules::default();
    let mut others: Vec<(SeccompAction, Rules)> = Vec::new();
    for entry in profile.syscalls().iter().flatten() {
        let wanted = action(entry.action(), entry.errno_ret())?;
        if wanted == default {
            continue;
        }
        named.add(entry)?;
        if wanted != SeccompAction::Allow {
            match others.iter_mut().find(|(other, _)| *other == wanted) {
                Some((_, rules)) => rules.add(entry)?,
                None => {
                    let mut rules = Rules::default();
                    rules.add(entry)?;
                    others.push((wanted, rules));
                }
            }
        }
    }
    // The filter that forbids setting filters comes last.
    others.sort_by_key(|(_, rules)| rules.0.contains_key(&libc::SYS_seccomp));
    let mut filters = Vec::with_capacity(others.len() + 1);
    for (action, rules) in others {
        filters.push(rules.filter(SeccompAction::Allow, action)?);
    }
    if default != SeccompAction::Allow {
        filters.push(named.filter(default, SeccompAction::Allow)?);
    }
    Ok(filters)
}

/// Calls, and on which arguments; an empty list of rules is any.
#[derive(Default)]
struct Rules(BTreeMap<c_long, Vec<SeccompRule>>);

impl Rules {
    fn add(&mut self, entry: &LinuxSyscall) -> Result<(), ProfileError> {
        let arguments = entry.args().as_deref().unwrap_or_default();
        for name in entry.names() {
            // Of calls that this processor does not have, there is nothing to say.
            let Ok(number) = name.parse::<syscalls::Sysno>() else { continue };
            let number = c_long::from(number.id());
            let is_unrestricted = self.0.get(&number).is_some_and(Vec::is_empty);
            let known = self.0.entry(number).or_default();
            if arguments.is_empty() {
                known.clear();
            } else if !is_unrestricted {
                known.extend(alternatives(arguments)?);
            }
        }
        Ok(())
    }

    fn filter(self, otherwise: SeccompAction, matched: SeccompAction) -> Result<BpfProgram, ProfileError> {
        let architecture = std::env::consts::ARCH.try_into()?;
        Ok(SeccompFilter::new(self.0, otherwise, matched, architecture)?.try_into()?)
    }
}

/// Conditions on different arguments must all hold; of several on one, any.
fn alternatives(arguments: &[LinuxSeccompArg]) -> Result<Vec<SeccompRule>, ProfileError> {
    let conditions = arguments.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    let mut indexes: Vec<usize> = arguments.iter().map(LinuxSeccompArg::index).collect();
    indexes.sort_unstable();
    let count = indexes.len();
    indexes.dedup();
    if indexes.len() == count {
        return Ok(vec![SeccompRule::new(conditions)?]);
    }
    Ok(conditions.into_iter().map(|condition| SeccompRule::new(vec![condition])).collect::<Result<_, _>>()?)
}

fn condition(argument: &LinuxSeccompArg) -> Result<SeccompCondition, ProfileError> {
    let (value, second) = (argument.value(), argument.value_two().unwrap_or(0));
    let (operator, value) = match argument.op() {
        LinuxSeccompOperator::ScmpCmpNe => (SeccompCmpOp::Ne, value),
        LinuxSeccompOperator::ScmpCmpLt => (SeccompCmpOp::Lt, value),
        LinuxSeccompOperator::ScmpCmpLe => (SeccompCmpOp::Le, value),
        LinuxSeccompOperator::ScmpCmpEq => (SeccompCmpOp::Eq, value),
        LinuxSeccompOperator::ScmpCmpGe => (SeccompCmpOp::Ge, value),
        LinuxSeccompOperator::ScmpCmpGt => (SeccompCmpOp::Gt, value),
        LinuxSeccompOperator::ScmpCmpMaskedEq => (SeccompCmpOp::MaskedEq(value), second),
    };
    let index = u8::try_from(argument.index())
        .map_err(|_| ProfileError::Unsupported(format!("argument {}", argument.index())))?;
    Ok(SeccompCondition::new(index, SeccompCmpArgLen::Qword, operator, value)?)
}

fn action(action: LinuxSeccompAction, number: Option<u32>) -> Result<SeccompAction, ProfileError> {
    Ok(match action {
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => SeccompAction::KillThread,
        LinuxSeccompAction::ScmpActKillProcess => SeccompAction::KillProcess,
        LinuxSeccompAction::ScmpActTrap => SeccompAction::Trap,
        LinuxSeccompAction::ScmpActErrno => SeccompAction::Errno(number.unwrap_or(libc::EPERM as u32)),
        LinuxSeccompAction::ScmpActTrace => SeccompAction::Trace(number.unwrap_or(libc::EPERM as u32)),
        LinuxSeccompAction::ScmpActLog => SeccompAction::Log,
        LinuxSeccompAction::ScmpActAllow => SeccompAction::Allow,
        LinuxSeccompAction::ScmpActNotify => {
            return Err(ProfileError::Unsupported("SCMP_ACT_NOTIFY".to_owned()));
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::decide;
    use super::*;

    const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
    const LOG: u32 = libc::SECCOMP_RET_LOG;
    const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

    fn errno(number: i32) -> u32 {
        libc::SECCOMP_RET_ERRNO | number as u32
    }

    /// The kernel takes the answer with the least action, as a signed number.
    fn answer(profile: &Value, number: c_long, argument: u64) -> u32 {
        let profile = serde_json::from_value(profile.clone()).unwrap();
        let filters = compile(&profile).unwrap();
        let answers = filters.iter().map(|filter| decide(filter, number, argument));
        answers.min_by_key(|answer| (answer & libc::SECCOMP_RET_ACTION_FULL) as i32).unwrap_or(ALLOW)
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_strictest_of_the_profiles_actions_counts() {
        // The three profiles of the Kubernetes tutorial on seccomp, and one with everything.
        let audit = json!({"defaultAction": "SCMP_ACT_LOG"});
        let violation = json!({"defaultAction": "SCMP_ACT_ERRNO"});
        let fine_grained = json!({
            "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": [{"names": ["accept4", "write", "no_such_call"], "action": "SCMP_ACT_ALLOW"}],
        });
        let mixed = json!({
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
            "syscalls": [
                {"names": ["read", "chmod"], "action": "SCMP_ACT_ALLOW"},
                {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
                {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]},
                {"names": ["dup"], "action": "SCMP_ACT_ALLOW", "args": [
                    {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
                {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
                    {"index": 0, "value": 0x7e02_0000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
                {"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"},
                {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
                {"names": ["sync"], "action": "SCMP_ACT_LOG"},
            ],
        });
        let deny = json!({"defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["seccomp", "chmod"], "action": "SCMP_ACT_ERRNO"}, {"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"}]});
        for (profile, number, argument, expected) in [
            (&audit, libc::SYS_chmod, 0, LOG),
            (&violation, libc::SYS_write, 0, errno(libc::EPERM)),
            (&fine_grained, libc::SYS_write, 0, ALLOW),
            (&fine_grained, libc::SYS_chmod, 0, errno(libc::EPERM)),
            (&mixed, libc::SYS_read, 0, ALLOW),
            (&mixed, libc::SYS_write, 0, errno(libc::ENOSYS)),
            (&mixed, libc::SYS_personality, 8, ALLOW),
            (&mixed, libc::SYS_personality, 0, ALLOW),
            (&mixed, libc::SYS_personality, 4, errno(libc::ENOSYS)),
            (&mixed, libc::SYS_dup, 2, ALLOW),
            (&mixed, libc::SYS_dup, 3, errno(libc::ENOSYS)),
            (&mixed, libc::SYS_clone, libc::CLONE_VM as u64, ALLOW),
            (&mixed, libc::SYS_clone, libc::CLONE_NEWUSER as u64, errno(libc::ENOSYS)),
            (&mixed, libc::SYS_mount, 0, KILL),
            (&mixed, libc::SYS_chmod, 0, errno(libc::EACCES)),
            (&mixed, libc::SYS_sync, 0, LOG),
            (&deny, libc::SYS_write, 0, ALLOW),
            (&deny, libc::SYS_chmod, 0, errno(libc::EPERM)),
            (&deny, libc::SYS_mount, 0, KILL),
        ] {
            assert_eq!(answer(profile, number, argument), expected, "call {number} ({argument:#x}) of {profile}");
        }
        let filters = compile(&serde_json::from_value(deny).unwrap()).unwrap();
        assert_eq!(decide(&filters[0], libc::SYS_seccomp, 0), ALLOW, "the first must not keep the second out");
    }

    #[test]
    fn what_is_no_profile_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.json");
        let missing = load(&path).unwrap_err();
        let text = stdx::error::chain(&missing);
        assert!(text.starts_with("cannot load seccomp profile") && text.contains("No such file"), "{text}");
        for (text, expected) in [
            ("{", "decoding seccomp profile failed"),
            (r#"{"defaultAction": "SCMP_ACT_SOMETHING"}"#, "decoding seccomp profile failed"),
            (r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#, "SCMP_ACT_NOTIFY is not supported"),
            (
                r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG",
                "args": [{"index": 9, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#,
                "cannot build the system call filter",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
