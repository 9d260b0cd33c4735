//! The walk of autoscaling: a web page that costs processor time, and a shell that asks for it without end.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use e2e::{Cluster, Kubectl, wait_for};
use serde_json::Value;

use crate::{file, pods, wait_gone, wait_pods};

/// The course's pods request ten times as much; on a busy computer they would not get half of that to burn.
const EXAMPLE: &str = "
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: hpa-example
spec:
  replicas: 3
  template:
    metadata:
      labels:
        app: hpa-example
    spec:
      containers:
      - name: hpa-example
        image: gcr.io/google_containers/hpa-example
        ports:
        - name: http-port
          containerPort: 80
        resources:
          requests:
            cpu: 20m
---
apiVersion: v1
kind: Service
metadata:
  name: hpa-example
spec:
  ports:
  - port: 31001
    nodePort: 31001
    targetPort: http-port
    protocol: TCP
  selector:
    app: hpa-example
  type: NodePort
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata:
  name: hpa-example-autoscaler
spec:
  scaleTargetRef:
    apiVersion: extensions/v1beta1
    kind: Deployment
    name: hpa-example
  minReplicas: 1
  maxReplicas: 10
  targetCPUUtilizationPercentage: 50
";

pub(crate) fn walk(cluster: &Cluster) {
    let manifest = file(cluster, "hpa-example.yml", EXAMPLE);
    cluster.k(&format!("create -f {}", manifest.display()));
    wait_pods(cluster, "hpa-example", 3);
    let listed = cluster.k("get hpa --no-headers");
    assert!(listed.starts_with("hpa-example-autoscaler") && listed.contains("Deployment/hpa-example"), "{listed}");

    let mut terminal = Terminal::open(cluster, "run -i --tty load-generator --image=busybox /bin/sh");
    wait_for("the shell to run", || {
        let listed = cluster.kubectl(&["get", "pod", "load-generator", "--no-headers"]);
        if listed.stdout.contains(" Running ") { Ok(()) } else { Err(listed.to_string()) }
    });
    terminal.type_in("while true; do wget -q -O- http://hpa-example.default.svc.cluster.local:31001; done");
    let status = wait_for("the autoscaler to want more", || {
        let status = cluster.get("hpa hpa-example-autoscaler")["status"].clone();
        if status["desiredReplicas"].as_u64() > Some(3) { Ok(status) } else { Err(status.to_string()) }
    });
    let used = &status["currentMetrics"][0]["resource"]["current"]["averageUtilization"];
    assert!(used.as_u64() > Some(50), "{status}");
    let wanted = status["desiredReplicas"].as_u64();
    wait_for("its pods", || {
        let running = pods(cluster, "hpa-example").iter().filter(|pod| pod["status"]["phase"] == "Running").count();
        if Some(running as u64) >= wanted { Ok(()) } else { Err(cluster.k("get pod")) }
    });
    let row = cluster.k("get hpa hpa-example-autoscaler --no-headers");
    assert!(row.contains("%/50%"), "{row}");
    let events = cluster.get("events --field-selector=involvedObject.name=hpa-example-autoscaler");
    let reasons: Vec<&Value> = events["items"].as_array().into_iter().flatten().map(|event| &event["reason"]).collect();
    assert!(reasons.iter().any(|reason| **reason == "SuccessfulRescale"), "{reasons:?}");

    drop(terminal);
    cluster.k("delete pod load-generator --grace-period=1");
    cluster.k("delete hpa/hpa-example-autoscaler deployment/hpa-example service/hpa-example");
    wait_gone(cluster);
}

/// A kubectl at a terminal, as somebody sits at one.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
}

impl Terminal {
    fn open(cluster: &Cluster, words: &str) -> Terminal {
        let line = format!("exec {} {words}", Kubectl::usual().program.display());
        let mut command = cluster.machine.command("script");
        command.env("KUBECONFIG", cluster.machine.kubeconfig()).args(["--quiet", "--command", &line, "/dev/null"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let keyboard = child.stdin.take().unwrap();
        Terminal { child, keyboard }
    }

    fn type_in(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait().map(drop)) {
            eprintln!("a terminal could not be closed: {error}");
        }
    }
}
