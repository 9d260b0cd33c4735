use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::path_text;
use super::*;
use crate::schema::lookup;

/// One version only.
struct Single(&'static str, &'static Type);

impl Versions for Single {
    fn r#type(&self, api_version: &str) -> Option<&'static Type> {
        (api_version == self.0).then_some(self.1)
    }

    fn convert(&self, object: &Object, _from: &str, to: &str) -> Option<Object> {
        (to == self.0).then(|| object.clone())
    }
}

/// An object and its managers, written to under changing names.
struct Live {
    versions: Single,
    object: Object,
    managed: ManagedFields,
    clock: u32,
}

const NONE: Resets = Resets::Excluding(&[]);

impl Live {
    fn new(version: &'static str, group: &str, kind: &str) -> Self {
        let r#type = lookup(group, "v1", kind).unwrap();
        Live { versions: Single(version, r#type), object: Object::new(), managed: ManagedFields::default(), clock: 0 }
    }

    fn deployment() -> Self {
        Live::new("apps/v1", "apps", "Deployment")
    }

    fn write<T>(
        &mut self,
        manager: &str,
        subresource: &str,
        resets: Resets,
        run: impl FnOnce(&mut Self, Tracking<'_>) -> T,
    ) -> T {
        self.clock += 1;
        let now = format!("2030-01-01T00:00:{:02}Z", self.clock % 60);
        let (version, r#type) = (self.versions.0, self.versions.1);
        let versions = Single(version, r#type);
        run(self, Tracking { versions: &versions, api_version: version, manager, subresource, now: &now, resets })
    }

    fn apply_with(&mut self, manager: &str, config: &Value, force: bool) -> Result<(), String> {
        self.write(manager, "", NONE, |live, tracking| {
            let applied = tracking.apply(&live.object, &object(config), live.managed.clone(), force);
            let applied = applied.map_err(|error| error.to_string())?;
            (live.object, live.managed) = (applied.object, reread(applied.managed));
            Ok(())
        })
    }

    fn apply(&mut self, manager: &str, config: Value) -> Result<(), String> {
        self.apply_with(manager, &config, false)
    }

    fn update(&mut self, manager: &str, new: Value) {
        self.update_at(manager, "", NONE, new);
    }

    fn update_at(&mut self, manager: &str, subresource: &str, resets: Resets, new: Value) {
        let new = object(&new);
        self.write(manager, subresource, resets, |live, tracking| {
            live.managed = reread(tracking.update(&live.object, &new, live.managed.clone()));
            live.object = new;
        });
    }

    /// `manager operation: field field`, in the order they are written.
    fn owners(&self) -> Vec<String> {
        let Some(Value::Array(entries)) = self.managed.clone().encode() else { return Vec::new() };
        let text = |entry: &Value| {
            let fields = FieldSet::decode(&entry["fieldsV1"]).unwrap();
            let fields: Vec<String> = fields.paths().iter().map(|path| path_text(path)).collect();
            let subresource = entry["subresource"].as_str().map_or(String::new(), |name| format!("/{name}"));
            let (manager, operation) = (entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap());
            format!("{manager} {operation}{subresource}: {}", fields.join(" "))
        };
        entries.iter().map(text).collect()
    }

    /// The object as it is stored: without nulls and what Go does not write.
    fn stored(&self) -> Value {
        let mut object = self.object.clone();
        crate::schema::conform(&mut object, self.versions.1, &mut Vec::new()).unwrap();
        Value::Object(object)
    }

    fn whole(&self) -> Value {
        Value::Object(self.object.clone())
    }

    fn owned(&self) -> FieldSet {
        self.managed.entries().iter().fold(FieldSet::default(), |all, entry| all.union(&entry.set()))
    }

    fn times(&self) -> Vec<Value> {
        let entries = self.managed.clone().encode().unwrap_or(json!([]));
        entries.as_array().unwrap().iter().map(|entry| entry["time"].clone()).collect()
    }
}

/// As it is when it was stored and read again.
fn reread(managed: ManagedFields) -> ManagedFields {
    ManagedFields::stored(managed.encode())
}

fn object(value: &Value) -> Object {
    let Value::Object(object) = value else { panic!("an object") };
    object.clone()
}

fn replicas(count: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": count}})
}

#[test]
fn a_field_of_another_is_a_conflict_unless_it_is_equal_or_forced() {
    let mut live = Live::deployment();
    live.apply("one", replicas(1)).unwrap();
    assert_eq!(live.owners(), ["one Apply: .spec.replicas"]);
    live.apply("two", replicas(1)).unwrap();
    assert_eq!(live.owners(), ["two Apply: .spec.replicas", "one Apply: .spec.replicas"], "shared, and unchanged");
    let refused = live.apply("one", replicas(2)).unwrap_err();
    assert_eq!(refused, "Apply failed with 1 conflict: conflict with \"two\": .spec.replicas");
    live.apply_with("one", &replicas(2), true).unwrap();
    assert_eq!(
        (live.owners(), &live.object["spec"]["replicas"]),
        (vec!["one Apply: .spec.replicas".to_owned()], &json!(2))
    );
    live.update("kubectl", replicas(3));
    assert_eq!(live.owners(), ["kubectl Update: .spec.replicas"]);
    let refused = live.apply("one", replicas(2)).unwrap_err();
    assert_eq!(refused, "Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: .spec.replicas");
}

#[test]
fn what_is_applied_no_more_goes_unless_another_owns_it() {
    let config = |labels: Value, containers: Value| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "labels": labels},
            "spec": {"template": {"spec": {"containers": containers}}}})
    };
    let mut live = Live::deployment();
    live.apply("one", config(json!({"a": "1", "b": "1"}), json!([{"name": "x", "image": "i"}, {"name": "y"}])))
        .unwrap();
    live.apply("two", config(json!({"b": "1"}), json!([{"name": "y", "image": "j"}]))).unwrap();
    live.apply("one", config(json!({}), json!([]))).unwrap();
    assert_eq!(live.object["metadata"]["labels"], json!({"b": "1"}));
    assert_eq!(live.object["spec"]["template"]["spec"]["containers"], json!([{"name": "y", "image": "j"}]));
    live.apply("two", json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}})).unwrap();
    assert_eq!(live.stored(), json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}));
    assert_eq!(live.owners(), ["one Apply: .metadata.labels"]);
}

#[test]
fn what_another_writer_set_within_an_item_goes_with_the_item() {
    let config = |containers: Value| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"containers": containers}}}})
    };
    let mut live = Live::deployment();
    live.apply("one", config(json!([{"name": "x", "image": "i"}, {"name": "y"}]))).unwrap();
    live.update("other", config(json!([{"name": "x", "image": "i", "stdin": true}, {"name": "y", "tty": true}])));
    live.apply("one", config(json!([{"name": "x"}]))).unwrap();
    // The image was the first's own. Nobody else had the item `y`: it takes with it what the other set there.
    assert_eq!(live.stored()["spec"]["template"]["spec"]["containers"], json!([{"name": "x", "stdin": true}]));
    assert_eq!(
        live.owners(),
        [
            r#"one Apply: .spec.template.spec.containers[name="x"] .spec.template.spec.containers[name="x"].name"#,
            r#"other Update: .spec.template.spec.containers[name="x"].stdin"#
        ]
    );
}

#[test]
fn updates_own_what_they_change_and_leave_what_others_own() {
    let mut live = Live::deployment();
    live.update(
        "creator",
        json!({"metadata": {"name": "a", "labels": {"a": "1", "b": "1"}}, "spec": {"replicas": 1, "paused": true}}),
    );
    live.object.insert("metadata".to_owned(), json!({"name": "a", "uid": "u", "labels": {"a": "1", "b": "1"}}));
    assert_eq!(
        live.owners(),
        ["creator Update: .metadata.labels .metadata.labels.a .metadata.labels.b .spec.paused .spec.replicas"]
    );
    let before = live.times();
    let same = Value::Object(live.object.clone());
    live.update("other", same);
    assert_eq!((live.times(), live.owners().len()), (before, 1), "nothing changed");
    live.update(
        "other",
        json!({"metadata": {"name": "a", "uid": "u", "labels": {"a": "2"}}, "spec": {"replicas": 1, "paused": true}}),
    );
    assert_eq!(
        live.owners(),
        ["creator Update: .metadata.labels .spec.paused .spec.replicas", "other Update: .metadata.labels.a"]
    );
    live.update(
        "creator",
        json!({"metadata": {"name": "a", "uid": "u", "labels": {"a": "2"}}, "spec": {"replicas": 5, "paused": true}}),
    );
    assert_eq!(
        live.owners(),
        ["other Update: .metadata.labels.a", "creator Update: .metadata.labels .spec.paused .spec.replicas"]
    );
}

#[test]
fn what_an_endpoint_resets_is_owned_through_another() {
    const STATUS: Resets = Resets::Excluding(&[&["status"]]);
    const SPEC: Resets = Resets::Excluding(&[&["spec"]]);
    let mut live = Live::deployment();
    live.update_at(
        "user",
        "",
        STATUS,
        json!({"metadata": {"name": "a", "uid": "u"}, "spec": {"replicas": 1}, "status": {"replicas": 9}}),
    );
    assert_eq!(live.owners(), ["user Update: .spec.replicas"]);
    live.update_at(
        "controller",
        "status",
        SPEC,
        json!({"metadata": {"name": "a", "uid": "u"}, "spec": {"replicas": 2}, "status": {"replicas": 1}}),
    );
    live.update_at("user", "", STATUS, json!({"metadata": {"name": "a", "uid": "u"}, "spec": {"replicas": 3}}));
    assert_eq!(live.owners(), ["controller Update/status: .status.replicas", "user Update: .spec.replicas"]);
}

#[test]
fn managers_forgotten_stay_so_until_somebody_applies() {
    let mut live = Live::deployment();
    live.object = object(&json!({"metadata": {"name": "a", "uid": "u"}, "spec": {"replicas": 1}}));
    live.update("user", json!({"metadata": {"name": "a", "uid": "u"}, "spec": {"replicas": 2}}));
    assert_eq!(live.owners(), [""; 0]);
    let refused = live.apply("one", replicas(3)).unwrap_err();
    assert_eq!(
        refused,
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using apps/v1: .spec.replicas"
    );
    live.apply_with("one", &replicas(3), true).unwrap();
    assert_eq!(live.owners(), ["one Apply: .spec.replicas"]);
}

#[test]
fn kubectl_takes_over_what_client_side_apply_set() {
    let applied =
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":1,"paused":true}}"#;
    let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    let mut live = Live::deployment();
    live.update(
        "kubectl-client-side-apply",
        json!({"metadata": {"name": "a", "annotations": annotations}, "spec": {"replicas": 1, "paused": true}}),
    );
    live.apply("kubectl", replicas(2)).unwrap();
    assert_eq!(live.object["spec"]["replicas"], 2);
    let text =
        live.object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].as_str().unwrap();
    assert_eq!(
        text,
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"replicas\":2}}\n"
    );
    let other = live.apply("other", replicas(7)).unwrap_err();
    assert!(other.contains("conflict with \"kubectl\": .spec.replicas"), "{other}");
}

#[test]
fn a_configuration_that_does_not_fit_is_refused() {
    let mut live = Live::deployment();
    let twice = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}});
    let expected = ".spec.template.spec.containers: duplicate entries for key [name=\"a\"]";
    assert_eq!(live.apply("one", twice), Err(expected.to_owned()));
}

fn configs() -> impl Strategy<Value = Value> {
    let labels = prop::collection::btree_map("[a-c]", "[xy]", 0..3);
    let containers = prop::collection::btree_map(
        "[a-c]",
        (prop::option::of("[xy]"), prop::collection::btree_set(80u16..83, 0..3)),
        0..3,
    );
    let finalizers = prop::collection::btree_set("[f-h]", 0..3);
    (labels, containers, finalizers, prop::option::of(0..3u32)).prop_map(
        |(labels, containers, finalizers, replicas)| {
            let containers: Vec<Value> = containers
                .into_iter()
                .map(|(name, (image, ports))| {
                    let ports: Vec<Value> = ports.into_iter().map(|port| json!({"containerPort": port})).collect();
                    let mut container = json!({"name": name});
                    if let Some(image) = image {
                        container["image"] = json!(image);
                    }
                    if !ports.is_empty() {
                        container["ports"] = json!(ports);
                    }
                    container
                })
                .collect();
            let mut config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"containers": containers}}}});
            if !labels.is_empty() {
                config["metadata"]["labels"] = json!(labels);
            }
            if !finalizers.is_empty() {
                config["metadata"]["finalizers"] = json!(finalizers);
            }
            if let Some(replicas) = replicas {
                config["spec"]["replicas"] = json!(replicas);
            }
            config
        },
    )
}

/// Whether every field of the configuration stands in the object as it was applied.
fn holds(object: &Object, config: &Value, r#type: &'static Type) -> bool {
    let merged = merge(object, &self::object(config), r#type);
    compare(object, &merged, r#type).is_empty()
}

/// Without what nobody owns.
fn fields(object: &Value, r#type: &'static Type) -> FieldSet {
    field_set(&self::object(object), r#type).difference(&FieldSet::of_fields(BOOKKEEPING))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Applying twice is applying once; what was applied is there and owned; nobody else's field went.
    #[test]
    fn applying_keeps_its_laws(first in configs(), second in configs(), third in configs()) {
        let mut live = Live::deployment();
        let r#type = live.versions.1;
        live.apply("one", first.clone()).unwrap();
        prop_assert!(holds(&live.object, &first, r#type));
        live.apply_with("two", &second, true).unwrap();
        prop_assert!(holds(&live.object, &second, r#type));
        let (object_before, owners_before, times_before) = (live.object.clone(), live.owners(), live.times());
        live.apply_with("two", &second, true).unwrap();
        prop_assert_eq!((&live.object, live.owners(), live.times()), (&object_before, owners_before, times_before));

        let owned_by_other = live.managed.entries().iter().filter(|entry| entry.manager.name == "one")
            .fold(FieldSet::default(), |all, entry| all.union(&entry.set()));
        live.apply_with("two", &third, true).unwrap();
        prop_assert!(holds(&live.object, &third, r#type));
        let owned = live.owned();
        prop_assert!(fields(&third, r#type).difference(&owned).is_empty());
        // Only appliers wrote: what nobody applies any more is gone, and what the first applied is there or was taken.
        let stored = live.stored();
        let unowned = fields(&stored, r#type).difference(&owned);
        prop_assert!(unowned.is_empty(), "{:?}", unowned.encode());
        prop_assert!(owned_by_other.difference(&fields(&stored, r#type)).difference(&fields(&live.whole(), r#type)).is_empty());
    }

    /// Every field of an object that was created is owned, and an update owns exactly what it changed.
    #[test]
    fn updates_own_exactly_what_they_change(first in configs(), second in configs()) {
        let mut live = Live::deployment();
        let r#type = live.versions.1;
        live.update("one", first.clone());
        live.update("two", second.clone());
        let changes = compare(&object(&first), &object(&second), r#type);
        let second_owner = live.managed.entries().iter().find(|entry| entry.manager.name == "two");
        let owned = second_owner.map_or_else(FieldSet::default, Entry::set);
        prop_assert_eq!(owned, changes.set());
        let all = live.owned();
        prop_assert!(all.intersection(&changes.removed).is_empty());
        prop_assert!(compare(&Object::new(), &object(&second), r#type).set().difference(&all).is_empty());
    }
}
