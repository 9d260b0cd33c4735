//! The walks of a well-known course's notes: its manifests as they stand there, versions of old included, and the
//! commands that it has its readers type. Images stand in for what only the network has, under the same names.

mod autoscaling;

use std::path::PathBuf;
use std::process::ExitCode;

use e2e::{Cluster, Kubectl, NODE_ADDRESS, Suite, trial, wait_for};
use serde_json::Value;

fn main() -> ExitCode {
    let suite = Suite::new(|cluster| {
        cluster.up();
        let images = ["busybox.tar", "k8s-demo.tar", "k8s-demo-2.tar", "cassandra.tar", "hpa-example.tar"];
        cluster.load(&images);
    });
    let trials = vec![
        trial(&suite, "the_walk_of_replication_controllers", replication_controllers),
        trial(&suite, "the_walk_of_deployments", deployments),
        trial(&suite, "the_walk_of_labels_and_health_checks", labels_and_health_checks),
        trial(&suite, "the_walk_of_volumes", volumes),
        trial(&suite, "the_walk_of_stateful_sets", stateful_sets),
        trial(&suite, "the_walk_of_daemon_sets_and_jobs", daemon_sets_and_jobs),
        trial(&suite, "the_walk_of_autoscaling", autoscaling::walk),
    ];
    // All in the namespace `default`, under names that the walks share.
    suite.run(1, trials)
}

/// Writes a manifest where its reader would have it.
fn file(cluster: &Cluster, name: &str, text: &str) -> PathBuf {
    let path = cluster.machine.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn pods(cluster: &Cluster, app: &str) -> Vec<Value> {
    let list = cluster.get(&format!("pods --selector app={app}"));
    let items = list["items"].as_array().cloned().unwrap_or_default();
    items.into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
}

fn wait_pods(cluster: &Cluster, app: &str, count: usize) {
    wait_for(&format!("{count} ready pods of {app}"), || {
        let pods = pods(cluster, app);
        let is_ready = |pod: &Value| pod["status"]["containerStatuses"][0]["ready"] == true;
        if pods.len() == count && pods.iter().all(is_ready) { Ok(()) } else { Err(cluster.k("get pods")) }
    });
}

fn wait_gone(cluster: &Cluster) {
    wait_for("the walk's pods to go", || {
        let left = cluster.k("get pods --output=name");
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
}

const REPLICATION_CONTROLLER: &str = "
apiVersion: v1
kind: ReplicationController
metadata:
  name: helloworld-controller
spec:
  replicas: 2
  selector:
    app: helloworld
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

fn replication_controllers(cluster: &Cluster) {
    let manifest = file(cluster, "helloworld-repl-controller.yml", REPLICATION_CONTROLLER);
    let manifest = manifest.display();
    assert_eq!(cluster.k(&format!("create -f {manifest}")), "replicationcontroller/helloworld-controller created\n");
    wait_pods(cluster, "helloworld", 2);
    let name = pods(cluster, "helloworld")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    cluster.k(&format!("delete pod {name}"));
    wait_pods(cluster, "helloworld", 2);
    assert!(pods(cluster, "helloworld").iter().all(|pod| pod["metadata"]["name"] != name.as_str()));
    let scaled = cluster.k(&format!("scale --replicas=4 -f {manifest}"));
    assert_eq!(scaled, "replicationcontroller/helloworld-controller scaled\n");
    wait_pods(cluster, "helloworld", 4);
    let row = cluster.k("get rc helloworld-controller --no-headers");
    assert_eq!(row.split_whitespace().take(4).collect::<Vec<_>>(), ["helloworld-controller", "4", "4", "4"]);
    cluster.k("scale --replicas=1 rc/helloworld-controller");
    wait_pods(cluster, "helloworld", 1);
    cluster.k("delete rc/helloworld-controller");
    wait_gone(cluster);
}

const DEPLOYMENT: &str = "
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: helloworld-deployment
spec:
  replicas: 3
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

fn deployments(cluster: &Cluster) {
    let manifest = file(cluster, "helloworld.yml", DEPLOYMENT);
    cluster.k(&format!("create -f {}", manifest.display()));
    cluster.k("rollout status deployment/helloworld-deployment --timeout=60s");
    let row = cluster.k("get deployments --no-headers");
    assert_eq!(row.split_whitespace().take(4).collect::<Vec<_>>(), ["helloworld-deployment", "3/3", "3", "3"]);
    let set = cluster.k("get rs --no-headers");
    assert!(set.starts_with("helloworld-deployment-"), "{set}");
    let labelled = cluster.k("get pods --show-labels --no-headers");
    assert_eq!(labelled.matches("app=helloworld,pod-template-hash=").count(), 3, "{labelled}");
    cluster.k("expose deployment helloworld-deployment --type=NodePort");
    assert!(cluster.k("get service").contains("helloworld-deployment"));
    let described = cluster.k("describe service helloworld-deployment");
    assert!(described.contains("NodePort") && described.contains(":3000"), "{described}");
    let port = cluster.get("service helloworld-deployment")["spec"]["ports"][0]["nodePort"].clone();
    let url = format!("http://{NODE_ADDRESS}:{port}");
    let answers = |expected: &str| {
        wait_for(expected, || match cluster.fetch(&url)? {
            answer if answer == expected => Ok(()),
            other => Err(other),
        });
    };
    answers("Hello World!");
    cluster.k("set image deployment/helloworld-deployment k8s-demo=wardviaene/k8s-demo:2");
    cluster.k("rollout status deployment/helloworld-deployment --timeout=60s");
    answers("Hello World v2!");
    let history = cluster.k("rollout history deployment/helloworld-deployment");
    assert!(history.contains("REVISION") && history.contains("\n1 ") && history.contains("\n2 "), "{history}");
    cluster.k("rollout undo deployment/helloworld-deployment");
    cluster.k("rollout status deployment/helloworld-deployment --timeout=60s");
    answers("Hello World!");
    cluster.k("rollout undo deployment/helloworld-deployment --to-revision=2");
    cluster.k("rollout status deployment/helloworld-deployment --timeout=60s");
    answers("Hello World v2!");
    cluster.k("delete deployment/helloworld-deployment service/helloworld-deployment");
    wait_gone(cluster);
}

fn labels_and_health_checks(cluster: &Cluster) {
    let node = cluster.get("nodes")["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let choosy = format!("{}      nodeSelector:\n        hardware: high-spec\n", DEPLOYMENT.trim_end_matches(' '));
    let manifest = file(cluster, "helloworld-nodeselector.yml", &choosy);
    assert!(!cluster.k("get nodes --show-labels").contains("hardware=high-spec"));
    cluster.k(&format!("create -f {}", manifest.display()));
    wait_for("pods without a node", || {
        let waiting = pods(cluster, "helloworld");
        let why = |pod: &Value| pod["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned();
        let selector = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
        let all = waiting.len() == 3 && waiting.iter().all(|pod| why(pod).starts_with(selector));
        if all { Ok(()) } else { Err(waiting.iter().map(why).collect::<Vec<_>>().join("\n")) }
    });
    cluster.k(&format!("label nodes {node} hardware=high-spec"));
    assert!(cluster.k("get nodes --show-labels").contains("hardware=high-spec"));
    wait_pods(cluster, "helloworld", 3);
    cluster.k("delete deployment/helloworld-deployment");
    cluster.k(&format!("label nodes {node} hardware-"));
    wait_gone(cluster);

    let checked = format!(
        "{DEPLOYMENT}        livenessProbe:\n          httpGet:\n            path: /\n            port: nodejs-port\n          \
         initialDelaySeconds: 15\n          timeoutSeconds: 30\n        readinessProbe:\n          httpGet:\n            \
         path: /\n            port: nodejs-port\n          initialDelaySeconds: 1\n          timeoutSeconds: 30\n"
    );
    let manifest = file(cluster, "helloworld-liveness-readiness.yml", &checked);
    cluster.k(&format!("create -f {}", manifest.display()));
    wait_pods(cluster, "helloworld", 3);
    let described = cluster.k("describe pods --selector app=helloworld");
    assert!(described.contains("http-get http://:nodejs-port/ delay=15s timeout=30s"), "{described}");
    // `kubectl edit`, with an editor that knows what it wants.
    let mut edit = cluster.machine.command(&Kubectl::usual().program);
    edit.env("KUBECONFIG", cluster.machine.kubeconfig()).env("KUBE_EDITOR", "sed -i s/replicas:.3/replicas:\\ 2/");
    let edited = e2e::run(edit.args(["edit", "deployment/helloworld-deployment"]), "").success();
    assert_eq!(edited, "deployment.apps/helloworld-deployment edited\n");
    wait_pods(cluster, "helloworld", 2);
    cluster.k("delete deployment/helloworld-deployment");
    wait_gone(cluster);
}

fn volumes(cluster: &Cluster) {
    let claim = "
kind: StorageClass
apiVersion: storage.k8s.io/v1beta1
metadata:
  name: notes
provisioner: kubernetes.io/aws-ebs
parameters:
  type: gp2
  zone: eu-west-1a
---
kind: PersistentVolumeClaim
apiVersion: v1
metadata:
  name: myclaim
spec:
  storageClassName: notes
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 8Gi}}
---
kind: Pod
apiVersion: v1
metadata:
  name: mypod
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: myfrontend
    image: busybox
    command: [sh, -c, 'date >> /var/www/html/visits; while :; do sleep 1; done']
    volumeMounts: [{mountPath: /var/www/html, name: mypd}]
  volumes:
  - name: mypd
    persistentVolumeClaim: {claimName: myclaim}
";
    let manifest = file(cluster, "volume.yml", claim);
    cluster.k(&format!("create -f {}", manifest.display()));
    cluster.k("wait --for=condition=Ready pod/mypod --timeout=60s");
    assert_eq!(cluster.k("exec mypod -- wc -l /var/www/html/visits").split_whitespace().next(), Some("1"));
    // Another pod finds the data of the first.
    cluster.k("delete pod mypod");
    let pod = claim.rsplit("---").next().unwrap();
    let manifest = file(cluster, "volume-again.yml", pod);
    cluster.k(&format!("create -f {}", manifest.display()));
    cluster.k("wait --for=condition=Ready pod/mypod --timeout=60s");
    assert_eq!(cluster.k("exec mypod -- wc -l /var/www/html/visits").split_whitespace().next(), Some("2"));
    assert!(cluster.k("get pv --no-headers").contains("default/myclaim"));
    cluster.k("delete pod/mypod pvc/myclaim storageclass/notes");
    wait_gone(cluster);
}

const CASSANDRA: &str = r#"
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: cassandra
  labels:
    app: cassandra
spec:
  serviceName: cassandra
  replicas: 2
  selector:
    matchLabels:
      app: cassandra
  template:
    metadata:
      labels:
        app: cassandra
    spec:
      terminationGracePeriodSeconds: 1800
      containers:
      - name: cassandra
        image: gcr.io/google-samples/cassandra:v13
        imagePullPolicy: Always
        ports:
        - {containerPort: 7000, name: intra-node}
        - {containerPort: 7001, name: tls-intra-node}
        - {containerPort: 7199, name: jmx}
        - {containerPort: 9042, name: cql}
        resources:
          limits: {cpu: "500m", memory: 1Gi}
          requests: {cpu: "500m", memory: 1Gi}
        securityContext:
          capabilities:
            add: [IPC_LOCK]
        lifecycle:
          preStop:
            exec:
              command: [/bin/sh, -c, nodetool drain]
        env:
        - {name: CASSANDRA_SEEDS, value: "cassandra-0.cassandra.default.svc.cluster.local"}
        - name: POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        readinessProbe:
          exec:
            command: [/bin/bash, -c, /ready-probe.sh]
          initialDelaySeconds: 2
          timeoutSeconds: 5
        volumeMounts:
        - {name: cassandra-data, mountPath: /cassandra_data}
  volumeClaimTemplates:
  - metadata:
      name: cassandra-data
    spec:
      accessModes: [ "ReadWriteOnce" ]
      storageClassName: standard
      resources:
        requests:
          storage: 8Gi
---
kind: StorageClass
apiVersion: storage.k8s.io/v1beta1
metadata:
  name: standard
provisioner: kubernetes.io/aws-ebs
parameters:
  type: gp2
  zone: eu-west-1a
---
apiVersion: v1
kind: Service
metadata:
  labels:
    app: cassandra
  name: cassandra
spec:
  clusterIP: None
  ports:
  - port: 9042
  selector:
    app: cassandra
"#;

fn stateful_sets(cluster: &Cluster) {
    let manifest = file(cluster, "cassandra.yaml", CASSANDRA);
    cluster.k(&format!("create -f {}", manifest.display()));
    cluster.k("rollout status statefulset/cassandra --timeout=60s");
    let listed = cluster.k("get pod --no-headers");
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(rows, [["cassandra-0", "1/1", "Running"], ["cassandra-1", "1/1", "Running"]]);
    let volumes = cluster.k("get pv --no-headers");
    assert!(volumes.contains("default/cassandra-data-cassandra-0") && volumes.contains("8Gi"), "{volumes}");
    // A peer finds the seed by its name.
    let seed = cluster.get("pod cassandra-0")["status"]["podIP"].as_str().unwrap().to_owned();
    let found = cluster.k("exec cassandra-1 -- nslookup cassandra-0.cassandra.default.svc.cluster.local");
    assert!(found.contains(&seed), "{found}");
    let first = cluster.get("pod cassandra-0")["metadata"]["uid"].clone();
    cluster.k("delete pod cassandra-0");
    wait_for("the pod to come back", || {
        let pod = cluster.get("pods --selector app=cassandra")["items"][0].clone();
        let is_new = pod["metadata"]["name"] == "cassandra-0" && pod["metadata"]["uid"] != first;
        let is_ready = pod["status"]["containerStatuses"][0]["ready"] == true;
        if is_new && is_ready { Ok(()) } else { Err(pod["status"].to_string()) }
    });
    assert_eq!(cluster.k("exec cassandra-0 -- cat /cassandra_data/starts"), "cassandra-0\ncassandra-0\n");
    assert_eq!(cluster.k("exec cassandra-0 -- cat /cassandra_data/drains"), "drained\n");
    cluster.k("delete statefulset/cassandra service/cassandra");
    wait_gone(cluster);
    assert_eq!(cluster.k("get pvc --output=name").lines().count(), 2, "claims outlive their set");
    cluster.k("delete pvc --all");
    cluster.k("delete storageclass standard");
}

fn daemon_sets_and_jobs(cluster: &Cluster) {
    let manifest = "
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: monitoring-agent
spec:
  selector: {matchLabels: {app: monitor-agent}}
  template:
    metadata: {labels: {app: monitor-agent}}
    spec:
      containers:
      - name: k8s-demo
        image: wardviaene/k8s-demo
        ports: [{name: nodejs-port, containerPort: 3000}]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: once
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox, command: [echo, done]}]
";
    let manifest = file(cluster, "daemonset.yml", manifest);
    cluster.k(&format!("create -f {}", manifest.display()));
    cluster.k("rollout status daemonset/monitoring-agent --timeout=60s");
    assert_eq!(pods(cluster, "monitor-agent").len(), cluster.get("nodes")["items"].as_array().unwrap().len());
    cluster.k("wait --for=condition=complete job/once --timeout=60s");
    assert_eq!(cluster.k("logs job/once"), "done\n");
    cluster.k("delete daemonset/monitoring-agent job/once");
    wait_gone(cluster);
}
