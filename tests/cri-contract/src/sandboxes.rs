//! Runtime and sandboxes.

use cri::*;

use crate::node::{Node, next, sleeper};

pub(crate) async fn a_runtime_tells_who_it_is_and_that_it_is_ready(node: &Node) {
    let version = node.runtime.version(VersionRequest { version: "v1".to_owned() }).await.unwrap();
    assert_eq!(version.version, "0.1.0");
    assert_eq!(version.runtime_api_version, "v1");
    assert!(!version.runtime_name.is_empty() && !version.runtime_version.is_empty());
    let status = node.runtime.status(StatusRequest { verbose: false }).await.unwrap();
    assert!(status.info.is_empty(), "what was not asked for is not told");
    let conditions = status.status.unwrap().conditions;
    for required in ["RuntimeReady", "NetworkReady"] {
        let condition = conditions.iter().find(|condition| condition.r#type == required).unwrap();
        assert!(condition.status, "{required}: {}", condition.message);
    }
}

pub(crate) async fn a_sandbox_lives_from_run_to_removal(node: &Node) {
    let pod = node.pod("life").await;
    let request = PodSandboxStatusRequest { pod_sandbox_id: pod.id.clone(), verbose: false };
    let status = async || node.runtime.pod_sandbox_status(request.clone()).await.unwrap().status.unwrap();
    let ready = status().await;
    assert_eq!((&ready.id, ready.state), (&pod.id, PodSandboxState::Ready as i32));
    assert_eq!((&ready.metadata, &ready.labels), (&pod.config.metadata, &pod.config.labels));
    assert_eq!(ready.annotations, pod.config.annotations);
    assert!(ready.created_at > 1_600_000_000_000_000_000, "nanoseconds: {}", ready.created_at);
    assert!(ready.network.unwrap().ip.parse::<std::net::IpAddr>().is_ok());
    let namespaces = ready.linux.unwrap().namespaces.unwrap().options.unwrap_or_default();
    assert_eq!(namespaces.network(), NamespaceMode::Pod);

    let running = pod.run(sleeper("app")).await;
    pod.stop().await;
    assert_eq!(status().await.state, PodSandboxState::Notready as i32);
    assert_eq!(node.status(&running).await.state, ContainerState::Exited as i32);
    let refused = pod.try_create(sleeper("late")).await;
    assert!(refused.is_err(), "a stopped sandbox takes no containers");

    pod.remove().await;
    pod.remove().await;
    let gone = node.runtime.pod_sandbox_status(request).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound, "{gone}");
    let container = ContainerStatusRequest { container_id: running, verbose: false };
    let gone = node.runtime.container_status(container).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound, "its containers go with it: {gone}");
}

pub(crate) async fn sandboxes_are_found_by_what_is_asked_for(node: &Node) {
    let (one, two) = (node.pod("one").await, node.pod("two").await);
    two.stop().await;
    let list = async |filter: PodSandboxFilter| {
        let request = ListPodSandboxRequest { filter: Some(filter) };
        let items = node.runtime.list_pod_sandbox(request).await.unwrap().items;
        items.into_iter().map(|sandbox| sandbox.id).filter(|id| [&one.id, &two.id].contains(&id)).collect::<Vec<_>>()
    };
    let all = list(PodSandboxFilter::default()).await;
    assert_eq!(all.len(), 2);
    assert_eq!(list(PodSandboxFilter { id: one.id.clone(), ..Default::default() }).await, [one.id.as_str()]);
    let state = |state: PodSandboxState| Some(PodSandboxStateValue { state: state as i32 });
    let ready = PodSandboxFilter { state: state(PodSandboxState::Ready), ..Default::default() };
    assert_eq!(list(ready).await, [one.id.as_str()]);
    let stopped = PodSandboxFilter { state: state(PodSandboxState::Notready), ..Default::default() };
    assert_eq!(list(stopped).await, [two.id.as_str()]);
    let labelled = PodSandboxFilter { label_selector: two.config.labels.clone(), ..Default::default() };
    assert_eq!(list(labelled.clone()).await, [two.id.as_str()]);
    assert!(list(PodSandboxFilter { id: one.id.clone(), ..labelled }).await.is_empty(), "all of it must hold");
    one.end().await;
    two.end().await;
}

pub(crate) async fn what_is_not_there_is_not_found(node: &Node) {
    let none = || "0123456789abcdef".repeat(4);
    let runtime = &node.runtime;
    let codes = [
        runtime.pod_sandbox_status(PodSandboxStatusRequest { pod_sandbox_id: none(), verbose: false }).await.err(),
        runtime.container_status(ContainerStatusRequest { container_id: none(), verbose: false }).await.err(),
        runtime.start_container(StartContainerRequest { container_id: none() }).await.err(),
        runtime.exec_sync(ExecSyncRequest { container_id: none(), cmd: vec!["true".into()], timeout: 0 }).await.err(),
        runtime.port_forward(PortForwardRequest { pod_sandbox_id: none(), port: vec![80] }).await.err(),
        runtime.container_stats(ContainerStatsRequest { container_id: none() }).await.err(),
        runtime.reopen_container_log(ReopenContainerLogRequest { container_id: none() }).await.err(),
    ];
    for (place, status) in codes.into_iter().enumerate() {
        let status = status.unwrap_or_else(|| panic!("call {place} finds what is not there"));
        assert_eq!(status.code, Code::NotFound, "call {place}: {status}");
    }
    // To remove what is gone is to have done it. (To stop it, too; but not to containerd before 1.7.)
    runtime.remove_pod_sandbox(RemovePodSandboxRequest { pod_sandbox_id: none() }).await.unwrap();
    runtime.remove_container(RemoveContainerRequest { container_id: none() }).await.unwrap();
}

pub(crate) async fn events_tell_what_happens_to_a_container(node: &Node) {
    let pod = node.pod("events").await;
    let mut events = node.events().await;
    let mut heard = async |id: &str, kind: ContainerEventType| {
        loop {
            let event = next(&mut events).await;
            if event.container_id == id {
                assert_eq!(event.container_event_type(), kind);
                let sandbox = event.pod_sandbox_status.expect("events tell of their pod");
                assert_eq!(sandbox.labels, pod.config.labels);
                return;
            }
        }
    };
    let id = pod.create(sleeper("app")).await;
    heard(&id, ContainerEventType::CreatedEvent).await;
    node.start(&id).await.unwrap();
    heard(&id, ContainerEventType::StartedEvent).await;
    node.stop(&id, 30).await;
    heard(&id, ContainerEventType::StoppedEvent).await;
    node.remove(&id).await;
    heard(&id, ContainerEventType::DeletedEvent).await;
    pod.end().await;
}
