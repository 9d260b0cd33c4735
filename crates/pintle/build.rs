//! Links the program to a fixed address where it is static.
//!
//! Each pod's shim is this program run again. Linked to run anywhere, each would first fill in a hundred thousand
//! addresses: a millisecond, and two megabytes that no two of them share. Stacks, heaps and mappings lie at random
//! places all the same, as with programs written in Go, which are linked like this.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, wanted: &str| env::var(name).is_ok_and(|value| value.split(',').any(|part| part == wanted));
    if is("CARGO_CFG_TARGET_ENV", "gnu") && is("CARGO_CFG_TARGET_FEATURE", "crt-static") {
        for argument in ["-static", "-no-pie"] {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
