//! `docs/api.md` tells what is served, as discovery does.

use std::fmt::Write;
use std::path::Path;

use registry::Kind;
use serde_json::Value;

use crate::common::Cluster;

const HEAD: &str = "\
# The API as served

Every kind in every version with its verbs, as discovery lists them: groups in the order in which clients prefer them, versions likewise.
*all* is create, delete, deletecollection, get, list, patch, update and watch. Versions that upstream has removed are served until
`--legacy-apis=false` hides them; they rest as the version that came after them. A test keeps this page: `UPDATE_EXPECT=1 cargo test -p apiserver
--test api documentation` writes it anew.

JSON and YAML may nest 128 deep, where upstream takes 10,000: a body beyond that is answered with 400 and `recursion limit exceeded` or
`exceeded max depth`, and the connection serves on. CBOR nests 64 deep, as upstream's.

| kind | version | verbs | subresources | deprecated |
|---|---|---|---|---|
";

#[tokio::test]
async fn the_page_tells_what_is_served() {
    let cluster = Cluster::start().await;
    let mut page = HEAD.to_owned();
    for group_version in group_versions(&cluster).await {
        let path = if group_version.contains('/') { "apis" } else { "api" };
        let list = cluster.admin.get(&format!("/{path}/{group_version}")).await;
        let resources = list["resources"].as_array().unwrap();
        for resource in resources.iter().filter(|resource| !name(resource).contains('/')) {
            let prefix = format!("{}/", name(resource));
            let below: Vec<String> = resources
                .iter()
                .filter_map(|other| Some(format!("{} ({})", name(other).strip_prefix(&prefix)?, verbs(other))))
                .collect();
            let kind = resource["kind"].as_str().unwrap();
            let deprecated = registry::by_api_version(&group_version, kind).map_or(String::new(), deprecation);
            let verbs = verbs(resource);
            writeln!(page, "| {kind} | {group_version} | {verbs} | {} | {deprecated} |", below.join(", ")).unwrap();
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, page).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&file).unwrap();
    let missing: Vec<&str> = page.lines().filter(|line| !written.lines().any(|other| other == *line)).collect();
    let unknown: Vec<&str> = written.lines().filter(|line| !page.lines().any(|other| other == *line)).collect();
    assert!(
        page == written,
        "docs/api.md does not tell what is served; UPDATE_EXPECT=1 writes it anew\nnew: {missing:#?}\nold: {unknown:#?}"
    );
}

async fn group_versions(cluster: &Cluster) -> Vec<String> {
    let groups = cluster.admin.get("/apis").await;
    let versions = groups["groups"].as_array().unwrap().iter().flat_map(|group| group["versions"].as_array().unwrap());
    let named = versions.map(|version| version["groupVersion"].as_str().unwrap().to_owned());
    std::iter::once("v1".to_owned()).chain(named).collect()
}

fn name(resource: &Value) -> &str {
    resource["name"].as_str().unwrap()
}

fn verbs(resource: &Value) -> String {
    let verbs: Vec<&str> = resource["verbs"].as_array().unwrap().iter().map(|verb| verb.as_str().unwrap()).collect();
    if verbs == registry::kind::ALL_VERBS { "all".to_owned() } else { verbs.join(" ") }
}

fn deprecation(kind: &Kind) -> String {
    let Some(deprecation) = kind.deprecation else { return String::new() };
    let removed = deprecation.removed_in.map_or(String::new(), |minor| {
        format!(", {} in 1.{minor}", if kind.is_legacy() { "removed" } else { "to be removed" })
    });
    let successor = match deprecation.successor {
        "" => String::new(),
        successor => format!("; {successor}"),
    };
    format!("since 1.{}{removed}{successor}", deprecation.since)
}
