//! What must hold of the API server and the controllers together, whatever is asked of them. All cases of a property
//! share one cluster, and each has a namespace of its own.

use std::cell::Cell;
use std::fmt::Debug;
use std::time::Duration;

use api::k8s::NamespaceResourceScope;
use api::k8s::api::core::v1::{ConfigMap, Namespace, Pod, ResourceQuota, Secret, Service, ServiceAccount};
use client::CallError;
use client::kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use client::kube::{Api, Resource};
use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use reconcile::Kind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::world::World;

const HELD: &str = "example.com/held";

/// Runs the property against one cluster. A case is a little life of a namespace: fewer of them are tried than of pure
/// functions.
fn check<S: Strategy>(strategy: &S, property: impl AsyncFn(&World, &str, S::Value) -> Result<(), TestCaseError>) {
    let defaults = ProptestConfig::default();
    let config = ProptestConfig { cases: defaults.cases.div_ceil(8), failure_persistence: None, ..defaults };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let world = runtime.block_on(World::start());
    let number = Cell::new(0);
    let outcome = TestRunner::new(config).run(strategy, |case| {
        number.set(number.get() + 1);
        let namespace = format!("case-{}", number.get());
        runtime.block_on(async {
            world.create::<Namespace>(json!({"metadata": {"name": namespace}})).await;
            world
                .until::<ServiceAccount>("its account", |accounts| {
                    accounts.iter().any(|one| one.metadata.namespace.as_deref() == Some(&namespace))
                })
                .await;
            property(&world, &namespace, case).await
        })
    });
    runtime.block_on(world.stop());
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

trait Namespaced: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + Debug {}

impl<K> Namespaced for K where K: Kind + Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + Debug {}

fn object<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

fn secret(name: &str) -> Secret {
    object(json!({"metadata": {"name": name}}))
}

/// Whether it was let in.
async fn try_create(api: &Api<Secret>, name: String) -> Result<bool, TestCaseError> {
    match api.create(&PostParams::default(), &secret(&name)).await.map_err(CallError::from) {
        Ok(_) => Ok(true),
        Err(error) => {
            let message = error.to_string();
            prop_assert!(message.contains("exceeded quota: few"), "{message}");
            Ok(false)
        }
    }
}

fn used(quota: &ResourceQuota) -> Option<usize> {
    quota.status.as_ref()?.used.as_ref()?.get("secrets")?.0.parse().ok()
}

#[test]
fn a_quota_lets_in_what_it_has_room_for_and_ends_up_at_the_sum() {
    // So much is allowed; so many come at once; of those that came in some go, while so many more come.
    let strategy = (0..6_usize, 0..10_usize, 0..6_usize, 0..6_usize);
    check(&strategy, async |world, namespace, (hard, first, gone, second)| {
        let quota = json!({"spec": {"hard": {"secrets": hard.to_string()}},
                           "metadata": {"name": "few", "namespace": namespace}});
        world.create::<ResourceQuota>(quota).await;
        let of_namespace = |quotas: &[ResourceQuota]| {
            quotas.iter().find(|one| one.metadata.namespace.as_deref() == Some(namespace)).and_then(used)
        };
        world.until::<ResourceQuota>("a first count", |quotas| of_namespace(quotas) == Some(0)).await;

        let api: Api<Secret> = world.of_namespace(namespace);
        let come = |prefix: &'static str, count: usize| {
            join_all((0..count).map(move |nth| format!("{prefix}{nth}")).map(|name| try_create(&api, name)))
        };
        let admitted: Vec<bool> = come("a", first).await.into_iter().collect::<Result<_, _>>()?;
        let count = admitted.iter().filter(|was| **was).count();
        prop_assert_eq!(count, first.min(hard), "of {} with room for {}", first, hard);

        let names = admitted.iter().enumerate().filter(|(_, was)| **was).map(|(nth, _)| format!("a{nth}"));
        let doomed: Vec<String> = names.take(gone).collect();
        let parameters = DeleteParams::default();
        let deletions = doomed.iter().map(|name| api.delete(name, &parameters));
        let (deleted, came) = futures::future::join(join_all(deletions), come("b", second)).await;
        prop_assert!(deleted.iter().all(Result::is_ok));
        let more = came.into_iter().collect::<Result<Vec<bool>, _>>()?.into_iter().filter(|was| *was).count();
        let expected = count - doomed.len() + more;
        let present = api.list(&ListParams::default()).await.unwrap().items.len();
        prop_assert_eq!(present, expected);
        prop_assert!(present <= hard, "{present} where {hard} are allowed");
        world.until::<ResourceQuota>("the sum", |quotas| of_namespace(quotas) == Some(present)).await;
        Ok(())
    });
}

#[tokio::test(start_paused = true)]
async fn what_was_charged_for_a_write_that_failed_is_given_back() {
    let world = World::start().await;
    let quota = json!({"spec": {"hard": {"secrets": "5"}}, "metadata": {"name": "few", "namespace": "default"}});
    world.create::<ResourceQuota>(quota).await;
    let uses = |count: usize| move |quotas: &[ResourceQuota]| quotas.iter().any(|quota| used(quota) == Some(count));
    world.until::<ResourceQuota>("a first count", uses(0)).await;
    let api = world.namespaced::<Secret>();
    api.create(&PostParams::default(), &secret("one")).await.unwrap();
    let again = api.create(&PostParams::default(), &secret("one")).await.map_err(CallError::from).unwrap_err();
    assert!(again.is_already_exists(), "{again}");
    world.until::<ResourceQuota>("a charge for nothing", uses(2)).await;
    let charged = tokio::time::Instant::now();
    world.until::<ResourceQuota>("what is there", uses(1)).await;
    assert!(charged.elapsed() <= Duration::from_secs(301), "{:?}", charged.elapsed());
    world.stop().await;
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Content {
    Pod,
    HeldPod,
    ConfigMap,
    HeldConfigMap,
    Secret,
    Service,
}

use Content::{HeldConfigMap, HeldPod};

async fn fill(world: &World, namespace: &str, name: &str, content: Content) {
    let held = if matches!(content, HeldPod | HeldConfigMap) { json!([HELD]) } else { json!([]) };
    let metadata = json!({"name": name, "namespace": namespace, "finalizers": held});
    match content {
        Content::Pod | HeldPod => {
            let spec = json!({"containers": [{"name": "main", "image": "v1"}]});
            drop(world.create::<Pod>(json!({"metadata": metadata, "spec": spec})).await);
        }
        Content::ConfigMap | HeldConfigMap => drop(world.create::<ConfigMap>(json!({"metadata": metadata})).await),
        Content::Secret => drop(world.create::<Secret>(json!({"metadata": metadata})).await),
        Content::Service => {
            let spec = json!({"ports": [{"port": 80}]});
            drop(world.create::<Service>(json!({"metadata": metadata, "spec": spec})).await);
        }
    }
}

/// Names of those that are there, and whether each is on its way out. What the controllers put there is left out.
async fn present<K: Namespaced>(world: &World, namespace: &str) -> Vec<(String, bool)> {
    let all = world.of_namespace::<K>(namespace).list(&ListParams::default()).await.unwrap().items;
    let metadata = all.iter().map(|object| object.meta());
    let ours = metadata.filter(|one| one.name.as_deref().is_some_and(|name| name.starts_with("one-")));
    ours.map(|one| (one.name.clone().unwrap_or_default(), one.deletion_timestamp.is_some())).collect()
}

async fn let_go<K: Namespaced>(world: &World, namespace: &str) {
    for (name, _) in present::<K>(world, namespace).await {
        let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        world.of_namespace::<K>(namespace).patch(&name, &PatchParams::default(), &patch).await.unwrap();
    }
}

fn condition(namespaces: &[Namespace], name: &str, kind: &str) -> Option<(String, String)> {
    let namespace = namespaces.iter().find(|one| one.metadata.name.as_deref() == Some(name))?;
    let conditions = namespace.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((condition.status.clone(), condition.message.clone().unwrap_or_default()))
}

#[test]
fn a_namespace_loses_its_pods_before_anything_else_and_ends_when_nothing_holds_it() {
    let contents = [Content::Pod, HeldPod, Content::ConfigMap, HeldConfigMap, Content::Secret, Content::Service];
    let strategy = prop::collection::vec(prop::sample::select(contents.to_vec()), 0..9);
    check(&strategy, async |world, namespace, contents| {
        for (nth, content) in contents.iter().enumerate() {
            fill(world, namespace, &format!("one-{nth}"), *content).await;
        }
        let count = |wanted: &[Content]| contents.iter().filter(|content| wanted.contains(content)).count();
        world.cluster::<Namespace>().delete(namespace, &DeleteParams::default()).await.unwrap();

        let held_pods = count(&[HeldPod]);
        if held_pods > 0 {
            let message = format!("Some resources are remaining: pods. has {held_pods} resource instances");
            world
                .until::<Namespace>("that pods remain", |all| {
                    condition(all, namespace, "NamespaceContentRemaining") == Some(("True".into(), message.clone()))
                })
                .await;
            tokio::time::sleep(Duration::from_secs(120)).await;
            let pods = present::<Pod>(world, namespace).await;
            prop_assert_eq!(pods.len(), held_pods);
            let mut others = present::<ConfigMap>(world, namespace).await;
            others.extend(present::<Secret>(world, namespace).await);
            others.extend(present::<Service>(world, namespace).await);
            prop_assert_eq!(others.len(), contents.len() - count(&[Content::Pod, HeldPod]), "{:?}", others);
            prop_assert!(others.iter().all(|(_, is_going)| !is_going), "{:?} go before pods", others);
            let_go::<Pod>(world, namespace).await;
        }
        let held = count(&[HeldConfigMap]);
        if held > 0 {
            let content = format!("Some resources are remaining: configmaps. has {held} resource instances");
            let finalizers =
                format!("Some content in the namespace has finalizers remaining: {HELD} in {held} resource instances");
            world
                .until::<Namespace>("what holds it", |all| {
                    condition(all, namespace, "NamespaceContentRemaining") == Some(("True".into(), content.clone()))
                        && condition(all, namespace, "NamespaceFinalizersRemaining")
                            == Some(("True".into(), finalizers.clone()))
                })
                .await;
            let rest = present::<ConfigMap>(world, namespace).await;
            prop_assert!(rest.len() == held && rest.iter().all(|(_, is_going)| *is_going), "{:?}", rest);
            prop_assert_eq!(present::<Secret>(world, namespace).await, []);
            prop_assert_eq!(present::<Service>(world, namespace).await, []);
            let_go::<ConfigMap>(world, namespace).await;
        }
        world
            .until::<Namespace>("its end", |all| all.iter().all(|one| one.metadata.name.as_deref() != Some(namespace)))
            .await;
        prop_assert_eq!(present::<Pod>(world, namespace).await, []);
        prop_assert_eq!(present::<ConfigMap>(world, namespace).await, []);
        Ok(())
    });
}
