//! The in-process road that every component takes.

use crate::common::Cluster;
use api::k8s::api::core::v1::{ConfigMap, Namespace, Service};
use client::{Api, ClientError};

#[tokio::test]
async fn the_first_objects_are_there_and_a_component_has_only_its_rights() {
    let cluster = Cluster::start().await;
    let admin = client::in_process(cluster.server.local("admin", &["system:masters"]));
    let namespaces: Vec<String> = Api::<Namespace>::all(admin.clone())
        .list(&Default::default())
        .await
        .unwrap()
        .into_iter()
        .filter_map(|namespace| namespace.metadata.name)
        .collect();
    assert_eq!(namespaces, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    let service = Api::<Service>::namespaced(admin, "default").get("kubernetes").await.unwrap();
    assert_eq!(service.spec.unwrap().cluster_ip.as_deref(), Some("10.96.0.1"));

    let scheduler = client::in_process(cluster.server.local("system:kube-scheduler", &[]));
    let refused = Api::<ConfigMap>::namespaced(scheduler, "default").get("a").await.unwrap_err();
    let ClientError::Api(status) = refused else { panic!("{refused}") };
    assert_eq!(status.code, 403);
    assert_eq!(
        status.message,
        "configmaps \"a\" is forbidden: User \"system:kube-scheduler\" cannot get resource \"configmaps\" in API group \
         \"\" in the namespace \"default\""
    );
}
