//! The objects that are created, as clients send them.

use std::fmt::Write;

/// A ConfigMap with these labels and this data, each the inside of a JSON object.
pub(crate) fn config_map(namespace: &str, name: &str, labels: &str, data: &str) -> String {
    format!(
        "{{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\",\
         \"namespace\":\"{namespace}\",\"labels\":{{{labels}}}}},\"data\":{{{data}}}}}"
    )
}

/// A pod as a ReplicaSet would make it, about 1.6 kB before defaults, and `padding` more.
pub(crate) fn pod(namespace: &str, name: &str, number: usize, padding: &str) -> String {
    let mut environment = String::new();
    for variable in ["DATABASE_URL", "LOG_LEVEL", "REGION", "FEATURES"] {
        let comma = if environment.is_empty() { "" } else { "," };
        write!(environment, "{comma}{{\"name\":\"{variable}\",\"value\":\"{variable}-{number:012}\"}}")
            .expect("a string takes whatever is written");
    }
    let group = number % 1000;
    format!(
        "{{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"{namespace}\",\
         \"labels\":{{\"app\":\"shop\",\"group\":\"g{group}\",\"pod-template-hash\":\"6c9f8d7b5\"}},\
         \"annotations\":{{\"example.com/checksum\":\"{padding}\"}}}},\
         \"spec\":{{\"containers\":[{{\"name\":\"app\",\"image\":\"registry.example.com/shop/app:1.{group}\",\
         \"ports\":[{{\"name\":\"http\",\"containerPort\":8080}}],\"env\":[{environment}],\
         \"resources\":{{\"requests\":{{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"limits\":{{\"memory\":\"256Mi\"}}}},\
         \"readinessProbe\":{{\"httpGet\":{{\"path\":\"/ready\",\"port\":\"http\"}},\"periodSeconds\":5}},\
         \"livenessProbe\":{{\"httpGet\":{{\"path\":\"/live\",\"port\":\"http\"}},\"periodSeconds\":10}},\
         \"volumeMounts\":[{{\"name\":\"settings\",\"mountPath\":\"/etc/shop\"}}]}},\
         {{\"name\":\"proxy\",\"image\":\"registry.example.com/shop/proxy:3\",\"args\":[\"--upstream\",\"127.0.0.1:8080\"],\
         \"resources\":{{\"requests\":{{\"cpu\":\"10m\",\"memory\":\"32Mi\"}}}}}}],\
         \"volumes\":[{{\"name\":\"settings\",\"configMap\":{{\"name\":\"shop\"}}}}],\
         \"nodeSelector\":{{\"kubernetes.io/os\":\"linux\"}},\"terminationGracePeriodSeconds\":30}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_json() {
        let map = config_map("n", "a", "\"group\":\"g1\"", "\"x\":\"y\"");
        let map: serde_json::Value = serde_json::from_str(&map).unwrap();
        assert_eq!(map["data"]["x"], "y");
        assert_eq!(map["metadata"]["labels"]["group"], "g1");

        let pod: serde_json::Value = serde_json::from_str(&pod("n", "a", 2017, "padding")).unwrap();
        assert_eq!(pod["metadata"]["labels"]["group"], "g17");
        assert_eq!(pod["spec"]["containers"].as_array().unwrap().len(), 2);
    }
}
