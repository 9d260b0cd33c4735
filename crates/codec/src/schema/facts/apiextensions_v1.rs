//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ConversionRequest: Type = Type { name: "ConversionRequest", package: "", fields: &[
    field(2, "desiredAPIVersion", String),
    field(3, "objects", List(&Any)).of(Atomic),
    field(1, "uid", Text("types.UID")),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static ConversionResponse: Type = Type { name: "ConversionResponse", package: "", fields: &[
    field(2, "convertedObjects", List(&Any)).of(Atomic),
    field(3, "result", Struct(&meta_v1::Status)),
    field(1, "uid", Text("types.UID")),
], embedded: &[], order: &[2, 0, 1], is_atomic: false };

pub(super) static ConversionReview: Type = Type { name: "ConversionReview", package: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    pointer(1, "request", Struct(&ConversionRequest)),
    pointer(2, "response", Struct(&ConversionResponse)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static CustomResourceColumnDefinition: Type = Type { name: "CustomResourceColumnDefinition", package: "", fields: &[
    omitted(4, "description", String),
    omitted(3, "format", String),
    field(6, "jsonPath", String),
    field(1, "name", String),
    omitted(5, "priority", Int32),
    field(2, "type", String),
], embedded: &[], order: &[3, 5, 1, 0, 4, 2], is_atomic: false };

pub(super) static CustomResourceConversion: Type = Type { name: "CustomResourceConversion", package: "", fields: &[
    field(1, "strategy", Text("ConversionStrategyType")),
    pointer(2, "webhook", Struct(&WebhookConversion)),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static CustomResourceDefinition: Type = Type { name: "CustomResourceDefinition", package: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CustomResourceDefinitionSpec)),
    field(3, "status", Struct(&CustomResourceDefinitionStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static CustomResourceDefinitionCondition: Type = Type { name: "CustomResourceDefinitionCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(6, "observedGeneration", Int64),
    omitted(4, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("CustomResourceDefinitionConditionType")),
], embedded: &[], order: &[5, 4, 0, 3, 1, 2], is_atomic: false };

pub(super) static CustomResourceDefinitionNames: Type = Type { name: "CustomResourceDefinitionNames", package: "", fields: &[
    omitted(6, "categories", List(&String)).of(Atomic),
    field(4, "kind", String),
    omitted(5, "listKind", String),
    field(1, "plural", String),
    omitted(3, "shortNames", List(&String)).of(Atomic),
    omitted(2, "singular", String),
], embedded: &[], order: &[3, 5, 4, 1, 2, 0], is_atomic: false };

pub(super) static CustomResourceDefinitionSpec: Type = Type { name: "CustomResourceDefinitionSpec", package: "", fields: &[
    pointer(9, "conversion", Struct(&CustomResourceConversion)),
    field(1, "group", String),
    field(3, "names", Struct(&CustomResourceDefinitionNames)),
    omitted(10, "preserveUnknownFields", Bool),
    field(4, "scope", Text("ResourceScope")),
    field(7, "versions", List(&Struct(&CustomResourceDefinitionVersion))).of(Atomic),
], embedded: &[], order: &[1, 2, 4, 5, 0, 3], is_atomic: false };

pub(super) static CustomResourceDefinitionStatus: Type = Type { name: "CustomResourceDefinitionStatus", package: "", fields: &[
    field(2, "acceptedNames", Struct(&CustomResourceDefinitionNames)).optional(),
    field(1, "conditions", List(&Struct(&CustomResourceDefinitionCondition))).optional().of(Keyed(&["type"])),
    omitted(4, "observedGeneration", Int64),
    field(3, "storedVersions", List(&String)).optional().of(Atomic),
], embedded: &[], order: &[1, 0, 3, 2], is_atomic: false };

pub(super) static CustomResourceDefinitionVersion: Type = Type { name: "CustomResourceDefinitionVersion", package: "", fields: &[
    omitted(6, "additionalPrinterColumns", List(&Struct(&CustomResourceColumnDefinition))).of(Atomic),
    omitted(7, "deprecated", Bool),
    pointer(8, "deprecationWarning", String),
    field(1, "name", String),
    pointer(4, "schema", Struct(&CustomResourceValidation)),
    omitted(9, "selectableFields", List(&Struct(&SelectableField))).of(Atomic),
    field(2, "served", Bool),
    field(3, "storage", Bool),
    pointer(5, "subresources", Struct(&CustomResourceSubresources)),
], embedded: &[], order: &[3, 6, 7, 4, 8, 0, 1, 2, 5], is_atomic: false };

pub(super) static CustomResourceSubresourceScale: Type = Type { name: "CustomResourceSubresourceScale", package: "", fields: &[
    pointer(3, "labelSelectorPath", String),
    field(1, "specReplicasPath", String),
    field(2, "statusReplicasPath", String),
], embedded: &[], order: &[1, 2, 0], is_atomic: false };

pub(super) static CustomResourceSubresourceStatus: Type = Type { name: "CustomResourceSubresourceStatus", package: "", fields: &[
], embedded: &[], order: &[], is_atomic: false };

pub(super) static CustomResourceSubresources: Type = Type { name: "CustomResourceSubresources", package: "", fields: &[
    pointer(2, "scale", Struct(&CustomResourceSubresourceScale)),
    pointer(1, "status", Struct(&CustomResourceSubresourceStatus)),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static CustomResourceValidation: Type = Type { name: "CustomResourceValidation", package: "", fields: &[
    pointer(1, "openAPIV3Schema", Struct(&JSONSchemaProps)),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ExternalDocumentation: Type = Type { name: "ExternalDocumentation", package: "", fields: &[
    omitted(1, "description", String),
    omitted(2, "url", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static JSONSchemaProps: Type = Type { name: "JSONSchemaProps", package: "", fields: &[
    pointer(3, "$ref", String),
    omitted(2, "$schema", Text("JSONSchemaURL")),
    pointer(33, "additionalItems", Either(&JSONSchemaPropsOrBool)),
    pointer(30, "additionalProperties", Either(&JSONSchemaPropsOrBool)),
    omitted(25, "allOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    omitted(27, "anyOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    pointer(8, "default", Any),
    omitted(34, "definitions", Map(&Struct(&JSONSchemaProps))),
    omitted(32, "dependencies", Map(&Either(&JSONSchemaPropsOrStringArray))),
    omitted(4, "description", String),
    omitted(20, "enum", List(&Any)).of(Atomic),
    pointer(36, "example", Any),
    omitted(10, "exclusiveMaximum", Bool),
    omitted(12, "exclusiveMinimum", Bool),
    pointer(35, "externalDocs", Struct(&ExternalDocumentation)),
    omitted(6, "format", String),
    omitted(1, "id", String),
    pointer(24, "items", Either(&JSONSchemaPropsOrArray)),
    pointer(16, "maxItems", Int64),
    pointer(13, "maxLength", Int64),
    pointer(21, "maxProperties", Int64),
    pointer(9, "maximum", Float64),
    pointer(17, "minItems", Int64),
    pointer(14, "minLength", Int64),
    pointer(22, "minProperties", Int64),
    pointer(11, "minimum", Float64),
    pointer(19, "multipleOf", Float64),
    pointer(28, "not", Struct(&JSONSchemaProps)),
    omitted(37, "nullable", Bool),
    omitted(26, "oneOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    omitted(15, "pattern", String),
    omitted(31, "patternProperties", Map(&Struct(&JSONSchemaProps))),
    omitted(29, "properties", Map(&Struct(&JSONSchemaProps))),
    omitted(23, "required", List(&String)).of(Atomic),
    omitted(7, "title", String),
    omitted(5, "type", String),
    omitted(18, "uniqueItems", Bool),
    omitted(39, "x-kubernetes-embedded-resource", Bool),
    omitted(40, "x-kubernetes-int-or-string", Bool),
    omitted(41, "x-kubernetes-list-map-keys", List(&String)).of(Atomic),
    pointer(42, "x-kubernetes-list-type", String),
    pointer(43, "x-kubernetes-map-type", String),
    pointer(38, "x-kubernetes-preserve-unknown-fields", Bool),
    omitted(44, "x-kubernetes-validations", List(&Struct(&ValidationRule))).of(Keyed(&["rule"])).patched(Merge("rule")),
], embedded: &[], order: &[16, 1, 0, 9, 35, 15, 34, 6, 21, 12, 25, 13, 19, 23, 30, 18, 22, 36, 26, 10, 20, 24, 33, 17, 4, 29, 5, 27, 32, 3, 31, 8, 2, 7, 14, 11, 28, 42, 37, 38, 39, 40, 41, 43], is_atomic: false };

pub(super) static JSONSchemaPropsOrArray: Type = Type { name: "JSONSchemaPropsOrArray", package: "", fields: &[
    field(2, "JSONSchemas", List(&Struct(&JSONSchemaProps))).of(Atomic),
    pointer(1, "Schema", Struct(&JSONSchemaProps)).required(),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static JSONSchemaPropsOrBool: Type = Type { name: "JSONSchemaPropsOrBool", package: "", fields: &[
    field(1, "Allows", Bool),
    pointer(2, "Schema", Struct(&JSONSchemaProps)).required(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static JSONSchemaPropsOrStringArray: Type = Type { name: "JSONSchemaPropsOrStringArray", package: "", fields: &[
    field(2, "Property", List(&String)).of(Atomic),
    pointer(1, "Schema", Struct(&JSONSchemaProps)).required(),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static SelectableField: Type = Type { name: "SelectableField", package: "", fields: &[
    field(1, "jsonPath", String),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ValidationRule: Type = Type { name: "ValidationRule", package: "", fields: &[
    omitted(5, "fieldPath", String),
    omitted(2, "message", String),
    omitted(3, "messageExpression", String),
    pointer(6, "optionalOldSelf", Bool),
    pointer(4, "reason", Text("FieldValueErrorReason")),
    field(1, "rule", String),
], embedded: &[], order: &[5, 1, 2, 4, 0, 3], is_atomic: false };

pub(super) static WebhookConversion: Type = Type { name: "WebhookConversion", package: "", fields: &[
    pointer(2, "clientConfig", Struct(&admissionregistration_v1::WebhookClientConfig)),
    field(3, "conversionReviewVersions", List(&String)).of(Atomic),
], embedded: &[], order: &[0, 1], is_atomic: false };
