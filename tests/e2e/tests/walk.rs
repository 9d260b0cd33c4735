//! The walk of a newcomer, and of everything the first cluster must do, on one cluster.
//!
//! The tests share it two at a time; each works in a namespace of its own.

use std::collections::BTreeSet;
use std::process::{ExitCode, Stdio};

use e2e::{
    Background, Certificate, Cluster, Kubectl, NODE_ADDRESS, Namespace, Registry, Suite, busybox_manifest, manifest,
    run, trial, wait_for,
};
use serde_json::Value;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        // As on a machine whose administrator trusts a private registry's authority.
        let trusted = Certificate::of_the_node(cluster).path;
        run(cluster.pintle_command("up").env("SSL_CERT_FILE", trusted), "").success();
        cluster.load(&["busybox.tar", "k8s-demo.tar", "k8s-demo-2.tar", "echo.tar"]);
    });
    let mut trials = vec![
        trial(&suite, "the_notes_manifests_answer_on_the_node_port", the_notes_manifests_answer_on_the_node_port),
        trial(&suite, "images_load_in_three_forms", images_load_in_three_forms),
        trial(&suite, "an_image_of_another_architecture_is_refused", an_image_of_another_architecture_is_refused),
        trial(&suite, "an_image_is_pulled_from_a_registry", an_image_is_pulled_from_a_registry),
        trial(&suite, "an_image_that_cannot_be_pulled_says_why", an_image_that_cannot_be_pulled_says_why),
        trial(&suite, "a_killed_process_is_restarted", a_killed_process_is_restarted),
        trial(&suite, "a_deleted_pod_is_replaced_and_replicas_scale", a_deleted_pod_is_replaced_and_replicas_scale),
        trial(&suite, "a_new_image_rolls_out", a_new_image_rolls_out),
        trial(&suite, "a_service_spreads_over_its_pods", a_service_spreads_over_its_pods),
        trial(&suite, "a_pod_finds_services_by_name_and_itself_too", a_pod_finds_services_by_name_and_itself_too),
        trial(&suite, "anonymous_requests_see_only_health_and_version", anonymous_requests_see_only_health_and_version),
        trial(&suite, "a_pods_token_works_against_the_api", a_pods_token_works_against_the_api),
        trial(&suite, "rbac_decides_who_may_what", rbac_decides_who_may_what),
        trial(&suite, "a_manifest_with_a_mistake_is_refused_whole", a_manifest_with_a_mistake_is_refused_whole),
    ];
    for kubectl in Kubectl::all() {
        let name = format!("kubectl_1_{}_creates_reads_enters_and_deletes_a_pod", kubectl.minor);
        trials.push(trial(&suite, &name, |cluster| one_kubectl(cluster, kubectl)));
        let name = format!("kubectl_1_{}_forwards_a_port", kubectl.minor);
        trials.push(trial(&suite, &name, |cluster| port_forward(cluster, kubectl)));
    }
    suite.run(2, trials)
}

fn the_notes_manifests_answer_on_the_node_port(cluster: &Cluster) {
    cluster.create(&manifest("helloworld.yml"));
    cluster.create(&manifest("helloworld-service.yml"));
    cluster.k("wait --for=condition=Ready pod/nodehelloworld.example.com --timeout=60s");
    let url = format!("http://{NODE_ADDRESS}:31001/");
    wait_for("the node port to answer", || {
        let answer = cluster.fetch(&url)?;
        if answer == "Hello World!" { Ok(()) } else { Err(answer) }
    });
    assert_eq!(cluster.fetch_from_neighbour(&url), Ok("Hello World!".to_owned()));

    // The image has no tag, so its policy is Always; nobody can be asked for a newer one.
    let pod = cluster.get("pod nodehelloworld.example.com");
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
    let events = cluster.get("events --field-selector involvedObject.name=nodehelloworld.example.com");
    let messages: Vec<&str> = messages(&events);
    assert!(messages.iter().any(|message| message.contains("loaded by hand")), "{messages:#?}");
    cluster.k("delete service/helloworld-service pod/nodehelloworld.example.com");
}

/// What every kubectl's user does with a pod.
fn one_kubectl(cluster: &Cluster, kubectl: &Kubectl) {
    let name = format!("walk-{}", kubectl.minor);
    let namespace = cluster.namespace(&name);
    let kubectl_in = |arguments: &[&str], input: &str| {
        let mut all = vec!["--namespace", name.as_str()];
        all.extend(arguments);
        cluster.kubectl_with(kubectl, &all, input)
    };
    let script = "echo hello from the log; while :; do sleep 1 & wait; done";
    let created = kubectl_in(&["create", "-f", "-"], &busybox_manifest("box", script)).success();
    assert_eq!(created, "pod/box created\n");
    kubectl_in(&["wait", "--for=condition=Ready", "pod/box", "--timeout=60s"], "").success();

    let wide = kubectl_in(&["get", "pods", "--output=wide"], "").success();
    let address = namespace.get("pod box")["status"]["podIP"].as_str().unwrap().to_owned();
    assert!(wide.starts_with("NAME") && wide.contains("1/1     Running") && wide.contains(&address), "{wide}");
    let described = kubectl_in(&["describe", "pod", "box"], "").success();
    for part in ["Status:", "Running", "Image:", "busybox:1.36", "Scheduled", "Started"] {
        assert!(described.contains(part), "{part} in:\n{described}");
    }
    assert_eq!(kubectl_in(&["logs", "box"], "").success(), "hello from the log\n");

    let both = kubectl_in(&["exec", "box", "--", "sh", "-c", "echo out; echo err >&2"], "");
    assert_eq!((both.stdout.as_str(), both.code), ("out\n", Some(0)), "{both}");
    assert!(both.stderr.contains("err\n"), "{both}");
    let failed = kubectl_in(&["exec", "box", "--", "sh", "-c", "exit 7"], "");
    assert_eq!(failed.code, Some(7), "{failed}");
    assert!(failed.stderr.contains("command terminated with exit code 7"), "{failed}");
    let absent = kubectl_in(&["exec", "box", "--", "no-such-program"], "");
    assert!(!absent.is_success() && absent.stderr.contains("no-such-program"), "{absent}");
    // More than any buffer on the way holds, both ways.
    let large = "0123456789abcde\n".repeat(50_000);
    let echoed = kubectl_in(&["exec", "-i", "box", "--", "cat"], &large);
    assert!(echoed.code == Some(0) && echoed.stdout == large, "{} of {} bytes", echoed.stdout.len(), large.len());

    kubectl_in(&["label", "pod", "box", "mylabel=awesome"], "").success();
    let selected = kubectl_in(&["get", "pods", "--selector=mylabel=awesome", "--output=name"], "").success();
    assert_eq!(selected, "pod/box\n");
    assert_eq!(kubectl_in(&["delete", "pod", "box"], "").success().trim(), deleted_line(kubectl, &name));
    let gone = kubectl_in(&["get", "pod", "box"], "").failure();
    assert!(gone.contains("pods \"box\" not found"), "{gone}");
}

/// Newer ones add the namespace.
fn deleted_line(kubectl: &Kubectl, namespace: &str) -> String {
    if kubectl.minor >= 34 {
        format!("pod \"box\" deleted from {namespace} namespace")
    } else {
        "pod \"box\" deleted".to_owned()
    }
}

fn port_forward(cluster: &Cluster, kubectl: &Kubectl) {
    let name = format!("forward-{}", kubectl.minor);
    let namespace = cluster.namespace(&name);
    namespace.create(&echo_deployment("echo", 1));
    namespace.wait_ready("pods --selector app=echo");
    let local = 18_000 + kubectl.minor;
    let mut command = cluster.machine.command(&kubectl.program);
    command.env("KUBECONFIG", cluster.machine.kubeconfig());
    command.args(["--namespace", &name, "port-forward", "deployment/echo", &format!("{local}:3000")]);
    let forwarding = Background(command.stdout(Stdio::null()).spawn().unwrap());
    let pod = namespace.pods("app=echo")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    wait_for("the forwarded port to answer", || {
        let answer = cluster.fetch(&format!("http://127.0.0.1:{local}/hostname"))?;
        if answer == pod { Ok(()) } else { Err(answer) }
    });
    // Several connections over one forwarding.
    for _ in 0..5 {
        assert_eq!(cluster.fetch(&format!("http://127.0.0.1:{local}/hostname")), Ok(pod.clone()));
    }
    drop(forwarding);
    namespace.k("delete deployment echo");
}

fn images_load_in_three_forms(cluster: &Cluster) {
    cluster.load(&["docker-form.tar", "folder-form"]);
    let listed = cluster.pintle("image ls", &[]).success();
    for name in ["busybox:1.36", "docker-form:1", "folder-form:1", "wardviaene/k8s-demo:latest"] {
        assert!(
            listed.contains(name) || listed.contains(&name.replace(':', " ")) || has_columns(&listed, name),
            "{name} in:\n{listed}"
        );
    }
    let namespace = cluster.namespace("forms");
    for form in ["docker-form", "folder-form"] {
        let pod = busybox_manifest(form, "echo ran").replace("busybox:1.36", &format!("{form}:1"));
        namespace.create(&pod.replace("spec:\n", "spec:\n  restartPolicy: Never\n"));
        wait_phase(&namespace, form, "Succeeded");
    }
    namespace.k("delete pod docker-form folder-form");
    cluster.pintle("image rm", &["docker-form:1"]).success();
    let listed = cluster.pintle("image ls", &[]).success();
    assert!(!listed.contains("docker-form") && listed.contains("folder-form"), "{listed}");
    let again = cluster.pintle("image rm", &["docker-form:1"]);
    assert_eq!(again.clone().failure().trim().lines().count(), 1, "{again}");
    let absent = cluster.pintle("image load", &["/no/such/file.tar"]).failure();
    assert!(absent.contains("/no/such/file.tar") && absent.trim().lines().count() == 1, "{absent}");
}

fn has_columns(listed: &str, name: &str) -> bool {
    let (repository, tag) = name.rsplit_once(':').unwrap();
    listed.lines().any(|line| line.contains(repository) && line.split_whitespace().any(|word| word == tag))
}

fn an_image_of_another_architecture_is_refused(cluster: &Cluster) {
    let mut load = cluster.pintle_command("image load");
    let refused = run(load.arg(e2e::image("foreign.tar")), "");
    let message = refused.clone().failure();
    assert!(message.contains("arm64") || message.contains("amd64"), "{refused}");
    assert_eq!(message.trim().lines().count(), 1, "{refused}");
    assert!(!cluster.pintle("image ls", &[]).success().contains("foreign"));
}

fn an_image_is_pulled_from_a_registry(cluster: &Cluster) {
    let registry = Registry::start(cluster);
    registry.push(&e2e::image("folder-form"), "hello/box", "1");
    let namespace = cluster.namespace("pull");
    let pull = |name: &str, image: &str| {
        let pod = busybox_manifest(name, "echo pulled; sleep 1000 & wait").replace("busybox:1.36", image);
        namespace.create(&pod);
        namespace.wait_ready(&format!("pod/{name}"));
        assert_eq!(namespace.k(&format!("logs {name}")), "pulled\n");
        let events = namespace.get("events");
        let pulled = format!("Successfully pulled image \"{image}\"");
        assert!(messages(&events).iter().any(|message| message.starts_with(&pulled)), "{:#?}", messages(&events));
        namespace.k(&format!("delete pod {name}"));
    };
    pull("plain", &format!("127.0.0.1:{}/hello/box:1", Registry::PORT));
    // The same images behind another address than the loopback's are fetched over TLS, or not at all.
    let _secured = registry.serve_secured();
    pull("secured", &format!("{NODE_ADDRESS}:{}/hello/box:1", Registry::SECURED_PORT));
}

fn an_image_that_cannot_be_pulled_says_why(cluster: &Cluster) {
    let namespace = cluster.namespace("absent");
    // Nobody listens there.
    namespace.create(&busybox_manifest("absent", "true").replace("busybox:1.36", "127.0.0.1:5999/none:1"));
    let events = wait_for("both reasons", || {
        let events = namespace.get("events");
        let found: Vec<String> = messages(&events).into_iter().map(str::to_owned).collect();
        let has = |text: &str| found.iter().any(|message| message.contains(text));
        if has("Error: ErrImagePull") && has("Error: ImagePullBackOff") {
            Ok(found)
        } else {
            Err(format!("{found:#?}"))
        }
    });
    assert!(events.iter().any(|message| message.to_lowercase().contains("connection refused")), "{events:#?}");
    let waiting = namespace.get("pod absent")["status"]["containerStatuses"][0]["state"]["waiting"].clone();
    assert!(["ErrImagePull", "ImagePullBackOff"].contains(&waiting["reason"].as_str().unwrap()), "{waiting}");
    assert!(waiting["message"].as_str().unwrap().contains("127.0.0.1:5999/none:1"), "{waiting}");
    namespace.k("delete pod absent");
}

fn a_killed_process_is_restarted(cluster: &Cluster) {
    let namespace = cluster.namespace("restart");
    namespace.create(&echo_deployment("echo", 1));
    namespace.wait_ready("pods --selector app=echo");
    let before = namespace.pods("app=echo").remove(0);
    let name = before["metadata"]["name"].as_str().unwrap();
    namespace.shell(name, "kill 1").success();
    let after = wait_for("a restart", || {
        let pod = namespace.get(&format!("pod {name}"));
        let status = &pod["status"]["containerStatuses"][0];
        if status["restartCount"] == 1 && status["ready"] == true { Ok(pod) } else { Err(status.to_string()) }
    });
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["status"]["podIP"], before["status"]["podIP"]);
    let last = &after["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!((&last["exitCode"], &last["reason"]), (&Value::from(0), &Value::from("Completed")), "{last}");

    // A program that ends at once waits longer each time, and the pod says so.
    namespace.create(&busybox_manifest("crash", "exit 3"));
    wait_for("back-off", || {
        let pod = namespace.get("pod crash");
        let status = &pod["status"]["containerStatuses"][0];
        if status["state"]["waiting"]["reason"] == "CrashLoopBackOff" { Ok(()) } else { Err(status.to_string()) }
    });
    let crash = namespace.get("pod crash")["status"]["containerStatuses"][0]["lastState"]["terminated"].clone();
    assert_eq!((&crash["exitCode"], &crash["reason"]), (&Value::from(3), &Value::from("Error")), "{crash}");
    namespace.k("delete deployment/echo pod/crash");
}

fn a_deleted_pod_is_replaced_and_replicas_scale(cluster: &Cluster) {
    let namespace = cluster.namespace("scale");
    namespace.create(&echo_deployment("echo", 3));
    available(&namespace, "echo", 3);
    let victim = namespace.pods("app=echo")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    namespace.k(&format!("delete pod {victim}"));
    available(&namespace, "echo", 3);
    let names = names(&namespace.pods("app=echo"));
    assert!(names.len() == 3 && !names.contains(&victim), "{names:?} after {victim}");
    for replicas in [5, 1] {
        namespace.k(&format!("scale deployment echo --replicas={replicas}"));
        available(&namespace, "echo", replicas);
    }
    namespace.k("delete deployment echo");
    wait_for("the pods to go", || {
        let left = namespace.k("get pods --output=name");
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
}

fn a_new_image_rolls_out(cluster: &Cluster) {
    let namespace = cluster.namespace("rollout");
    namespace.k("create deployment hello --image=wardviaene/k8s-demo:1 --replicas=2 --port=3000");
    namespace.k("rollout status deployment/hello --timeout=60s");
    namespace.k("expose deployment hello --port=80 --target-port=3000");
    namespace.k("set image deployment/hello k8s-demo=wardviaene/k8s-demo:2");
    namespace.k("rollout status deployment/hello --timeout=60s");
    let address = namespace.get("service hello")["spec"]["clusterIP"].as_str().unwrap().to_owned();
    wait_for("the new version alone to answer", || {
        let answers: BTreeSet<String> =
            (0..6).map(|_| cluster.fetch(&format!("http://{address}/"))).collect::<Result<_, _>>()?;
        if answers == BTreeSet::from(["Hello World v2!".to_owned()]) { Ok(()) } else { Err(format!("{answers:?}")) }
    });
    namespace.k("rollout undo deployment/hello");
    namespace.k("rollout status deployment/hello --timeout=60s");
    wait_for("the old version to answer again", || {
        let answer = cluster.fetch(&format!("http://{address}/"))?;
        if answer == "Hello World!" { Ok(()) } else { Err(answer) }
    });
    namespace.k("delete deployment/hello service/hello");
}

fn a_service_spreads_over_its_pods(cluster: &Cluster) {
    let namespace = cluster.namespace("spread");
    namespace.create(&echo_deployment("echo", 3));
    namespace.k("expose deployment echo --port=80 --target-port=3000 --type=NodePort");
    available(&namespace, "echo", 3);
    let expected = names(&namespace.pods("app=echo"));
    let service = namespace.get("service echo");
    let address = service["spec"]["clusterIP"].as_str().unwrap();
    let port = service["spec"]["ports"][0]["nodePort"].as_u64().unwrap();
    for url in [format!("http://{address}/hostname"), format!("http://{NODE_ADDRESS}:{port}/hostname")] {
        wait_for("every pod to have answered", || {
            let answered: BTreeSet<String> = (0..20).map(|_| cluster.fetch(&url)).collect::<Result<_, _>>()?;
            if answered == expected { Ok(()) } else { Err(format!("{answered:?} of {expected:?}")) }
        });
    }
    namespace.k("delete deployment/echo service/echo");
}

fn a_pod_finds_services_by_name_and_itself_too(cluster: &Cluster) {
    let namespace = cluster.namespace("names");
    namespace.create(&echo_deployment("echo", 1));
    namespace.k("expose deployment echo --port=80 --target-port=3000");
    namespace.create(&busybox_manifest("box", "sleep 100000 & wait"));
    namespace.wait_ready("pods --selector app=echo");
    namespace.wait_ready("pod/box");
    let pod = names(&namespace.pods("app=echo")).pop_first().unwrap();
    let address = namespace.get("service echo")["spec"]["clusterIP"].as_str().unwrap().to_owned();
    let looked_up = namespace.shell("box", "nslookup echo.names.svc.cluster.local").success();
    assert!(looked_up.contains(&address), "{looked_up}");
    for name in ["echo", "echo.names", "echo.names.svc", "echo.names.svc.cluster.local"] {
        let line = format!("wget -q -O - http://{name}/hostname");
        wait_for("the service to answer by name", || {
            let ran = namespace.shell("box", &line);
            if ran.is_success() && ran.stdout == pod { Ok(()) } else { Err(ran.to_string()) }
        });
    }
    // The only pod behind the service asks the service: the answer must come back to it.
    let own = namespace.shell(&pod, "wget -q -O - http://echo.names.svc.cluster.local/hostname");
    assert_eq!(own.success(), pod);
    let kubernetes = namespace.shell("box", "nslookup kubernetes.default.svc.cluster.local").success();
    assert!(kubernetes.contains("10.96.0.1"), "{kubernetes}");
    let absent = namespace.shell("box", "nslookup absent.names.svc.cluster.local");
    assert!(!absent.is_success() && absent.text().contains("NXDOMAIN"), "{absent}");
    namespace.k("delete deployment/echo service/echo pod/box");
}

fn anonymous_requests_see_only_health_and_version(cluster: &Cluster) {
    let status = |path: &str, header: &str| {
        let mut curl = cluster.machine.command("curl");
        curl.args(["--silent", "--insecure", "--max-time", "10", "--write-out", "\n%{http_code}", "--header", header]);
        let ran = run(curl.arg(format!("https://127.0.0.1:6443{path}")), "").success();
        let (body, code) = ran.rsplit_once('\n').unwrap();
        (code.parse::<u16>().unwrap(), body.to_owned())
    };
    for open in ["/healthz", "/livez", "/readyz", "/version"] {
        assert_eq!(status(open, "Accept: */*").0, 200, "{open}");
    }
    for closed in ["/api", "/apis", "/api/v1/nodes", "/api/v1/namespaces/default/secrets", "/metrics", "/openapi/v2"] {
        let (code, body) = status(closed, "Accept: */*");
        assert_eq!(code, 403, "{closed}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["kind"], &body["reason"]), (&Value::from("Status"), &Value::from("Forbidden")));
        assert!(body["message"].as_str().unwrap().contains("system:anonymous"), "{body}");
    }
    assert_eq!(status("/version", "Authorization: Bearer not-a-token").0, 401);
    // The certificate is one that the cluster's authority vouches for, and no other.
    let authority = cluster.machine.folder().join("ca.pem");
    let config = cluster.k("config view --raw --output=jsonpath={.clusters[0].cluster.certificate-authority-data}");
    let decode = run(cluster.machine.command("base64").arg("-d"), &config).success();
    std::fs::write(&authority, decode).unwrap();
    let verified = |arguments: &[&str]| {
        run(cluster.machine.command("curl").args(["--silent", "--show-error"]).args(arguments), "").is_success()
    };
    let authority = authority.to_str().unwrap();
    assert!(verified(&["--cacert", authority, "https://127.0.0.1:6443/version"]));
    assert!(!verified(&["https://127.0.0.1:6443/version"]));
}

fn a_pods_token_works_against_the_api(cluster: &Cluster) {
    let namespace = cluster.namespace("token");
    namespace.create(&busybox_manifest("box", "sleep 100000 & wait"));
    namespace.wait_ready("pod/box");
    let folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    assert_eq!(namespace.shell("box", &format!("cat {folder}/namespace")).success(), "token");
    let token = namespace.shell("box", &format!("cat {folder}/token")).success();
    let authority = cluster.machine.folder().join("pod-ca.pem");
    std::fs::write(&authority, namespace.shell("box", &format!("cat {folder}/ca.crt")).success()).unwrap();
    let variables = namespace.shell("box", "echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT").success();
    assert_eq!(variables, "10.96.0.1:443\n");
    let list = || {
        let mut curl = cluster.machine.command("curl");
        curl.args(["--silent", "--show-error", "--max-time", "10"]).arg("--cacert").arg(&authority);
        curl.args(["--resolve", "kubernetes.default.svc:443:10.96.0.1"]);
        curl.args(["--header", &format!("Authorization: Bearer {token}")]);
        run(curl.arg("https://kubernetes.default.svc/api/v1/namespaces/token/pods"), "").json()
    };
    let refused = list();
    let message = refused["message"].as_str().unwrap();
    assert_eq!(refused["code"], 403);
    assert!(
        message.contains("User \"system:serviceaccount:token:default\" cannot list resource \"pods\""),
        "{message}"
    );
    namespace.k("create rolebinding reads --clusterrole=view --serviceaccount=token:default");
    let listed = wait_for("the binding to count", || {
        let answer = list();
        if answer["kind"] == "PodList" { Ok(answer) } else { Err(answer.to_string()) }
    });
    assert_eq!(listed["items"][0]["metadata"]["name"], "box");
    namespace.k("delete pod box");
}

fn rbac_decides_who_may_what(cluster: &Cluster) {
    let namespace = cluster.namespace("rbac");
    let can = |arguments: &[&str]| {
        let mut all = vec!["auth", "can-i"];
        all.extend(arguments);
        namespace.try_k(&all).stdout.trim().to_owned()
    };
    assert_eq!(can(&["*", "*"]), "yes");
    assert_eq!(can(&["list", "pods", "--as=jane"]), "no");
    namespace.k("create rolebinding jane --clusterrole=edit --user=jane");
    wait_for("the binding to count", || {
        let answer = can(&["create", "pods", "--as=jane"]);
        if answer == "yes" { Ok(()) } else { Err(answer) }
    });
    assert_eq!(can(&["list", "nodes", "--as=jane"]), "no");
    assert_eq!(can(&["create", "rolebindings.rbac.authorization.k8s.io", "--as=jane"]), "no");
    let refused = namespace.try_k(&["get", "nodes", "--as=jane"]).failure();
    let expected = "User \"jane\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
    assert!(refused.contains(expected), "{refused}");
    for role in ["cluster-admin", "admin", "edit", "view", "system:node", "system:kube-scheduler"] {
        cluster.k(&format!("get clusterrole {role}"));
    }
}

fn a_manifest_with_a_mistake_is_refused_whole(cluster: &Cluster) {
    let namespace = cluster.namespace("mistakes");
    let create = |manifest: &str| {
        let arguments = ["--namespace", "mistakes", "create", "-f", "-"];
        cluster.kubectl_with(Kubectl::usual(), &arguments, manifest).failure()
    };
    let unknown = create(&busybox_manifest("box", "true").replace("    image:", "    imagee: x\n    image:"));
    assert!(unknown.contains("unknown field \"spec.containers[0].imagee\""), "{unknown}");
    let wrong = create(&echo_deployment("echo", 1).replace("replicas: 1", "replicas: three"));
    assert!(wrong.contains("replicas"), "{wrong}");
    let invalid = create(&busybox_manifest("Bad_Name", "true"));
    assert!(invalid.contains("a lowercase RFC 1123 subdomain must consist of"), "{invalid}");
    assert_eq!(namespace.k("get pods,deployments --output=name"), "");
}

fn echo_deployment(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: {replicas}\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
         spec:\n      containers:\n      - name: echo\n        image: echo:1\n        ports: [{{containerPort: 3000}}]\n        \
         readinessProbe: {{httpGet: {{path: /healthz, port: 3000}}, periodSeconds: 1}}\n"
    )
}

fn available(namespace: &Namespace<'_>, deployment: &str, replicas: u64) {
    wait_for(&format!("{replicas} available replicas"), || {
        let status = namespace.get(&format!("deployment {deployment}"))["status"].clone();
        let has = |field: &str| status[field].as_u64().unwrap_or(0) == replicas;
        let settled = namespace.pods(&format!("app={deployment}")).len() as u64 == replicas;
        if has("availableReplicas") && has("replicas") && settled { Ok(()) } else { Err(status.to_string()) }
    });
}

fn wait_phase(namespace: &Namespace<'_>, pod: &str, phase: &str) {
    wait_for(&format!("{pod} to be {phase}"), || {
        let status = namespace.get(&format!("pod {pod}"))["status"].clone();
        if status["phase"] == phase { Ok(()) } else { Err(status.to_string()) }
    });
}

fn names(pods: &[Value]) -> BTreeSet<String> {
    pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

fn messages(events: &Value) -> Vec<&str> {
    events["items"].as_array().into_iter().flatten().filter_map(|event| event["message"].as_str()).collect()
}
