//! The ranges that ServiceCIDR objects state, and which of them give addresses now.

use std::collections::BTreeMap;

use serde_json::Value;

use super::range::Range;
use crate::mirror::Fold;

pub(super) const PREFIX: &str = "/registry/networking.k8s.io/servicecidrs/";

/// By the object's name.
#[derive(Default)]
pub(super) struct Ranges(BTreeMap<String, Stated>);

struct Stated {
    ranges: Vec<Range>,
    is_ready: bool,
}

impl Ranges {
    /// The server's own range first, then others in the order of their names; upstream has none. A range is ready while
    /// one of the objects that state it is. The server's own needs no object: at the next start it has one again.
    pub(super) fn ready(&self, own: &Range) -> Vec<Range> {
        let states_own = || self.0.values().filter(|stated| stated.ranges.contains(own));
        let is_own_ready = states_own().next().is_none() || states_own().any(|stated| stated.is_ready);
        let mut ready: Vec<Range> = is_own_ready.then(|| own.clone()).into_iter().collect();
        for range in self.0.values().filter(|stated| stated.is_ready).flat_map(|stated| &stated.ranges) {
            if !ready.contains(range) {
                ready.push(range.clone());
            }
        }
        ready
    }
}

impl Fold for Ranges {
    fn put(&mut self, key: &str, value: &[u8]) {
        let Some(name) = key.strip_prefix(PREFIX) else { return };
        let object: Value = match serde_json::from_slice(value) {
            Ok(object) => object,
            Err(error) => {
                tracing::warn!(key, %error, "a stored ServiceCIDR does not parse");
                return;
            }
        };
        let listed = |value: &Value| value.as_array().cloned().into_iter().flatten();
        let is_true = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
        let is_ready = object["metadata"]["deletionTimestamp"].is_null()
            && listed(&object["status"]["conditions"]).any(|condition| is_true(&condition));
        // Services here have addresses of one family.
        let ranges = listed(&object["spec"]["cidrs"]).filter_map(|range| Range::parse(range.as_str()?)).collect();
        self.0.insert(name.to_owned(), Stated { ranges, is_ready });
    }

    fn delete(&mut self, key: &str) {
        if let Some(name) = key.strip_prefix(PREFIX) {
            self.0.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn put(ranges: &mut Ranges, name: &str, cidrs: &[&str], status: &str, leaves: bool) {
        let mut object = json!({
            "metadata": {"name": name},
            "spec": {"cidrs": cidrs},
            "status": {"conditions": [{"type": "Ready", "status": status}]},
        });
        if leaves {
            object["metadata"]["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
        }
        ranges.put(&format!("{PREFIX}{name}"), object.to_string().as_bytes());
    }

    #[test]
    fn ranges_give_addresses_while_somebody_says_they_are_ready() {
        let own = Range::parse("10.96.0.0/12").unwrap();
        let mut ranges = Ranges::default();
        let ready = |ranges: &Ranges| {
            let ready: Vec<String> = ranges.ready(&own).iter().map(Range::to_string).collect();
            ready.join(" ")
        };
        assert_eq!(ready(&ranges), "10.96.0.0/12");
        put(&mut ranges, "kubernetes", &["10.96.0.0/12"], "True", false);
        put(&mut ranges, "b", &["10.30.0.0/24", "fd00::/108"], "True", false);
        put(&mut ranges, "a", &["10.40.0.0/30"], "True", false);
        put(&mut ranges, "c", &["10.50.0.0/24"], "False", false);
        assert_eq!(ready(&ranges), "10.96.0.0/12 10.40.0.0/30 10.30.0.0/24");
        put(&mut ranges, "kubernetes", &["10.96.0.0/12"], "True", true);
        assert_eq!(ready(&ranges), "10.40.0.0/30 10.30.0.0/24", "what leaves gives nothing");
        put(&mut ranges, "same", &["10.96.0.0/12"], "True", false);
        assert_eq!(ready(&ranges), "10.96.0.0/12 10.40.0.0/30 10.30.0.0/24");
        ranges.delete(&format!("{PREFIX}a"));
        assert_eq!(ready(&ranges), "10.96.0.0/12 10.30.0.0/24");
    }
}
