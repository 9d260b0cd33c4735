//! rbac.authorization.k8s.io before v1. In v1alpha1 a subject says an API version where later ones say a group.

use serde_json::Value;

use crate::fields::{items_mut, set_default, text};
use crate::kind::{Conversion, Kind, Object};
use crate::rbac::cluster_role::CLUSTER_ROLE;
use crate::rbac::cluster_role_binding::CLUSTER_ROLE_BINDING;
use crate::rbac::role::ROLE;
use crate::rbac::role_binding::ROLE_BINDING;

const GROUP: &str = "rbac.authorization.k8s.io";
const V1ALPHA1: &str = "rbac.authorization.k8s.io/v1alpha1";

pub static ROLE_V1BETA1: Kind = Kind::served_as(GROUP, "v1beta1", &Conversion::same_as(&ROLE)).deprecated(
    17,
    22,
    "rbac.authorization.k8s.io/v1 Role",
);
pub static ROLE_BINDING_V1BETA1: Kind = Kind::served_as(GROUP, "v1beta1", &Conversion::same_as(&ROLE_BINDING))
    .deprecated(17, 22, "rbac.authorization.k8s.io/v1 RoleBinding");
pub static CLUSTER_ROLE_V1BETA1: Kind = Kind::served_as(GROUP, "v1beta1", &Conversion::same_as(&CLUSTER_ROLE))
    .deprecated(17, 22, "rbac.authorization.k8s.io/v1 ClusterRole");
pub static CLUSTER_ROLE_BINDING_V1BETA1: Kind = Kind::served_as(
    GROUP,
    "v1beta1",
    &Conversion::same_as(&CLUSTER_ROLE_BINDING),
)
.deprecated(17, 22, "rbac.authorization.k8s.io/v1 ClusterRoleBinding");

pub static ROLE_V1ALPHA1: Kind = Kind::served_as(GROUP, "v1alpha1", &Conversion::same_as(&ROLE)).deprecated(
    17,
    22,
    "rbac.authorization.k8s.io/v1 Role",
);
pub static ROLE_BINDING_V1ALPHA1: Kind = Kind::served_as(
    GROUP,
    "v1alpha1",
    &Conversion { default, ..Conversion::between(&ROLE_BINDING, to_storage, out_of_storage) },
)
.deprecated(17, 22, "rbac.authorization.k8s.io/v1 RoleBinding");
pub static CLUSTER_ROLE_V1ALPHA1: Kind = Kind::served_as(GROUP, "v1alpha1", &Conversion::same_as(&CLUSTER_ROLE))
    .deprecated(17, 22, "rbac.authorization.k8s.io/v1 ClusterRole");
pub static CLUSTER_ROLE_BINDING_V1ALPHA1: Kind = Kind::served_as(
    GROUP,
    "v1alpha1",
    &Conversion { default, ..Conversion::between(&CLUSTER_ROLE_BINDING, to_storage, out_of_storage) },
)
.deprecated(17, 22, "rbac.authorization.k8s.io/v1 ClusterRoleBinding");

fn default(binding: &mut Object) {
    for subject in items_mut(binding, "subjects") {
        match text(subject, "kind") {
            "ServiceAccount" => set_default(subject, "apiVersion", "v1"),
            "User" | "Group" => set_default(subject, "apiVersion", V1ALPHA1),
            _ => {}
        }
    }
}

fn to_storage(binding: &mut Object) {
    for subject in items_mut(binding, "subjects") {
        let version = subject.shift_remove("apiVersion");
        let group = match text(subject, "kind") {
            "ServiceAccount" => "",
            "User" | "Group" => GROUP,
            _ => {
                version.as_ref().and_then(Value::as_str).and_then(|v| v.split_once('/')).map_or("", |(group, _)| group)
            }
        }
        .to_owned();
        // Everybody, as the first version said it, was everybody who is known.
        if text(subject, "kind") == "User" && text(subject, "name") == "*" {
            subject.insert("kind".to_owned(), Value::from("Group"));
            subject.insert("name".to_owned(), Value::from("system:authenticated"));
        }
        if !group.is_empty() {
            subject.insert("apiGroup".to_owned(), Value::from(group));
        }
    }
}

fn out_of_storage(binding: &mut Object) {
    for subject in items_mut(binding, "subjects") {
        let group = subject.shift_remove("apiGroup");
        let group = group.as_ref().and_then(Value::as_str).unwrap_or("");
        let version = match (text(subject, "kind"), group) {
            ("ServiceAccount", "") => "v1".to_owned(),
            ("User" | "Group", GROUP) => V1ALPHA1.to_owned(),
            (_, "") => continue,
            (_, group) => format!("{group}/"),
        };
        subject.insert("apiVersion".to_owned(), Value::from(version));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::legacy::testing::{rested, shown};

    #[test]
    fn subjects_said_a_version_before_they_said_a_group() {
        let old = json!({
            "metadata": {"name": "a"},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "view"},
            "subjects": [
                {"kind": "User", "name": "*"},
                {"kind": "User", "name": "jane"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n", "apiVersion": "v1"},
            ],
        });
        let at_rest = rested(&CLUSTER_ROLE_BINDING_V1ALPHA1, old);
        assert_eq!(
            at_rest["subjects"],
            json!([
                {"kind": "Group", "name": "system:authenticated", "apiGroup": GROUP},
                {"kind": "User", "name": "jane", "apiGroup": GROUP},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
            ])
        );
        assert_eq!(
            shown(&CLUSTER_ROLE_BINDING_V1ALPHA1, at_rest)["subjects"],
            json!([
                {"kind": "Group", "name": "system:authenticated", "apiVersion": V1ALPHA1},
                {"kind": "User", "name": "jane", "apiVersion": V1ALPHA1},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n", "apiVersion": "v1"},
            ])
        );
    }
}
