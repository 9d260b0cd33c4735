//! The tables as Rust text. Types that several versions of a group have alike are written once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::sources::TypeId;
use super::{Definition, Field, Generator, Presence, Shape};

const HEADER: &str = "//! Made by `cargo xtask codegen`; edits are lost.\n";

const PRELUDE: &str = "
mod prelude {
    pub(super) use super::super::Patch::*;
    pub(super) use super::super::Shape::*;
    pub(super) use super::super::Topology::*;
    pub(super) use super::super::{Type, field, omitted, pointer};
    pub(super) use super::*;
}

use super::Type;

/// The metadata of every list.
pub static LIST_METADATA: &Type = &meta_v1::ListMeta;

/// Every kind, ordered by group, version and kind.
#[rustfmt::skip]
pub static KINDS: &[(&str, &str, &str, &Type)] = &[
";

/// The files by name.
pub(super) fn render(generator: &Generator) -> Result<BTreeMap<String, String>> {
    let sharing = Sharing::of(generator);
    let mut modules: BTreeMap<&str, String> = BTreeMap::new();
    for (id, definition) in &generator.types {
        let is_root = sharing.roots.contains(id);
        let written = sharing.written(id);
        if written == id || is_root {
            let text = modules.entry(&id.0).or_insert_with(|| format!("{HEADER}\nuse super::prelude::*;\n"));
            let package = if is_root || !sharing.own.contains(id) { generator.sources.package(&id.0)? } else { "" };
            write!(text, "\npub(super) static {}: Type = Type {{ name: {:?}, package: {package:?}, ", id.1, id.1)?;
            match written == id {
                true => text.push_str(&body(id, definition, &sharing)?),
                false => {
                    let path = path(written, &id.0);
                    let is_atomic = definition.is_atomic;
                    writeln!(
                        text,
                        "fields: {path}.fields, embedded: {path}.embedded, order: {path}.order, is_atomic: {is_atomic} }};"
                    )?;
                }
            }
        }
    }
    let mut files: BTreeMap<String, String> =
        modules.iter().map(|(module, text)| (format!("{module}.rs"), text.clone())).collect();
    let mut index = format!("{HEADER}//!\n//! From facts with SHA-256 {}.\n", generator.sources.digest);
    writeln!(index, "{}\n", digest_line(&files))?;
    for name in modules.keys() {
        writeln!(index, "#[rustfmt::skip]\nmod {name};")?;
    }
    index.push_str(PRELUDE);
    for ((group, version, kind), id) in &generator.kinds {
        writeln!(index, "    (\"{group}\", \"{version}\", \"{kind}\", &{}::{}),", id.0, id.1)?;
    }
    index.push_str("];\n");
    files.insert("mod.rs".to_owned(), index);
    Ok(files)
}

/// Which the index carries of the other files.
pub(super) fn digest_line(files: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for (name, text) in files {
        digest.update(name);
        digest.update(text);
    }
    format!("//! The other files of this folder have SHA-256 {}.", hex::encode(digest.finalize()))
}

fn body(id: &TypeId, definition: &Definition, sharing: &Sharing<'_>) -> Result<String> {
    let mut text = String::from("fields: &[\n");
    for (name, field) in &definition.fields {
        writeln!(text, "    {},", field_text(name, field, &id.0, sharing))?;
    }
    let embedded = definition.embedded.iter();
    let embedded: Vec<String> =
        embedded.map(|(number, of)| format!("({number}, &{})", path(sharing.referred(of), &id.0))).collect();
    let (embedded, order, is_atomic) = (embedded.join(", "), order(definition), definition.is_atomic);
    writeln!(text, "], embedded: &[{embedded}], order: &{order:?}, is_atomic: {is_atomic} }};")?;
    Ok(text)
}

/// The places of what has a number, by number: of fields, then of embedded messages.
fn order(definition: &Definition) -> Vec<usize> {
    let fields = definition.fields.values().map(|field| field.number);
    let numbers: Vec<u64> = fields.chain(definition.embedded.keys().copied()).collect();
    let mut order: Vec<usize> = (0..numbers.len()).filter(|at| numbers[*at] > 0).collect();
    order.sort_by_key(|at| numbers[*at]);
    order
}

fn field_text(name: &str, field: &Field, module: &str, sharing: &Sharing<'_>) -> String {
    let constructor = match field.presence {
        Presence::Always => "field",
        Presence::OmittedIfZero => "omitted",
        Presence::Pointer => "pointer",
    };
    let shape = shape_text(&field.shape, module, &|of| path(sharing.referred(of), module));
    let mut text = format!("{constructor}({}, {name:?}, {shape})", field.number);
    // Fields that are always written are required, others are not; what differs is said.
    match (field.required, field.presence) {
        (true, Presence::Always) | (false, Presence::OmittedIfZero | Presence::Pointer) => {}
        (true, _) => text.push_str(".required()"),
        (false, _) => text.push_str(".optional()"),
    }
    if let Some(default) = &field.default {
        text.push_str(&format!(".or({default:?})"));
    }
    text.push_str(&field.markers);
    text
}

fn shape_text(shape: &Shape, module: &str, name: &dyn Fn(&TypeId) -> String) -> String {
    match shape {
        Shape::Plain(plain) => (*plain).to_owned(),
        Shape::Text((of, text)) if of == "pkg_types" => format!("Text(\"types.{text}\")"),
        // A string type of the struct's own package is named without it.
        Shape::Text((of, text)) if of == module => format!("Text({text:?})"),
        Shape::Text((of, text)) => format!("Text(\"{}.{text}\")", of.rsplit('_').next().unwrap_or(of)),
        Shape::List(item) => format!("List(&{})", shape_text(item, module, name)),
        Shape::Map(value) => format!("Map(&{})", shape_text(value, module, name)),
        Shape::Struct(of) => format!("Struct(&{})", name(of)),
        Shape::Either(of) => format!("Either(&{})", name(of)),
    }
}

fn path(id: &TypeId, module: &str) -> String {
    if id.0 == module { id.1.clone() } else { format!("{}::{}", id.0, id.1) }
}

/// Which types are written in another's place.
struct Sharing<'a> {
    roots: BTreeSet<&'a TypeId>,
    /// Types met from kinds of their own package alone: their package goes without saying.
    own: BTreeSet<&'a TypeId>,
    /// Types with the same fields, by the number of their class; the first is written.
    classes: BTreeMap<usize, Vec<&'a TypeId>>,
    class_of: BTreeMap<&'a TypeId, usize>,
}

impl<'a> Sharing<'a> {
    fn of(generator: &'a Generator) -> Self {
        let roots = generator.roots();
        let own = own_types(generator, &roots);
        let mut sharing = Sharing { roots, own, classes: BTreeMap::new(), class_of: BTreeMap::new() };
        // All types are taken for alike; what differs in itself or in the classes of its parts is told apart, until
        // nothing more comes apart.
        let mut count = 0;
        sharing.class_of = generator.types.keys().map(|id| (id, 0)).collect();
        loop {
            let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
            let mut class_of = BTreeMap::new();
            for (id, definition) in &generator.types {
                let next = numbers.len();
                class_of.insert(id, *numbers.entry(sharing.signature(id, definition)).or_insert(next));
            }
            sharing.class_of = class_of;
            if numbers.len() == count {
                break;
            }
            count = numbers.len();
        }
        for (id, class) in &sharing.class_of {
            sharing.classes.entry(*class).or_default().push(id);
        }
        for members in sharing.classes.values_mut() {
            members.sort_by_key(|id| (rank(&id.0), (*id).clone()));
        }
        sharing
    }

    /// What makes a type differ from others, given the classes so far.
    fn signature(&self, id: &TypeId, definition: &Definition) -> String {
        let part = |of: &TypeId| match self.roots.contains(of) {
            true => path(of, ""),
            false => self.class_of[of].to_string(),
        };
        let mut signature = match (self.roots.contains(id), self.own.contains(id)) {
            (true, _) => format!("kind {}", id.1),
            (false, true) => id.1.clone(),
            (false, false) => path(id, ""),
        };
        for (name, field) in &definition.fields {
            let shape = shape_text(&field.shape, &id.0, &part);
            let Field { number, presence, required, default, markers, .. } = field;
            let presence = *presence as u8;
            signature.push_str(&format!("\n{name} {number} {presence} {required} {shape} {default:?} {markers}"));
        }
        signature.push_str(if definition.is_atomic { "\natomic" } else { "" });
        for (number, of) in &definition.embedded {
            signature.push_str(&format!("\n{number} {}", part(of)));
        }
        signature
    }

    /// The type whose fields are written for this one's.
    fn written(&self, id: &TypeId) -> &'a TypeId {
        self.classes[&self.class_of[id]][0]
    }

    /// The type that others name: kinds go by themselves, for their package is their own.
    fn referred<'b>(&'b self, id: &'b TypeId) -> &'b TypeId {
        if self.roots.contains(id) { id } else { self.written(id) }
    }
}

/// The types that only kinds of their own package are made of.
fn own_types<'a>(generator: &'a Generator, roots: &BTreeSet<&'a TypeId>) -> BTreeSet<&'a TypeId> {
    let mut met_from: BTreeMap<&TypeId, BTreeSet<&str>> = BTreeMap::new();
    for root in roots {
        let mut open = vec![*root];
        while let Some(id) = open.pop() {
            if met_from.entry(id).or_default().insert(&root.0) {
                let definition = &generator.types[id];
                open.extend(definition.fields.values().filter_map(|field| named(&field.shape)));
                open.extend(definition.embedded.values());
            }
        }
    }
    met_from
        .into_iter()
        .filter(|(id, from)| from.len() == 1 && from.contains(id.0.as_str()))
        .map(|(id, _)| id)
        .collect()
}

/// The type a shape is made of.
fn named(shape: &Shape) -> Option<&TypeId> {
    match shape {
        Shape::Plain(_) | Shape::Text(_) => None,
        Shape::List(inner) | Shape::Map(inner) => named(inner),
        Shape::Struct(id) | Shape::Either(id) => Some(id),
    }
}

/// Stable versions before beta before alpha, newer before older.
fn rank(module: &str) -> (u8, std::cmp::Reverse<String>) {
    let version = module.rsplit('_').next().unwrap_or(module);
    let stability = if version.contains("alpha") { 2 } else { u8::from(version.contains("beta")) };
    (stability, std::cmp::Reverse(version.to_owned()))
}
