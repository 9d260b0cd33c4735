//! What surrounds the kinds of the API, as every real kubectl of this machine sees it: documents,
//! proxies, questions and what admission says.

use std::process::{Child, ExitCode, Stdio};

use e2e::{Cluster, Kubectl, Namespace, Suite, run, trial, wait_for};

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["busybox.tar"]);
    });
    let mut trials = vec![
        trial(&suite, "a_service_is_reached_through_the_api_server", a_service_is_reached_through_the_api_server),
        trial(&suite, "bounds_and_shares_of_a_namespace_hold", bounds_and_shares_of_a_namespace_hold),
        trial(&suite, "pod_security_speaks_as_upstream", pod_security_speaks_as_upstream),
        trial(&suite, "every_group_is_registered", every_group_is_registered),
    ];
    for kubectl in Kubectl::all() {
        let name = format!("kubectl_1_{}_explains_and_validates", kubectl.minor);
        trials.push(trial(&suite, &name, |cluster| explain_and_validate(cluster, kubectl)));
        let name = format!("kubectl_1_{}_asks_what_it_may", kubectl.minor);
        trials.push(trial(&suite, &name, |cluster| ask(cluster, kubectl)));
    }
    suite.run(2, trials)
}

const WEB: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:1.36
    command: [sh, -c, 'mkdir -p /www/below; echo top > /www/index.html; echo below > /www/below/index.html; httpd -f -p 8080 -h /www']
    ports:
    - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - name: http
    port: 80
    targetPort: 8080
  - name: closed
    port: 81
    targetPort: 8081
";

struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn a_service_is_reached_through_the_api_server(cluster: &Cluster) {
    let namespace = cluster.namespace("proxied");
    namespace.create(WEB);
    namespace.wait_ready("pod/web");
    let root = "/api/v1/namespaces/proxied";
    let raw = |path: &str| cluster.kubectl(&["get", "--raw", &format!("{root}{path}")]);
    wait_for("the endpoints", || {
        let ran = raw("/services/web:http/proxy/");
        if ran.is_success() { Ok(()) } else { Err(ran.to_string()) }
    });
    for (path, expected) in [
        ("/services/web:80/proxy/", "top\n"),
        ("/services/http:web:http/proxy/below/", "below\n"),
        ("/pods/web/proxy/", "top\n"),
        ("/pods/web:8080/proxy/below/index.html", "below\n"),
    ] {
        assert_eq!(raw(path).success(), expected, "{path}");
    }
    let refused = raw("/services/web:81/proxy/").failure();
    assert!(refused.contains("error trying to reach service: dial tcp"), "{refused}");
    assert!(refused.contains("connect: connection refused"), "{refused}");
    let nobody = raw("/services/web:82/proxy/").failure();
    assert!(nobody.contains("no service port 82 found for service \"web\""), "{nobody}");
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let healthy = cluster.kubectl(&["get", "--raw", &format!("/api/v1/nodes/{node}/proxy/healthz")]).success();
    assert_eq!(healthy, "ok");
    // As a browser comes: through kubectl's own proxy, following the redirects.
    let mut proxy = cluster.machine.command(&Kubectl::usual().program);
    proxy.env("KUBECONFIG", cluster.machine.kubeconfig()).args(["proxy", "--port=18999"]).stdout(Stdio::null());
    let _proxy = Background(proxy.spawn().unwrap());
    for (path, expected) in [("/services/web:http/proxy", "top\n"), ("/services/web:http/proxy/below", "below\n")] {
        let url = format!("http://127.0.0.1:18999{root}{path}");
        wait_for("kubectl's proxy to answer", || {
            let mut curl = cluster.machine.command("curl");
            let ran = run(curl.args(["--silent", "--fail", "--location", "--max-time", "5", &url]), "");
            if ran.stdout == expected { Ok(()) } else { Err(ran.to_string()) }
        });
    }
    namespace.k("delete pod,service web");
}

const BOUNDS: &str = "\
apiVersion: v1
kind: LimitRange
metadata: {name: bounds}
spec:
  limits:
  - type: Container
    default: {cpu: 200m}
    defaultRequest: {cpu: 50m}
    max: {cpu: 500m}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: share}
spec:
  hard: {configmaps: '3', requests.cpu: 120m}
";

fn bounds_and_shares_of_a_namespace_hold(cluster: &Cluster) {
    let namespace = cluster.namespace("bounded");
    namespace.wait_exists("serviceaccount default");
    namespace.create(BOUNDS);
    wait_for("the quota to be counted", || {
        let quota = namespace.get("resourcequota share");
        let used = &quota["status"]["used"];
        // The authority's certificate is a config map of every namespace.
        if used["configmaps"] == "1" && used["requests.cpu"] == "0" { Ok(()) } else { Err(quota.to_string()) }
    });
    namespace.k("run first --image=busybox:1.36 --restart=Never -- sleep 3600");
    let pod = namespace.get("pod first");
    let resources = &pod["spec"]["containers"][0]["resources"];
    assert_eq!((&resources["limits"]["cpu"], &resources["requests"]["cpu"]), (&"200m".into(), &"50m".into()));
    namespace.k("run second --image=busybox:1.36 --restart=Never -- sleep 3600");
    let beyond = namespace.try_k(&["run", "third", "--image=busybox:1.36", "--restart=Never", "--", "sleep", "1"]);
    let why = "pods \"third\" is forbidden: exceeded quota: share, requested: requests.cpu=50m, used: \
               requests.cpu=100m, limited: requests.cpu=120m";
    assert!(beyond.clone().failure().contains(why), "{beyond}");
    for name in ["a", "b"] {
        namespace.k(&format!("create configmap {name}"));
    }
    let beyond = namespace.try_k(&["create", "configmap", "c"]).failure();
    assert!(beyond.contains("exceeded quota: share, requested: configmaps=1, used: configmaps=3"), "{beyond}");
    // What is given back can be used again.
    namespace.k("delete configmap a");
    wait_for("room for another", || {
        let ran = namespace.try_k(&["create", "configmap", "c"]);
        if ran.is_success() { Ok(()) } else { Err(ran.to_string()) }
    });
    namespace.k("delete pod first second --grace-period=0 --force");
}

fn pod_security_speaks_as_upstream(cluster: &Cluster) {
    let namespace = cluster.namespace("secured");
    namespace.wait_exists("serviceaccount default");
    cluster.k("label namespace secured pod-security.kubernetes.io/enforce=restricted");
    let refused = namespace.try_k(&["run", "plain", "--image=busybox:1.36"]).failure();
    let why = "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"plain\" must set \
               securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"plain\" must set \
               securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"plain\" must set \
               securityContext.runAsNonRoot=true), seccompProfile (pod or container \"plain\" must set \
               securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";
    assert!(refused.contains(why), "{refused}");
    cluster.k("label namespace secured pod-security.kubernetes.io/warn=baseline");
    let ran = namespace.try_k(&["create", "deployment", "d", "--image=busybox:1.36"]);
    assert!(ran.is_success() && !ran.stderr.contains("Warning"), "{ran}");
    let host = r#"{"spec":{"template":{"spec":{"hostNetwork":true}}}}"#;
    let ran = namespace.try_k(&["patch", "deployment", "d", "--patch", host]);
    assert!(
        ran.stderr.contains("would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)"),
        "{ran}"
    );
    namespace.k("delete deployment d");
}

fn every_group_is_registered(cluster: &Cluster) {
    let table = cluster.k("get apiservices");
    let line = |name: &str| {
        let found = table.lines().find(|line| line.split_whitespace().next() == Some(name));
        found.unwrap_or_else(|| panic!("{name} in\n{table}")).split_whitespace().collect::<Vec<_>>()
    };
    for name in ["v1.", "v1.apps", "v1.batch", "v2.autoscaling", "v1.networking.k8s.io"] {
        assert_eq!(line(name)[1..3], ["Local", "True"], "{table}");
    }
}

/// A field that no container has, and a text that is none of those a policy may be.
const MISTAKEN: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: mistaken}
spec:
  containers:
  - name: a
    image: busybox:1.36
    imagePullPolice: Never
";

fn explain_and_validate(cluster: &Cluster, kubectl: &Kubectl) {
    let k = |arguments: &[&str], input: &str| cluster.kubectl_with(kubectl, arguments, input);
    let all = k(&["explain", "pod.spec.containers", "--recursive"], "").success();
    for field in ["imagePullPolicy", "livenessProbe", "exec", "command", "securityContext", "seLinuxOptions"] {
        assert!(all.contains(field), "{field} in\n{all}");
    }
    let one = k(&["explain", "deployment.spec.replicas"], "").success();
    assert!(one.contains("Number of desired pods.") && one.contains("replicas"), "{one}");
    if kubectl.minor >= 27 {
        let old = k(&["explain", "pod.spec.containers.ports.protocol", "--output=plaintext-openapiv2"], "").success();
        assert!(old.contains("Protocol for port."), "{old}");
        let new = k(&["explain", "pod.spec.containers.ports.protocol"], "").success();
        assert!(new.contains("Protocol for port."), "{new}");
        // Earlier ones do not show which texts there may be.
        assert!(kubectl.minor < 30 || new.contains("ENUM:\n    SCTP\n    TCP\n    UDP\n"), "{new}");
    }
    let refused = k(&["create", "--validate=true", "-f", "-"], MISTAKEN).failure();
    assert!(refused.contains("imagePullPolice"), "{refused}");
    let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: dry-{}}}\n", kubectl.minor);
    for arguments in [["create", "--dry-run=server", "-f", "-"], ["apply", "--dry-run=server", "-f", "-"]] {
        let dry = k(&arguments, &map).success();
        assert!(dry.contains("(server dry run)"), "{dry}");
    }
    assert!(!k(&["get", "configmap", &format!("dry-{}", kubectl.minor)], "").is_success());
    let resources = k(&["api-resources", "--output=name"], "").success();
    for name in
        ["pods", "deployments.apps", "horizontalpodautoscalers.autoscaling", "apiservices.apiregistration.k8s.io"]
    {
        assert!(resources.lines().any(|line| line == name), "{name} in\n{resources}");
    }
}

fn ask(cluster: &Cluster, kubectl: &Kubectl) {
    let k = |arguments: &[&str]| cluster.kubectl_with(kubectl, arguments, "");
    assert_eq!(k(&["auth", "can-i", "create", "pods"]).success().trim(), "yes");
    let no = k(&["auth", "can-i", "delete", "nodes", "--as=jane"]);
    assert_eq!(no.stdout.trim(), "no", "{no}");
    let rules = k(&["auth", "can-i", "--list", "--as=jane", "--as-group=system:authenticated"]).success();
    assert!(rules.contains("selfsubjectaccessreviews.authorization.k8s.io"), "{rules}");
    assert!(rules.contains("/version"), "{rules}");
    if kubectl.minor >= 28 {
        let who = k(&["auth", "whoami", "--output=json"]).json();
        assert!(!who["status"]["userInfo"]["username"].as_str().unwrap().is_empty());
    }
}

trait Exists {
    fn wait_exists(&self, what: &str);
}

impl Exists for Namespace<'_> {
    fn wait_exists(&self, what: &str) {
        wait_for(what, || {
            let mut get = vec!["get"];
            get.extend(what.split_whitespace());
            let ran = self.try_k(&get);
            if ran.is_success() { Ok(()) } else { Err(ran.to_string()) }
        });
    }
}
