//! The paths of a kind: what can be done where, with which parameters, and how the operations are called
//! that generated clients make methods of.

use registry::Kind;
use serde_json::{Map, Value, json};

use super::parameters::{self, Parameter};
use super::schema::{Definitions, Dialect, name};
use crate::storage::group_version;
use crate::subresources::{self, Subresource};

/// Adds the paths of a kind, and the definitions they speak of.
pub(super) fn add(paths: &mut Map<String, Value>, definitions: &mut Definitions<'_>, kind: &Kind) {
    let root = match kind.group {
        "" => format!("/api/{}", kind.version),
        _ => format!("/apis/{}", group_version(kind.group, kind.version)),
    };
    let scope = if kind.is_namespaced() { "Namespaced" } else { "" };
    let place = if kind.is_namespaced() { "/namespaces/{namespace}" } else { "" };
    let mut writer = Writer { kind, scope, paths, definitions };
    let collection = format!("{place}/{}", kind.plural);
    let item = format!("{collection}/{{name}}");
    let on = |verb: &str| kind.serves(verb);
    writer.path(format!("{root}{collection}"), |writer| {
        [
            on("list").then(|| ("get", writer.list(""))),
            on("create").then(|| ("post", writer.write("create", "post", ""))),
            on("deletecollection").then(|| ("delete", writer.delete_collection())),
        ]
    });
    writer.path(format!("{root}{item}"), |writer| {
        [
            on("get").then(|| ("get", writer.read(""))),
            on("update").then(|| ("put", writer.write("replace", "put", ""))),
            on("patch").then(|| ("patch", writer.patch(""))),
            on("delete").then(|| ("delete", writer.delete())),
        ]
    });
    for subresource in subresources::of(kind) {
        writer.subresource(&format!("{root}{item}/{}", subresource.name), subresource);
    }
    if on("list") && kind.is_namespaced() {
        writer.path(format!("{root}/{}", kind.plural), |writer| [Some(("get", writer.list("ForAllNamespaces")))]);
    }
    if on("watch") {
        let of_list = |path: String| (path, "watchlist", "List");
        let mut watched = vec![of_list(format!("{root}/watch{collection}"))];
        watched.push((format!("{root}/watch{item}"), "watch", ""));
        if kind.is_namespaced() {
            watched.push((format!("{root}/watch/{}", kind.plural), "watchlist", "ListForAllNamespaces"));
        }
        for (path, action, suffix) in watched {
            writer.path(path, |writer| [Some(("get", writer.watch(action, suffix)))]);
        }
    }
}

struct Writer<'a, 'd> {
    kind: &'a Kind,
    /// `Namespaced`, as operations of kinds in namespaces are called.
    scope: &'static str,
    paths: &'a mut Map<String, Value>,
    definitions: &'a mut Definitions<'d>,
}

/// Kinds whose deletion answers with the object.
const RETURNED_WHEN_DELETED: [&str; 7] =
    ["PersistentVolume", "PersistentVolumeClaim", "Pod", "PodTemplate", "ResourceQuota", "Service", "ServiceAccount"];

const STATUS: (&str, &str, &str) = ("", "v1", "Status");
const DELETE_OPTIONS: (&str, &str, &str) = ("", "v1", "DeleteOptions");

const PATCH_TYPES: [&str; 5] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
];

const OBJECT_TYPES: [&str; 4] =
    ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor"];
const STREAM_TYPES: [&str; 3] =
    ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch", "application/cbor-seq"];

impl Writer<'_, '_> {
    /// Writes a path with its operations, where there are any.
    fn path<const N: usize>(
        &mut self,
        path: String,
        operations: impl FnOnce(&mut Self) -> [Option<(&'static str, Value)>; N],
    ) {
        let operations = operations(self);
        let mut on_path: Map<String, Value> =
            operations.into_iter().flatten().map(|(method, operation)| (method.to_owned(), operation)).collect();
        if on_path.is_empty() {
            return;
        }
        let named = ["name", "namespace", "path"].into_iter().filter(|name| path.contains(&format!("{{{name}}}")));
        let mut shared: Vec<Value> = named.map(|name| self.in_path(name)).collect();
        shared.push(self.in_query(&parameters::PRETTY));
        on_path.insert("parameters".to_owned(), Value::from(shared));
        self.paths.insert(path, Value::Object(on_path));
    }

    fn list(&mut self, suffix: &str) -> Value {
        let list = format!("{}List", name(self.kind));
        let scope = if suffix.is_empty() { self.scope } else { "" };
        let mut operation = self.operation("list", "list", scope, suffix, "list or watch objects of kind");
        self.query(&mut operation, parameters::LIST);
        self.answers(&mut operation, &[(200, &list)], true);
        operation
    }

    fn watch(&mut self, action: &str, suffix: &str) -> Value {
        let scope = if suffix.ends_with("AllNamespaces") { "" } else { self.scope };
        let what = match action {
            "watch" => "watch changes to an object of kind",
            _ => "watch individual changes to a list of",
        };
        let mut operation = self.operation("watch", action, scope, suffix, what);
        let how = match action {
            "watch" => {
                "deprecated: use the 'watch' parameter with a list operation instead, filtered to a single item \
                        with the 'fieldSelector' parameter."
            }
            _ => "deprecated: use the 'watch' parameter with a list operation instead.",
        };
        let told = operation["description"].as_str().unwrap_or_default();
        operation["description"] = json!(format!("{told}. {how}"));
        self.query(&mut operation, parameters::LIST);
        self.answers(&mut operation, &[(200, WATCH_EVENT)], true);
        self.definitions.add_watch_event();
        operation
    }

    fn read(&mut self, suffix: &str) -> Value {
        let what = if suffix.is_empty() {
            "read the specified"
        } else {
            &format!("read {} of the specified", suffix.to_lowercase())
        };
        let mut operation = self.operation("read", "get", self.scope, suffix, what);
        let answer = name(self.kind);
        self.answers(&mut operation, &[(200, &answer)], false);
        operation
    }

    fn write(&mut self, word: &str, action: &str, suffix: &str) -> Value {
        let what = match (word, suffix) {
            ("create", "") => "create".to_owned(),
            (_, "") => format!("{word} the specified"),
            _ => format!("{word} {} of the specified", suffix.to_lowercase()),
        };
        let mut operation = self.operation(word, action, self.scope, suffix, &what);
        self.query(&mut operation, parameters::WRITE);
        let object = name(self.kind);
        self.body(&mut operation, &object, &["*/*"], true);
        self.answers(&mut operation, written(word, &object).as_slice(), false);
        operation
    }

    fn patch(&mut self, suffix: &str) -> Value {
        let what = match suffix {
            "" => "partially update the specified".to_owned(),
            _ => format!("partially update {} of the specified", suffix.to_lowercase()),
        };
        let mut operation = self.operation("patch", "patch", self.scope, suffix, &what);
        self.query(&mut operation, parameters::WRITE);
        self.query(&mut operation, &[parameters::FORCE]);
        self.definitions.add_patch();
        self.body(&mut operation, PATCH, &PATCH_TYPES, true);
        let object = name(self.kind);
        self.answers(&mut operation, &[(200, &object), (201, &object)], false);
        operation
    }

    fn delete(&mut self) -> Value {
        let mut operation = self.operation("delete", "delete", self.scope, "", "delete");
        self.query(&mut operation, parameters::DELETE);
        let options = self.definitions.add_named(DELETE_OPTIONS);
        self.body(&mut operation, &options, &["*/*"], false);
        let is_returned = self.kind.group.is_empty() && RETURNED_WHEN_DELETED.contains(&self.kind.kind);
        let answer = if is_returned { name(self.kind) } else { self.definitions.add_named(STATUS) };
        self.answers(&mut operation, &[(200, &answer), (202, &answer)], false);
        operation
    }

    fn delete_collection(&mut self) -> Value {
        let scope = format!("Collection{}", self.scope);
        let mut operation = self.operation("delete", "deletecollection", &scope, "", "delete collection of");
        self.query(&mut operation, parameters::DELETE_COLLECTION);
        let options = self.definitions.add_named(DELETE_OPTIONS);
        self.body(&mut operation, &options, &["*/*"], false);
        let status = self.definitions.add_named(STATUS);
        self.answers(&mut operation, &[(200, &status)], false);
        operation
    }

    fn subresource(&mut self, path: &str, subresource: &Subresource) {
        let suffix = capitalized(subresource.name);
        if matches!(subresource.name, "exec" | "attach" | "portforward" | "proxy") {
            self.connect(path.to_owned(), subresource, &suffix, "");
            if subresource.name == "proxy" {
                self.connect(format!("{path}/{{path}}"), subresource, &suffix, "WithPath");
            }
            return;
        }
        // An operation on a subresource takes and gives the subresource's own kind.
        let (group, version, own) = subresource.kind_of(self.kind);
        let described = self.definitions.add_named((group, version, own));
        let is_own = own != self.kind.kind;
        let on = |verb: &str| subresource.verbs.contains(&verb);
        self.path(path.to_owned(), |writer| {
            let mut operations = [
                on("get").then(|| ("get", writer.read(&suffix))),
                on("create").then(|| ("post", writer.write("create", "post", &suffix))),
                on("update").then(|| ("put", writer.write("replace", "put", &suffix))),
                on("patch").then(|| ("patch", writer.patch(&suffix))),
            ];
            for (method, operation) in operations.iter_mut().flatten() {
                operation["x-kubernetes-group-version-kind"] =
                    json!({ "group": group, "version": version, "kind": own });
                if subresource.name == "log" {
                    writer.query(operation, parameters::LOG);
                    writer.text_answer(operation);
                } else if is_own {
                    if *method == "post" || *method == "put" {
                        writer.body(operation, &described, &["*/*"], true);
                    }
                    let answers = match *method {
                        "post" => written("create", &described),
                        "get" => vec![(200, described.as_str())],
                        _ => vec![(200, described.as_str()), (201, described.as_str())],
                    };
                    writer.answers(operation, &answers, false);
                }
            }
            operations
        });
    }

    /// Streams, and whatever the other side speaks.
    fn connect(&mut self, path: String, subresource: &Subresource, suffix: &str, with: &str) {
        let (group, version, own) = subresource.kind_of(self.kind);
        let (methods, options): (&[&'static str], &[Parameter]) = match subresource.name {
            "exec" => (&["get", "post"], parameters::EXEC),
            "attach" => (&["get", "post"], parameters::ATTACH),
            "portforward" => (&["get", "post"], parameters::PORT_FORWARD),
            _ => (&["get", "post", "put", "patch", "delete", "head", "options"], parameters::PROXY),
        };
        let suffix = format!("{suffix}{with}");
        self.path(path, |writer| {
            let mut operations = [const { None }; 7];
            for (place, method) in operations.iter_mut().zip(methods) {
                let scope = format!("{}{}", capitalized(method), writer.scope);
                let what = format!("connect {} requests to {} of", method.to_uppercase(), subresource.name);
                let mut operation = writer.operation("connect", "connect", &scope, &suffix, &what);
                operation["x-kubernetes-group-version-kind"] =
                    json!({ "group": group, "version": version, "kind": own });
                writer.query(&mut operation, options);
                writer.text_answer(&mut operation);
                *place = Some((*method, operation));
            }
            operations
        });
    }

    /// What all operations have: a name, a description, a tag and the kind they are about.
    fn operation(&self, word: &str, action: &str, scope: &str, suffix: &str, what: &str) -> Value {
        let Kind { group, version, kind, .. } = self.kind;
        let short = group.strip_suffix(".k8s.io").unwrap_or(group);
        let parts: Vec<String> = short.split('.').map(capitalized).collect();
        let group_name = if group.is_empty() { "Core".to_owned() } else { parts.concat() };
        let mut tag = group_name.clone();
        if let Some(first) = tag.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        json!({
            "description": format!("{what} {kind}"),
            "operationId": format!("{word}{group_name}{}{scope}{kind}{suffix}", capitalized(version)),
            "tags": [format!("{tag}_{version}")],
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind },
        })
    }

    fn query(&self, operation: &mut Value, added: &[Parameter]) {
        let described: Vec<Value> = added.iter().map(|parameter| self.in_query(parameter)).collect();
        push(&mut operation["parameters"], described);
    }

    fn in_query(&self, parameter: &Parameter) -> Value {
        let mut described = json!({ "name": parameter.name, "in": "query", "description": parameter.description });
        match self.definitions.dialect() {
            Dialect::V2 => {
                described["type"] = json!(parameter.r#type);
                described["uniqueItems"] = json!(true);
            }
            Dialect::V3 => described["schema"] = json!({ "type": parameter.r#type, "uniqueItems": true }),
        }
        described
    }

    fn in_path(&self, name: &str) -> Value {
        let description = match name {
            "name" => format!("name of the {}", self.kind.kind),
            "namespace" => "object name and auth scope, such as for teams and projects".to_owned(),
            _ => "path to the resource".to_owned(),
        };
        let mut described = json!({ "name": name, "in": "path", "description": description, "required": true });
        match self.definitions.dialect() {
            Dialect::V2 => {
                described["type"] = json!("string");
                described["uniqueItems"] = json!(true);
            }
            Dialect::V3 => described["schema"] = json!({ "type": "string", "uniqueItems": true }),
        }
        described
    }

    fn body(&self, operation: &mut Value, schema: &str, types: &[&str], required: bool) {
        let schema = self.definitions.dialect().reference(schema);
        match self.definitions.dialect() {
            Dialect::V2 => {
                if let Some(parameters) = operation["parameters"].as_array_mut() {
                    parameters.retain(|parameter| parameter["in"] != "body");
                }
                let mut body = json!({ "name": "body", "in": "body", "schema": schema });
                if required {
                    body["required"] = json!(true);
                }
                push(&mut operation["parameters"], vec![body]);
                operation["consumes"] = json!(types);
            }
            Dialect::V3 => {
                let content: Map<String, Value> =
                    types.iter().map(|media| ((*media).to_owned(), json!({ "schema": schema }))).collect();
                let mut body = json!({ "content": content });
                if required {
                    body["required"] = json!(true);
                }
                operation["requestBody"] = body;
            }
        }
    }

    fn answers(&self, operation: &mut Value, answers: &[(u16, &str)], streams: bool) {
        let types: Vec<&str> =
            OBJECT_TYPES.iter().chain(if streams { &STREAM_TYPES[..] } else { &[] }).copied().collect();
        let mut described = Map::new();
        for (code, schema) in answers {
            let schema = self.definitions.dialect().reference(schema);
            let description = match code {
                200 => "OK",
                201 => "Created",
                _ => "Accepted",
            };
            let answer = match self.definitions.dialect() {
                Dialect::V2 => json!({ "description": description, "schema": schema }),
                Dialect::V3 => {
                    let content: Map<String, Value> =
                        types.iter().map(|media| ((*media).to_owned(), json!({ "schema": schema }))).collect();
                    json!({ "description": description, "content": content })
                }
            };
            described.insert(code.to_string(), answer);
        }
        described.insert("401".to_owned(), json!({ "description": "Unauthorized" }));
        operation["responses"] = Value::Object(described);
        if self.definitions.dialect() == Dialect::V2 {
            operation["produces"] = json!(types);
            operation["schemes"] = json!(["https"]);
        }
    }

    fn text_answer(&self, operation: &mut Value) {
        let text = json!({ "type": "string" });
        let answer = match self.definitions.dialect() {
            Dialect::V2 => json!({ "description": "OK", "schema": text }),
            Dialect::V3 => json!({ "description": "OK", "content": { "*/*": { "schema": text } } }),
        };
        operation["responses"] = json!({ "200": answer, "401": { "description": "Unauthorized" } });
        if self.definitions.dialect() == Dialect::V2 {
            operation["produces"] = json!(["*/*"]);
            operation["schemes"] = json!(["https"]);
        }
    }
}

pub(super) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
pub(super) const WATCH_EVENT: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent";

/// With which codes a written object comes back.
fn written<'a>(word: &str, schema: &'a str) -> Vec<(u16, &'a str)> {
    match word {
        "create" => vec![(200, schema), (201, schema), (202, schema)],
        _ => vec![(200, schema), (201, schema)],
    }
}

fn push(list: &mut Value, added: Vec<Value>) {
    match list {
        Value::Array(list) => list.extend(added),
        other => *other = Value::from(added),
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::descriptions::Descriptions;
    use super::*;
    use crate::kinds;

    fn operations(dialect: Dialect, group: &str, plural: &str) -> Map<String, Value> {
        let descriptions = Descriptions::unpack().unwrap();
        let mut definitions = Definitions::new(dialect, &descriptions);
        let mut paths = Map::new();
        add(&mut paths, &mut definitions, kinds::required(group, "v1", plural));
        paths
    }

    #[test]
    fn operations_are_called_as_upstream_calls_them() {
        let pods = operations(Dialect::V3, "", "pods");
        let deployments = operations(Dialect::V3, "apps", "deployments");
        let roles = operations(Dialect::V3, "rbac.authorization.k8s.io", "clusterroles");
        let pod = "/api/v1/namespaces/{namespace}/pods/{name}";
        for (paths, path, method, expected) in [
            (&pods, "/api/v1/pods", "get", "listCoreV1PodForAllNamespaces"),
            (&pods, "/api/v1/namespaces/{namespace}/pods", "delete", "deleteCoreV1CollectionNamespacedPod"),
            (&pods, pod, "get", "readCoreV1NamespacedPod"),
            (&pods, pod, "put", "replaceCoreV1NamespacedPod"),
            (&pods, &format!("{pod}/log"), "get", "readCoreV1NamespacedPodLog"),
            (&pods, &format!("{pod}/exec"), "post", "connectCoreV1PostNamespacedPodExec"),
            (&pods, &format!("{pod}/proxy/{{path}}"), "get", "connectCoreV1GetNamespacedPodProxyWithPath"),
            (&pods, &format!("{pod}/eviction"), "post", "createCoreV1NamespacedPodEviction"),
            (&pods, "/api/v1/watch/namespaces/{namespace}/pods", "get", "watchCoreV1NamespacedPodList"),
            (&pods, "/api/v1/watch/pods", "get", "watchCoreV1PodListForAllNamespaces"),
            (
                &deployments,
                "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
                "patch",
                "patchAppsV1NamespacedDeploymentScale",
            ),
            (&roles, "/apis/rbac.authorization.k8s.io/v1/clusterroles", "post", "createRbacAuthorizationV1ClusterRole"),
        ] {
            assert_eq!(paths[path][method]["operationId"], expected, "{method} {path}");
        }
        assert_eq!(roles["/apis/rbac.authorization.k8s.io/v1/clusterroles"]["post"]["tags"][0], "rbacAuthorization_v1");
        let scale = &deployments["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["get"];
        assert_eq!(scale["x-kubernetes-group-version-kind"]["group"], "autoscaling");
        let answer = &scale["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(answer, "#/components/schemas/io.k8s.api.autoscaling.v1.Scale");
    }

    #[test]
    fn a_body_is_told_in_each_dialects_way() {
        let path = "/api/v1/namespaces/{namespace}/pods/{name}/eviction";
        let old = operations(Dialect::V2, "", "pods");
        let parameters = old[path]["post"]["parameters"].as_array().unwrap();
        let bodies: Vec<&Value> = parameters.iter().filter(|parameter| parameter["in"] == "body").collect();
        assert_eq!(bodies.len(), 1);
        assert_eq!(bodies[0]["schema"]["$ref"], "#/definitions/io.k8s.api.policy.v1.Eviction");
        let new = operations(Dialect::V3, "", "pods");
        let body = &new[path]["post"]["requestBody"];
        assert_eq!(body["content"]["*/*"]["schema"]["$ref"], "#/components/schemas/io.k8s.api.policy.v1.Eviction");
        assert_eq!(body["required"], true);
    }
}
