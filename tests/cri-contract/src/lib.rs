//! What a container runtime promises its kubelet, held against any runtime, and Debian's containerd, which tests the
//! tests.
//!
//! A test says which runtime it is about ([`Node`]) and keeps each of the [`PROMISES`]. Nothing here knows a runtime; what
//! takes time is waited for by its sign.

mod containerd;
mod containers;
mod image;
mod images;
mod node;
mod registry;
mod sandboxes;
mod streams;

pub use containerd::Containerd;
pub use image::{IMAGE, busybox_archive};
pub use node::Node;

/// A promise: what must hold, and how it is looked at.
pub type Promise = (&'static str, fn(&Node) -> futures::future::BoxFuture<'_, ()>);

/// Names a promise after its function.
macro_rules! promises {
    ($($module:ident: $($name:ident)*;)*) => {
        &[$($((stringify!($name), |node| Box::pin($module::$name(node)))),*),*]
    };
}

pub const PROMISES: &[Promise] = promises! {
    sandboxes:
        a_runtime_tells_who_it_is_and_that_it_is_ready
        a_sandbox_lives_from_run_to_removal
        sandboxes_are_found_by_what_is_asked_for
        what_is_not_there_is_not_found
        events_tell_what_happens_to_a_container;
    containers:
        a_container_lives_from_creation_to_removal
        a_container_gets_what_its_configuration_says
        logs_have_the_form_of_the_interface_and_are_rotated
        a_command_is_run_to_its_end
        a_container_that_does_not_listen_is_killed
        limits_are_changed_while_it_runs
        what_containers_use_is_told;
    streams:
        exec_attach_and_port_forward_are_streams_at_urls;
    images:
        images_are_pulled_listed_found_and_removed;
};
