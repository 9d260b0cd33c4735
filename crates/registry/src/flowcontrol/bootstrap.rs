//! The flows and priority levels every cluster has. Those that are mandatory keep their spec for ever;
//! the others are a suggestion.

use serde_json::{Value, json};

use crate::kind::Object;

/// Every default object with its plural.
pub fn objects() -> Vec<(&'static str, Value)> {
    let levels = LEVELS.iter().map(|level| ("prioritylevelconfigurations", level.object()));
    let schemas = SCHEMAS.iter().map(|schema| ("flowschemas", schema.object()));
    levels.chain(schemas).collect()
}

/// The spec that a mandatory FlowSchema of this name must have.
pub(super) fn mandatory_schema(name: &str) -> Option<Value> {
    SCHEMAS.iter().find(|schema| schema.name == name && MANDATORY.contains(&name)).map(Schema::spec)
}

/// The spec that a mandatory PriorityLevelConfiguration of this name must have.
pub(super) fn mandatory_level(name: &str) -> Option<Value> {
    LEVELS.iter().find(|level| level.name == name && MANDATORY.contains(&name)).map(Level::spec)
}

const MANDATORY: [&str; 2] = ["exempt", "catch-all"];

/// The kube-apiserver brings an object with this annotation back to its suggested spec.
const AUTOUPDATE: &str = "apf.kubernetes.io/autoupdate-spec";

struct Level {
    name: &'static str,
    shares: u32,
    lendable_percent: u32,
    /// Queues and hand size; `None` refuses what does not fit.
    queues: Option<(u32, u32)>,
}

const QUEUE_LENGTH: u32 = 50;

#[rustfmt::skip]
static LEVELS: &[Level] = &[
    Level { name: "exempt", shares: 0, lendable_percent: 0, queues: None },
    Level { name: "catch-all", shares: 5, lendable_percent: 0, queues: None },
    Level { name: "system", shares: 30, lendable_percent: 33, queues: Some((64, 6)) },
    Level { name: "node-high", shares: 40, lendable_percent: 25, queues: Some((64, 6)) },
    Level { name: "leader-election", shares: 10, lendable_percent: 0, queues: Some((16, 4)) },
    Level { name: "workload-high", shares: 40, lendable_percent: 50, queues: Some((128, 6)) },
    Level { name: "workload-low", shares: 100, lendable_percent: 90, queues: Some((128, 6)) },
    Level { name: "global-default", shares: 20, lendable_percent: 50, queues: Some((128, 6)) },
];

impl Level {
    fn object(&self) -> Value {
        json!({ "metadata": described(self.name), "spec": self.spec() })
    }

    fn spec(&self) -> Value {
        let mut limits = json!({ "nominalConcurrencyShares": self.shares, "lendablePercent": self.lendable_percent });
        if self.name == "exempt" {
            return json!({ "type": "Exempt", "exempt": limits });
        }
        limits["limitResponse"] = match self.queues {
            None => json!({ "type": "Reject" }),
            Some((queues, hand_size)) => json!({
                "type": "Queue",
                "queuing": { "queues": queues, "handSize": hand_size, "queueLengthLimit": QUEUE_LENGTH },
            }),
        };
        json!({ "type": "Limited", "limited": limits })
    }
}

struct Schema {
    name: &'static str,
    level: &'static str,
    precedence: u32,
    /// Which requests count as one flow: `ByUser`, `ByNamespace`, or empty for all.
    distinguisher: &'static str,
    subjects: &'static [Subject],
    requests: Requests,
}

enum Subject {
    User(&'static str),
    Group(&'static str),
    /// A service account of `kube-system`.
    Account(&'static str),
}

enum Requests {
    All,
    /// `get` of these paths.
    Paths(&'static [&'static str]),
    Resources(&'static [Resources]),
}

struct Resources {
    verbs: &'static [&'static str],
    group: &'static str,
    resources: &'static [&'static str],
    cluster_scope: bool,
}

use Subject::{Account, Group, User};

const ANYONE: &[Subject] = &[Group("system:unauthenticated"), Group("system:authenticated")];
const READ_WRITE: &[&str] = &["get", "create", "update"];
const LEASES: Resources =
    Resources { verbs: READ_WRITE, group: "coordination.k8s.io", resources: &["leases"], cluster_scope: false };

static SCHEMAS: &[Schema] = &[
    Schema {
        name: "exempt",
        level: "exempt",
        precedence: 1,
        distinguisher: "",
        subjects: &[Group("system:masters")],
        requests: Requests::All,
    },
    Schema {
        name: "catch-all",
        level: "catch-all",
        precedence: 10_000,
        distinguisher: "ByUser",
        subjects: ANYONE,
        requests: Requests::All,
    },
    Schema {
        name: "probes",
        level: "exempt",
        precedence: 2,
        distinguisher: "",
        subjects: ANYONE,
        requests: Requests::Paths(&["/healthz", "/readyz", "/livez"]),
    },
    Schema {
        name: "system-leader-election",
        level: "leader-election",
        precedence: 100,
        distinguisher: "ByUser",
        subjects: &[User("system:kube-controller-manager"), User("system:kube-scheduler"), Account("*")],
        requests: Requests::Resources(&[LEASES]),
    },
    Schema {
        name: "endpoint-controller",
        level: "workload-high",
        precedence: 150,
        distinguisher: "ByUser",
        subjects: &[
            User("system:kube-controller-manager"),
            Account("endpoint-controller"),
            Account("endpointslicemirroring-controller"),
        ],
        requests: Requests::Resources(&[Resources {
            verbs: READ_WRITE,
            group: "",
            resources: &["endpoints"],
            cluster_scope: false,
        }]),
    },
    Schema {
        name: "workload-leader-election",
        level: "leader-election",
        precedence: 200,
        distinguisher: "ByUser",
        subjects: &[Account("*")],
        requests: Requests::Resources(&[
            Resources { verbs: READ_WRITE, group: "", resources: &["endpoints", "configmaps"], cluster_scope: false },
            LEASES,
        ]),
    },
    Schema {
        name: "system-node-high",
        level: "node-high",
        precedence: 400,
        distinguisher: "ByUser",
        subjects: &[Group("system:nodes")],
        requests: Requests::Resources(&[
            Resources { verbs: &["*"], group: "", resources: &["nodes", "nodes/status"], cluster_scope: true },
            Resources { verbs: &["*"], ..LEASES },
        ]),
    },
    Schema {
        name: "system-nodes",
        level: "system",
        precedence: 500,
        distinguisher: "ByUser",
        subjects: &[Group("system:nodes")],
        requests: Requests::All,
    },
    Schema {
        name: "kube-controller-manager",
        level: "workload-high",
        precedence: 800,
        distinguisher: "ByNamespace",
        subjects: &[User("system:kube-controller-manager")],
        requests: Requests::All,
    },
    Schema {
        name: "kube-scheduler",
        level: "workload-high",
        precedence: 800,
        distinguisher: "ByNamespace",
        subjects: &[User("system:kube-scheduler")],
        requests: Requests::All,
    },
    Schema {
        name: "kube-system-service-accounts",
        level: "workload-high",
        precedence: 900,
        distinguisher: "ByNamespace",
        subjects: &[Account("*")],
        requests: Requests::All,
    },
    Schema {
        name: "service-accounts",
        level: "workload-low",
        precedence: 9_000,
        distinguisher: "ByUser",
        subjects: &[Group("system:serviceaccounts")],
        requests: Requests::All,
    },
    Schema {
        name: "global-default",
        level: "global-default",
        precedence: 9_900,
        distinguisher: "ByUser",
        subjects: ANYONE,
        requests: Requests::All,
    },
];

impl Schema {
    /// With the condition that says its level exists: it does.
    fn object(&self) -> Value {
        let level = self.level;
        let message =
            format!("This FlowSchema references the PriorityLevelConfiguration object named {level:?} and it exists");
        let found = json!({ "type": "Dangling", "status": "False", "reason": "Found", "message": message });
        json!({ "metadata": described(self.name), "spec": self.spec(), "status": { "conditions": [found] } })
    }

    fn spec(&self) -> Value {
        let mut spec = json!({
            "matchingPrecedence": self.precedence,
            "priorityLevelConfiguration": { "name": self.level },
        });
        if !self.distinguisher.is_empty() {
            spec["distinguisherMethod"] = json!({ "type": self.distinguisher });
        }
        let mut rule = Object::new();
        match &self.requests {
            Requests::All => {
                rule.insert("nonResourceRules".to_owned(), json!([{ "nonResourceURLs": ["*"], "verbs": ["*"] }]));
                rule.insert(
                    "resourceRules".to_owned(),
                    json!([{
                        "apiGroups": ["*"],
                        "clusterScope": true,
                        "namespaces": ["*"],
                        "resources": ["*"],
                        "verbs": ["*"],
                    }]),
                );
            }
            Requests::Paths(paths) => {
                rule.insert("nonResourceRules".to_owned(), json!([{ "nonResourceURLs": paths, "verbs": ["get"] }]));
            }
            Requests::Resources(rules) => {
                let rules: Vec<Value> = rules.iter().map(Resources::rule).collect();
                rule.insert("resourceRules".to_owned(), Value::from(rules));
            }
        }
        let subjects: Vec<Value> = self.subjects.iter().map(Subject::value).collect();
        rule.insert("subjects".to_owned(), Value::from(subjects));
        spec["rules"] = json!([rule]);
        spec
    }
}

impl Resources {
    fn rule(&self) -> Value {
        let mut rule = json!({
            "apiGroups": [self.group],
            "namespaces": ["*"],
            "resources": self.resources,
            "verbs": self.verbs,
        });
        if self.cluster_scope {
            rule["clusterScope"] = Value::from(true);
        }
        rule
    }
}

impl Subject {
    fn value(&self) -> Value {
        match self {
            User(name) => json!({ "kind": "User", "user": { "name": name } }),
            Group(name) => json!({ "kind": "Group", "group": { "name": name } }),
            Account(name) => {
                json!({ "kind": "ServiceAccount", "serviceAccount": { "name": name, "namespace": "kube-system" } })
            }
        }
    }
}

fn described(name: &str) -> Value {
    json!({ "name": name, "annotations": { AUTOUPDATE: "true" } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flowcontrol::flow_schema::FLOW_SCHEMA;
    use crate::flowcontrol::priority_level_configuration::PRIORITY_LEVEL_CONFIGURATION;

    #[test]
    fn every_default_is_whole_valid_and_bound_to_a_level_that_exists() {
        let all = objects();
        assert_eq!(all.len(), 21);
        for (plural, object) in all {
            let Value::Object(object) = object else { panic!("an object") };
            let kind = if plural == "flowschemas" { &FLOW_SCHEMA } else { &PRIORITY_LEVEL_CONFIGURATION };
            let mut defaulted = object.clone();
            kind.rules.default(&mut defaulted);
            assert_eq!(defaulted, object);
            assert_eq!(kind.rules.validate(&object, None), []);
        }
        for schema in SCHEMAS {
            assert!(LEVELS.iter().any(|level| level.name == schema.level), "{}", schema.name);
        }
    }
}
