//! `pintle up`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use cluster::Settings;
use cluster::kubeconfig;
use cluster::pki::Authority;
use cluster::process::{self, ServerInfo};
use cluster::progress::{Report, Step, Teller};
use serde_json::json;
use stdx::{Ambient, Clock};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::status::administrator;
use super::{check, server as server_command};
use crate::arguments::{Place, Up};
use crate::{ready, server};

/// The server's log starts over when it has grown past this at a start.
const MAXIMUM_LOG_BYTES: u64 = 16 << 20;

pub(super) fn run(up: &Up) -> anyhow::Result<ExitCode> {
    let settings = up.place.settings()?;
    let mut start = Start {
        began: Clock::system().instant(),
        teller: Teller::stdout(up.output.format()),
        kubeconfig: kubeconfig::default_path()?,
        settings,
    };
    // Everything that can be refused is refused before anything is touched.
    kubeconfig::probe(&start.kubeconfig)?;
    if let Some(pid) = process::holder(&start.settings.run_dir)? {
        return start.find_running(pid, up.wait);
    }
    start.teller.begin(Step::Checks)?;
    let problems = check::look(&start.settings)?;
    if !problems.is_empty() {
        start.teller.erase()?;
        // Another `up` that began a moment earlier holds the ports by now, and is the truer reason.
        if let Some(pid) = process::holder(&start.settings.run_dir)? {
            return start.find_running(pid, up.wait);
        }
        check::print(&problems);
        return Ok(ExitCode::FAILURE);
    }
    start.done(Step::Checks)?;
    if up.foreground { start.in_foreground() } else { start.in_background(up.wait) }
}

struct Start {
    began: Instant,
    teller: Teller<std::io::Stdout>,
    kubeconfig: std::path::PathBuf,
    settings: Settings,
}

impl Start {
    fn find_running(mut self, pid: i32, wait: bool) -> anyhow::Result<ExitCode> {
        let info = ServerInfo::read(&self.settings.run_dir)?.filter(|info| i64::from(info.pid) == i64::from(pid));
        let Some(info) = info.filter(|info| info.is_serving) else {
            bail!("process {pid} is starting this cluster now; wait for it, or look with `pintle status`");
        };
        if !info.is_ready && wait {
            server::runtime()?.block_on(wait_until_ready(&info))?;
        }
        self.settings = info.settings;
        self.merge_kubeconfig()?;
        let name = &self.settings.name;
        let text = format!("The cluster {name} runs already (process {pid}). Try:\n\n  kubectl get nodes");
        let object = json!({"event": "running", "name": name, "pid": pid, "server": server_url(&self.settings)});
        self.teller.finish(&text, &object)?;
        Ok(ExitCode::SUCCESS)
    }

    fn in_foreground(mut self) -> anyhow::Result<ExitCode> {
        server_command::init_log();
        server::runtime()?.block_on(async {
            let (reports, mut receiver) = mpsc::channel(16);
            let server = tokio::spawn(server::run(self.settings.clone(), reports));
            while let Some(report) = receiver.recv().await {
                self.hear(report)?;
            }
            server.await??;
            Ok(ExitCode::SUCCESS)
        })
    }

    fn in_background(mut self, wait: bool) -> anyhow::Result<ExitCode> {
        let mut child = spawn_server(&self.settings)?;
        let reports = child.stdout.take().context("the server's report pipe")?;
        for line in BufReader::new(reports).lines() {
            let report: Report = serde_json::from_str(&line?).context("the server's report")?;
            let is_ready = report == Report::Ready;
            let is_api_ready = report == Report::Done { step: Step::Api };
            self.hear(report)?;
            if is_ready {
                return Ok(ExitCode::SUCCESS);
            }
            if is_api_ready && !wait {
                self.say_ready("The API server is up; the node follows.")?;
                return Ok(ExitCode::SUCCESS);
            }
        }
        let status = child.wait()?;
        bail!("the server ended ({status}); its log is {}", self.settings.server_log().display())
    }

    fn hear(&mut self, report: Report) -> anyhow::Result<()> {
        match report {
            Report::Done { step } => {
                self.done(step)?;
                if step == Step::Api {
                    self.merge_kubeconfig()?;
                    self.done(Step::Kubeconfig)?;
                }
            }
            Report::Ready => self.say_ready("The cluster is ready.")?,
            Report::Failed { message } => {
                self.teller.erase()?;
                bail!(message);
            }
        }
        Ok(())
    }

    /// Shows a step as done, and the following one as begun.
    fn done(&mut self, step: Step) -> anyhow::Result<()> {
        let now = Clock::system().instant();
        self.teller.done(step, now.duration_since(self.began))?;
        if let Some(next) = Step::ALL.into_iter().skip_while(|other| *other != step).nth(1) {
            self.teller.begin(next)?;
        }
        Ok(())
    }

    fn say_ready(&mut self, first: &str) -> anyhow::Result<()> {
        let elapsed: Duration = Clock::system().instant().duration_since(self.began);
        let name = &self.settings.name;
        let text = format!(
            "\n{first} Try:\n\n  kubectl get nodes\n  kubectl create deployment hello --image=IMAGE   \
             (pintle image load FILE brings one without a registry)\n  pintle status"
        );
        let object = json!({
            "event": "ready", "name": name, "server": server_url(&self.settings),
            "kubeconfig": self.kubeconfig, "sinceStartMs": elapsed.as_millis(),
        });
        self.teller.finish(&text, &object)?;
        Ok(())
    }

    fn merge_kubeconfig(&self) -> anyhow::Result<()> {
        let authority = Authority::open(&self.settings.pki_dir(), Clock::system().now())?;
        let identity = authority.issue_administrator()?;
        let context = kubeconfig::Context {
            name: &self.settings.name,
            server: &server_url(&self.settings),
            authority_pem: authority.certificate_pem(),
            identity: &identity,
        };
        Ok(kubeconfig::merge(&self.kubeconfig, &context)?)
    }
}

/// Waits for what the `up` that started the server would have waited for.
async fn wait_until_ready(info: &ServerInfo) -> anyhow::Result<()> {
    let (client, ambient) = (administrator(info)?, Ambient::system());
    ready::node(&client, &info.node_name, &ambient).await;
    ready::service_account(&client, &ambient).await;
    ready::dns(info.settings.dns_service_ip()?, &info.settings.cluster_domain).await
}

pub(super) fn server_url(settings: &Settings) -> String {
    format!("https://127.0.0.1:{}", settings.api_port)
}

fn spawn_server(settings: &Settings) -> anyhow::Result<Child> {
    let log = open_log(&settings.server_log())?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    Command::new(program)
        .arg("server")
        .args(Place::to_arguments(settings))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start the server process")
}

fn open_log(path: &Path) -> anyhow::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let grown = fs::metadata(path).is_ok_and(|metadata| metadata.len() > MAXIMUM_LOG_BYTES);
    let mut options = File::options();
    options.create(true).append(!grown).write(true).truncate(grown);
    let log = options.open(path).with_context(|| format!("cannot open {}", path.display()))?;
    ensure!(log.metadata()?.is_file(), "{} is not a file", path.display());
    Ok(log)
}
