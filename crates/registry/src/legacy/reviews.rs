//! Reviews before v1. Where v1 asks about `groups`, authorization.k8s.io/v1beta1 said `group`.

use crate::authentication::self_subject_review::SELF_SUBJECT_REVIEW;
use crate::authentication::token_review::TOKEN_REVIEW;
use crate::authorization::local_subject_access_review::LOCAL_SUBJECT_ACCESS_REVIEW;
use crate::authorization::self_subject_access_review::SELF_SUBJECT_ACCESS_REVIEW;
use crate::authorization::self_subject_rules_review::SELF_SUBJECT_RULES_REVIEW;
use crate::authorization::subject_access_review::SUBJECT_ACCESS_REVIEW;
use crate::fields::object_mut;
use crate::kind::{Conversion, Kind, Object};

pub static TOKEN_REVIEW_V1BETA1: Kind = Kind::served_as(
    "authentication.k8s.io",
    "v1beta1",
    &Conversion::same_as(&TOKEN_REVIEW),
)
.deprecated(19, 22, "authentication.k8s.io/v1 TokenReview");
pub static SELF_SUBJECT_REVIEW_V1BETA1: Kind =
    Kind::served_as("authentication.k8s.io", "v1beta1", &Conversion::same_as(&SELF_SUBJECT_REVIEW))
        .deprecated(30, 33, "");
pub static SELF_SUBJECT_ACCESS_REVIEW_V1BETA1: Kind = Kind::served_as(
    "authorization.k8s.io",
    "v1beta1",
    &Conversion::same_as(&SELF_SUBJECT_ACCESS_REVIEW),
)
.deprecated(19, 22, "authorization.k8s.io/v1 SelfSubjectAccessReview");
pub static SELF_SUBJECT_RULES_REVIEW_V1BETA1: Kind = Kind::served_as(
    "authorization.k8s.io",
    "v1beta1",
    &Conversion::same_as(&SELF_SUBJECT_RULES_REVIEW),
)
.deprecated(19, 22, "authorization.k8s.io/v1 SelfSubjectRulesReview");
pub static SUBJECT_ACCESS_REVIEW_V1BETA1: Kind = Kind::served_as(
    "authorization.k8s.io",
    "v1beta1",
    &Conversion::between(&SUBJECT_ACCESS_REVIEW, groups_to_v1, groups_from_v1),
)
.deprecated(19, 22, "authorization.k8s.io/v1 SubjectAccessReview");
pub static LOCAL_SUBJECT_ACCESS_REVIEW_V1BETA1: Kind = Kind::served_as(
    "authorization.k8s.io",
    "v1beta1",
    &Conversion::between(&LOCAL_SUBJECT_ACCESS_REVIEW, groups_to_v1, groups_from_v1),
)
.deprecated(19, 22, "authorization.k8s.io/v1 LocalSubjectAccessReview");

fn groups_to_v1(review: &mut Object) {
    rename(review, "group", "groups");
}

fn groups_from_v1(review: &mut Object) {
    rename(review, "groups", "group");
}

fn rename(review: &mut Object, from: &str, to: &str) {
    let Some(spec) = object_mut(review, "spec") else { return };
    if let Some(groups) = spec.shift_remove(from) {
        spec.insert(to.to_owned(), groups);
    }
}
