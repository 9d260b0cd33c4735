//! Makes `crates/codec/src/schema/facts` from a folder of API type facts: one JSON file per group
//! and version with the Go types, their fields and markers, and one file with what a newer release added.
//!
//! Run by a person when the facts change; the build never reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The groups and versions whose kinds the table holds, as the facts name their files, oldest release last.
const SERVED: &[(&str, &[&str])] = &[
    (
        "1.36",
        &[
            "meta.v1",
            "core.v1",
            "admissionregistration.k8s.io.v1",
            "apiextensions.k8s.io.v1",
            "apps.v1",
            "authentication.k8s.io.v1",
            "authorization.k8s.io.v1",
            "autoscaling.v1",
            "autoscaling.v2",
            "batch.v1",
            "certificates.k8s.io.v1",
            "coordination.k8s.io.v1",
            "discovery.k8s.io.v1",
            "events.k8s.io.v1",
            "flowcontrol.apiserver.k8s.io.v1",
            "networking.k8s.io.v1",
            "node.k8s.io.v1",
            "policy.v1",
            "rbac.authorization.k8s.io.v1",
            "resource.k8s.io.v1",
            "scheduling.k8s.io.v1",
            "storage.k8s.io.v1",
        ],
    ),
    ("1.20", &["apiregistration.k8s.io.v1"]),
];

const ADDITIONS: &str = "1.37-diff.json";

/// Types whose Go code reads JSON of any form; protobuf carries that JSON as it is.
const FREE_FORM: &[&str] = &["FieldsV1", "JSON", "Object", "RawExtension"];

/// Types whose Go code reads JSON of several forms; in protobuf each form has a field of its own.
const EITHER: &[&str] = &["JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"];

/// Types of meta/v1 that clients send as bodies, with core's `v1` as their version.
const REQUEST_OPTIONS: &[&str] = &["DeleteOptions"];

pub(crate) fn run(facts: &Path, repo: &Path) -> Result<()> {
    let sources = Sources::read(facts)?;
    let mut generator = Generator { sources, types: BTreeMap::new(), kinds: BTreeMap::new() };
    generator.collect()?;
    generator.write(&repo.join("crates/codec/src/schema/facts"))
}

/// A type's module (`core_v1`) and Go name.
type TypeId = (String, String);

struct Sources {
    /// By module.
    files: BTreeMap<String, Value>,
    /// Fields of a newer release, by type.
    additions: BTreeMap<TypeId, Vec<Value>>,
    /// Kinds a newer release added: their types, in the modules served.
    new_kinds: Vec<(String, String, TypeId)>,
}

impl Sources {
    fn read(facts: &Path) -> Result<Sources> {
        let mut files = BTreeMap::new();
        for (release, names) in SERVED {
            for name in *names {
                files.insert(module_of(name)?, read_json(&facts.join(release).join(format!("{name}.json")))?);
            }
        }
        let diff = read_json(&facts.join(ADDITIONS))?;
        let mut additions: BTreeMap<TypeId, Vec<Value>> = BTreeMap::new();
        let mut new_kinds = Vec::new();
        for (path, fields) in object(&diff["newFields"]) {
            additions.insert(schema_type(path)?, array(fields).to_vec());
        }
        for (path, definition) in object(&diff["newTypes"]) {
            let id = schema_type(path)?;
            for gvk in array(&definition["gvk"]) {
                if files.contains_key(&id.0) && !id.1.ends_with("List") {
                    new_kinds.push((text(&gvk["group"]).to_owned(), text(&gvk["version"]).to_owned(), id.clone()));
                }
            }
            additions.insert(id, array(&definition["fields"]).to_vec());
        }
        Ok(Sources { files, additions, new_kinds })
    }
}

/// What is written of a type.
#[derive(Default)]
struct Definition {
    /// Rust text by field name.
    fields: BTreeMap<String, String>,
    /// Rust text of the embedded messages, by number.
    embedded: BTreeMap<u64, String>,
}

struct Generator {
    sources: Sources,
    /// Filled from the kinds outwards.
    types: BTreeMap<TypeId, Definition>,
    kinds: BTreeMap<(String, String, String), TypeId>,
}

impl Generator {
    fn collect(&mut self) -> Result<()> {
        let mut roots = vec![];
        for (module, file) in &self.sources.files {
            for (name, definition) in object(&file["types"]) {
                let is_kind = array(&definition["fields"])
                    .iter()
                    .any(|field| field["inline"] == true && text(&field["go"]).ends_with("TypeMeta"));
                // The options and tables of meta/v1 are no kinds that rest anywhere.
                if is_kind && !name.ends_with("List") && module != "meta_v1" {
                    let kind = (text(&file["group"]).to_owned(), text(&file["version"]).to_owned(), name.clone());
                    roots.push((kind, (module.clone(), name.clone())));
                }
            }
        }
        for name in REQUEST_OPTIONS {
            let kind = (String::new(), "v1".to_owned(), (*name).to_owned());
            roots.push((kind, ("meta_v1".to_owned(), (*name).to_owned())));
        }
        for (group, version, id) in &self.sources.new_kinds {
            roots.push(((group.clone(), version.clone(), id.1.clone()), id.clone()));
        }
        for (kind, id) in roots {
            self.add_type(&id)?;
            self.kinds.insert(kind, id);
        }
        Ok(())
    }

    fn add_type(&mut self, id: &TypeId) -> Result<()> {
        if self.types.contains_key(id) {
            return Ok(());
        }
        // Marks the type as seen before its fields are: types are recursive.
        self.types.insert(id.clone(), Definition::default());
        let mut definition = Definition::default();
        self.add_go_fields(id, true, &mut definition)?;
        for field in self.sources.additions.get(id).cloned().unwrap_or_default() {
            let shape = self.schema_shape(text(&field["type"]))?;
            definition.fields.insert(text(&field["name"]).to_owned(), render_field(&field, 0, &shape, true));
        }
        if definition.fields.is_empty() && !self.is_known(id) {
            bail!("nothing is known of {}.{}", id.0, id.1);
        }
        self.types.insert(id.clone(), definition);
        Ok(())
    }

    /// Some types have no fields.
    fn is_known(&self, id: &TypeId) -> bool {
        let in_file = self.sources.files.get(&id.0).is_some_and(|file| file["types"].get(&id.1).is_some());
        in_file || self.sources.additions.contains_key(id)
    }

    /// Adds a type's fields, and those of the structs embedded in it, which bring no numbers of their own.
    fn add_go_fields(&mut self, id: &TypeId, is_outermost: bool, definition: &mut Definition) -> Result<()> {
        let (module, name) = id;
        let Some(file) = self.sources.files.get(module) else { return Ok(()) };
        for field in array(&file["types"][name]["fields"]).to_vec() {
            let go = text(&field["go"]);
            let number = field["proto"].as_u64().filter(|_| is_outermost);
            if field["inline"] == true {
                let embedded = self.locate(module, go.trim_start_matches('*'))?;
                if let Some(number) = number {
                    self.add_type(&embedded)?;
                    definition.embedded.insert(number, format!("({number}, &{}::{})", embedded.0, embedded.1));
                }
                self.add_go_fields(&embedded, false, definition)?;
            } else if field["json"] != "-" && field["name"].is_string() {
                let shape = self.go_shape(module, go.trim_start_matches('*'))?;
                let omits_zero = field["omitempty"] == true
                    && !go.starts_with('*')
                    && !["Struct(", "Either("].iter().any(|start| shape.starts_with(start))
                    && !["Any", "Time", "MicroTime", "Quantity", "IntOrString"].contains(&shape.as_str());
                let rendered = render_field(&field, number.unwrap_or(0), &shape, omits_zero);
                definition.fields.insert(text(&field["name"]).to_owned(), rendered);
            }
        }
        Ok(())
    }

    /// The module and name a Go type expression stands for, seen from `module`.
    fn locate(&self, module: &str, go: &str) -> Result<TypeId> {
        match go.split_once('.') {
            None => Ok((module.to_owned(), go.to_owned())),
            Some((alias, name)) => {
                let imports = &self.sources.files[module]["imports"];
                let path = imports[alias].as_str().with_context(|| format!("{module} imports no {alias}"))?;
                Ok((module_of_package(path), name.to_owned()))
            }
        }
    }

    fn go_shape(&mut self, module: &str, go: &str) -> Result<String> {
        if go == "[]byte" {
            return Ok("Bytes".to_owned());
        }
        if let Some(element) = go.strip_prefix("[]") {
            return Ok(format!("List(&{})", self.go_shape(module, element.trim_start_matches('*'))?));
        }
        if let Some((_, value)) = go.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
            return Ok(format!("Map(&{})", self.go_shape(module, value)?));
        }
        let scalar = match go {
            "string" => "String",
            "bool" => "Bool",
            "int32" => "Int32",
            "int64" => "Int64",
            "float64" => "Float64",
            _ => "",
        };
        if !scalar.is_empty() {
            return Ok(scalar.to_owned());
        }
        let id = self.locate(module, go)?;
        let special = match (id.0.as_str(), id.1.as_str()) {
            ("util_intstr", "IntOrString") => "IntOrString",
            ("api_resource", "Quantity") => "Quantity",
            ("meta_v1", "Time") => "Time",
            ("meta_v1", "MicroTime") => "MicroTime",
            (_, name) if FREE_FORM.contains(&name) => "Any",
            _ => "",
        };
        if !special.is_empty() {
            return Ok(special.to_owned());
        }
        if EITHER.contains(&id.1.as_str()) {
            self.add_type(&id)?;
            return Ok(format!("Either(&{}::{})", id.0, id.1));
        }
        if id.0 == "pkg_types" {
            return Ok(format!("Text(\"types.{}\")", id.1));
        }
        let Some(file) = self.sources.files.get(&id.0) else { bail!("no file holds {}.{}", id.0, id.1) };
        match file["aliases"][&id.1]["go"].as_str().map(str::to_owned) {
            Some(underlying) if underlying == "string" => Ok(format!("Text(\"{}\")", go_name(&id))),
            Some(underlying) => self.go_shape(&id.0, &underlying),
            None => self.struct_shape(&id),
        }
    }

    /// The shape of a type named as the published schema names it.
    fn schema_shape(&mut self, schema: &str) -> Result<String> {
        if let Some(element) = schema.strip_prefix("[]") {
            return Ok(format!("List(&{})", self.schema_shape(element)?));
        }
        if let Some(value) = schema.strip_prefix("map[string]") {
            return Ok(format!("Map(&{})", self.schema_shape(value)?));
        }
        Ok(match schema {
            "string" => "String",
            "string:byte" => "Bytes",
            "boolean" => "Bool",
            "integer:int32" => "Int32",
            "integer" | "integer:int64" => "Int64",
            "number" | "number:double" => "Float64",
            "object" => "Any",
            "io.k8s.apimachinery.pkg.api.resource.Quantity" => "Quantity",
            "io.k8s.apimachinery.pkg.util.intstr.IntOrString" => "IntOrString",
            "io.k8s.apimachinery.pkg.apis.meta.v1.Time" => "Time",
            "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" => "MicroTime",
            _ => return self.struct_shape(&schema_type(schema)?),
        }
        .to_owned())
    }

    fn struct_shape(&mut self, id: &TypeId) -> Result<String> {
        self.add_type(id).with_context(|| format!("in {}.{}", id.0, id.1))?;
        Ok(format!("Struct(&{}::{})", id.0, id.1))
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let mut modules: BTreeMap<&str, String> = BTreeMap::new();
        for (id, definition) in &self.types {
            let text = modules.entry(&id.0).or_insert_with(|| format!("{HEADER}\nuse super::prelude::*;\n"));
            let local = format!("{}::", id.0);
            write!(text, "\npub(super) static {}: Type = Type {{ go: \"{}\", fields: &[\n", id.1, go_name(id))?;
            for field in definition.fields.values() {
                writeln!(text, "    {},", field.replace(&local, ""))?;
            }
            let embedded: Vec<String> = definition.embedded.values().map(|entry| entry.replace(&local, "")).collect();
            writeln!(text, "], embedded: &[{}] }};", embedded.join(", "))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        for (module, text) in &modules {
            write_file(&folder.join(format!("{module}.rs")), text)?;
        }
        let names: BTreeSet<&str> = modules.keys().copied().collect();
        let mut index = format!("{HEADER}\n");
        for name in &names {
            writeln!(index, "#[rustfmt::skip]\nmod {name};")?;
        }
        index.push_str(
            "\nmod prelude {\n    pub(super) use super::super::Patch::*;\n    pub(super) use super::super::Shape::*;\n    \
             pub(super) use super::super::Topology::*;\n    pub(super) use super::super::{Type, field, omitted};\n    \
             pub(super) use super::*;\n}\n",
        );
        index.push_str("\nuse super::Type;\n\n/// Every kind, ordered by group, version and kind.\n");
        index.push_str("#[rustfmt::skip]\npub static KINDS: &[(&str, &str, &str, &Type)] = &[\n");
        for ((group, version, kind), id) in &self.kinds {
            writeln!(index, "    (\"{group}\", \"{version}\", \"{kind}\", &{}::{}),", id.0, id.1)?;
        }
        index.push_str("];\n");
        write_file(&folder.join("mod.rs"), &index)
    }
}

const HEADER: &str = "//! Made by `cargo xtask codegen`; edits are lost.\n";

fn render_field(field: &Value, number: u64, shape: &str, omits_zero: bool) -> String {
    let constructor = if omits_zero { "omitted" } else { "field" };
    let mut rendered = format!("{constructor}({number}, \"{}\", {shape})", text(&field["name"]));
    let granularity = ["listType", "mapType", "structType"].iter().find_map(|key| field[*key].as_str());
    match granularity {
        Some("atomic") => rendered.push_str(".of(Atomic)"),
        Some("set") => rendered.push_str(".of(Set)"),
        Some("map") => {
            let keys: Vec<String> = array(&field["listMapKeys"]).iter().map(|key| format!("{:?}", text(key))).collect();
            rendered.push_str(&format!(".of(Keyed(&[{}]))", keys.join(", ")));
        }
        _ => {}
    }
    let key = field["patchMergeKey"].as_str().unwrap_or("");
    match field["patchStrategy"].as_str() {
        Some("merge") => rendered.push_str(&format!(".patched(Merge({key:?}))")),
        Some("retainKeys") => rendered.push_str(".patched(RetainKeys)"),
        Some("merge,retainKeys") => rendered.push_str(&format!(".patched(MergeRetainingKeys({key:?}))")),
        _ => {}
    }
    rendered
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

/// `io.k8s.api.core.v1.Pod` as a type.
fn schema_type(path: &str) -> Result<TypeId> {
    let mut parts = path.rsplit('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), Some(version), Some(group)) => Ok((format!("{group}_{version}"), name.to_owned())),
        _ => bail!("{path} is no schema name"),
    }
}

/// `v1.Pod`: the package's last part and the type, as Go prints them.
fn go_name((module, name): &TypeId) -> String {
    format!("{}.{name}", module.rsplit('_').next().unwrap_or(module))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn read_json(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("parsing {}", path.display()))
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
