//! The user's kubeconfig: one context of ours in it, everything else as it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_yaml_ng::{Mapping, Value};

use crate::pki::Identity;

#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    #[error("cannot {doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is not a kubeconfig ({reason}); mend it or move it away, then run the command again", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("no home directory: set KUBECONFIG to the file that should get the context")]
    NoHome,
    #[error("cannot write YAML")]
    Encode(#[source] serde_yaml_ng::Error),
}

/// One cluster, one user and one context, all by the same name.
pub struct Context<'a> {
    pub name: &'a str,
    pub server: &'a str,
    pub authority_pem: &'a str,
    pub identity: &'a Identity,
}

/// The file that commands change: the first of `KUBECONFIG` that exists (else its last), or the home's default, as
/// kubectl chooses it.
pub fn default_path() -> Result<PathBuf, KubeconfigError> {
    let listed = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty());
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    choose_path(listed.as_deref(), home.as_deref().map(Path::new)).ok_or(KubeconfigError::NoHome)
}

fn choose_path(listed: Option<&std::ffi::OsStr>, home: Option<&Path>) -> Option<PathBuf> {
    let paths: Vec<PathBuf> = listed
        .map(|list| std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    let existing = paths.iter().find(|path| path.exists());
    existing.or(paths.last()).cloned().or_else(|| home.map(|home| home.join(".kube/config")))
}

/// Whether the file can be merged into: absent, or a kubeconfig. Touches nothing.
pub fn probe(path: &Path) -> Result<(), KubeconfigError> {
    load(path).map(drop)
}

/// Adds or replaces the context and makes it current. Atomic; other entries keep their place.
pub fn merge(path: &Path, context: &Context<'_>) -> Result<(), KubeconfigError> {
    let mut config = load(path)?;
    for (list, entry) in entries(context) {
        put_named(&mut config, list, context.name, entry);
    }
    config.insert("current-context".into(), context.name.into());
    store(path, config)
}

/// A kubeconfig of its own with just this context.
pub fn write(path: &Path, context: &Context<'_>) -> Result<(), KubeconfigError> {
    let mut config = empty();
    for (list, entry) in entries(context) {
        put_named(&mut config, list, context.name, entry);
    }
    config.insert("current-context".into(), context.name.into());
    store(path, config)
}

/// Removes the context, its cluster and its user. A file without them is not written.
pub fn remove(path: &Path, name: &str) -> Result<(), KubeconfigError> {
    if !path.exists() {
        return Ok(());
    }
    let before = load(path)?;
    let mut config = before.clone();
    for list in ["clusters", "users", "contexts"] {
        if let Some(Value::Sequence(items)) = config.get_mut(list) {
            items.retain(|item| !is_named(item, name));
        }
    }
    if config.get("current-context").and_then(Value::as_str) == Some(name) {
        config.insert("current-context".into(), "".into());
    }
    if config == before { Ok(()) } else { store(path, config) }
}

fn entries(context: &Context<'_>) -> [(&'static str, Mapping); 3] {
    let mapping = |pairs: [(&str, Value); 2]| pairs.into_iter().map(|(key, value)| (key.into(), value)).collect();
    let named = |key: &str, value: Mapping| mapping([(key, Value::Mapping(value)), ("name", context.name.into())]);
    [
        (
            "clusters",
            named(
                "cluster",
                mapping([
                    ("certificate-authority-data", STANDARD.encode(context.authority_pem).into()),
                    ("server", context.server.into()),
                ]),
            ),
        ),
        (
            "users",
            named(
                "user",
                mapping([
                    ("client-certificate-data", context.identity.certificate_base64().into()),
                    ("client-key-data", context.identity.key_base64().into()),
                ]),
            ),
        ),
        ("contexts", named("context", mapping([("cluster", context.name.into()), ("user", context.name.into())]))),
    ]
}

fn put_named(config: &mut Mapping, list: &str, name: &str, entry: Mapping) {
    let items = config.entry(list.into()).or_insert_with(|| Value::Sequence(Vec::new()));
    if items.is_null() {
        *items = Value::Sequence(Vec::new());
    }
    if let Value::Sequence(items) = items {
        match items.iter_mut().find(|item| is_named(item, name)) {
            Some(item) => *item = Value::Mapping(entry),
            None => items.push(Value::Mapping(entry)),
        }
    }
}

fn is_named(item: &Value, name: &str) -> bool {
    item.get("name").and_then(Value::as_str) == Some(name)
}

fn empty() -> Mapping {
    [("apiVersion", "v1"), ("kind", "Config")].into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

fn load(path: &Path) -> Result<Mapping, KubeconfigError> {
    let damaged = |reason: String| KubeconfigError::Damaged { path: path.to_owned(), reason };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(empty()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged("it is not text".into())),
        Err(source) => return Err(KubeconfigError::File { doing: "read", path: path.to_owned(), source }),
    };
    let config = match serde_yaml_ng::from_str(&text).map_err(|error| damaged(error.to_string()))? {
        Value::Null => return Ok(empty()),
        Value::Mapping(config) => config,
        _ => return Err(damaged("it holds no mapping".into())),
    };
    for list in ["clusters", "users", "contexts"] {
        match config.get(list) {
            None | Some(Value::Null | Value::Sequence(_)) => {}
            Some(_) => return Err(damaged(format!("its {list} are no list"))),
        }
    }
    match config.get("kind") {
        None => Ok(config),
        Some(kind) if kind == "Config" => Ok(config),
        Some(_) => Err(damaged("its kind is not Config".into())),
    }
}

fn store(path: &Path, config: Mapping) -> Result<(), KubeconfigError> {
    let file = |doing| move |source| KubeconfigError::File { doing, path: path.to_owned(), source };
    let text = serde_yaml_ng::to_string(&Value::Mapping(config)).map_err(KubeconfigError::Encode)?;
    // A kubeconfig is often a link into a folder of dotfiles: the link stays, its target is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(file("create the folder of"))?;
    }
    stdx::fs::write_atomic(&target, text.as_bytes(), 0o600).map_err(file("write"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHERS: &str = "\
apiVersion: v1
kind: Config
preferences: {}
current-context: work
clusters:
- cluster: {server: 'https://work:6443'}
  name: work
contexts:
- context: {cluster: work, user: me}
  name: work
users:
- name: me
  user: {token: abc}
";

    fn identity() -> Identity {
        Identity { certificate_pem: "C".into(), key_pem: "K".into() }
    }

    fn merged(before: Option<&str>) -> Result<Value, KubeconfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nested/config");
        if let Some(before) = before {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, before).unwrap();
        }
        let identity = identity();
        let context =
            Context { name: "pintle", server: "https://127.0.0.1:6443", authority_pem: "A", identity: &identity };
        let outcome = merge(&path, &context).and_then(|()| merge(&path, &context));
        let after = fs::read_to_string(&path).unwrap_or_default();
        if outcome.is_err() {
            assert_eq!(Some(after.as_str()), before, "a refused file stays as it was");
        }
        outcome.map(|()| serde_yaml_ng::from_str(&after).unwrap())
    }

    #[test]
    fn merges_beside_other_contexts_and_removes_only_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, OTHERS).unwrap();
        let identity = identity();
        let context =
            Context { name: "pintle", server: "https://127.0.0.1:6443", authority_pem: "A", identity: &identity };
        merge(&path, &context).unwrap();
        let config: Value = serde_yaml_ng::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(config["current-context"], "pintle");
        assert_eq!(config["clusters"][0]["cluster"]["server"], "https://work:6443");
        assert_eq!(config["clusters"][1]["cluster"]["server"], "https://127.0.0.1:6443");
        assert_eq!(config["users"][1]["user"]["client-key-data"], "Sw==");

        remove(&path, "pintle").unwrap();
        let config: Value = serde_yaml_ng::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut expected: Value = serde_yaml_ng::from_str(OTHERS).unwrap();
        expected["current-context"] = "".into();
        assert_eq!(config, expected);
    }

    #[test]
    fn starts_from_nothing_and_from_emptiness() {
        for before in [None, Some(""), Some("clusters: null\n")] {
            let config = merged(before).unwrap();
            assert_eq!(config["contexts"].as_sequence().unwrap().len(), 1, "{before:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_kubeconfig() {
        for before in ["a: [", "- 1", "kind: Pod\n", "clusters: 7\n", "\t"] {
            assert!(matches!(merged(Some(before)), Err(KubeconfigError::Damaged { .. })), "{before:?}");
        }
    }

    #[test]
    fn chooses_the_file_as_kubectl_does() {
        let folder = tempfile::tempdir().unwrap();
        let (present, absent) = (folder.path().join("present"), folder.path().join("absent"));
        fs::write(&present, "").unwrap();
        let list = std::env::join_paths([&absent, &present]).unwrap();
        assert_eq!(choose_path(Some(&list), None), Some(present));
        assert_eq!(choose_path(Some(absent.as_os_str()), None), Some(absent));
        assert_eq!(choose_path(None, Some(Path::new("/root"))), Some("/root/.kube/config".into()));
        assert_eq!(choose_path(None, None), None);
    }
}
