//! Links the program to a fixed address where it is static, and small where it is released.
//!
//! Each pod's shim is this program run again. Linked to run anywhere, each would first fill in a hundred thousand
//! addresses: a millisecond, and two megabytes that no two of them share. Stacks, heaps and mappings lie at random
//! places all the same, as with programs written in Go, which are linked like this.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value.split(',').any(|part| part == wanted));
    if !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    if is("CARGO_CFG_TARGET_FEATURE", "crt-static") {
        for argument in ["-static", "-no-pie"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_ARCH", "x86_64") && brings_lld() {
        // Equal functions are kept once.
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// Whether the compiler brings LLVM's linker, and so uses it on this architecture; another's may not know its options.
fn brings_lld() -> bool {
    let (Ok(compiler), Ok(target)) = (env::var("RUSTC"), env::var("TARGET")) else { return false };
    let Ok(output) = Command::new(compiler).args(["--print", "sysroot"]).output() else { return false };
    let root = String::from_utf8_lossy(&output.stdout);
    Path::new(root.trim()).join(format!("lib/rustlib/{target}/bin/gcc-ld/ld.lld")).exists()
}
