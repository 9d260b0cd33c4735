//! The facts as they lie in their folder, brought together: the newest release's types, what was removed before it,
//! and what a still newer release says of its published schema alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The groups and versions whose kinds the tables hold, as the facts name their files. Where two releases have the
/// same file, the newer one counts, and the older adds the types that only it has.
const SERVED: &[(&str, &[&str])] = &[
    (
        "1.36",
        &[
            "meta.v1",
            "core.v1",
            "admissionregistration.k8s.io.v1",
            "admissionregistration.k8s.io.v1beta1",
            "apidiscovery.k8s.io.v2",
            "apidiscovery.k8s.io.v2beta1",
            "apiextensions.k8s.io.v1",
            "apiextensions.k8s.io.v1beta1",
            "apps.v1",
            "apps.v1beta1",
            "apps.v1beta2",
            "authentication.k8s.io.v1",
            "authentication.k8s.io.v1beta1",
            "authorization.k8s.io.v1",
            "authorization.k8s.io.v1beta1",
            "autoscaling.v1",
            "autoscaling.v2",
            "batch.v1",
            "batch.v1beta1",
            "certificates.k8s.io.v1",
            "certificates.k8s.io.v1beta1",
            "coordination.k8s.io.v1",
            "coordination.k8s.io.v1beta1",
            "discovery.k8s.io.v1",
            "discovery.k8s.io.v1beta1",
            "events.k8s.io.v1",
            "events.k8s.io.v1beta1",
            "extensions.v1beta1",
            "flowcontrol.apiserver.k8s.io.v1",
            "flowcontrol.apiserver.k8s.io.v1beta1",
            "flowcontrol.apiserver.k8s.io.v1beta2",
            "flowcontrol.apiserver.k8s.io.v1beta3",
            "metrics.k8s.io.v1beta1",
            "networking.k8s.io.v1",
            "networking.k8s.io.v1beta1",
            "node.k8s.io.v1",
            "node.k8s.io.v1alpha1",
            "node.k8s.io.v1beta1",
            "policy.v1",
            "policy.v1beta1",
            "rbac.authorization.k8s.io.v1",
            "rbac.authorization.k8s.io.v1alpha1",
            "rbac.authorization.k8s.io.v1beta1",
            "resource.k8s.io.v1",
            "resource.k8s.io.v1beta1",
            "resource.k8s.io.v1beta2",
            "scheduling.k8s.io.v1",
            "scheduling.k8s.io.v1beta1",
            "storage.k8s.io.v1",
            "storage.k8s.io.v1alpha1",
            "storage.k8s.io.v1beta1",
            "storagemigration.k8s.io.v1beta1",
        ],
    ),
    (
        "1.20",
        &[
            "apiregistration.k8s.io.v1",
            "apiregistration.k8s.io.v1beta1",
            "autoscaling.v2beta1",
            "autoscaling.v2beta2",
            "batch.v1beta1",
            "batch.v2alpha1",
            "extensions.v1beta1",
            "policy.v1beta1",
            "scheduling.k8s.io.v1alpha1",
        ],
    ),
];

/// Removed before the oldest release of the facts; written from its published description.
const POD_PRESET: &str = include_str!("settings.k8s.io.v1alpha1.json");

const ADDITIONS: &str = "1.37-diff.json";

/// A type's module (`core_v1`) and Go name.
pub(super) type TypeId = (String, String);

pub(super) struct Sources {
    /// By module.
    files: BTreeMap<String, Value>,
    /// Fields known by the published schema alone, by type.
    additions: BTreeMap<TypeId, Vec<Value>>,
    /// Whether the published schema requires a field, where the types say otherwise.
    required: BTreeMap<TypeId, Value>,
    /// Kinds that only the published schema has.
    pub(super) new_kinds: Vec<(String, String, TypeId)>,
    /// Packages as schema names spell them, by module.
    packages: BTreeMap<String, String>,
    /// Of every byte read.
    pub(super) digest: String,
}

impl Sources {
    pub(super) fn read(facts: &Path) -> Result<Sources> {
        let mut digest = Sha256::new();
        let mut read = |path: &Path| -> Result<Value> {
            let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            digest.update(&bytes);
            serde_json::from_slice(&bytes).with_context(|| format!("parsing {}", path.display()))
        };
        let mut files: BTreeMap<String, Value> = BTreeMap::new();
        for (release, names) in SERVED {
            for name in *names {
                let file = read(&facts.join(release).join(format!("{name}.json")))?;
                match files.get_mut(&module_of(name)?) {
                    Some(newer) => add_missing(newer, &file, &["types", "aliases", "imports"]),
                    None => {
                        files.insert(module_of(name)?, file);
                    }
                }
            }
        }
        let diff = read(&facts.join(ADDITIONS))?;
        digest.update(POD_PRESET);
        files.insert("settings_v1alpha1".to_owned(), serde_json::from_str(POD_PRESET).context("parsing PodPreset")?);
        let mut sources = Sources {
            packages: files
                .iter()
                .map(|(module, file)| (module.clone(), schema_package(text(&file["package"]))))
                .collect(),
            files,
            additions: BTreeMap::new(),
            required: BTreeMap::new(),
            new_kinds: Vec::new(),
            digest: hex::encode(digest.finalize()),
        };
        sources.apply(&diff)?;
        Ok(sources)
    }

    pub(super) fn files(&self) -> &BTreeMap<String, Value> {
        &self.files
    }

    /// Go's fields of a type, in their order.
    pub(super) fn go_fields(&self, (module, name): &TypeId) -> &[Value] {
        self.files.get(module).map_or(&[], |file| array(&file["types"][name]["fields"]))
    }

    /// Fields that only the published schema knows.
    pub(super) fn added_fields(&self, id: &TypeId) -> &[Value] {
        self.additions.get(id).map_or(&[], Vec::as_slice)
    }

    /// Some types have no fields.
    pub(super) fn is_known(&self, id: &TypeId) -> bool {
        let in_file = self.files.get(&id.0).is_some_and(|file| file["types"].get(&id.1).is_some());
        in_file || self.additions.contains_key(id)
    }

    /// Whether server-side apply takes the struct as one value.
    pub(super) fn is_atomic(&self, (module, name): &TypeId) -> bool {
        let markers = ["structType", "mapType"];
        self.files.get(module).is_some_and(|file| markers.iter().any(|key| file["types"][name][*key] == "atomic"))
    }

    /// What a type that is no struct stands for.
    pub(super) fn alias(&self, (module, name): &TypeId) -> Option<&str> {
        self.files.get(module)?["aliases"][name]["go"].as_str()
    }

    /// Whether objects must have the field.
    pub(super) fn is_required(&self, id: &TypeId, field: &Value) -> bool {
        let by_types = field["required"] == true || (field["optional"] != true && field["omitempty"] != true);
        let by_schema =
            self.required.get(id).and_then(|fields| fields[text(&field["name"])]["schemaRequired"].as_bool());
        by_schema.unwrap_or(by_types)
    }

    /// `io.k8s.api.core.v1`.
    pub(super) fn package(&self, module: &str) -> Result<&str> {
        self.packages.get(module).map(String::as_str).with_context(|| format!("{module} has no package"))
    }

    /// The module and name a Go type expression stands for, seen from `module`.
    pub(super) fn locate(&self, module: &str, go: &str) -> Result<TypeId> {
        let id = match go.split_once('.') {
            None => (module.to_owned(), go.to_owned()),
            Some((alias, name)) => {
                let imports = &self.files[module]["imports"];
                let path = imports[alias].as_str().with_context(|| format!("{module} imports no {alias}"))?;
                (module_of_package(path), name.to_owned())
            }
        };
        // A second name of a struct is that struct.
        let is_second_name = self.files.get(&id.0).is_some_and(|file| file["aliases"][&id.1]["alias"] == true);
        match self.alias(&id) {
            Some(meant) if is_second_name => self.locate(&id.0, meant),
            _ => Ok(id),
        }
    }

    fn apply(&mut self, diff: &Value) -> Result<()> {
        for (path, fields) in object(&diff["newFields"]) {
            self.additions.insert(schema_type(path)?, array(fields).to_vec());
        }
        for (path, names) in object(&diff["removedFields"]) {
            let (module, name) = schema_type(path)?;
            let removed: BTreeSet<&str> = array(names).iter().map(text).collect();
            if let Some(Value::Array(fields)) = self.fields_mut(&module, &name) {
                fields.retain(|field| !removed.contains(text(&field["name"])));
            }
        }
        for (path, changes) in object(&diff["attrChanges"]) {
            let (module, name) = schema_type(path)?;
            let Some(Value::Array(fields)) = self.fields_mut(&module, &name) else { continue };
            for field in fields {
                if let Some(Value::Object(now)) = changes[text(&field["name"])].get("schema") {
                    let Value::Object(field) = field else { bail!("{path} has a field that is no object") };
                    field.extend(now.clone());
                }
            }
        }
        for (path, changes) in object(&diff["requiredChanges"]) {
            self.required.insert(schema_type(path)?, changes.clone());
        }
        for (path, definition) in object(&diff["newTypes"]) {
            let id = schema_type(path)?;
            if let Some((package, _)) = path.rsplit_once('.') {
                self.packages.entry(id.0.clone()).or_insert_with(|| package.to_owned());
            }
            for gvk in array(&definition["gvk"]) {
                let version = text(&gvk["version"]);
                if !version.contains("alpha") && !id.1.ends_with("List") {
                    self.new_kinds.push((text(&gvk["group"]).to_owned(), version.to_owned(), id.clone()));
                }
            }
            let fields = self.graduate(&id, array(&definition["fields"]))?;
            self.additions.insert(id, fields);
        }
        Ok(())
    }

    /// A type that left beta keeps the numbers and Go types it had there. Gives what the beta did not have.
    fn graduate(&mut self, (module, name): &TypeId, published: &[Value]) -> Result<Vec<Value>> {
        let (group, _) = module.split_once('_').context("a module names group and version")?;
        let beta = self.files.iter().rev().find(|(candidate, file)| {
            candidate.split_once('_').is_some_and(|(of, version)| of == group && version.contains("beta"))
                && *candidate != module
                && file["types"].get(name).is_some()
        });
        let Some((_, beta)) = beta.filter(|_| !module.contains("beta") && !module.contains("alpha")) else {
            return Ok(published.to_vec());
        };
        let names: BTreeSet<&str> = published.iter().map(|field| text(&field["name"])).collect();
        let of_beta = array(&beta["types"][name]["fields"]);
        let kept: Vec<Value> = of_beta
            .iter()
            .filter(|field| field["inline"] == true || names.contains(text(&field["name"])))
            .cloned()
            .collect();
        let is_kept = |field: &Value| {
            ["apiVersion", "kind"].contains(&text(&field["name"]))
                || kept.iter().any(|of_beta| of_beta["name"] == field["name"])
        };
        let left: Vec<Value> = published.iter().filter(|field| !is_kept(field)).cloned().collect();
        let mut lent = Map::new();
        for section in ["imports", "aliases"] {
            lent.insert(section.to_owned(), beta[section].clone());
        }
        lent.insert("types".to_owned(), serde_json::json!({ name: { "fields": kept } }));
        let file = self.files.entry(module.clone()).or_insert_with(|| Value::Object(Map::new()));
        add_missing(file, &Value::Object(lent), &["imports", "aliases", "types"]);
        Ok(left)
    }

    fn fields_mut(&mut self, module: &str, name: &str) -> Option<&mut Value> {
        self.files.get_mut(module)?.get_mut("types")?.get_mut(name)?.get_mut("fields")
    }
}

/// Adds what `file` has and `newer` does not.
fn add_missing(newer: &mut Value, file: &Value, sections: &[&str]) {
    for section in sections {
        if !newer[*section].is_object() {
            newer[*section] = Value::Object(Map::new());
        }
        if let Value::Object(present) = &mut newer[*section] {
            for (name, value) in object(&file[*section]) {
                present.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
}

/// `core_v1` for `core.v1`, `rbac_v1` for `rbac.authorization.k8s.io.v1`.
fn module_of(file: &str) -> Result<String> {
    let (group, version) = file.rsplit_once('.').with_context(|| format!("{file} names no version"))?;
    let first = group.split('.').next().unwrap_or(group);
    Ok(format!("{first}_{version}"))
}

fn module_of_package(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let version = parts.next().unwrap_or("");
    format!("{}_{version}", parts.next().unwrap_or(""))
}

/// `io.k8s.api.core.v1` for `k8s.io/api/core/v1`.
fn schema_package(path: &str) -> String {
    format!("io.k8s.{}", path.trim_start_matches("k8s.io/").replace('/', "."))
}

/// `io.k8s.api.core.v1.Pod` as a type.
pub(super) fn schema_type(path: &str) -> Result<TypeId> {
    let mut parts = path.rsplit('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(version), Some(group)) => Ok((format!("{group}_{version}"), name.to_owned())),
        _ => bail!("{path} is no schema name"),
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
