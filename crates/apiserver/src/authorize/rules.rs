//! Rules of roles, and what they match.

use serde::Deserialize;

use crate::wire::request_info::ResourceInfo;

/// One rule of a Role or ClusterRole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<String>,
    pub(crate) api_groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs")]
    pub(crate) non_resource_urls: Vec<String>,
}

impl Rule {
    pub(crate) fn allows_resource(&self, verb: &str, info: &ResourceInfo) -> bool {
        has(&self.verbs, verb)
            && has(&self.api_groups, &info.group)
            && self.resources.iter().any(|resource| matches_resource(resource, info))
            && (self.resource_names.is_empty() || self.resource_names.contains(&info.name))
    }

    pub(crate) fn allows_path(&self, verb: &str, path: &str) -> bool {
        has(&self.verbs, verb) && self.non_resource_urls.iter().any(|url| matches_path(url, path))
    }

    /// Whether this rule grants at least what `asked`, a rule of single elements, grants.
    fn covers(&self, asked: &Rule) -> bool {
        if !asked.non_resource_urls.is_empty() {
            return covers_all(&self.verbs, &asked.verbs)
                && asked
                    .non_resource_urls
                    .iter()
                    .all(|path| self.non_resource_urls.iter().any(|url| url == path || matches_path(url, path)));
        }
        let resources = asked.resources.iter().all(|asked| {
            let under_any = asked.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
            self.resources
                .iter()
                .any(|granted| granted == "*" || granted == asked || Some(granted) == under_any.as_ref())
        });
        let names = self.resource_names.is_empty()
            || (!asked.resource_names.is_empty()
                && asked.resource_names.iter().all(|name| self.resource_names.contains(name)));
        covers_all(&self.verbs, &asked.verbs) && covers_all(&self.api_groups, &asked.api_groups) && resources && names
    }

    /// The rule as rules of one verb, group, resource and name each.
    fn split(&self) -> Vec<Rule> {
        let mut parts = Vec::new();
        for verb in &self.verbs {
            for url in &self.non_resource_urls {
                let (verbs, non_resource_urls) = (vec![verb.clone()], vec![url.clone()]);
                parts.push(Rule { verbs, non_resource_urls, ..Rule::default() });
            }
            for group in &self.api_groups {
                for resource in &self.resources {
                    let names: Vec<Vec<String>> = if self.resource_names.is_empty() {
                        vec![Vec::new()]
                    } else {
                        self.resource_names.iter().map(|name| vec![name.clone()]).collect()
                    };
                    parts.extend(names.into_iter().map(|resource_names| Rule {
                        verbs: vec![verb.clone()],
                        api_groups: vec![group.clone()],
                        resources: vec![resource.clone()],
                        resource_names,
                        non_resource_urls: Vec::new(),
                    }));
                }
            }
        }
        parts
    }
}

/// What of `wanted` goes beyond `held`: nobody hands out rights they do not have.
pub(crate) fn uncovered(held: &[Rule], wanted: &[Rule]) -> Vec<Rule> {
    let parts = wanted.iter().flat_map(Rule::split);
    parts.filter(|part| !held.iter().any(|rule| rule.covers(part))).collect()
}

/// A rule as upstream prints it in refusals.
pub(crate) fn describe(rule: &Rule) -> String {
    let list = |name: &str, words: &[String]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        (!words.is_empty()).then(|| format!("{name}:[{}]", quoted.join(" ")))
    };
    let parts = [
        list("APIGroups", &rule.api_groups),
        list("Resources", &rule.resources),
        list("ResourceNames", &rule.resource_names),
        list("NonResourceURLs", &rule.non_resource_urls),
        list("Verbs", &rule.verbs),
    ];
    format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|candidate| candidate == "*" || candidate == word)
}

fn covers_all(held: &[String], asked: &[String]) -> bool {
    asked.iter().all(|word| has(held, word))
}

fn matches_resource(pattern: &str, info: &ResourceInfo) -> bool {
    match pattern.split_once('/') {
        None if pattern == "*" => true,
        None => info.subresource.is_empty() && pattern == info.resource,
        Some((resource, subresource)) => {
            subresource == info.subresource && !subresource.is_empty() && (resource == "*" || resource == info.resource)
        }
    }
}

fn matches_path(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => pattern == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> Rule {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Rule {
            verbs: own(verbs),
            api_groups: own(groups),
            resources: own(resources),
            resource_names: own(names),
            non_resource_urls: Vec::new(),
        }
    }

    fn info(group: &str, resource: &str, subresource: &str, name: &str) -> ResourceInfo {
        ResourceInfo {
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            name: name.to_owned(),
            ..ResourceInfo::default()
        }
    }

    #[test]
    fn rules_match_verbs_groups_resources_and_names() {
        let pods = rule(&["get", "list"], &[""], &["pods", "pods/log"], &[]);
        assert!(pods.allows_resource("get", &info("", "pods", "", "a")));
        assert!(pods.allows_resource("get", &info("", "pods", "log", "a")));
        assert!(!pods.allows_resource("get", &info("", "pods", "exec", "a")));
        assert!(!pods.allows_resource("get", &info("apps", "pods", "", "a")));
        let named = rule(&["*"], &["*"], &["*"], &["a"]);
        assert!(named.allows_resource("get", &info("x", "y", "z", "a")));
        assert!(!named.allows_resource("list", &info("x", "y", "", "")));
        let scales = rule(&["get"], &["*"], &["*/scale"], &[]);
        assert!(scales.allows_resource("get", &info("apps", "deployments", "scale", "a")));
        assert!(!scales.allows_resource("get", &info("apps", "deployments", "", "a")));
    }

    #[test]
    fn nobody_hands_out_more_than_they_hold() {
        let held = [rule(&["get", "list"], &[""], &["pods"], &[]), rule(&["get"], &[""], &["secrets"], &["a"])];
        assert!(uncovered(&held, &[rule(&["get"], &[""], &["pods"], &["x"])]).is_empty());
        assert!(uncovered(&held, &[rule(&["get"], &[""], &["secrets"], &["a"])]).is_empty());
        let beyond = uncovered(&held, &[rule(&["get"], &[""], &["secrets", "pods"], &[])]);
        assert_eq!(
            beyond.iter().map(describe).collect::<Vec<_>>(),
            [r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}"#]
        );
    }
}
