//! Where else a registry's images may be had, and whom to trust there: `hosts.toml`, as containerd reads it.
//!
//! `certs.d/<registry>/hosts.toml` beside the images' folder, else `certs.d/_default/hosts.toml`. What it asks for
//! and cannot be had here is an error, not left out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::pull::is_loopback;

const FILE: &str = "hosts.toml";
const DEFAULT_FOLDER: &str = "_default";

/// A place that serves a registry's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The host to speak to, with its port; none: the registry's own.
    pub(super) host: Option<String>,
    pub(super) encrypted: bool,
    pub(super) trust: Trust,
    /// May say which digest a tag stands for.
    pub(super) resolves: bool,
    /// May hand out contents.
    pub(super) pulls: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trust {
    /// PEM files' contents, beside the authorities that everyone trusts.
    pub(super) authorities: Vec<Vec<u8>>,
    /// Trust whoever answers.
    pub(super) anyone: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum HostsError {
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not valid", path.display())]
    Syntax {
        path: PathBuf,
        #[source]
        source: Box<toml::de::Error>,
    },
    #[error("{}: {url:?} is not the address of a registry", path.display())]
    Address { path: PathBuf, url: String },
    #[error("{}: {key} is not supported", path.display())]
    Unsupported { path: PathBuf, key: &'static str },
}

/// The places to try for a registry's images, in order; the registry itself is the last.
pub(super) fn endpoints(folder: &Path, registry: &str) -> Result<Vec<Endpoint>, HostsError> {
    for name in folder_names(registry) {
        let place = folder.join(name);
        let path = place.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => return parse(&path, &text, registry),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(HostsError::Read { path, source }),
        }
        // Docker's form: certificates alone.
        let authorities = certificates_in(&place)?;
        if !authorities.is_empty() {
            return Ok(vec![Endpoint { trust: Trust { authorities, anyone: false }, ..Endpoint::own(registry) }]);
        }
    }
    Ok(vec![Endpoint::own(registry)])
}

impl Endpoint {
    fn own(registry: &str) -> Self {
        Endpoint { host: None, encrypted: !is_loopback(registry), trust: Trust::default(), resolves: true, pulls: true }
    }

    fn at(path: &Path, url: &str, settings: &Settings) -> Result<Self, HostsError> {
        let failed = || HostsError::Address { path: path.to_owned(), url: url.to_owned() };
        let (scheme, host) = url.split_once("://").unwrap_or(("", url));
        let host = host.trim_end_matches('/');
        let encrypted = match scheme {
            "https" => true,
            "http" => false,
            "" => !is_loopback(host),
            _ => return Err(failed()),
        };
        if host.is_empty() || host.contains(['@', '?', '#', ' ']) {
            return Err(failed());
        }
        let can = |what: &str| match &settings.capabilities {
            Some(capabilities) => capabilities.iter().any(|capability| capability == what),
            None => true,
        };
        Ok(Endpoint {
            host: Some(host.to_owned()),
            encrypted,
            trust: settings.trust(path)?,
            resolves: can("resolve"),
            pulls: can("pull"),
        })
    }
}

/// What stands in one host's table, and at the top for the server.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    capabilities: Option<Vec<String>>,
    ca: Option<OneOrMore>,
    #[serde(default)]
    skip_verify: bool,
    #[serde(default)]
    override_path: bool,
    client: Option<Value>,
    header: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(PathBuf),
    More(Vec<PathBuf>),
}

#[derive(Debug, Deserialize)]
struct File {
    server: Option<String>,
    #[serde(default)]
    host: Table,
    #[serde(flatten)]
    of_server: Settings,
}

impl Settings {
    fn trust(&self, path: &Path) -> Result<Trust, HostsError> {
        for (key, is_asked) in [
            ("client", self.client.is_some()),
            ("header", self.header.is_some()),
            ("override_path", self.override_path),
        ] {
            if is_asked {
                return Err(HostsError::Unsupported { path: path.to_owned(), key });
            }
        }
        let files: &[PathBuf] = match &self.ca {
            None => &[],
            Some(OneOrMore::One(file)) => std::slice::from_ref(file),
            Some(OneOrMore::More(files)) => files,
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let read = |file: &PathBuf| {
            let file = folder.join(file);
            fs::read(&file).map_err(|source| HostsError::Read { path: file, source })
        };
        Ok(Trust { authorities: files.iter().map(read).collect::<Result<_, _>>()?, anyone: self.skip_verify })
    }
}

fn parse(path: &Path, text: &str, registry: &str) -> Result<Vec<Endpoint>, HostsError> {
    let syntax = |source: toml::de::Error| HostsError::Syntax { path: path.to_owned(), source: Box::new(source) };
    let file: File = toml::from_str(text).map_err(syntax)?;
    let mut endpoints = Vec::new();
    for (url, settings) in file.host {
        let settings: Settings = settings.try_into().map_err(syntax)?;
        endpoints.push(Endpoint::at(path, &url, &settings)?);
    }
    endpoints.push(match file.server.as_deref().filter(|server| !server.is_empty()) {
        Some(server) => Endpoint::at(path, server, &file.of_server)?,
        None => Endpoint { trust: file.of_server.trust(path)?, ..Endpoint::own(registry) },
    });
    Ok(endpoints)
}

/// containerd's order: a port may be written so that any file system takes it.
fn folder_names(registry: &str) -> Vec<String> {
    let mut names = Vec::new();
    if registry.starts_with('.') {
        return vec![DEFAULT_FOLDER.to_owned()];
    }
    if let Some((host, port)) = registry.rsplit_once(':') {
        names.push(format!("{host}_{port}_"));
    }
    names.extend([registry.to_owned(), DEFAULT_FOLDER.to_owned()]);
    names
}

fn certificates_in(folder: &Path) -> Result<Vec<Vec<u8>>, HostsError> {
    let failed = |source| HostsError::Read { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "crt") {
            files.push(path);
        }
    }
    files.sort();
    files.into_iter().map(|path| fs::read(&path).map_err(|source| HostsError::Read { path, source })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `host` or `-`, then what it is: e(ncrypted), r(esolves), p(ulls), a(nyone), and how many authorities.
    fn shown(folder: &Path, registry: &str) -> Vec<String> {
        let line = |endpoint: &Endpoint| {
            let flags = [
                (endpoint.encrypted, 'e'),
                (endpoint.resolves, 'r'),
                (endpoint.pulls, 'p'),
                (endpoint.trust.anyone, 'a'),
            ];
            let flags: String = flags.iter().filter(|(is, _)| *is).map(|(_, letter)| letter).collect();
            format!("{} {flags} {}", endpoint.host.as_deref().unwrap_or("-"), endpoint.trust.authorities.len())
        };
        endpoints(folder, registry).unwrap().iter().map(line).collect()
    }

    #[test]
    fn without_a_file_the_registry_serves_itself() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(shown(folder.path(), "docker.io"), ["- erp 0"]);
        assert_eq!(shown(folder.path(), "localhost:5000"), ["- rp 0"]);
        write(folder.path(), "quay.io/ca.crt", "certificate");
        assert_eq!(shown(folder.path(), "quay.io"), ["- erp 1"]);
    }

    #[test]
    fn mirrors_come_in_the_files_order_and_the_server_last() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "docker.io/ca.pem", "certificate");
        write(
            folder.path(),
            "docker.io/hosts.toml",
            r#"
            server = "https://registry-1.docker.io"
            ca = "ca.pem"
            [host."https://zeta.example/"]
            capabilities = ["pull", "resolve"]
            ca = ["ca.pem", "ca.pem"]
            [host."http://10.0.0.1:5000"]
            capabilities = ["pull"]
            [host."127.0.0.1:5001"]
            [host."alpha.example:443"]
            skip_verify = true
            "#,
        );
        let expected = [
            "zeta.example erp 2",
            "10.0.0.1:5000 p 0",
            "127.0.0.1:5001 rp 0",
            "alpha.example:443 erpa 0",
            "registry-1.docker.io erp 1",
        ];
        assert_eq!(shown(folder.path(), "docker.io"), expected);
    }

    #[test]
    fn a_port_may_be_written_in_either_way_and_others_have_a_default() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "_default/hosts.toml", "[host.\"https://everything\"]");
        write(folder.path(), "quay.io:444/hosts.toml", "[host.\"https://plain\"]");
        assert_eq!(shown(folder.path(), "ghcr.io"), ["everything erp 0", "- erp 0"]);
        assert_eq!(shown(folder.path(), "quay.io:444"), ["plain erp 0", "- erp 0"]);
        write(folder.path(), "quay.io_444_/hosts.toml", "[host.\"https://safe\"]");
        assert_eq!(shown(folder.path(), "quay.io:444"), ["safe erp 0", "- erp 0"]);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for (text, reason) in [
            ("server = ", "is not valid"),
            ("server = \"ftp://a\"", "\"ftp://a\" is not the address of a registry"),
            ("[host.\"https://\"]", "is not the address of a registry"),
            ("[host.\"https://a\"]\nca = \"absent.pem\"", "cannot read"),
            ("[host.\"https://a\"]\noverride_path = true", "override_path is not supported"),
            ("[host.\"https://a\"]\nclient = \"a.pem\"", "client is not supported"),
            ("[host.\"https://a\".header]\nx = \"y\"", "header is not supported"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), "r.example/hosts.toml", text);
            let error = endpoints(folder.path(), "r.example").unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
