//! Measures the store and the API server beside the limits of the machine they run on.
//!
//! It prints figures and judges them, but its exit code tells only whether they could be taken: machines differ
//! and have other work. What it measures beside ours, in the same run and in turns, is what a figure is worth.

#[cfg(feature = "api")]
mod api;
mod child;
#[cfg(feature = "controllers")]
mod controllers;
mod durations;
mod figures;
mod machine;
#[cfg(feature = "node")]
mod node;
mod store;
mod values;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use figures::Section;
use serde_json::json;
use tempfile::TempDir;

/// The program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures the store and the API server")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The store alone, beside the disk and etcd
    Store(Run),
    #[cfg(feature = "api")]
    /// The API server over HTTPS, beside a server of the same stack that answers constants
    Api(Run),
    #[cfg(feature = "controllers")]
    /// Controllers and scheduler over the API server, with hollow nodes
    Controllers(Run),
    #[cfg(feature = "node")]
    /// A node with real containers, beside Debian's crun; needs root
    Node(Run),
    /// Durable puts of 1 KiB for a while, for a profiler
    Puts {
        #[arg(long, default_value_t = 256)]
        clients: usize,
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Where files are made, and removed [default: the system's temporary folder]
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// One verb on ConfigMaps of 1 KiB for a while, for a profiler: tells the server's process
    #[cfg(feature = "api")]
    Load {
        verb: api::Verb,
        #[arg(long, default_value_t = 64)]
        connections: usize,
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// A process of a measurement
    #[command(hide = true)]
    Child {
        #[command(subcommand)]
        part: Part,
    },
}

#[derive(Subcommand)]
enum Part {
    #[cfg(feature = "api")]
    Api {
        folder: PathBuf,
    },
    #[cfg(feature = "api")]
    Constant {
        folder: PathBuf,
    },
    Store {
        folder: PathBuf,
    },
}

#[derive(Args, Clone)]
struct Run {
    /// Shorter rounds and fewer objects
    #[arg(long)]
    quick: bool,
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Where files are made, and removed [default: the system's temporary folder]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Only the sections whose title begins with this
    #[arg(long)]
    only: Option<String>,
    /// Of `node`: the program that is measured
    #[cfg(feature = "node")]
    #[arg(long)]
    program: Option<PathBuf>,
    /// Of `node`: where the test images are
    #[cfg(feature = "node")]
    #[arg(long)]
    images: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// What a section's measurement is told.
struct Bench {
    folder: PathBuf,
    quick: bool,
    #[cfg(feature = "node")]
    program: Option<PathBuf>,
    #[cfg(feature = "node")]
    images: Option<PathBuf>,
}

impl Bench {
    /// A count or a length that `--quick` makes a tenth.
    fn scaled(&self, whole: usize) -> usize {
        if self.quick { whole / 10 } else { whole }
    }

    /// How long one round of a rate is measured.
    fn round(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 500 })
    }

    fn rounds(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }
}

/// A title and what measures its figures.
type Measurement = (&'static str, fn(&Bench) -> anyhow::Result<Vec<figures::Figure>>);

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Store(run) => measure("store", &run, store::MEASUREMENTS, Duration::from_secs(240)),
        #[cfg(feature = "api")]
        What::Api(run) => measure("api", &run, api::MEASUREMENTS, Duration::from_secs(300)),
        #[cfg(feature = "controllers")]
        What::Controllers(run) => measure("controllers", &run, controllers::MEASUREMENTS, Duration::from_secs(400)),
        #[cfg(feature = "node")]
        What::Node(run) => {
            node::inside::enter(&run, || measure("node", &run, node::MEASUREMENTS, Duration::from_secs(420)))
        }
        What::Puts { clients, seconds, folder } => {
            let folder = temporary(folder.as_deref())?;
            store::load(folder.path(), clients, Duration::from_secs(seconds))
        }
        #[cfg(feature = "api")]
        What::Load { verb, connections, seconds } => {
            let folder = temporary(None)?;
            api::load(folder.path(), verb, connections, Duration::from_secs(seconds))
        }
        #[cfg(feature = "api")]
        What::Child { part: Part::Api { folder } } => api::server::run(&folder),
        #[cfg(feature = "api")]
        What::Child { part: Part::Constant { folder } } => api::constant::run(&folder),
        What::Child { part: Part::Store { folder } } => store::child::run(&folder),
    }
}

fn measure(name: &str, run: &Run, measurements: &[Measurement], limit: Duration) -> anyhow::Result<()> {
    let folder = temporary(run.folder.as_deref())?;
    let _bound = bound(folder.path(), limit);
    let bench = Bench {
        folder: folder.path().to_owned(),
        quick: run.quick,
        #[cfg(feature = "node")]
        program: run.program.clone(),
        #[cfg(feature = "node")]
        images: run.images.clone(),
    };
    if run.output == Output::Text {
        println!("{}\n", machine::description());
    }
    let began = machine::now();
    let mut sections = Vec::new();
    for (title, measurement) in measurements {
        if run.only.as_ref().is_some_and(|only| !title.to_lowercase().starts_with(&only.to_lowercase())) {
            continue;
        }
        eprintln!("{:>4} s  {name}: {title}", began.elapsed().as_secs());
        let figures = measurement(&bench).with_context(|| format!("measuring {name}: {title}"))?;
        let section = Section { title, figures };
        if run.output == Output::Text {
            println!("{section}");
            std::io::stdout().flush()?;
        }
        sections.push(section);
    }
    if run.output == Output::Json {
        let sections: Vec<_> = sections.iter().map(Section::json).collect();
        println!("{}", json!({ "bench": name, "machine": machine::description(), "sections": sections }));
    }
    Ok(())
}

/// A folder that goes with what it was made for.
fn temporary(parent: Option<&Path>) -> anyhow::Result<TempDir> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
    std::fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(&parent)?)
}

/// Ends the process when it takes longer than `limit`, its files removed. Its children end with it: their input
/// closes, or the kernel tells them.
fn bound(folder: &Path, limit: Duration) -> mpsc::Sender<()> {
    let folder = folder.to_owned();
    let (held, ended) = mpsc::channel();
    thread::spawn(move || {
        if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            eprintln!("this takes longer than {} s; giving up", limit.as_secs());
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                eprintln!("cannot remove {}: {error}", folder.display());
            }
            std::process::exit(1);
        }
    });
    held
}
