//! What upstream says of every type and field, from the sources of `k8s-openapi`, packed into one file that the API
//! server unpacks when somebody asks for OpenAPI.
//!
//! The library's JSON schemas stand behind a feature that nothing here needs at run time; their source has one form
//! throughout, which is read line by line.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use flate2::Compression;
use flate2::write::ZlibEncoder;

const LIBRARY: &str = "k8s-openapi";
const RELEASE: &str = "src/v1_37";
const FILE: &str = "crates/apiserver/src/openapi/descriptions.zlib";

pub(super) fn write(repo: &Path) -> Result<()> {
    let mut files = Vec::new();
    collect(&library(repo)?.join(RELEASE), &mut files)?;
    files.sort();
    let mut text = String::new();
    for path in &files {
        let source = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        text.push_str(&described(&source).with_context(|| format!("in {}", path.display()))?);
    }
    ensure!(text.len() > 500_000, "{LIBRARY} says little of its types: its form has changed");
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    let path = repo.join(FILE);
    fs::write(&path, encoder.finish()?).with_context(|| format!("writing {}", path.display()))
}

fn library(repo: &Path) -> Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(repo).exec()?;
    let package = metadata.packages.iter().find(|package| package.name.as_str() == LIBRARY);
    let manifest = &package.with_context(|| format!("{LIBRARY} is no dependency"))?.manifest_path;
    Ok(manifest.parent().context("a manifest lies in a folder")?.into())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// A line for each type, `=io.k8s.api.core.v1.Pod` and a tab and its description, and below it one for each field.
fn described(source: &str) -> Result<String> {
    const NAME_END: &str = "\".into()";
    let mut text = String::new();
    let mut name = None;
    let mut field = None;
    for line in source.lines() {
        let indent = line.len() - line.trim_start().len();
        let content = line.trim();
        if let Some(full) = content.strip_suffix(NAME_END).and_then(|start| start.strip_prefix("\"io.k8s.")) {
            name = Some(format!("io.k8s.{full}"));
            field = None;
        } else if indent == 16 && content.starts_with('"') && content.ends_with(['{', '(']) {
            field = content[1..].split_once('"').map(|(name, _)| name.to_owned());
        } else if let (Some(of), Some(description)) = (&name, description(content)?) {
            match (indent, field.take()) {
                (12, _) => text.push_str(&format!("={of}\t{description}\n")),
                (_, Some(field)) => text.push_str(&format!("{field}\t{description}\n")),
                _ => {}
            }
        }
    }
    Ok(text)
}

/// The description in a line that gives one, on one line.
fn description(line: &str) -> Result<Option<String>> {
    let literal = match line.strip_prefix("\"description\": ") {
        Some(rest) => rest.strip_suffix(','),
        None => {
            line.split_once(".insert(\"description\".into(), ").and_then(|(_, rest)| rest.strip_suffix(".into());"))
        }
    };
    let Some(literal) = literal else { return Ok(None) };
    let text: String = serde_json::from_str(literal).with_context(|| format!("reading {literal}"))?;
    Ok(Some(text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_fields_are_told_apart() {
        let source = r#"
        "io.k8s.api.core.v1.Pod".into()
            "description": "A pod.\nReally.",
            "properties": {
                "kind": {
                    "description": "Its \"kind\".",
                    "items": {
                        "description": "not this",
                "spec": ({
                    schema_obj.ensure_object().insert("description".into(), "What is wanted.".into());
        "#;
        let expected = "=io.k8s.api.core.v1.Pod\tA pod.\\nReally.\nkind\tIts \"kind\".\nspec\tWhat is wanted.\n";
        assert_eq!(described(source).unwrap(), expected);
    }
}
