//! Manifests from before their versions were removed, through the kubectls of then and now.

use std::process::ExitCode;

use e2e::{Cluster, Kubectl, Suite, trial};

/// As the course's notes have it, with one replica for a small machine.
const DEPLOYMENT: &str = "\
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: helloworld-deployment
spec:
  replicas: 1
  template:
    metadata:
      labels:
        app: helloworld
    spec:
      containers:
      - name: k8s-demo
        image: wardviaene/k8s-demo
        ports:
        - name: nodejs-port
          containerPort: 3000
";

const INGRESS: &str = "\
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: helloworld-rules
spec:
  rules:
  - host: helloworld-v1.example.com
    http:
      paths:
      - path: /
        backend:
          serviceName: helloworld-v1
          servicePort: 80
";

const CRON_JOB: &str = "\
apiVersion: batch/v1beta1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: '0 3 * * *'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: c
            image: busybox:1.36
";

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        cluster.load(&["k8s-demo.tar"]);
    });
    let mut trials = vec![
        trial(&suite, "the_notes_old_deployment_rolls_out", the_notes_old_deployment_rolls_out),
        trial(&suite, "an_old_manifest_is_applied_again_and_again", an_old_manifest_is_applied_again_and_again),
        trial(&suite, "stable_kinds_are_chosen_by_name", stable_kinds_are_chosen_by_name),
    ];
    for kubectl in Kubectl::all() {
        let name = format!("kubectl_1_{}_creates_what_versions_of_old_describe", kubectl.minor);
        trials.push(trial(&suite, &name, |cluster| create_old(cluster, kubectl)));
    }
    trials.push(trial(&suite, "old_versions_are_hidden_on_request", old_versions_are_hidden_on_request));
    suite.run(1, trials)
}

fn the_notes_old_deployment_rolls_out(cluster: &Cluster) {
    let created = cluster.kubectl_with(Kubectl::newest(), &["create", "-f", "-"], DEPLOYMENT);
    assert_eq!(created.clone().success(), "deployment.extensions/helloworld-deployment created\n");
    let warning =
        "Warning: extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment";
    assert!(created.stderr.contains(warning), "{created}");
    cluster.k("rollout status deployment/helloworld-deployment --timeout=60s");
    let deployment = cluster.get("deployment helloworld-deployment");
    assert_eq!(deployment["apiVersion"], "apps/v1");
    assert_eq!(deployment["spec"]["selector"]["matchLabels"]["app"], "helloworld");
    let raw = cluster.kubectl(&["get", "--raw", "/apis/extensions/v1beta1/namespaces/default/deployments"]).json();
    assert_eq!(
        (&raw["apiVersion"], &raw["items"][0]["status"]["readyReplicas"]),
        (&"extensions/v1beta1".into(), &1.into())
    );
    let listed = cluster.k("get deployments.v1beta1.extensions");
    assert!(listed.contains("helloworld-deployment   1/1"), "{listed}");
    cluster.k("delete deployment helloworld-deployment");
}

fn an_old_manifest_is_applied_again_and_again(cluster: &Cluster) {
    for (kubectl, way) in [
        (&Kubectl::all()[0], "--server-side=false"),
        (Kubectl::newest(), "--server-side=false"),
        (Kubectl::newest(), "--server-side=true"),
    ] {
        let name = format!("applied-{}-{}", kubectl.minor, way.len());
        let namespace = cluster.namespace(&name);
        let arguments = ["--namespace", name.as_str(), "apply", way, "-f", "-"];
        let mut manifest = [INGRESS, &DEPLOYMENT.replace("replicas: 1", "replicas: 0")].join("---\n");
        for word in ["created", "unchanged", "configured"] {
            let applied = cluster.kubectl_with(kubectl, &arguments, &manifest).success();
            let expected = if way.ends_with("true") { "serverside-applied" } else { word };
            // The ingress's rules are replaced as a whole, and have got a pathType since.
            let line = format!("deployment.extensions/helloworld-deployment {expected}");
            assert!(applied.lines().any(|other| other == line), "{name}, {word}: {applied}");
            if word == "unchanged" {
                manifest = manifest.replace("containerPort: 3000", "containerPort: 3001").replace("-v1", "-v2");
            }
        }
        let container = &namespace.get("deployment helloworld-deployment")["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["ports"][0]["containerPort"], 3001, "{name}: {container}");
        assert_eq!(container["ports"].as_array().map(Vec::len), Some(1), "{name}: {container}");
        let path = &namespace.get("ingress helloworld-rules")["spec"]["rules"][0]["http"]["paths"][0];
        assert_eq!(path["backend"]["service"]["name"], "helloworld-v2", "{name}: {path}");
    }
}

fn stable_kinds_are_chosen_by_name(cluster: &Cluster) {
    let namespace = cluster.namespace("chosen");
    namespace.create(INGRESS);
    for (name, version) in [("ingress", "networking.k8s.io/v1"), ("ing", "networking.k8s.io/v1")] {
        assert_eq!(namespace.get(name)["items"][0]["apiVersion"], version, "{name}");
    }
    let table = namespace.k("get ingress");
    assert!(table.contains("helloworld-v1.example.com") && table.contains("80"), "{table}");
    for (name, path) in [
        ("deployments", "apps/v1"),
        ("daemonsets", "apps/v1"),
        ("networkpolicies", "networking.k8s.io/v1"),
        ("cronjobs", "batch/v1"),
        ("hpa", "autoscaling/v2"),
        ("pdb", "policy/v1"),
    ] {
        let asked = namespace.try_k(&["get", name, "-v=6"]);
        assert!(asked.stderr.contains(&format!("/apis/{path}/namespaces/chosen/")), "{name}: {asked}");
    }
    // A short name that led to two groups would be warned of, and all would be listed twice.
    let short = namespace.try_k(&["get", "deploy,ds,rs,ing,netpol"]);
    assert!(short.is_success() && !short.stderr.contains("Warning"), "{short}");
    namespace.create(&DEPLOYMENT.replace("replicas: 1", "replicas: 0"));
    let all = namespace.k("get all --output=name");
    let deployments: Vec<&str> = all.lines().filter(|line| line.starts_with("deployment")).collect();
    assert_eq!(deployments, ["deployment.apps/helloworld-deployment"]);
}

fn create_old(cluster: &Cluster, kubectl: &Kubectl) {
    let name = format!("old-{}", kubectl.minor);
    let namespace = cluster.namespace(&name);
    let manifests = [INGRESS, CRON_JOB, &DEPLOYMENT.replace("replicas: 1", "replicas: 0")].join("---\n");
    let arguments = ["--namespace", name.as_str(), "create", "-f", "-"];
    let created = cluster.kubectl_with(kubectl, &arguments, &manifests).success();
    assert_eq!(created.lines().count(), 3, "{created}");
    assert_eq!(
        namespace.get("ingress helloworld-rules")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"],
        "helloworld-v1"
    );
    let described =
        cluster.kubectl_with(kubectl, &["--namespace", &name, "describe", "ingress", "helloworld-rules"], "");
    assert!(described.clone().success().contains("helloworld-v1:80"), "{described}");
    let scale = ["--namespace", name.as_str(), "get", "deployments", "--output=name"];
    assert_eq!(cluster.kubectl_with(kubectl, &scale, "").success(), "deployment.apps/helloworld-deployment\n");
}

fn old_versions_are_hidden_on_request(cluster: &Cluster) {
    cluster.pintle("down", &[]).success();
    cluster.pintle("up", &["--legacy-apis=false"]).success();
    // Not what kubectl remembers of the server as it was.
    let cache = cluster.machine.folder().join("empty-cache");
    let arguments = ["--cache-dir", cache.to_str().unwrap(), "create", "-f", "-"];
    let refused = cluster.kubectl_with(Kubectl::newest(), &arguments, DEPLOYMENT).failure();
    assert!(refused.contains("no matches for kind \"Deployment\" in version \"extensions/v1beta1\""), "{refused}");
    cluster.k("get deployments");
    let versions = cluster.k("api-versions");
    assert!(!versions.contains("extensions/v1beta1") && versions.contains("resource.k8s.io/v1beta1"), "{versions}");
}
