//! The default roles, as tables.

/// One rule. Lists are words in a row; `core` names the group without a name.
pub(super) enum Grant {
    On { groups: &'static str, resources: &'static str, verbs: &'static str },
    Named { groups: &'static str, resources: &'static str, names: &'static str, verbs: &'static str },
    Paths { paths: &'static str, verbs: &'static str },
}

pub(super) struct ClusterRole {
    pub(super) name: &'static str,
    /// Labels with the value `true`, by which aggregates select.
    pub(super) labels: &'static [&'static str],
    pub(super) rules: &'static [Grant],
}

pub(super) struct Binding {
    pub(super) name: &'static str,
    pub(super) role: &'static str,
    pub(super) subjects: &'static [Who],
}

pub(super) struct NamespacedRole {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) rules: &'static [Grant],
    pub(super) subjects: &'static [Who],
}

pub(super) enum Who {
    User(&'static str),
    Group(&'static str),
    /// Namespace and name.
    Account(&'static str, &'static str),
}

const READ: &str = "get list watch";
const WRITE: &str = "create delete deletecollection patch update";
const ALL: &str = "create delete deletecollection get list patch update watch";

const fn on(groups: &'static str, resources: &'static str, verbs: &'static str) -> Grant {
    Grant::On { groups, resources, verbs }
}

const fn named(groups: &'static str, resources: &'static str, names: &'static str, verbs: &'static str) -> Grant {
    Grant::Named { groups, resources, names, verbs }
}

const fn paths(paths: &'static str, verbs: &'static str) -> Grant {
    Grant::Paths { paths, verbs }
}

const EVENTS: Grant = on("core events.k8s.io", "events", "create patch update");

const TO_ADMIN: &[&str] = &["rbac.authorization.k8s.io/aggregate-to-admin"];
const TO_EDIT: &[&str] = &["rbac.authorization.k8s.io/aggregate-to-edit"];
const TO_VIEW: &[&str] = &["rbac.authorization.k8s.io/aggregate-to-view"];
const TO_ALL: &[&str] = &[TO_ADMIN[0], TO_EDIT[0], TO_VIEW[0]];

/// Roles gathered from those that carry a label of their name.
pub(super) const AGGREGATED: &[&str] = &["admin", "edit", "view"];

#[rustfmt::skip]
pub(super) const CLUSTER_ROLES: &[ClusterRole] = &[
    ClusterRole { name: "cluster-admin", labels: &[], rules: &[on("*", "*", "*"), paths("*", "*")] },
    ClusterRole { name: "system:discovery", labels: &[], rules: &[
        paths("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/", "get"),
    ] },
    ClusterRole { name: "system:public-info-viewer", labels: &[], rules: &[
        paths("/healthz /livez /readyz /version /version/", "get"),
    ] },
    ClusterRole { name: "system:monitoring", labels: &[], rules: &[
        paths("/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*", "get"),
    ] },
    ClusterRole { name: "system:basic-user", labels: &[], rules: &[
        on("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
        on("authentication.k8s.io", "selfsubjectreviews", "create"),
    ] },
    ClusterRole { name: "system:service-account-issuer-discovery", labels: &[], rules: &[
        paths("/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/", "get"),
    ] },
    ClusterRole { name: "system:auth-delegator", labels: &[], rules: &[
        on("authentication.k8s.io", "tokenreviews", "create"),
        on("authorization.k8s.io", "subjectaccessreviews", "create"),
    ] },
    ClusterRole { name: "system:kubelet-api-admin", labels: &[], rules: &[
        on("core", "nodes", "get list watch proxy"),
        on("core", "nodes/log nodes/metrics nodes/proxy nodes/stats nodes/pods nodes/healthz nodes/configz", "*"),
    ] },
    ClusterRole { name: "system:persistent-volume-provisioner", labels: &[], rules: &[
        on("core", "persistentvolumes", "create delete get list watch"),
        on("core", "persistentvolumeclaims", "get list update watch"),
        on("storage.k8s.io", "storageclasses", READ),
        on("core", "events", "create get list patch update watch"),
    ] },
    ClusterRole { name: "system:aggregate-to-admin", labels: TO_ADMIN, rules: &[
        on("authorization.k8s.io", "localsubjectaccessreviews", "create"),
        on("rbac.authorization.k8s.io", "roles rolebindings", ALL),
    ] },
    ClusterRole { name: "system:aggregate-to-edit", labels: TO_EDIT, rules: &[
        on("core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", READ),
        on("core", "serviceaccounts", "impersonate"),
        on("core", "pods pods/attach pods/exec pods/portforward pods/proxy", WRITE),
        on("core", "pods/eviction", "create"),
        on("core", "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy", WRITE),
        on("core", "serviceaccounts/token", "create"),
        on("apps", "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale", WRITE),
        on("autoscaling", "horizontalpodautoscalers", WRITE),
        on("batch", "cronjobs jobs", WRITE),
        on("extensions", "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale", WRITE),
        on("policy", "poddisruptionbudgets", WRITE),
        on("networking.k8s.io", "ingresses networkpolicies", WRITE),
        on("coordination.k8s.io", "leases", "create delete deletecollection get list patch update watch"),
    ] },
    ClusterRole { name: "system:aggregate-to-view", labels: TO_VIEW, rules: &[
        on("core", "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status", READ),
        on("core", "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status", READ),
        on("core", "namespaces", READ),
        on("discovery.k8s.io", "endpointslices", READ),
        on("apps", "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status", READ),
        on("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", READ),
        on("batch", "cronjobs cronjobs/status jobs jobs/status", READ),
        on("extensions", "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale", READ),
        on("policy", "poddisruptionbudgets poddisruptionbudgets/status", READ),
        on("networking.k8s.io", "ingresses ingresses/status networkpolicies", READ),
    ] },
    // What upstream's metrics server and its metrics adapter bring along; here their work is built in.
    ClusterRole { name: "system:aggregated-metrics-reader", labels: TO_ALL, rules: &[
        on("metrics.k8s.io", "nodes pods", READ),
    ] },
    ClusterRole { name: "custom-metrics-server-resources", labels: &[], rules: &[
        on("custom.metrics.k8s.io external.metrics.k8s.io", "*", "*"),
    ] },
    // Kubelets are granted by the node authoriser; the role is there for those who bind it themselves.
    ClusterRole { name: "system:node", labels: &[], rules: &[
        on("authentication.k8s.io", "tokenreviews", "create"),
        on("authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews", "create"),
        on("core", "services", READ),
        on("core", "nodes", "create get list watch"),
        on("core", "nodes/status", "patch update"),
        on("core", "nodes", "patch update"),
        EVENTS,
        on("core", "pods", READ),
        on("core", "pods", "create delete"),
        on("core", "pods/status", "patch update"),
        on("core", "pods/eviction", "create"),
        on("core", "configmaps secrets", READ),
        on("core", "persistentvolumeclaims persistentvolumes", "get"),
        on("core", "endpoints", "get"),
        on("core", "persistentvolumeclaims/status", "get patch update"),
        on("certificates.k8s.io", "certificatesigningrequests", "create get list watch"),
        on("coordination.k8s.io", "leases", "create delete get patch update"),
        on("storage.k8s.io", "volumeattachments", "get"),
        on("core", "serviceaccounts/token", "create"),
        on("storage.k8s.io", "csidrivers", READ),
        on("storage.k8s.io", "csinodes", "create delete get patch update"),
        on("node.k8s.io", "runtimeclasses", READ),
    ] },
    ClusterRole { name: "system:node-problem-detector", labels: &[], rules: &[
        on("core", "nodes", "get"),
        on("core", "nodes/status", "patch"),
        EVENTS,
    ] },
    ClusterRole { name: "system:node-proxier", labels: &[], rules: &[
        on("core", "endpoints services", "list watch"),
        on("core", "nodes", READ),
        EVENTS,
        on("discovery.k8s.io", "endpointslices", "list watch"),
    ] },
    ClusterRole { name: "system:node-bootstrapper", labels: &[], rules: &[
        on("certificates.k8s.io", "certificatesigningrequests", "create get list watch"),
    ] },
    ClusterRole { name: "system:kube-scheduler", labels: &[], rules: &[
        EVENTS,
        on("coordination.k8s.io", "leases", "create get list patch update watch"),
        on("core", "nodes", READ),
        on("core", "pods", "delete get list watch"),
        on("core", "bindings pods/binding", "create"),
        on("core", "pods/status", "patch update"),
        on("core", "namespaces replicationcontrollers services persistentvolumes", READ),
        on("core", "persistentvolumeclaims", "get list patch update watch"),
        on("apps", "replicasets statefulsets", READ),
        on("policy", "poddisruptionbudgets", READ),
        on("scheduling.k8s.io", "priorityclasses", READ),
        on("storage.k8s.io", "csidrivers csinodes csistoragecapacities storageclasses volumeattachments", READ),
        on("authentication.k8s.io", "tokenreviews", "create"),
        on("authorization.k8s.io", "subjectaccessreviews", "create"),
    ] },
    ClusterRole { name: "system:volume-scheduler", labels: &[], rules: &[
        on("core", "persistentvolumes", "get list patch update watch"),
        on("core", "persistentvolumeclaims", "get list patch update watch"),
        on("storage.k8s.io", "storageclasses", READ),
    ] },
    ClusterRole { name: "system:kube-controller-manager", labels: &[], rules: &[
        EVENTS,
        on("coordination.k8s.io", "leases", "create get list patch update watch"),
        on("core", "secrets serviceaccounts", "create"),
        on("core", "secrets", "delete get update"),
        on("core", "configmaps namespaces serviceaccounts", "get"),
        on("core", "secrets serviceaccounts", "update"),
        on("authentication.k8s.io", "tokenreviews", "create"),
        on("authorization.k8s.io", "subjectaccessreviews", "create"),
        on("*", "*", "list watch"),
        on("core", "serviceaccounts/token", "create"),
    ] },
    ClusterRole { name: "system:kube-dns", labels: &[], rules: &[
        on("core", "endpoints services", "list watch"),
    ] },
    ClusterRole { name: "system:coredns", labels: &[], rules: &[
        on("core", "endpoints namespaces pods services", "list watch"),
        on("core", "nodes", "get list watch"),
        on("discovery.k8s.io", "endpointslices", "list watch"),
        EVENTS,
    ] },
    ClusterRole { name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient", labels: &[], rules: &[
        on("certificates.k8s.io", "certificatesigningrequests/nodeclient", "create"),
    ] },
    ClusterRole { name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", labels: &[], rules: &[
        on("certificates.k8s.io", "certificatesigningrequests/selfnodeclient", "create"),
    ] },
];

/// The controllers' own roles: each is bound to the service account of its name in kube-system.
#[rustfmt::skip]
pub(super) const CONTROLLERS: &[(&str, &[Grant])] = &[
    ("attachdetach-controller", &[
        on("core", "persistentvolumeclaims persistentvolumes", "list watch"),
        on("core", "nodes", READ),
        on("core", "nodes/status", "patch update"),
        on("core", "pods", "list watch"),
        on("storage.k8s.io", "volumeattachments", "create delete get list patch update watch"),
        on("storage.k8s.io", "csidrivers csinodes", READ),
        EVENTS,
    ]),
    ("certificate-controller", &[
        on("certificates.k8s.io", "certificatesigningrequests", "delete get list watch"),
        on("certificates.k8s.io", "certificatesigningrequests/approval certificatesigningrequests/status", "update"),
        on("certificates.k8s.io", "signers", "approve sign"),
        on("authorization.k8s.io", "subjectaccessreviews", "create"),
        EVENTS,
    ]),
    ("clusterrole-aggregation-controller", &[
        on("rbac.authorization.k8s.io", "clusterroles", "escalate get list patch update watch"),
    ]),
    ("cronjob-controller", &[
        on("batch", "cronjobs", "get list update watch"),
        on("batch", "jobs", "create delete get list patch update watch"),
        on("batch", "cronjobs/status cronjobs/finalizers", "update"),
        on("core", "pods", "delete list"),
        EVENTS,
    ]),
    ("daemon-set-controller", &[
        on("apps extensions", "daemonsets", READ),
        on("apps extensions", "daemonsets/status daemonsets/finalizers", "patch update"),
        on("core", "nodes", "list watch"),
        on("core", "pods", "create delete get list patch watch"),
        on("core", "pods/binding", "create"),
        on("apps", "controllerrevisions", "create delete get list patch update watch"),
        EVENTS,
    ]),
    ("deployment-controller", &[
        on("apps extensions", "deployments", "get list update watch"),
        on("apps extensions", "deployments/status deployments/finalizers", "patch update"),
        on("apps extensions", "replicasets", "create delete get list patch update watch"),
        on("core", "pods", "get list update watch"),
        EVENTS,
    ]),
    ("disruption-controller", &[
        on("apps extensions", "deployments replicasets statefulsets", READ),
        on("core", "replicationcontrollers", READ),
        on("policy", "poddisruptionbudgets", READ),
        on("policy", "poddisruptionbudgets/status", "patch update"),
        on("core", "pods", READ),
        on("core", "pods/status", "patch update"),
        on("*", "*/scale", "get"),
        EVENTS,
    ]),
    ("endpoint-controller", &[
        on("core", "pods services", READ),
        on("core", "endpoints", "create delete get list patch update watch"),
        on("core", "endpoints/restricted", "create"),
        EVENTS,
    ]),
    ("endpointslice-controller", &[
        on("core", "nodes pods services", READ),
        on("core", "services/finalizers", "update"),
        on("discovery.k8s.io", "endpointslices", "create delete get list patch update watch"),
        on("discovery.k8s.io", "endpointslices/restricted", "create"),
        EVENTS,
    ]),
    ("endpointslicemirroring-controller", &[
        on("core", "endpoints services", READ),
        on("core", "endpoints/finalizers services/finalizers", "update"),
        on("discovery.k8s.io", "endpointslices", "create delete get list patch update watch"),
        on("discovery.k8s.io", "endpointslices/restricted", "create"),
        EVENTS,
    ]),
    ("ephemeral-volume-controller", &[
        on("core", "pods", READ),
        on("core", "pods/finalizers", "update"),
        on("core", "persistentvolumeclaims", "create get list watch"),
        EVENTS,
    ]),
    ("expand-controller", &[
        on("core", "persistentvolumes", "get list patch update watch"),
        on("core", "persistentvolumeclaims/status", "patch update"),
        on("core", "persistentvolumeclaims", READ),
        on("storage.k8s.io", "storageclasses", READ),
        EVENTS,
    ]),
    ("generic-garbage-collector", &[
        on("*", "*", "delete get list patch update watch"),
        EVENTS,
    ]),
    ("horizontal-pod-autoscaler", &[
        on("autoscaling", "horizontalpodautoscalers", READ),
        on("autoscaling", "horizontalpodautoscalers/status", "update"),
        on("*", "*/scale", "get update"),
        on("core", "pods", "list"),
        on("metrics.k8s.io", "pods", "list"),
        on("custom.metrics.k8s.io external.metrics.k8s.io", "*", "get list"),
        EVENTS,
    ]),
    ("job-controller", &[
        on("batch", "jobs", "get list patch update watch"),
        on("batch", "jobs/status jobs/finalizers", "patch update"),
        on("core", "pods", "create delete get list patch watch"),
        EVENTS,
    ]),
    // Of Pintle alone: makes volumes of nodes' folders, and the class of claims that name none.
    ("local-volume-provisioner", &[
        on("core", "persistentvolumes", "create delete get list watch"),
        on("core", "persistentvolumeclaims", "get list patch watch"),
        on("core", "nodes", READ),
        on("storage.k8s.io", "storageclasses", "create get list watch"),
        EVENTS,
    ]),
    // Upstream's add-on brings this role along; here its work is built in.
    ("metrics-server", &[
        on("core", "nodes pods", READ),
        on("core", "nodes/metrics nodes/proxy pods/proxy services", "get"),
        EVENTS,
    ]),
    ("namespace-controller", &[
        on("core", "namespaces", "delete get list watch"),
        on("core", "namespaces/finalize namespaces/status", "update"),
        on("*", "*", "delete deletecollection get list"),
    ]),
    ("node-controller", &[
        on("core", "nodes", "delete get list patch update watch"),
        on("core", "nodes/status", "patch update"),
        on("core", "pods/status", "patch update"),
        on("core", "pods", "delete get list watch"),
        on("coordination.k8s.io", "leases", READ),
        EVENTS,
    ]),
    ("node-ipam-controller", &[
        on("core", "nodes", "get list patch update watch"),
        on("core", "nodes/status", "patch"),
        EVENTS,
    ]),
    ("persistent-volume-binder", &[
        on("core", "persistentvolumes", "create delete get list patch update watch"),
        on("core", "persistentvolumes/status", "update"),
        on("core", "persistentvolumeclaims", "get list patch update watch"),
        on("core", "persistentvolumeclaims/status", "update"),
        on("core", "pods", "create delete get list watch"),
        on("storage.k8s.io", "storageclasses", READ),
        on("core", "nodes", "get list"),
        on("core", "secrets", "get"),
        EVENTS,
    ]),
    ("pod-garbage-collector", &[
        on("core", "pods", "delete list watch"),
        on("core", "nodes", "get list watch"),
        on("core", "pods/status", "patch"),
    ]),
    ("pv-protection-controller", &[
        on("core", "persistentvolumes", "get list update watch"),
        EVENTS,
    ]),
    ("pvc-protection-controller", &[
        on("core", "persistentvolumeclaims", "get list update watch"),
        on("core", "pods", READ),
        EVENTS,
    ]),
    ("replicaset-controller", &[
        on("apps extensions", "replicasets", "get list update watch"),
        on("apps extensions", "replicasets/status replicasets/finalizers", "patch update"),
        on("core", "pods", "create delete get list patch watch"),
        EVENTS,
    ]),
    ("replication-controller", &[
        on("core", "replicationcontrollers", "get list update watch"),
        on("core", "replicationcontrollers/status replicationcontrollers/finalizers", "patch update"),
        on("core", "pods", "create delete get list patch watch"),
        EVENTS,
    ]),
    ("resourcequota-controller", &[
        on("*", "*", "list watch"),
        on("core", "resourcequotas/status", "update"),
        EVENTS,
    ]),
    ("root-ca-cert-publisher", &[
        on("core", "configmaps", "create get list update watch"),
        on("core", "namespaces", "get list watch"),
        EVENTS,
    ]),
    ("service-account-controller", &[
        on("core", "serviceaccounts", "create get list watch"),
        on("core", "namespaces", "get list watch"),
        EVENTS,
    ]),
    ("service-cidrs-controller", &[
        on("networking.k8s.io", "servicecidrs", "get list patch update watch"),
        on("networking.k8s.io", "servicecidrs/finalizers servicecidrs/status", "patch update"),
        on("networking.k8s.io", "ipaddresses", READ),
        EVENTS,
    ]),
    ("service-controller", &[
        on("core", "services", READ),
        on("core", "services/status", "patch update"),
        on("core", "nodes", "list watch"),
        EVENTS,
    ]),
    ("statefulset-controller", &[
        on("core", "pods", "create delete get list patch update watch"),
        on("apps", "statefulsets", READ),
        on("apps", "statefulsets/status statefulsets/finalizers", "patch update"),
        on("apps", "controllerrevisions", "create delete get list patch update watch"),
        on("core", "persistentvolumeclaims", "create delete get list update watch"),
        EVENTS,
    ]),
    ("ttl-after-finished-controller", &[
        on("batch", "jobs", "delete get list watch"),
        EVENTS,
    ]),
    ("ttl-controller", &[
        on("core", "nodes", "list patch update watch"),
        EVENTS,
    ]),
];

#[rustfmt::skip]
pub(super) const BINDINGS: &[Binding] = &[
    Binding { name: "cluster-admin", role: "cluster-admin", subjects: &[Who::Group("system:masters")] },
    Binding { name: "system:monitoring", role: "system:monitoring", subjects: &[Who::Group("system:monitoring")] },
    Binding { name: "system:discovery", role: "system:discovery", subjects: &[Who::Group("system:authenticated")] },
    Binding { name: "system:basic-user", role: "system:basic-user", subjects: &[Who::Group("system:authenticated")] },
    Binding { name: "system:public-info-viewer", role: "system:public-info-viewer", subjects: &[Who::Group("system:authenticated"), Who::Group("system:unauthenticated")] },
    Binding { name: "system:service-account-issuer-discovery", role: "system:service-account-issuer-discovery", subjects: &[Who::Group("system:serviceaccounts")] },
    Binding { name: "hpa-controller-custom-metrics", role: "custom-metrics-server-resources", subjects: &[Who::Account("kube-system", "horizontal-pod-autoscaler")] },
    Binding { name: "system:node-proxier", role: "system:node-proxier", subjects: &[Who::User("system:kube-proxy")] },
    Binding { name: "system:kube-controller-manager", role: "system:kube-controller-manager", subjects: &[Who::User("system:kube-controller-manager")] },
    Binding { name: "system:kubelet-api-admin", role: "system:kubelet-api-admin", subjects: &[Who::User("kube-apiserver-kubelet-client")] },
    Binding { name: "system:kube-scheduler", role: "system:kube-scheduler", subjects: &[Who::User("system:kube-scheduler")] },
    Binding { name: "system:volume-scheduler", role: "system:volume-scheduler", subjects: &[Who::User("system:kube-scheduler")] },
    Binding { name: "system:kube-dns", role: "system:kube-dns", subjects: &[Who::Account("kube-system", "kube-dns")] },
    Binding { name: "system:coredns", role: "system:coredns", subjects: &[Who::User("system:coredns"), Who::User("system:kube-dns"), Who::Account("kube-system", "coredns")] },
    Binding { name: "system:node", role: "system:node", subjects: &[] },
];

#[rustfmt::skip]
pub(super) const NAMESPACED: &[NamespacedRole] = &[
    NamespacedRole { namespace: "kube-system", name: "extension-apiserver-authentication-reader", subjects: &[Who::User("system:kube-controller-manager"), Who::User("system:kube-scheduler")], rules: &[
        named("core", "configmaps", "extension-apiserver-authentication", READ),
    ] },
    // The DNS keeps its own Service and where it answers.
    NamespacedRole { namespace: "kube-system", name: "system:coredns", subjects: &[Who::User("system:coredns"), Who::User("system:kube-dns"), Who::Account("kube-system", "coredns")], rules: &[
        on("core", "services endpoints", "create get patch update"),
        on("discovery.k8s.io", "endpointslices", "create get patch update"),
        on("discovery.k8s.io", "endpointslices/restricted", "create"),
    ] },
    NamespacedRole { namespace: "kube-system", name: "system::leader-locking-kube-controller-manager", subjects: &[Who::User("system:kube-controller-manager")], rules: &[
        on("core", "configmaps", "watch"),
        named("core", "configmaps", "kube-controller-manager", "get update"),
    ] },
    NamespacedRole { namespace: "kube-system", name: "system::leader-locking-kube-scheduler", subjects: &[Who::User("system:kube-scheduler")], rules: &[
        on("core", "configmaps", "watch"),
        named("core", "configmaps", "kube-scheduler", "get update"),
    ] },
];
