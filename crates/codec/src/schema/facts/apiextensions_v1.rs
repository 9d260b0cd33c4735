//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ConversionRequest: Type = Type { go: "v1.ConversionRequest", fields: &[
    field(2, "desiredAPIVersion", String),
    field(3, "objects", List(&Any)).of(Atomic),
    field(1, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static ConversionResponse: Type = Type { go: "v1.ConversionResponse", fields: &[
    field(2, "convertedObjects", List(&Any)).of(Atomic),
    field(3, "result", Struct(&meta_v1::Status)),
    field(1, "uid", Text("types.UID")),
], embedded: &[] };

pub(super) static ConversionReview: Type = Type { go: "v1.ConversionReview", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "request", Struct(&ConversionRequest)),
    field(2, "response", Struct(&ConversionResponse)),
], embedded: &[] };

pub(super) static CustomResourceColumnDefinition: Type = Type { go: "v1.CustomResourceColumnDefinition", fields: &[
    omitted(4, "description", String),
    omitted(3, "format", String),
    field(6, "jsonPath", String),
    field(1, "name", String),
    omitted(5, "priority", Int32),
    field(2, "type", String),
], embedded: &[] };

pub(super) static CustomResourceConversion: Type = Type { go: "v1.CustomResourceConversion", fields: &[
    field(1, "strategy", Text("v1.ConversionStrategyType")),
    field(2, "webhook", Struct(&WebhookConversion)),
], embedded: &[] };

pub(super) static CustomResourceDefinition: Type = Type { go: "v1.CustomResourceDefinition", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&CustomResourceDefinitionSpec)),
    field(3, "status", Struct(&CustomResourceDefinitionStatus)),
], embedded: &[] };

pub(super) static CustomResourceDefinitionCondition: Type = Type { go: "v1.CustomResourceDefinitionCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(6, "observedGeneration", Int64),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.CustomResourceDefinitionConditionType")),
], embedded: &[] };

pub(super) static CustomResourceDefinitionNames: Type = Type { go: "v1.CustomResourceDefinitionNames", fields: &[
    omitted(6, "categories", List(&String)).of(Atomic),
    field(4, "kind", String),
    omitted(5, "listKind", String),
    field(1, "plural", String),
    omitted(3, "shortNames", List(&String)).of(Atomic),
    omitted(2, "singular", String),
], embedded: &[] };

pub(super) static CustomResourceDefinitionSpec: Type = Type { go: "v1.CustomResourceDefinitionSpec", fields: &[
    field(9, "conversion", Struct(&CustomResourceConversion)),
    field(1, "group", String),
    field(3, "names", Struct(&CustomResourceDefinitionNames)),
    omitted(10, "preserveUnknownFields", Bool),
    field(4, "scope", Text("v1.ResourceScope")),
    field(7, "versions", List(&Struct(&CustomResourceDefinitionVersion))).of(Atomic),
], embedded: &[] };

pub(super) static CustomResourceDefinitionStatus: Type = Type { go: "v1.CustomResourceDefinitionStatus", fields: &[
    field(2, "acceptedNames", Struct(&CustomResourceDefinitionNames)),
    field(1, "conditions", List(&Struct(&CustomResourceDefinitionCondition))).of(Keyed(&["type"])),
    omitted(4, "observedGeneration", Int64),
    field(3, "storedVersions", List(&String)).of(Atomic),
], embedded: &[] };

pub(super) static CustomResourceDefinitionVersion: Type = Type { go: "v1.CustomResourceDefinitionVersion", fields: &[
    omitted(6, "additionalPrinterColumns", List(&Struct(&CustomResourceColumnDefinition))).of(Atomic),
    omitted(7, "deprecated", Bool),
    field(8, "deprecationWarning", String),
    field(1, "name", String),
    field(4, "schema", Struct(&CustomResourceValidation)),
    omitted(9, "selectableFields", List(&Struct(&SelectableField))).of(Atomic),
    field(2, "served", Bool),
    field(3, "storage", Bool),
    field(5, "subresources", Struct(&CustomResourceSubresources)),
], embedded: &[] };

pub(super) static CustomResourceSubresourceScale: Type = Type { go: "v1.CustomResourceSubresourceScale", fields: &[
    field(3, "labelSelectorPath", String),
    field(1, "specReplicasPath", String),
    field(2, "statusReplicasPath", String),
], embedded: &[] };

pub(super) static CustomResourceSubresourceStatus: Type = Type { go: "v1.CustomResourceSubresourceStatus", fields: &[
], embedded: &[] };

pub(super) static CustomResourceSubresources: Type = Type { go: "v1.CustomResourceSubresources", fields: &[
    field(2, "scale", Struct(&CustomResourceSubresourceScale)),
    field(1, "status", Struct(&CustomResourceSubresourceStatus)),
], embedded: &[] };

pub(super) static CustomResourceValidation: Type = Type { go: "v1.CustomResourceValidation", fields: &[
    field(1, "openAPIV3Schema", Struct(&JSONSchemaProps)),
], embedded: &[] };

pub(super) static ExternalDocumentation: Type = Type { go: "v1.ExternalDocumentation", fields: &[
    omitted(1, "description", String),
    omitted(2, "url", String),
], embedded: &[] };

pub(super) static JSONSchemaProps: Type = Type { go: "v1.JSONSchemaProps", fields: &[
    field(3, "$ref", String),
    omitted(2, "$schema", Text("v1.JSONSchemaURL")),
    field(33, "additionalItems", Either(&JSONSchemaPropsOrBool)),
    field(30, "additionalProperties", Either(&JSONSchemaPropsOrBool)),
    omitted(25, "allOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    omitted(27, "anyOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    field(8, "default", Any),
    omitted(34, "definitions", Map(&Struct(&JSONSchemaProps))),
    omitted(32, "dependencies", Map(&Either(&JSONSchemaPropsOrStringArray))),
    omitted(4, "description", String),
    omitted(20, "enum", List(&Any)).of(Atomic),
    field(36, "example", Any),
    omitted(10, "exclusiveMaximum", Bool),
    omitted(12, "exclusiveMinimum", Bool),
    field(35, "externalDocs", Struct(&ExternalDocumentation)),
    omitted(6, "format", String),
    omitted(1, "id", String),
    field(24, "items", Either(&JSONSchemaPropsOrArray)),
    field(16, "maxItems", Int64),
    field(13, "maxLength", Int64),
    field(21, "maxProperties", Int64),
    field(9, "maximum", Float64),
    field(17, "minItems", Int64),
    field(14, "minLength", Int64),
    field(22, "minProperties", Int64),
    field(11, "minimum", Float64),
    field(19, "multipleOf", Float64),
    field(28, "not", Struct(&JSONSchemaProps)),
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
    field(42, "x-kubernetes-list-type", String),
    field(43, "x-kubernetes-map-type", String),
    field(38, "x-kubernetes-preserve-unknown-fields", Bool),
    omitted(44, "x-kubernetes-validations", List(&Struct(&ValidationRule))).of(Keyed(&["rule"])).patched(Merge("rule")),
], embedded: &[] };

pub(super) static JSONSchemaPropsOrArray: Type = Type { go: "v1.JSONSchemaPropsOrArray", fields: &[
    field(2, "JSONSchemas", List(&Struct(&JSONSchemaProps))).of(Atomic),
    field(1, "Schema", Struct(&JSONSchemaProps)),
], embedded: &[] };

pub(super) static JSONSchemaPropsOrBool: Type = Type { go: "v1.JSONSchemaPropsOrBool", fields: &[
    field(1, "Allows", Bool),
    field(2, "Schema", Struct(&JSONSchemaProps)),
], embedded: &[] };

pub(super) static JSONSchemaPropsOrStringArray: Type = Type { go: "v1.JSONSchemaPropsOrStringArray", fields: &[
    field(2, "Property", List(&String)).of(Atomic),
    field(1, "Schema", Struct(&JSONSchemaProps)),
], embedded: &[] };

pub(super) static SelectableField: Type = Type { go: "v1.SelectableField", fields: &[
    field(1, "jsonPath", String),
], embedded: &[] };

pub(super) static ServiceReference: Type = Type { go: "v1.ServiceReference", fields: &[
    field(2, "name", String),
    field(1, "namespace", String),
    field(3, "path", String),
    field(4, "port", Int32),
], embedded: &[] };

pub(super) static ValidationRule: Type = Type { go: "v1.ValidationRule", fields: &[
    omitted(5, "fieldPath", String),
    omitted(2, "message", String),
    omitted(3, "messageExpression", String),
    field(6, "optionalOldSelf", Bool),
    field(4, "reason", Text("v1.FieldValueErrorReason")),
    field(1, "rule", String),
], embedded: &[] };

pub(super) static WebhookClientConfig: Type = Type { go: "v1.WebhookClientConfig", fields: &[
    omitted(2, "caBundle", Bytes),
    field(1, "service", Struct(&ServiceReference)),
    field(3, "url", String),
], embedded: &[] };

pub(super) static WebhookConversion: Type = Type { go: "v1.WebhookConversion", fields: &[
    field(2, "clientConfig", Struct(&WebhookClientConfig)),
    field(3, "conversionReviewVersions", List(&String)).of(Atomic),
], embedded: &[] };
