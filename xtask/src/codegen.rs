//! Makes `crates/codec/src/schema/facts` from a folder of API type facts: one JSON file per group
//! and version with the Go types, their fields and markers, and one file with what a newer release added.
//!
//! Run by a person when the facts change; the build never reads them. A test holds the tables against the facts
//! where those are at hand, and against the digest they carry everywhere.

mod descriptions;
mod sources;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use sources::{Sources, TypeId, array, object, schema_type, text};

const FOLDER: &str = "crates/codec/src/schema/facts";

/// Types whose Go code reads JSON of any form; protobuf carries that JSON as it is.
const FREE_FORM: &[&str] = &["FieldsV1", "JSON", "Object", "RawExtension"];

/// Types whose Go code reads JSON of several forms; in protobuf each form has a field of its own.
const EITHER: &[&str] = &["JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"];

/// Types of meta/v1 that travel by themselves, and the groups they do so under.
const TRAVELLING: &[(&str, &str)] = &[
    ("", "APIGroup"),
    ("", "APIGroupList"),
    ("", "APIResourceList"),
    ("", "APIVersions"),
    ("", "DeleteOptions"),
    ("", "Status"),
    ("meta.k8s.io", "CreateOptions"),
    ("meta.k8s.io", "DeleteOptions"),
    ("meta.k8s.io", "PartialObjectMetadata"),
    ("meta.k8s.io", "PatchOptions"),
    ("meta.k8s.io", "UpdateOptions"),
];

pub(crate) fn run(facts: &Path, repo: &Path) -> Result<()> {
    let folder = repo.join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for (name, text) in generate(facts)? {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    descriptions::write(repo)
}

/// The tables' files by name.
fn generate(facts: &Path) -> Result<BTreeMap<String, String>> {
    let mut generator = Generator { sources: Sources::read(facts)?, types: BTreeMap::new(), kinds: BTreeMap::new() };
    generator.collect()?;
    tables::render(&generator)
}

/// What is known of a type.
#[derive(Default)]
struct Definition {
    /// By name.
    fields: BTreeMap<String, Field>,
    /// The embedded messages, by number.
    embedded: BTreeMap<u64, TypeId>,
    /// Whether owners share the struct as one value.
    is_atomic: bool,
}

struct Field {
    number: u64,
    presence: Presence,
    required: bool,
    shape: Shape,
    /// JSON text.
    default: Option<String>,
    /// Rust text of topology and patch.
    markers: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Presence {
    /// Written whatever its value.
    Always,
    /// Not written where zero.
    OmittedIfZero,
    /// Not written where absent.
    Pointer,
}

#[derive(Clone, PartialEq)]
enum Shape {
    Plain(&'static str),
    /// A string type with a name of its own.
    Text(TypeId),
    List(Box<Shape>),
    Map(Box<Shape>),
    Struct(TypeId),
    Either(TypeId),
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
        for (module, file) in self.sources.files() {
            for (name, definition) in object(&file["types"]) {
                let is_kind = array(&definition["fields"])
                    .iter()
                    .any(|field| field["inline"] == true && text(&field["go"]).ends_with("TypeMeta"));
                // The options and tables of meta/v1 are no kinds that rest anywhere.
                if is_kind && !name.ends_with("List") && module != "meta_v1" && file["group"].is_string() {
                    let kind = (text(&file["group"]).to_owned(), text(&file["version"]).to_owned(), name.clone());
                    roots.push((kind, (module.clone(), name.clone())));
                }
            }
        }
        for (group, name) in TRAVELLING {
            let kind = ((*group).to_owned(), "v1".to_owned(), (*name).to_owned());
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
        definition.is_atomic = self.sources.is_atomic(id);
        for field in self.sources.added_fields(id).to_vec() {
            let shape = self.schema_shape(text(&field["type"]))?;
            // Whether Go has a pointer here is not published: no number or truth value is taken for absent.
            let presence = match shape {
                Shape::Plain("Bool" | "Int32" | "Int64" | "Float64") => Presence::Pointer,
                Shape::Struct(_) | Shape::Either(_) => Presence::Pointer,
                Shape::Plain("Any" | "Time" | "MicroTime" | "Duration" | "Quantity" | "IntOrString") => {
                    Presence::Pointer
                }
                _ => Presence::OmittedIfZero,
            };
            let required = field["required"] == true;
            definition.fields.insert(text(&field["name"]).to_owned(), known(&field, 0, shape, presence, required));
        }
        if definition.fields.is_empty() && !self.sources.is_known(id) {
            bail!("nothing is known of {}.{}", id.0, id.1);
        }
        self.types.insert(id.clone(), definition);
        Ok(())
    }

    /// Adds a type's fields, and those of the structs embedded in it, which bring no numbers of their own.
    fn add_go_fields(&mut self, id: &TypeId, is_outermost: bool, definition: &mut Definition) -> Result<()> {
        let module = &id.0;
        for field in self.sources.go_fields(id).to_vec() {
            let go = text(&field["go"]);
            let number = field["proto"].as_u64().filter(|_| is_outermost);
            if field["inline"] == true {
                let embedded = self.sources.locate(module, go.trim_start_matches('*'))?;
                if let Some(number) = number {
                    self.add_type(&embedded)?;
                    definition.embedded.insert(number, embedded.clone());
                }
                self.add_go_fields(&embedded, false, definition)?;
            } else if field["json"] != "-" && field["name"].is_string() {
                let shape = self.go_shape(module, go.trim_start_matches('*'))?;
                let has_zero = !matches!(
                    shape,
                    Shape::Struct(_)
                        | Shape::Either(_)
                        | Shape::Plain("Any" | "Time" | "MicroTime" | "Duration" | "Quantity" | "IntOrString")
                );
                let presence = match go.starts_with('*') {
                    true => Presence::Pointer,
                    false if field["omitempty"] == true && has_zero => Presence::OmittedIfZero,
                    false if field["omitzero"] == true => Presence::OmittedIfZero,
                    false => Presence::Always,
                };
                let required = self.sources.is_required(id, &field);
                let known = known(&field, number.unwrap_or(0), shape, presence, required);
                definition.fields.insert(text(&field["name"]).to_owned(), known);
            }
        }
        Ok(())
    }

    fn go_shape(&mut self, module: &str, go: &str) -> Result<Shape> {
        if go == "[]byte" {
            return Ok(Shape::Plain("Bytes"));
        }
        if let Some(element) = go.strip_prefix("[]") {
            return Ok(Shape::List(Box::new(self.go_shape(module, element.trim_start_matches('*'))?)));
        }
        if let Some((_, value)) = go.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
            return Ok(Shape::Map(Box::new(self.go_shape(module, value)?)));
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
            return Ok(Shape::Plain(scalar));
        }
        let id = self.sources.locate(module, go)?;
        let special = match (id.0.as_str(), id.1.as_str()) {
            ("util_intstr", "IntOrString") => "IntOrString",
            ("api_resource", "Quantity") => "Quantity",
            ("meta_v1", "Time") => "Time",
            ("meta_v1", "MicroTime") => "MicroTime",
            ("meta_v1", "Duration") => "Duration",
            (_, name) if FREE_FORM.contains(&name) => "Any",
            _ => "",
        };
        if !special.is_empty() {
            return Ok(Shape::Plain(special));
        }
        if EITHER.contains(&id.1.as_str()) {
            self.add_type(&id)?;
            return Ok(Shape::Either(id));
        }
        if id.0 == "pkg_types" {
            return Ok(Shape::Text(id));
        }
        match self.sources.alias(&id).map(str::to_owned) {
            Some(underlying) if underlying == "string" => Ok(Shape::Text(id)),
            Some(underlying) => self.go_shape(&id.0, &underlying),
            None => self.struct_shape(&id),
        }
    }

    /// The shape of a type named as the published schema names it.
    fn schema_shape(&mut self, schema: &str) -> Result<Shape> {
        if let Some(element) = schema.strip_prefix("[]") {
            return Ok(Shape::List(Box::new(self.schema_shape(element)?)));
        }
        if let Some(value) = schema.strip_prefix("map[string]") {
            return Ok(Shape::Map(Box::new(self.schema_shape(value)?)));
        }
        Ok(Shape::Plain(match schema {
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
        }))
    }

    fn struct_shape(&mut self, id: &TypeId) -> Result<Shape> {
        self.add_type(id).with_context(|| format!("in {}.{}", id.0, id.1))?;
        Ok(Shape::Struct(id.clone()))
    }

    /// Types that a kind's look-up gives.
    fn roots(&self) -> BTreeSet<&TypeId> {
        self.kinds.values().collect()
    }
}

fn known(field: &Value, number: u64, shape: Shape, presence: Presence, required: bool) -> Field {
    let mut markers = String::new();
    let granularity = ["listType", "mapType", "structType"].iter().find_map(|key| field[*key].as_str());
    match granularity {
        Some("atomic") => markers.push_str(".of(Atomic)"),
        Some("set") => markers.push_str(".of(Set)"),
        Some("map") => {
            let keys: Vec<String> = array(&field["listMapKeys"]).iter().map(|key| format!("{:?}", text(key))).collect();
            markers.push_str(&format!(".of(Keyed(&[{}]))", keys.join(", ")));
        }
        _ => {}
    }
    let key = field["patchMergeKey"].as_str().unwrap_or("");
    match field["patchStrategy"].as_str() {
        Some("merge") => markers.push_str(&format!(".patched(Merge({key:?}))")),
        Some("retainKeys") => markers.push_str(".patched(RetainKeys)"),
        Some("merge,retainKeys") => markers.push_str(&format!(".patched(MergeRetainingKeys({key:?}))")),
        _ => {}
    }
    let default = field.get("default").map(Value::to_string);
    Field { number, presence, required, shape, default, markers }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> BTreeMap<String, String> {
        let folder = crate::repository().join(FOLDER);
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
        files
    }

    #[test]
    fn nobody_edited_the_tables() {
        let mut files = committed();
        let index = files.remove("mod.rs").unwrap();
        assert!(index.contains(&tables::digest_line(&files)), "made by `cargo xtask codegen`, then changed by hand");
    }

    /// The facts lie beside the repository where the project is worked on, and not in every clone.
    #[test]
    fn the_tables_are_what_the_facts_give() {
        let facts = crate::repository().join("../shared/api-facts");
        if facts.is_dir() {
            let made = generate(&facts).unwrap();
            let committed = committed();
            assert_eq!(made.keys().collect::<Vec<_>>(), committed.keys().collect::<Vec<_>>());
            for (name, text) in &made {
                assert!(*text == committed[name], "{name} is not current: run `cargo xtask codegen`");
            }
        }
    }
}
