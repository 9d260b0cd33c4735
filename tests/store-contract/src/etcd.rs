//! An etcd server of a test's own: Debian's, on loopback, gone with the test.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tempfile::TempDir;

/// Another process may take a free port before etcd does.
const START_ATTEMPTS: usize = 5;

/// A running etcd, or one that was killed.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    tls: Option<Tls>,
    ports: (u16, u16),
    child: Option<Child>,
}

/// Files in PEM.
#[derive(Clone, Debug)]
pub struct Tls {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Server {
    /// Starts an empty etcd that speaks in the clear.
    pub fn start() -> Server {
        Server::start_in(folder(), None)
    }

    /// Starts an empty etcd that asks clients for a certificate.
    pub fn start_with_tls() -> Server {
        let folder = folder();
        let tls = Tls::write(folder.path());
        Server::start_in(folder, Some(tls))
    }

    fn start_in(folder: TempDir, tls: Option<Tls>) -> Server {
        let mut server = Server { folder, tls, ports: (0, 0), child: None };
        for _ in 0..START_ATTEMPTS {
            server.ports = (free_port(), free_port());
            if server.try_launch() {
                return server;
            }
        }
        panic!("etcd does not start; its last words are above");
    }

    /// What an engine is told: `etcd://127.0.0.1:…`.
    pub fn address(&self) -> String {
        format!("etcd://127.0.0.1:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.ports.0
    }

    /// What a client needs, of a server with TLS.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the process is ours");
            child.wait().expect("the process is ours");
        }
    }

    /// Starts the same server again after a kill, with what it had.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "it runs");
        assert!(self.try_launch(), "etcd does not start again; its last words are above");
    }

    /// Whether it came to serve.
    fn try_launch(&mut self) -> bool {
        let (client_port, peer_port) = self.ports;
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let clients = format!("{scheme}://127.0.0.1:{client_port}");
        let peers = format!("http://127.0.0.1:{peer_port}");
        // The server ends with the thread that started it, however that ends.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "etcd", "--name", "test", "--logger", "zap"])
            .arg("--data-dir")
            .arg(self.folder.path().join("data"))
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("test={peers}")])
            // A cluster of one elects itself: no need to wait for others.
            .args(["--heartbeat-interval", "20", "--election-timeout", "200"]);
        if let Some(tls) = &self.tls {
            command.args(["--client-cert-auth", "--trusted-ca-file"]).arg(&tls.authority);
            command.arg("--cert-file").arg(self.folder.path().join("server.crt"));
            command.arg("--key-file").arg(self.folder.path().join("server.key"));
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("setpriv, of Debian's package util-linux");
        let mut words = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut last = Vec::new();
        let serves = words.by_ref().any(|line| {
            let serves = line.contains("serving") && line.contains("client traffic") || line.contains("serving client");
            last.push(line);
            serves
        });
        if serves {
            // A full pipe would stop it.
            std::thread::spawn(move || words.for_each(drop));
            self.child = Some(child);
            return true;
        }
        child.wait().expect("the process is ours");
        let last: Vec<String> = last.into_iter().rev().take(3).collect();
        assert!(
            !last.iter().any(|line| line.contains("failed to execute etcd")),
            "etcd is not installed; type: sudo apt-get update && sudo apt-get install --yes etcd-server"
        );
        eprintln!("{}", last.join("\n"));
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Tls {
    /// An authority, a server's certificate and a client's.
    fn write(folder: &Path) -> Tls {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issue = |name: &str, names: Vec<String>, purpose: ExtendedKeyUsagePurpose| {
            let mut params = CertificateParams::new(names).unwrap();
            params.extended_key_usages = vec![purpose];
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &authority).unwrap();
            let paths = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
            std::fs::write(&paths.0, certificate.pem()).unwrap();
            std::fs::write(&paths.1, key.serialize_pem()).unwrap();
            paths
        };
        issue("server", vec!["127.0.0.1".into()], ExtendedKeyUsagePurpose::ServerAuth);
        let (certificate, key) = issue("client", vec![], ExtendedKeyUsagePurpose::ClientAuth);
        let path = folder.join("authority.crt");
        std::fs::write(&path, authority.pem()).unwrap();
        Tls { authority: path, certificate, key }
    }
}

/// In memory, where there is such a place: what a killed process wrote survives there too, and no sync is waited for.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
