//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static Eviction: Type = Type { name: "Eviction", package: "io.k8s.api.policy.v1beta1", fields: policy_v1::Eviction.fields, embedded: policy_v1::Eviction.embedded, order: policy_v1::Eviction.order, is_atomic: false };

pub(super) static PodDisruptionBudget: Type = Type { name: "PodDisruptionBudget", package: "io.k8s.api.policy.v1beta1", fields: policy_v1::PodDisruptionBudget.fields, embedded: policy_v1::PodDisruptionBudget.embedded, order: policy_v1::PodDisruptionBudget.order, is_atomic: false };

pub(super) static PodSecurityPolicy: Type = Type { name: "PodSecurityPolicy", package: "io.k8s.api.policy.v1beta1", fields: extensions_v1beta1::PodSecurityPolicy.fields, embedded: extensions_v1beta1::PodSecurityPolicy.embedded, order: extensions_v1beta1::PodSecurityPolicy.order, is_atomic: false };
