//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ConversionRequest: Type = Type { go: "v1.ConversionRequest", fields: &[
    field("desiredAPIVersion", String),
    field("objects", List(&Any)).of(Atomic),
    field("uid", Text("types.UID")),
] };

pub(super) static ConversionResponse: Type = Type { go: "v1.ConversionResponse", fields: &[
    field("convertedObjects", List(&Any)).of(Atomic),
    field("result", Struct(&meta_v1::Status)),
    field("uid", Text("types.UID")),
] };

pub(super) static ConversionReview: Type = Type { go: "v1.ConversionReview", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("request", Struct(&ConversionRequest)),
    field("response", Struct(&ConversionResponse)),
] };

pub(super) static CustomResourceColumnDefinition: Type = Type { go: "v1.CustomResourceColumnDefinition", fields: &[
    omitted("description", String),
    omitted("format", String),
    field("jsonPath", String),
    field("name", String),
    omitted("priority", Int32),
    field("type", String),
] };

pub(super) static CustomResourceConversion: Type = Type { go: "v1.CustomResourceConversion", fields: &[
    field("strategy", Text("v1.ConversionStrategyType")),
    field("webhook", Struct(&WebhookConversion)),
] };

pub(super) static CustomResourceDefinition: Type = Type { go: "v1.CustomResourceDefinition", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&CustomResourceDefinitionSpec)),
    field("status", Struct(&CustomResourceDefinitionStatus)),
] };

pub(super) static CustomResourceDefinitionCondition: Type = Type { go: "v1.CustomResourceDefinitionCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("observedGeneration", Int64),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.CustomResourceDefinitionConditionType")),
] };

pub(super) static CustomResourceDefinitionNames: Type = Type { go: "v1.CustomResourceDefinitionNames", fields: &[
    omitted("categories", List(&String)).of(Atomic),
    field("kind", String),
    omitted("listKind", String),
    field("plural", String),
    omitted("shortNames", List(&String)).of(Atomic),
    omitted("singular", String),
] };

pub(super) static CustomResourceDefinitionSpec: Type = Type { go: "v1.CustomResourceDefinitionSpec", fields: &[
    field("conversion", Struct(&CustomResourceConversion)),
    field("group", String),
    field("names", Struct(&CustomResourceDefinitionNames)),
    omitted("preserveUnknownFields", Bool),
    field("scope", Text("v1.ResourceScope")),
    field("versions", List(&Struct(&CustomResourceDefinitionVersion))).of(Atomic),
] };

pub(super) static CustomResourceDefinitionStatus: Type = Type { go: "v1.CustomResourceDefinitionStatus", fields: &[
    field("acceptedNames", Struct(&CustomResourceDefinitionNames)),
    field("conditions", List(&Struct(&CustomResourceDefinitionCondition))).of(Keyed(&["type"])),
    omitted("observedGeneration", Int64),
    field("storedVersions", List(&String)).of(Atomic),
] };

pub(super) static CustomResourceDefinitionVersion: Type = Type { go: "v1.CustomResourceDefinitionVersion", fields: &[
    omitted("additionalPrinterColumns", List(&Struct(&CustomResourceColumnDefinition))).of(Atomic),
    omitted("deprecated", Bool),
    field("deprecationWarning", String),
    field("name", String),
    field("schema", Struct(&CustomResourceValidation)),
    omitted("selectableFields", List(&Struct(&SelectableField))).of(Atomic),
    field("served", Bool),
    field("storage", Bool),
    field("subresources", Struct(&CustomResourceSubresources)),
] };

pub(super) static CustomResourceSubresourceScale: Type = Type { go: "v1.CustomResourceSubresourceScale", fields: &[
    field("labelSelectorPath", String),
    field("specReplicasPath", String),
    field("statusReplicasPath", String),
] };

pub(super) static CustomResourceSubresourceStatus: Type = Type { go: "v1.CustomResourceSubresourceStatus", fields: &[
] };

pub(super) static CustomResourceSubresources: Type = Type { go: "v1.CustomResourceSubresources", fields: &[
    field("scale", Struct(&CustomResourceSubresourceScale)),
    field("status", Struct(&CustomResourceSubresourceStatus)),
] };

pub(super) static CustomResourceValidation: Type = Type { go: "v1.CustomResourceValidation", fields: &[
    field("openAPIV3Schema", Struct(&JSONSchemaProps)),
] };

pub(super) static ExternalDocumentation: Type = Type { go: "v1.ExternalDocumentation", fields: &[
    omitted("description", String),
    omitted("url", String),
] };

pub(super) static JSONSchemaProps: Type = Type { go: "v1.JSONSchemaProps", fields: &[
    field("$ref", String),
    omitted("$schema", Text("v1.JSONSchemaURL")),
    field("additionalItems", Any),
    field("additionalProperties", Any),
    omitted("allOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    omitted("anyOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    field("default", Any),
    omitted("definitions", Map(&Struct(&JSONSchemaProps))),
    omitted("dependencies", Map(&Any)),
    omitted("description", String),
    omitted("enum", List(&Any)).of(Atomic),
    field("example", Any),
    omitted("exclusiveMaximum", Bool),
    omitted("exclusiveMinimum", Bool),
    field("externalDocs", Struct(&ExternalDocumentation)),
    omitted("format", String),
    omitted("id", String),
    field("items", Any),
    field("maxItems", Int64),
    field("maxLength", Int64),
    field("maxProperties", Int64),
    field("maximum", Float64),
    field("minItems", Int64),
    field("minLength", Int64),
    field("minProperties", Int64),
    field("minimum", Float64),
    field("multipleOf", Float64),
    field("not", Struct(&JSONSchemaProps)),
    omitted("nullable", Bool),
    omitted("oneOf", List(&Struct(&JSONSchemaProps))).of(Atomic),
    omitted("pattern", String),
    omitted("patternProperties", Map(&Struct(&JSONSchemaProps))),
    omitted("properties", Map(&Struct(&JSONSchemaProps))),
    omitted("required", List(&String)).of(Atomic),
    omitted("title", String),
    omitted("type", String),
    omitted("uniqueItems", Bool),
    omitted("x-kubernetes-embedded-resource", Bool),
    omitted("x-kubernetes-int-or-string", Bool),
    omitted("x-kubernetes-list-map-keys", List(&String)).of(Atomic),
    field("x-kubernetes-list-type", String),
    field("x-kubernetes-map-type", String),
    field("x-kubernetes-preserve-unknown-fields", Bool),
    omitted("x-kubernetes-validations", List(&Struct(&ValidationRule))).of(Keyed(&["rule"])).patched(Merge("rule")),
] };

pub(super) static SelectableField: Type = Type { go: "v1.SelectableField", fields: &[
    field("jsonPath", String),
] };

pub(super) static ServiceReference: Type = Type { go: "v1.ServiceReference", fields: &[
    field("name", String),
    field("namespace", String),
    field("path", String),
    field("port", Int32),
] };

pub(super) static ValidationRule: Type = Type { go: "v1.ValidationRule", fields: &[
    omitted("fieldPath", String),
    omitted("message", String),
    omitted("messageExpression", String),
    field("optionalOldSelf", Bool),
    field("reason", Text("v1.FieldValueErrorReason")),
    field("rule", String),
] };

pub(super) static WebhookClientConfig: Type = Type { go: "v1.WebhookClientConfig", fields: &[
    omitted("caBundle", Bytes),
    field("service", Struct(&ServiceReference)),
    field("url", String),
] };

pub(super) static WebhookConversion: Type = Type { go: "v1.WebhookConversion", fields: &[
    field("clientConfig", Struct(&WebhookClientConfig)),
    field("conversionReviewVersions", List(&String)).of(Atomic),
] };
