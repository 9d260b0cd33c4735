//! Kinds of the `resource.k8s.io` group: devices, and who asks for them.

pub mod device_class;
pub mod device_taint_rule;
pub mod resource_claim;
pub mod resource_claim_template;
pub mod resource_slice;

mod claim;
mod device;
mod names;
mod taint;
mod v1beta1;
