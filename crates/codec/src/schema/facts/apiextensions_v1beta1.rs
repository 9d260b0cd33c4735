//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ConversionReview: Type = Type { name: "ConversionReview", package: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1", fields: apiextensions_v1::ConversionReview.fields, embedded: apiextensions_v1::ConversionReview.embedded, order: apiextensions_v1::ConversionReview.order, is_atomic: false };

pub(super) static CustomResourceColumnDefinition: Type = Type { name: "CustomResourceColumnDefinition", package: "", fields: &[
    field(6, "JSONPath", String),
    omitted(4, "description", String),
    omitted(3, "format", String),
    field(1, "name", String),
    omitted(5, "priority", Int32),
    field(2, "type", String),
], embedded: &[], order: &[3, 5, 2, 1, 4, 0], is_atomic: false };

pub(super) static CustomResourceConversion: Type = Type { name: "CustomResourceConversion", package: "", fields: &[
    omitted(3, "conversionReviewVersions", List(&String)).of(Atomic),
    field(1, "strategy", Text("ConversionStrategyType")),
    pointer(2, "webhookClientConfig", Struct(&admissionregistration_v1::WebhookClientConfig)),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static CustomResourceDefinition: Type = Type { name: "CustomResourceDefinition", package: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CustomResourceDefinitionSpec)),
    field(3, "status", Struct(&apiextensions_v1::CustomResourceDefinitionStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static CustomResourceDefinitionSpec: Type = Type { name: "CustomResourceDefinitionSpec", package: "", fields: &[
    omitted(8, "additionalPrinterColumns", List(&Struct(&CustomResourceColumnDefinition))).of(Atomic),
    pointer(9, "conversion", Struct(&CustomResourceConversion)),
    field(1, "group", String),
    field(3, "names", Struct(&apiextensions_v1::CustomResourceDefinitionNames)),
    pointer(10, "preserveUnknownFields", Bool),
    field(4, "scope", Text("ResourceScope")),
    omitted(11, "selectableFields", List(&Struct(&apiextensions_v1::SelectableField))).of(Atomic),
    pointer(6, "subresources", Struct(&apiextensions_v1::CustomResourceSubresources)),
    pointer(5, "validation", Struct(&apiextensions_v1::CustomResourceValidation)),
    omitted(2, "version", String),
    omitted(7, "versions", List(&Struct(&CustomResourceDefinitionVersion))).of(Atomic),
], embedded: &[], order: &[2, 9, 3, 5, 8, 7, 10, 0, 1, 4, 6], is_atomic: false };

pub(super) static CustomResourceDefinitionVersion: Type = Type { name: "CustomResourceDefinitionVersion", package: "", fields: &[
    omitted(6, "additionalPrinterColumns", List(&Struct(&CustomResourceColumnDefinition))).of(Atomic),
    omitted(7, "deprecated", Bool),
    pointer(8, "deprecationWarning", String),
    field(1, "name", String),
    pointer(4, "schema", Struct(&apiextensions_v1::CustomResourceValidation)),
    omitted(9, "selectableFields", List(&Struct(&apiextensions_v1::SelectableField))).of(Atomic),
    field(2, "served", Bool),
    field(3, "storage", Bool),
    pointer(5, "subresources", Struct(&apiextensions_v1::CustomResourceSubresources)),
], embedded: &[], order: &[3, 6, 7, 4, 8, 0, 1, 2, 5], is_atomic: false };
