//! Which devices a container may use, where no controller decides it: version 2 of the control groups
//! asks a program of eBPF, attached to the group, at every open and mknod.
//!
//! The rules are those of the OCI runtime specification ("Device allowlist"): the last that matches
//! decides, and what none matches is refused.

use std::ffi::c_long;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use libcontainer::oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, Spec};

const BLOCK: u32 = 1;
const CHARACTER: u32 = 2;

const MKNOD: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 4;
const ALL: u32 = MKNOD | READ | WRITE;

/// What every container may use besides its own: nodes may be made, and the harmless ones used.
const DEFAULTS: &[Rule] = &[
    Rule { allow: true, kind: Some(CHARACTER), major: None, minor: None, access: MKNOD },
    Rule { allow: true, kind: Some(BLOCK), major: None, minor: None, access: MKNOD },
    character(1, Some(3)), // null
    character(1, Some(5)), // zero
    character(1, Some(7)), // full
    character(1, Some(8)), // random
    character(1, Some(9)), // urandom
    character(5, Some(0)), // tty
    character(5, Some(1)), // console
    character(5, Some(2)), // ptmx
    character(136, None),  // pts/…
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    allow: bool,
    /// `None` is any, as with the numbers.
    kind: Option<u32>,
    major: Option<u32>,
    minor: Option<u32>,
    access: u32,
}

const fn character(major: u32, minor: Option<u32>) -> Rule {
    Rule { allow: true, kind: Some(CHARACTER), major: Some(major), minor, access: ALL }
}

/// The rules of a container, in the order of rising weight; `None` if it may use everything.
pub(crate) fn rules(spec: &Spec) -> Result<Option<Vec<Rule>>, String> {
    let resources = spec.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let given = resources.and_then(|resources| resources.devices().as_deref()).unwrap_or_default();
    let given = given.iter().map(Rule::read).collect::<Result<Vec<_>, _>>()?;
    let anything = Rule { allow: true, kind: None, major: None, minor: None, access: ALL };
    // Refusals come first and are of everything, so that the defaults may follow what was given.
    Ok((given.first() != Some(&anything)).then(|| [&given, DEFAULTS].concat()))
}

impl Rule {
    fn matches_all(&self) -> bool {
        (self.kind, self.major, self.minor, self.access) == (None, None, None, ALL)
    }

    fn read(given: &LinuxDeviceCgroup) -> Result<Rule, String> {
        let kind = match given.typ() {
            None | Some(LinuxDeviceType::A) => None,
            Some(LinuxDeviceType::B) => Some(BLOCK),
            Some(LinuxDeviceType::C | LinuxDeviceType::U) => Some(CHARACTER),
            Some(other) => return Err(format!("device rules know no type {other:?}")),
        };
        let number = |number: Option<i64>| match number {
            None | Some(-1) => Ok(None),
            Some(number) => u32::try_from(number).map(Some).map_err(|_| format!("{number} is no device number")),
        };
        let mut access = 0;
        for letter in given.access().as_deref().unwrap_or("rwm").chars() {
            access |= match letter {
                'm' => MKNOD,
                'r' => READ,
                'w' => WRITE,
                _ => return Err(format!("{letter:?} is no access to a device")),
            };
        }
        Ok(Rule { allow: given.allow(), kind, major: number(given.major())?, minor: number(given.minor())?, access })
    }
}

/// Refuses to the group at `folder`, and to those below it, what the rules do not allow.
pub(crate) fn restrict(folder: &Path, rules: &[Rule]) -> io::Result<()> {
    let group = File::open(folder)?;
    let program = load(&program(rules))?;
    attach(&group, &program)
}

// The registers. The kernel passes the context in the first and takes the verdict from the zeroth.
const VERDICT: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ACCESS: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
/// The context is not needed any more where this is.
const SCRATCH: u8 = CONTEXT;

// Operations on 32 bits (linux/bpf.h, linux/bpf_common.h).
const LOAD_WORD: u8 = 0x61;
const MOVE: u8 = 0xbc;
const MOVE_IMMEDIATE: u8 = 0xb4;
const AND_IMMEDIATE: u8 = 0x54;
const SHIFT_RIGHT_IMMEDIATE: u8 = 0x74;
const JUMP_UNLESS_EQUAL: u8 = 0x5e;
const JUMP_UNLESS_EQUAL_IMMEDIATE: u8 = 0x56;
const JUMP_IF_EQUAL_IMMEDIATE: u8 = 0x16;
const EXIT: u8 = 0x95;

/// `struct bpf_insn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
struct Instruction {
    operation: u8,
    /// The target in the lower half, the source in the upper.
    registers: u8,
    offset: i16,
    immediate: u32,
}

fn instruction(operation: u8, target: u8, source: u8, offset: i16, immediate: u32) -> Instruction {
    Instruction { operation, registers: target | source << 4, offset, immediate }
}

/// Tests the rules from the last to the first.
fn program(rules: &[Rule]) -> Vec<Instruction> {
    // `struct bpf_cgroup_dev_ctx`: access above kind, major, minor.
    let mut program = vec![
        instruction(LOAD_WORD, KIND, CONTEXT, 0, 0),
        instruction(AND_IMMEDIATE, KIND, 0, 0, 0xffff),
        instruction(LOAD_WORD, ACCESS, CONTEXT, 0, 0),
        instruction(SHIFT_RIGHT_IMMEDIATE, ACCESS, 0, 0, 16),
        instruction(LOAD_WORD, MAJOR, CONTEXT, 4, 0),
        instruction(LOAD_WORD, MINOR, CONTEXT, 8, 0),
    ];
    for rule in rules.iter().rev() {
        program.extend(test(rule));
        if rule.matches_all() {
            // The kernel refuses programs with steps that are never reached.
            return program;
        }
    }
    program.extend(verdict(false));
    program
}

/// Gives the rule's verdict, or goes on behind itself.
fn test(rule: &Rule) -> Vec<Instruction> {
    let mut test = Vec::new();
    for (register, wanted) in [(KIND, rule.kind), (MAJOR, rule.major), (MINOR, rule.minor)] {
        test.extend(wanted.map(|wanted| instruction(JUMP_UNLESS_EQUAL_IMMEDIATE, register, 0, 0, wanted)));
    }
    if rule.access != ALL {
        test.push(instruction(MOVE, SCRATCH, ACCESS, 0, 0));
        test.push(instruction(AND_IMMEDIATE, SCRATCH, 0, 0, rule.access));
        test.push(match rule.allow {
            // All that is asked for must be allowed; any of it may be refused.
            true => instruction(JUMP_UNLESS_EQUAL, SCRATCH, ACCESS, 0, 0),
            false => instruction(JUMP_IF_EQUAL_IMMEDIATE, SCRATCH, 0, 0, 0),
        });
    }
    test.extend(verdict(rule.allow));
    let end = test.len();
    for (place, step) in test.iter_mut().enumerate() {
        if matches!(step.operation, JUMP_UNLESS_EQUAL | JUMP_UNLESS_EQUAL_IMMEDIATE | JUMP_IF_EQUAL_IMMEDIATE) {
            // A rule has a dozen steps.
            step.offset = (end - place - 1) as i16;
        }
    }
    test
}

fn verdict(allow: bool) -> [Instruction; 2] {
    [instruction(MOVE_IMMEDIATE, VERDICT, 0, 0, allow.into()), instruction(EXIT, 0, 0, 0, 0)]
}

const LOAD_PROGRAM: c_long = 5;
const ATTACH_PROGRAM: c_long = 8;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
/// Programs of the groups above are asked too.
const ALLOW_MULTIPLE: u32 = 2;

/// The beginning of `union bpf_attr` for each command; the kernel takes the rest for zeros.
#[repr(C)]
struct LoadAttributes {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
}

#[repr(C)]
struct AttachAttributes {
    target: u32,
    program: u32,
    attach_type: u32,
    flags: u32,
}

#[expect(unsafe_code, reason = "bpf(2) has no safe wrapper")]
fn load(program: &[Instruction]) -> io::Result<OwnedFd> {
    let attributes = LoadAttributes {
        program_type: TYPE_CGROUP_DEVICE,
        instruction_count: program.len() as u32,
        instructions: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
    };
    // SAFETY: the attributes have the layout and length the kernel is told, and what they point to
    // outlives the call.
    let loaded = unsafe { libc::syscall(libc::SYS_bpf, LOAD_PROGRAM, &raw const attributes, size_of_val(&attributes)) };
    if loaded < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us; it fits, as descriptors do.
    Ok(unsafe { OwnedFd::from_raw_fd(loaded as i32) })
}

#[expect(unsafe_code, reason = "bpf(2) has no safe wrapper")]
fn attach(group: &File, program: &OwnedFd) -> io::Result<()> {
    let attributes = AttachAttributes {
        // Descriptors that are open are not negative.
        target: group.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        attach_type: ATTACH_CGROUP_DEVICE,
        flags: ALLOW_MULTIPLE,
    };
    // SAFETY: the attributes have the layout and length the kernel is told.
    let attached =
        unsafe { libc::syscall(libc::SYS_bpf, ATTACH_PROGRAM, &raw const attributes, size_of_val(&attributes)) };
    if attached < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What the kernel would make of the program.
    fn run(program: &[Instruction], (kind, access, major, minor): (u32, u32, u32, u32)) -> bool {
        let context = [access << 16 | kind, major, minor];
        let mut registers = [0_u32; 11];
        let mut place = 0;
        for _ in 0..=program.len() {
            let Instruction { operation, registers: names, offset, immediate } = program[place];
            let (target, source) = (usize::from(names & 15), usize::from(names >> 4));
            let mut jumps = false;
            match operation {
                LOAD_WORD => registers[target] = context[offset as usize / 4],
                MOVE => registers[target] = registers[source],
                MOVE_IMMEDIATE => registers[target] = immediate,
                AND_IMMEDIATE => registers[target] &= immediate,
                SHIFT_RIGHT_IMMEDIATE => registers[target] >>= immediate,
                JUMP_UNLESS_EQUAL => jumps = registers[target] != registers[source],
                JUMP_UNLESS_EQUAL_IMMEDIATE => jumps = registers[target] != immediate,
                JUMP_IF_EQUAL_IMMEDIATE => jumps = registers[target] == immediate,
                EXIT => return registers[usize::from(VERDICT)] == 1,
                other => panic!("{other:#x}"),
            }
            place = place + 1 + if jumps { offset as usize } else { 0 };
        }
        panic!("the program does not end");
    }

    /// What the specification says of the rules.
    fn decide(rules: &[Rule], (kind, access, major, minor): (u32, u32, u32, u32)) -> bool {
        let is = |wanted: Option<u32>, found: u32| wanted.is_none_or(|wanted| wanted == found);
        let verdict = rules.iter().rev().find(|rule| {
            is(rule.kind, kind)
                && is(rule.major, major)
                && is(rule.minor, minor)
                && if rule.allow { rule.access & access == access } else { rule.access & access != 0 }
        });
        verdict.is_some_and(|rule| rule.allow)
    }

    fn spec(devices: serde_json::Value) -> Spec {
        let spec = json!({"ociVersion": "1.2.0", "linux": {"resources": {"devices": devices}}});
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn a_container_uses_its_own_devices_and_the_harmless_ones() {
        let own = json!([{"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]);
        let rules = rules(&spec(own)).unwrap().unwrap();
        let program = program(&rules);
        for (name, asked, expected) in [
            ("null", (CHARACTER, READ | WRITE, 1, 3), true),
            ("a terminal", (CHARACTER, READ | WRITE, 136, 17), true),
            ("fuse, its own", (CHARACTER, READ | WRITE, 10, 229), true),
            ("memory", (CHARACTER, READ, 1, 1), false),
            ("the kernel's log", (CHARACTER, WRITE, 1, 11), false),
            ("tunnels", (CHARACTER, READ | WRITE, 10, 200), false),
            ("a disk", (BLOCK, READ, 254, 0), false),
            ("a node for a disk", (BLOCK, MKNOD, 254, 0), true),
            ("a node for a disk, and to read it", (BLOCK, MKNOD | READ, 254, 0), false),
            ("a disk with a harmless number", (BLOCK, READ, 1, 3), false),
        ] {
            assert_eq!(run(&program, asked), expected, "{name}");
        }
    }

    #[test]
    fn the_privileged_are_not_restricted() {
        assert_eq!(rules(&spec(json!([{"allow": true, "access": "rwm"}]))), Ok(None));
        assert_eq!(rules(&spec(json!([]))).unwrap().unwrap(), DEFAULTS);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        assert!(rules(&spec(json!([{"allow": true, "access": "rx"}]))).unwrap_err().contains("'x'"));
        assert!(rules(&spec(json!([{"allow": true, "major": -2}]))).unwrap_err().contains("-2"));
        assert!(rules(&spec(json!([{"allow": true, "type": "p"}]))).is_err());
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        let number = || prop::option::of(0..3_u32);
        (any::<bool>(), prop::option::of(BLOCK..=CHARACTER), number(), number(), 1..=ALL)
            .prop_map(|(allow, kind, major, minor, access)| Rule { allow, kind, major, minor, access })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_program_decides_as_the_rules_say(
            rules in prop::collection::vec(any_rule(), 0..8),
            asked in (BLOCK..=CHARACTER, 1..=ALL, 0..3_u32, 0..3_u32),
        ) {
            prop_assert_eq!(run(&program(&rules), asked), decide(&rules, asked));
        }
    }
}
