//! The objects that are created, as clients send them.

/// A ConfigMap with these labels and this data, each the inside of a JSON object.
pub(crate) fn config_map(namespace: &str, name: &str, labels: &str, data: &str) -> String {
    format!(
        "{{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\",\
         \"namespace\":\"{namespace}\",\"labels\":{{{labels}}}}},\"data\":{{{data}}}}}"
    )
}

/// A pod as a ReplicaSet would make it, with this much text more in an annotation.
pub(crate) fn pod(namespace: &str, name: &str, number: usize, padding: &str) -> String {
    let group = number % 1000;
    format!(
        "{{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\",\"namespace\":\"{namespace}\",\
         \"labels\":{{\"app\":\"shop\",\"group\":\"g{group}\"}},\
         \"annotations\":{{\"example.com/checksum\":\"{padding}\"}}}},\
         \"spec\":{{\"containers\":[{{\"name\":\"app\",\"image\":\"registry.example.com/shop/app:1.{group}\",\
         \"ports\":[{{\"name\":\"http\",\"containerPort\":8080}}],\
         \"env\":[{{\"name\":\"REGION\",\"value\":\"region-{group}\"}}],\
         \"resources\":{{\"requests\":{{\"cpu\":\"100m\",\"memory\":\"128Mi\"}}}}}}],\
         \"nodeSelector\":{{\"kubernetes.io/os\":\"linux\"}}}}}}"
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
        assert_eq!(pod["metadata"]["annotations"]["example.com/checksum"], "padding");
    }
}
