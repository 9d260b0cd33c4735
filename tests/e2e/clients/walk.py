"""A walk through the API as the official Python client sees it: typed models, the dynamic client, watches, streams.

Ends with 0 and the line "walked" when everything was as it should be. The cluster comes from $KUBECONFIG,
the namespace from the first argument; it exists and is empty.
"""

import sys
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

NAMESPACE = sys.argv[1]
IMAGE = "busybox:1.36"


def main():
    config.load_kube_config()
    typed_round_trip()
    lists_in_pages()
    patches_of_every_sort()
    server_side_apply()
    a_watch_equals_list_plus_events()
    errors_have_their_shape()
    a_deployment_lives()
    deletes_leave_nothing()
    print("walked")


def typed_round_trip():
    """What the models send comes back through the models: nothing is lost or renamed."""
    core = client.CoreV1Api()
    version = client.VersionApi().get_code()
    assert (version.major, version.minor) == ("1", "37"), version
    sent = client.V1ConfigMap(
        metadata=client.V1ObjectMeta(name="typed", labels={"walk": "python"}, annotations={"note": "ä ö ü €"}),
        data={"key": "value"},
        binary_data={"bytes": "AAEC"},
    )
    created = core.create_namespaced_config_map(NAMESPACE, sent)
    assert created.metadata.uid and created.metadata.creation_timestamp, created
    read = core.read_namespaced_config_map("typed", NAMESPACE)
    assert (read.data, read.binary_data, read.metadata.annotations) == (sent.data, sent.binary_data, sent.metadata.annotations)
    read.data["more"] = "1"
    replaced = core.replace_namespaced_config_map("typed", NAMESPACE, read)
    assert int(replaced.metadata.resource_version) > int(read.metadata.resource_version)
    expect(409, "Conflict", lambda: core.replace_namespaced_config_map("typed", NAMESPACE, read))

    dry = core.create_namespaced_config_map(
        NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(generate_name="dry-")), dry_run="All"
    )
    assert dry.metadata.name.startswith("dry-")
    expect(404, "NotFound", lambda: core.read_namespaced_config_map(dry.metadata.name, NAMESPACE))


def lists_in_pages():
    core = client.CoreV1Api()
    for number in range(7):
        metadata = client.V1ObjectMeta(name=f"page-{number}", labels={"page": "even" if number % 2 == 0 else "odd"})
        core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=metadata))
    names, token, revisions = [], None, set()
    while True:
        page = core.list_namespaced_config_map(NAMESPACE, limit=3, _continue=token)
        names += [item.metadata.name for item in page.items]
        revisions.add(page.metadata.resource_version)
        token = page.metadata._continue
        if not token:
            break
    assert names == sorted(names) and len([name for name in names if name.startswith("page-")]) == 7, names
    assert len(revisions) == 1, "every page shows the same moment"
    selected = core.list_namespaced_config_map(NAMESPACE, label_selector="page in (even), page notin (odd)")
    assert [item.metadata.name for item in selected.items] == ["page-0", "page-2", "page-4", "page-6"]
    one = core.list_namespaced_config_map(NAMESPACE, field_selector="metadata.name=page-3")
    assert [item.metadata.name for item in one.items] == ["page-3"]
    core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="page")
    assert not core.list_namespaced_config_map(NAMESPACE, label_selector="page").items


def patches_of_every_sort():
    api = dynamic_client().resources.get(api_version="v1", kind="Service")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "patched"},
        "spec": {"selector": {"app": "none"}, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]},
    }
    created = api.create(body=service, namespace=NAMESPACE)
    assert created.spec.clusterIP and created.spec.type == "ClusterIP" and created.spec.ports[0].targetPort == 80

    def patch(content_type, body):
        return api.patch(name="patched", namespace=NAMESPACE, body=body, content_type=content_type)

    merged = patch("application/merge-patch+json", {"metadata": {"labels": {"by": "merge"}}})
    assert merged.metadata.labels.by == "merge"
    strategic = patch(
        "application/strategic-merge-patch+json", {"spec": {"ports": [{"port": 81, "name": "c"}, {"port": 80, "$patch": "delete"}]}}
    )
    assert [(port.name, port.port) for port in strategic.spec.ports] == [("c", 81)], strategic.spec.ports
    operations = [
        {"op": "test", "path": "/metadata/labels/by", "value": "merge"},
        {"op": "replace", "path": "/metadata/labels/by", "value": "json"},
    ]
    assert patch("application/json-patch+json", operations).metadata.labels.by == "json"
    expect(422, "Invalid", lambda: patch("application/json-patch+json", operations))


def server_side_apply():
    """Two managers, a conflict, force, and a field that goes when nobody applies it any more."""
    api = dynamic_client().resources.get(api_version="v1", kind="ConfigMap")

    def apply(manager, data, force=False):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data}
        return api.server_side_apply(
            body=body, name="applied", namespace=NAMESPACE, field_manager=manager, force_conflicts=force
        ).to_dict()

    first = apply("one", {"a": "1", "b": "1"})
    managers = {entry["manager"]: entry for entry in first["metadata"]["managedFields"]}
    assert managers["one"]["operation"] == "Apply", managers
    assert managers["one"]["fieldsV1"] == {"f:data": {"f:a": {}, "f:b": {}}}, managers
    shared = apply("two", {"b": "1", "c": "1"})
    assert shared["data"] == {"a": "1", "b": "1", "c": "1"}
    error = expect(409, "Conflict", lambda: apply("two", {"a": "2"}))
    assert 'conflict with \\"one\\"' in error and ".data.a" in error, error
    forced = apply("two", {"a": "2"}, force=True)
    # c was two's alone and goes; b is still one's.
    assert forced["data"] == {"a": "2", "b": "1"}, forced["data"]
    again = apply("two", {"a": "2"})
    assert again["metadata"]["resourceVersion"] == forced["metadata"]["resourceVersion"], "applying twice is once"


def a_watch_equals_list_plus_events():
    core = client.CoreV1Api()
    start = core.list_namespaced_secret(NAMESPACE)
    known = {item.metadata.name: item.string_data for item in start.items}

    def change():
        for number in range(20):
            name = f"watched-{number % 5}"
            try:
                if number % 7 == 6:
                    core.delete_namespaced_secret(name, NAMESPACE)
                else:
                    body = client.V1Secret(metadata=client.V1ObjectMeta(name=name), string_data={"n": str(number)})
                    try:
                        core.create_namespaced_secret(NAMESPACE, body)
                    except ApiException as error:
                        if error.status != 409:
                            raise
                        core.patch_namespaced_secret(name, NAMESPACE, {"stringData": {"n": str(number)}})
            except ApiException as error:
                if error.status != 404:
                    raise
        core.create_namespaced_secret(NAMESPACE, client.V1Secret(metadata=client.V1ObjectMeta(name="watched-end")))

    worker = threading.Thread(target=change)
    worker.start()
    seen, last = dict(known), int(start.metadata.resource_version)
    watcher = watch.Watch()
    for event in watcher.stream(
        core.list_namespaced_secret, NAMESPACE, resource_version=start.metadata.resource_version, timeout_seconds=60
    ):
        item = event["object"]
        revision = int(item.metadata.resource_version)
        assert revision > last, "events come in order and once"
        last = revision
        if event["type"] == "DELETED":
            del seen[item.metadata.name]
        else:
            assert (event["type"] == "ADDED") == (item.metadata.name not in seen), event["type"]
            seen[item.metadata.name] = item.data
        if item.metadata.name == "watched-end":
            watcher.stop()
    worker.join()
    listed = {item.metadata.name: item.data for item in core.list_namespaced_secret(NAMESPACE).items}
    assert seen == listed, (seen, listed)


def errors_have_their_shape():
    # The models refuse bad bodies by themselves: the dynamic client sends them.
    resources = dynamic_client().resources

    def create(kind, body, **query):
        body = {"apiVersion": "v1", "kind": kind} | body
        resources.get(api_version="v1", kind=kind).create(body=body, namespace=NAMESPACE, query_params=list(query.items()))

    bad = {"metadata": {"name": "Bad_Name"}, "spec": {"containers": []}}
    error = expect(422, "Invalid", lambda: create("Pod", bad))
    assert "metadata.name" in error and "spec.containers" in error, error
    unknown = {"metadata": {"name": "strict"}, "dat": {}}
    error = expect(400, "BadRequest", lambda: create("ConfigMap", unknown, fieldValidation="Strict"))
    assert 'unknown field \\"dat\\"' in error, error
    core = client.CoreV1Api()
    expect(410, "Expired", lambda: core.list_namespaced_config_map(NAMESPACE, _continue="bm90IGEgdG9rZW4", limit=1), also=400)


def a_deployment_lives():
    apps, core = client.AppsV1Api(), client.CoreV1Api()
    labels = {"app": "python-walk"}
    container = client.V1Container(
        name="main",
        image=IMAGE,
        command=["sh", "-c", "trap 'exit 0' TERM; echo ready; while :; do sleep 1 & wait; done"],
        resources=client.V1ResourceRequirements(requests={"cpu": "1m"}),
    )
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(containers=[container]))
    spec = client.V1DeploymentSpec(replicas=2, selector=client.V1LabelSelector(match_labels=labels), template=template)
    apps.create_namespaced_deployment(NAMESPACE, client.V1Deployment(metadata=client.V1ObjectMeta(name="walk"), spec=spec))
    for event in watch.Watch().stream(apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=120):
        status = event["object"].status
        if status and status.available_replicas == 2:
            break
    else:
        raise AssertionError("the deployment did not become available")
    pods = core.list_namespaced_pod(NAMESPACE, label_selector="app=python-walk").items
    assert {pod.status.phase for pod in pods} == {"Running"}
    name = pods[0].metadata.name
    assert core.read_namespaced_pod_log(name, NAMESPACE) == "ready\n"
    said = stream(
        core.connect_get_namespaced_pod_exec,
        name,
        NAMESPACE,
        command=["sh", "-c", "echo out; echo err >&2"],
        stdout=True,
        stderr=True,
        stdin=False,
        tty=False,
    )
    assert sorted(said.split()) == ["err", "out"], said
    scale = apps.read_namespaced_deployment_scale("walk", NAMESPACE)
    scale.spec.replicas = 0
    apps.replace_namespaced_deployment_scale("walk", NAMESPACE, scale)
    for event in watch.Watch().stream(apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=120):
        status = event["object"].status
        if status and not status.replicas:
            return
    raise AssertionError("the deployment did not scale to nothing")


def deletes_leave_nothing():
    apps, core = client.AppsV1Api(), client.CoreV1Api()
    apps.delete_namespaced_deployment("walk", NAMESPACE, propagation_policy="Foreground")
    sets = apps.list_namespaced_replica_set(NAMESPACE)
    left = {item.metadata.name for item in sets.items}
    version = sets.metadata.resource_version
    for event in watch.Watch().stream(
        apps.list_namespaced_replica_set, NAMESPACE, resource_version=version, timeout_seconds=60
    ) if left else ():
        if event["type"] == "DELETED":
            left.discard(event["object"].metadata.name)
        if not left:
            break
    assert not left, f"replica sets outlive their deployment: {left}"
    core.delete_collection_namespaced_secret(NAMESPACE)
    assert not core.list_namespaced_secret(NAMESPACE).items


def expect(status, reason, call, also=None):
    try:
        call()
    except (ApiException, dynamic.exceptions.DynamicApiError) as error:
        body = error.body.decode() if isinstance(error.body, bytes) else str(error.body)
        assert error.status in (status, also), (error.status, body)
        assert error.status != status or f'"reason":"{reason}"' in body.replace(": ", ":"), body
        return body
    raise AssertionError(f"should have been refused with {status} {reason}")


def dynamic_client():
    return dynamic.DynamicClient(client.ApiClient())


main()
