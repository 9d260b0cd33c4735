//! What is known of every built-in type: its fields, how lists and maps merge, what Go calls it.

#[expect(non_upper_case_globals, reason = "a type's table carries the type's own name")]
pub mod facts;

mod complete;
mod conform;

pub use complete::complete;
pub use conform::{TypeError, conform};
pub(crate) use conform::{is_zero, zero};

/// More fields than any type has.
pub const MAX_FIELDS: usize = 64;

/// A struct type. Fields are ordered by name; those of structs embedded in it stand among its own.
pub struct Type {
    /// Go's bare name: `Container`.
    pub name: &'static str,
    /// As definitions spell it: `io.k8s.api.core.v1`. Empty where it is that of the kind the type is met from: versions
    /// of a group share what they have alike.
    pub package: &'static str,
    pub fields: &'static [Field],
    /// Embedded structs that are messages of their own in protobuf, by their field number there.
    pub embedded: &'static [(u16, &'static Type)],
    /// Everything that has a number in protobuf, by that number: places among the fields and, past them, among the
    /// embedded messages.
    pub order: &'static [u8],
    /// Whether owners in server-side apply share the struct as one value, wherever it stands.
    pub is_atomic: bool,
}

pub struct Field {
    /// In protobuf; 0 for fields that have none, or have it in an embedded message.
    pub number: u16,
    /// In JSON.
    pub name: &'static str,
    pub shape: Shape,
    pub presence: Presence,
    /// Whether OpenAPI says that objects must have it.
    pub required: bool,
    /// What the schema says stands where nothing is given, as JSON text.
    pub default: Option<&'static str>,
    pub topology: Topology,
    pub patch: Patch,
}

/// When Go writes a field out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Whatever its value.
    Always,
    /// As JSON not where it is zero (`""`, `0`, `false`, an empty list or map); as protobuf always.
    OmittedIfZero,
    /// Not where it is absent: Go has a pointer here.
    Pointer,
}

#[derive(Clone, Copy)]
pub enum Shape {
    String,
    /// A string type with a Go name of its own: `v1.Protocol`; `Protocol` in a struct of the same package.
    Text(&'static str),
    Bool,
    Int32,
    Int64,
    Float64,
    Quantity,
    IntOrString,
    /// RFC 3339, whole seconds.
    Time,
    /// RFC 3339, microseconds.
    MicroTime,
    /// `1h30m0s`, as Go writes it.
    Duration,
    /// Base64 text.
    Bytes,
    List(&'static Shape),
    Map(&'static Shape),
    Struct(&'static Type),
    /// Any JSON: raw extensions, field sets. In protobuf a message with the JSON text in field 1.
    Any,
    /// Any JSON too; in protobuf a message of which one field is set and stands for the whole.
    Either(&'static Type),
}

/// How owners share a list, map or struct in server-side apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    Granular,
    Atomic,
    Set,
    /// Items are told apart by these keys.
    Keyed(&'static [&'static str]),
}

/// How a strategic merge patch treats the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// Structs and maps merge, lists are replaced.
    Plain,
    /// The list merges: items by this key, or as a set of scalars where it is empty.
    Merge(&'static str),
    /// A struct that keeps only what `$retainKeys` names.
    RetainKeys,
    /// A merging list whose items honour `$retainKeys`.
    MergeRetainingKeys(&'static str),
}

impl Type {
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.position(name).map(|at| &self.fields[at])
    }

    /// Where among the fields it stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        // The first letter tells most names apart, without a call to compare the rest.
        let first = name.as_bytes().first();
        let compared = |field: &Field| field.name.as_bytes().first().cmp(&first).then_with(|| field.name.cmp(name));
        self.fields.binary_search_by(compared).ok()
    }

    /// The field with this number in protobuf.
    pub fn numbered(&self, number: u32) -> Option<&'static Field> {
        let number_at = |at: &u8| match self.fields.get(usize::from(*at)) {
            Some(field) => u32::from(field.number),
            None => u32::from(self.embedded[usize::from(*at) - self.fields.len()].0),
        };
        // Few numbers were ever given up, so most fields stand where their number says.
        let expected = usize::try_from(number).ok()?.checked_sub(1)?;
        let is_there = self.order.get(expected).is_some_and(|at| number_at(at) == number);
        let at = if is_there { expected } else { self.order.binary_search_by_key(&number, number_at).ok()? };
        self.fields.get(usize::from(self.order[at]))
    }

    /// Whether its field numbers in protobuf are known.
    pub fn has_numbers(&self) -> bool {
        !self.order.is_empty()
    }

    /// What Go puts before the name: `v1`. `met_from` is that of the kind.
    pub fn version<'a>(&self, met_from: &'a str) -> &'a str {
        if self.package.is_empty() { met_from } else { self.package.rsplit('.').next().unwrap_or(self.package) }
    }
}

impl Field {
    /// Whether JSON never has its zero value.
    pub fn omits_zero(&self) -> bool {
        self.presence == Presence::OmittedIfZero
    }
}

impl Shape {
    /// As Go prints the type in decoding errors, in a struct of this version.
    pub fn go(&self, version: &str) -> String {
        match self {
            Shape::String => "string".to_owned(),
            Shape::Text(name) if name.contains('.') => (*name).to_owned(),
            Shape::Text(name) => format!("{version}.{name}"),
            Shape::Bool => "bool".to_owned(),
            Shape::Int32 => "int32".to_owned(),
            Shape::Int64 => "int64".to_owned(),
            Shape::Float64 => "float64".to_owned(),
            Shape::Quantity => "resource.Quantity".to_owned(),
            Shape::IntOrString => "intstr.IntOrString".to_owned(),
            Shape::Time => "v1.Time".to_owned(),
            Shape::MicroTime => "v1.MicroTime".to_owned(),
            Shape::Duration => "v1.Duration".to_owned(),
            Shape::Bytes => "[]uint8".to_owned(),
            Shape::List(item) => format!("[]{}", item.go(version)),
            Shape::Map(value) => format!("map[string]{}", value.go(version)),
            Shape::Struct(r#type) => format!("{}.{}", r#type.version(version), r#type.name),
            Shape::Any | Shape::Either(_) => "interface {}".to_owned(),
        }
    }
}

/// The type of a kind's objects.
pub fn lookup(group: &str, version: &str, kind: &str) -> Option<&'static Type> {
    let wanted = (group, version, kind);
    let at = facts::KINDS.binary_search_by(|&(group, version, kind, _)| (group, version, kind).cmp(&wanted)).ok()?;
    Some(facts::KINDS[at].3)
}

const fn field(number: u16, name: &'static str, shape: Shape) -> Field {
    made(number, name, shape, Presence::Always)
}

const fn omitted(number: u16, name: &'static str, shape: Shape) -> Field {
    made(number, name, shape, Presence::OmittedIfZero)
}

const fn pointer(number: u16, name: &'static str, shape: Shape) -> Field {
    made(number, name, shape, Presence::Pointer)
}

const fn made(number: u16, name: &'static str, shape: Shape, presence: Presence) -> Field {
    let required = matches!(presence, Presence::Always);
    Field { number, name, shape, presence, required, default: None, topology: Topology::Granular, patch: Patch::Plain }
}

impl Field {
    const fn of(self, topology: Topology) -> Self {
        Field { topology, ..self }
    }

    const fn patched(self, patch: Patch) -> Self {
        Field { patch, ..self }
    }

    const fn required(self) -> Self {
        Field { required: true, ..self }
    }

    const fn optional(self) -> Self {
        Field { required: false, ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Field { default: Some(default), ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_table_is_ordered_for_its_search() {
        assert!(facts::KINDS.windows(2).all(|pair| {
            let key = |at: usize| (pair[at].0, pair[at].1, pair[at].2);
            key(0) < key(1)
        }));
        for (_, _, kind, r#type) in facts::KINDS {
            assert!(r#type.fields.len() <= MAX_FIELDS, "{kind}");
            assert!(r#type.fields.windows(2).all(|pair| pair[0].name < pair[1].name), "{kind}");
            let mut numbers: Vec<u16> = r#type.fields.iter().map(|field| field.number).collect();
            numbers.extend(r#type.embedded.iter().map(|(number, _)| number));
            numbers.retain(|number| *number != 0);
            numbers.sort_unstable();
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{kind} has a number twice");
            let by_order = r#type.order.iter().map(|at| match usize::from(*at) {
                at if at < r#type.fields.len() => r#type.fields[at].number,
                at => r#type.embedded[at - r#type.fields.len()].0,
            });
            assert!(by_order.eq(numbers), "{kind}");
        }
    }

    #[test]
    fn every_kind_served_has_a_type_and_its_defaults_fit() {
        for kind in registry::KINDS {
            let r#type = lookup(kind.group, kind.version, kind.kind).unwrap_or_else(|| panic!("{kind:?} has no type"));
            assert!(r#type.field("status").is_some() || !kind.has_status, "{kind:?}");
            let Value::Object(mut object) = json!({"spec": {
                "containers": [{"ports": [{}], "livenessProbe": {"httpGet": {}}}],
                "volumes": [{}],
                "ports": [{"port": 1}],
                "template": {"spec": {"containers": [{}]}},
                "jobTemplate": {"spec": {"template": {"spec": {"containers": [{}]}}}},
            }}) else {
                panic!("an object")
            };
            let is_known = |name: &str| match r#type.field("spec").map(|spec| &spec.shape) {
                Some(Shape::Struct(spec)) => {
                    let shape = spec.field(name).map(|field| &field.shape);
                    matches!(shape, Some(Shape::Struct(_) | Shape::List(Shape::Struct(_))))
                }
                _ => false,
            };
            object["spec"].as_object_mut().unwrap().retain(|name, _| is_known(name));
            kind.rules.default(&mut object);
            if r#type.field("spec").is_none() {
                object.shift_remove("spec");
            }
            let mut complaints = Vec::new();
            conform(&mut object, r#type, &mut complaints).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            assert_eq!(complaints, [""; 0], "{kind:?}");
        }
    }

    #[test]
    fn a_known_path_has_its_known_facts() {
        let pod = lookup("", "v1", "Pod").unwrap();
        let Shape::Struct(spec) = pod.field("spec").unwrap().shape else { panic!("spec is a struct") };
        let containers = spec.field("containers").unwrap();
        assert_eq!(containers.patch, Patch::Merge("name"));
        let Shape::List(Shape::Struct(container)) = containers.shape else { panic!("containers is a list") };
        assert_eq!(Shape::Struct(container).go("v9"), "v1.Container");
        let ports = container.field("ports").unwrap();
        assert_eq!(ports.patch, Patch::Merge("containerPort"));
        assert_eq!(ports.topology, Topology::Keyed(&["containerPort", "protocol"]));
        assert_eq!(ports.shape.go("v1"), "[]v1.ContainerPort");
        let Shape::Struct(affinity) = spec.field("affinity").unwrap().shape else { panic!("affinity is a struct") };
        let Shape::Struct(node) = affinity.field("nodeAffinity").unwrap().shape else { panic!("a struct") };
        let required = node.field("requiredDuringSchedulingIgnoredDuringExecution").unwrap();
        assert!(matches!(required.shape, Shape::Struct(selector) if selector.is_atomic) && !container.is_atomic);
        assert!(lookup("apps", "v1", "Pod").is_none());
    }
}
