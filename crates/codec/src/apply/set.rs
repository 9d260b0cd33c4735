//! Sets of fields: what a manager owns. A tree, ordered, in memory and as `fieldsV1`.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::element::{ElementError, PathElement};
use crate::tree::Key;

/// A set of paths. A container and what is in it are members independently of one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Ordered by element, each once; every node is a member or has members below.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    element: PathElement,
    is_member: bool,
    children: FieldSet,
}

/// The key that says a container itself is a member.
const SELF: &str = ".";

impl FieldSet {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds one path. Nobody owns the whole object, so an empty path adds nothing.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((last, parents)) = path.split_last() else { return };
        let set = parents.iter().fold(self, |set, element| &mut set.node_mut(element).children);
        set.node_mut(last).is_member = true;
    }

    pub fn contains(&self, path: &[PathElement]) -> bool {
        let Some((last, parents)) = path.split_last() else { return false };
        let set = parents.iter().try_fold(self, |set, element| set.child(element));
        set.and_then(|set| set.node(last)).is_some_and(|node| node.is_member)
    }

    /// Whether the child itself is a member.
    pub(super) fn has(&self, element: &PathElement) -> bool {
        self.node(element).is_some_and(|node| node.is_member)
    }

    /// The members below a child, where there are any.
    pub(super) fn child(&self, element: &PathElement) -> Option<&FieldSet> {
        self.node(element).map(|node| &node.children).filter(|children| !children.is_empty())
    }

    pub fn union(&self, other: &FieldSet) -> FieldSet {
        self.join(other, |left, right| match (left, right) {
            (Some(left), Some(right)) => Some(Node {
                element: left.element.clone(),
                is_member: left.is_member || right.is_member,
                children: left.children.union(&right.children),
            }),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        })
    }

    pub fn intersection(&self, other: &FieldSet) -> FieldSet {
        self.join(other, |left, right| {
            let (left, right) = (left?, right?);
            let is_member = left.is_member && right.is_member;
            node(left, is_member, left.children.intersection(&right.children))
        })
    }

    /// The members that `other` does not have.
    pub fn difference(&self, other: &FieldSet) -> FieldSet {
        self.join(other, |left, right| match (left?, right) {
            (left, Some(right)) => {
                node(left, left.is_member && !right.is_member, left.children.difference(&right.children))
            }
            (left, None) => Some(left.clone()),
        })
    }

    /// As [`FieldSet::difference`], and without anything below what `other` has.
    pub fn recursive_difference(&self, other: &FieldSet) -> FieldSet {
        self.join(other, |left, right| match (left?, right) {
            (_, Some(right)) if right.is_member => None,
            (left, Some(right)) => node(left, left.is_member, left.children.recursive_difference(&right.children)),
            (left, None) => Some(left.clone()),
        })
    }

    /// The members on the way to one of the patterns, or below one. `*` stands for any element.
    pub fn matching(&self, patterns: &[&[&str]]) -> FieldSet {
        let fits = |element: &PathElement, word: &str| {
            word == "*" || matches!(element, PathElement::Field(name) if name == word)
        };
        let nodes = self.nodes.iter().filter_map(|found| {
            let rest: Vec<&[&str]> = patterns
                .iter()
                .filter_map(|pattern| pattern.split_first())
                .filter(|(word, _)| fits(&found.element, word))
                .map(|(_, rest)| rest)
                .collect();
            match rest.is_empty() {
                true => None,
                false if rest.iter().any(|rest| rest.is_empty()) => Some(found.clone()),
                false => node(found, found.is_member, found.children.matching(&rest)),
            }
        });
        FieldSet { nodes: nodes.collect() }
    }

    /// The set of whole subtrees that start at these places.
    pub fn of_fields(paths: &[&[&'static str]]) -> FieldSet {
        let mut set = FieldSet::default();
        for path in paths {
            let path: Vec<PathElement> = path.iter().map(|name| PathElement::Field((*name).into())).collect();
            set.insert(&path);
        }
        set
    }

    /// Every member, in the order conflicts are listed: those of a level before those below it.
    pub fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut paths = Vec::new();
        self.collect_paths(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect_paths(&self, prefix: &mut Vec<PathElement>, paths: &mut Vec<Vec<PathElement>>) {
        for node in self.nodes.iter().filter(|node| node.is_member) {
            paths.push(prefix.iter().chain([&node.element]).cloned().collect());
        }
        for node in &self.nodes {
            prefix.push(node.element.clone());
            node.children.collect_paths(prefix, paths);
            prefix.pop();
        }
    }

    /// The set in its `fieldsV1` form.
    pub fn encode(&self) -> Value {
        Value::Object(self.encode_into(Map::with_capacity(self.nodes.len())))
    }

    fn encode_into(&self, mut object: Map<String, Value>) -> Map<String, Value> {
        for node in &self.nodes {
            let mut inner = Map::new();
            if node.is_member && !node.children.is_empty() {
                inner.insert(SELF.to_owned(), Value::Object(Map::new()));
            }
            object.insert(node.element.encode(), Value::Object(node.children.encode_into(inner)));
        }
        object
    }

    /// Reads the `fieldsV1` form. Kinds of elements that are not known are passed over.
    pub fn decode(fields: &Value) -> Result<FieldSet, ElementError> {
        Ok(decode_level(fields)?.1)
    }

    /// The set in its `fieldsV1` form, as text.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(256);
        self.write_text(&mut text, false);
        text
    }

    fn write_text(&self, text: &mut String, is_member: bool) {
        text.push('{');
        if is_member && !self.nodes.is_empty() {
            text.push_str("\".\":{}");
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if at > 0 || is_member {
                text.push(',');
            }
            node.element.write_key(text);
            text.push(':');
            node.children.write_text(text, node.is_member);
        }
        text.push('}');
    }

    /// Reads what [`FieldSet::to_text`] wrote, or a client: no tree of values stands between.
    pub fn from_text(text: &str) -> Result<FieldSet, ElementError> {
        let malformed =
            |error: serde_json::Error| ElementError::Malformed { text: text.to_owned(), reason: error.to_string() };
        let mut fault = None;
        let mut input = serde_json::Deserializer::from_str(text);
        let read = Level { fault: &mut fault }.deserialize(&mut input);
        match fault {
            Some(error) => Err(error),
            None => {
                let (_, set) = read.map_err(malformed)?;
                input.end().map_err(malformed)?;
                Ok(set)
            }
        }
    }

    /// False where a set at rest has certainly no member of this one: on each way to one, some key does not stand in
    /// the text.
    pub(super) fn may_meet_text(&self, text: &str) -> bool {
        let mut key = String::new();
        self.nodes.iter().any(|node| {
            key.clear();
            node.element.write_key(&mut key);
            text.contains(&key) && (node.is_member || node.children.may_meet_text(text))
        })
    }

    /// Walks two sets side by side.
    fn join(&self, other: &FieldSet, decide: impl Fn(Option<&Node>, Option<&Node>) -> Option<Node>) -> FieldSet {
        let (mut left, mut right) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        let mut nodes = Vec::with_capacity(self.nodes.len());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return FieldSet { nodes },
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.element.cmp(&right.element),
            };
            let decided = match order {
                Ordering::Less => decide(left.next(), None),
                Ordering::Greater => decide(None, right.next()),
                Ordering::Equal => decide(left.next(), right.next()),
            };
            nodes.extend(decided);
        }
    }

    /// Rewrites every level: whether a child is a member, and what is below it.
    pub(super) fn map_nodes(&self, mut rewrite: impl FnMut(&PathElement, bool, &FieldSet) -> (bool, FieldSet)) -> Self {
        let nodes = self.nodes.iter().filter_map(|found| {
            let (is_member, children) = rewrite(&found.element, found.is_member, &found.children);
            node(found, is_member, children)
        });
        FieldSet { nodes: nodes.collect() }
    }

    fn node(&self, element: &PathElement) -> Option<&Node> {
        let at = self.nodes.binary_search_by(|node| node.element.cmp(element)).ok()?;
        Some(&self.nodes[at])
    }

    fn node_mut(&mut self, element: &PathElement) -> &mut Node {
        let at = self.nodes.binary_search_by(|node| node.element.cmp(element)).unwrap_or_else(|at| {
            let (element, children) = (element.clone(), FieldSet::default());
            self.nodes.insert(at, Node { element, is_member: false, children });
            at
        });
        &mut self.nodes[at]
    }
}

fn node(like: &Node, is_member: bool, children: FieldSet) -> Option<Node> {
    (is_member || !children.is_empty()).then(|| Node { element: like.element.clone(), is_member, children })
}

/// Whether the container itself is a member, and what of it is.
fn decode_level(fields: &Value) -> Result<(bool, FieldSet), ElementError> {
    let object = match fields {
        Value::Object(object) => object,
        Value::Null => return Ok((true, FieldSet::default())),
        other => return Err(ElementError::Malformed { text: other.to_string(), reason: "expected object".to_owned() }),
    };
    let mut nodes = Vec::with_capacity(object.len());
    let mut is_member = object.is_empty();
    for (key, inner) in object {
        if key == SELF {
            is_member = true;
            continue;
        }
        let element = match PathElement::decode(key) {
            Ok(element) => element,
            Err(ElementError::UnknownKind) => continue,
            Err(error) => return Err(error),
        };
        let (is_member, children) = decode_level(inner)?;
        if is_member || !children.is_empty() {
            nodes.push(Node { element, is_member, children });
        }
    }
    Ok((is_member, ordered(nodes)))
}

/// A level's children in order, each once.
fn ordered(mut nodes: Vec<Node>) -> FieldSet {
    if !nodes.is_sorted_by(|left, right| left.element < right.element) {
        nodes.sort_by(|left, right| left.element.cmp(&right.element));
        nodes.dedup_by(|later, first| {
            let same = later.element == first.element;
            if same {
                first.is_member |= later.is_member;
                first.children = first.children.union(&later.children);
            }
            same
        });
    }
    FieldSet { nodes }
}

/// One level of a text: whether the container itself is a member, and what of it is. A key that cannot be read is told
/// beside the parser's own error.
struct Level<'a> {
    fault: &'a mut Option<ElementError>,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = (bool, FieldSet);

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = (bool, FieldSet);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok((true, FieldSet::default()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut nodes = Vec::new();
        let mut is_member = true;
        let mut is_empty = true;
        while let Some(key) = members.next_key_seed(Key)? {
            if std::mem::take(&mut is_empty) {
                is_member = false;
            }
            if key == SELF {
                members.next_value::<IgnoredAny>()?;
                is_member = true;
                continue;
            }
            match PathElement::decode(&key) {
                Ok(element) => {
                    let (is_member, children) = members.next_value_seed(Level { fault: &mut *self.fault })?;
                    if is_member || !children.is_empty() {
                        nodes.push(Node { element, is_member, children });
                    }
                }
                Err(ElementError::UnknownKind) => {
                    members.next_value::<IgnoredAny>()?;
                }
                Err(error) => {
                    let told = A::Error::custom(&error);
                    *self.fault = Some(error);
                    return Err(told);
                }
            }
        }
        Ok((is_member, ordered(nodes)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn set(fields: Value) -> FieldSet {
        FieldSet::decode(&fields).unwrap()
    }

    #[test]
    fn sets_are_written_in_order_with_their_containers() {
        let mixed = json!({
            "f:spec": {
                "f:ports": {
                    r#"k:{"port":8080}"#: {"f:port": {}, ".": {}},
                    r#"k:{"port":443}"#: {".": {}},
                    ".": {},
                    "z:later": {},
                },
                "f:a": {},
            },
            "f:metadata": {"f:finalizers": {r#"v:"x""#: {}}},
        });
        let ordered = set(mixed).encode().to_string();
        let expected = r#"{"f:metadata":{"f:finalizers":{"v:\"x\"":{}}},"f:spec":{"f:a":{},"f:ports":{".":{},"k:{\"port\":443}":{},"k:{\"port\":8080}":{".":{},"f:port":{}}}}}"#;
        assert_eq!(ordered, expected);
        let paths: Vec<String> = set(serde_json::from_str(expected).unwrap())
            .paths()
            .iter()
            .map(|path| super::super::path_text(path))
            .collect();
        assert_eq!(
            paths,
            [
                r#".metadata.finalizers[="x"]"#,
                ".spec.a",
                ".spec.ports",
                ".spec.ports[port=443]",
                ".spec.ports[port=8080]",
                ".spec.ports[port=8080].port"
            ]
        );
    }

    #[test]
    fn a_difference_is_of_members_unless_it_is_recursive() {
        let whole = set(json!({"f:status": {".": {}, "f:a": {}}, "f:spec": {"f:a": {}}}));
        let status = FieldSet::of_fields(&[&["status"]]);
        assert_eq!(whole.difference(&status).encode(), json!({"f:spec": {"f:a": {}}, "f:status": {"f:a": {}}}));
        assert_eq!(whole.recursive_difference(&status).encode(), json!({"f:spec": {"f:a": {}}}));
        assert_eq!(whole.intersection(&status).encode(), json!({"f:status": {}}));
        assert_eq!(
            whole.matching(&[&["*", "a"]]).encode(),
            json!({"f:spec": {"f:a": {}}, "f:status": {".": {}, "f:a": {}}})
        );
    }

    #[test]
    fn texts_are_read_as_trees_are() {
        for text in [
            r#"{"f:b":{},"f:a":{".":{},"f:c":{}},"z:later":{"anything":[]}}"#,
            r#"{"f:a":{"f:b":{}},"f:a":{"f:c":null}}"#,
            r#"{"f:say \"a\\b\"":{"k:{\"name\":\"x\"}":{},"v:1":{},"i:3":{}}}"#,
            "{}",
            "null",
        ] {
            let tree = FieldSet::decode(&serde_json::from_str(text).unwrap());
            // A map holds a key that stands twice once.
            if !text.contains("null}") {
                assert_eq!(FieldSet::from_text(text), tree, "{text}");
            }
        }
        assert_eq!(
            FieldSet::from_text(r#"{"f:a":{"f:b":{}},"f:a":{"f:c":null}}"#).unwrap().to_text(),
            r#"{"f:a":{"f:b":{},"f:c":{}}}"#
        );
        assert_eq!(FieldSet::from_text(r#"{"spec":{}}"#), FieldSet::decode(&json!({"spec": {}})));
        for broken in ["", "[]", r#""text""#, "{} {}", r#"{"f:a":1}"#] {
            assert!(FieldSet::from_text(broken).is_err(), "{broken}");
        }
    }

    fn sets() -> impl Strategy<Value = FieldSet> {
        let path = prop::collection::vec(
            prop_oneof![
                "[a-c]".prop_map(|name| PathElement::field(&name)),
                (0..3i64).prop_map(|number| PathElement::Value(json!(number)))
            ],
            1..4,
        );
        prop::collection::vec(path, 0..8).prop_map(|paths| {
            let mut set = FieldSet::default();
            for path in &paths {
                set.insert(path);
            }
            set
        })
    }

    proptest! {
        #[test]
        fn sets_obey_the_laws_of_sets(left in sets(), right in sets()) {
            let paths = |set: &FieldSet| set.paths().into_iter().collect::<std::collections::BTreeSet<_>>();
            let (l, r) = (paths(&left), paths(&right));
            prop_assert_eq!(paths(&left.union(&right)), l.union(&r).cloned().collect());
            prop_assert_eq!(paths(&left.intersection(&right)), l.intersection(&r).cloned().collect());
            prop_assert_eq!(paths(&left.difference(&right)), l.difference(&r).cloned().collect());
            prop_assert_eq!(FieldSet::decode(&left.encode()).unwrap(), left.clone());
            prop_assert_eq!(left.to_text(), left.encode().to_string());
            prop_assert_eq!(FieldSet::from_text(&left.to_text()).unwrap(), left.clone());
            prop_assert!(left.may_meet_text(&right.to_text()) || left.intersection(&right).is_empty());
            prop_assert!(l.iter().all(|path| left.contains(path)));
        }
    }
}
