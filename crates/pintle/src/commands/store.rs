//! `pintle store`: works on the store's folder itself. What only looks works beside a running server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, bail};
use api::k8s::jiff::Timestamp;
use clap::{Args, Subcommand};
use cluster::StoreLocation;
use cluster::progress::Format;
use serde_json::{Value, json};
use stdx::Ambient;
use store::folder::{self, Contents, Damage, Loss, Repaired, Report, Restored};
use store::{Options, Revision};

use super::down::settings_of;
use crate::arguments::{Output, Where};

#[derive(Args)]
pub(crate) struct Store {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Subcommand)]
enum StoreCommand {
    /// Tell what the store holds, and what of it is damaged; changes nothing
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Keep all that is readable of a damaged store; what was there is moved aside
    Repair {
        #[command(flatten)]
        place: Place,
    },
    /// Write the newest state into a file
    Snapshot {
        #[command(flatten)]
        place: Place,
        /// The file; one that is there is replaced
        file: PathBuf,
    },
    /// Put back a snapshot. Clients that know later revisions are told that these are gone
    Restore {
        #[command(flatten)]
        place: Place,
        /// The file that `snapshot` wrote
        file: PathBuf,
        /// Move aside a store that is there already
        #[arg(long)]
        force: bool,
    },
    /// Make a data folder for another cluster, that begins with what this one holds
    Fork {
        #[command(flatten)]
        place: Place,
        /// The new data folder: `pintle up --name NAME --data-dir FOLDER` starts on it
        folder: PathBuf,
    },
}

/// Whose store, and how to print.
#[derive(Args)]
struct Place {
    #[command(flatten)]
    r#where: Where,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(store: &Store) -> anyhow::Result<ExitCode> {
    match &store.command {
        StoreCommand::Check { place } => check(place),
        StoreCommand::Repair { place } => repair(place),
        StoreCommand::Snapshot { place, file } => snapshot(place, file),
        StoreCommand::Restore { place, file, force } => restore(place, file, *force),
        StoreCommand::Fork { place, folder } => fork(place, folder),
    }
}

fn check(place: &Place) -> anyhow::Result<ExitCode> {
    let folder = place.existing()?;
    let report = folder::check(&folder)?;
    match place.output.format() {
        Format::Json => println!("{}", report_json(&folder, &report)),
        Format::Text => print_report(&folder, &report),
    }
    Ok(if report.damage.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn repair(place: &Place) -> anyhow::Result<ExitCode> {
    let folder = place.existing()?;
    let repaired = folder::repair(&folder, Options::default(), &Ambient::system())?;
    match place.output.format() {
        Format::Json => println!(
            "{}",
            json!({
                "folder": folder, "damage": damage_json(&repaired.damage), "aside": repaired.aside,
                "lost": repaired.lost.iter().map(loss_text).collect::<Vec<_>>(),
                "contents": contents_json(&repaired.contents),
            })
        ),
        Format::Text => print_repaired(&folder, &repaired),
    }
    Ok(ExitCode::SUCCESS)
}

fn snapshot(place: &Place, file: &Path) -> anyhow::Result<ExitCode> {
    let state = folder::snapshot_of(&place.existing()?)?;
    let bytes = folder::save(&state, file, &Ambient::system())?;
    let (revision, keys) = (state.revision().0, state.len());
    match place.output.format() {
        Format::Json => println!("{}", json!({"file": file, "bytes": bytes, "revision": revision, "keys": keys})),
        Format::Text => println!("saved revision {revision}, {keys} keys, to {} ({bytes} bytes)", file.display()),
    }
    Ok(ExitCode::SUCCESS)
}

fn restore(place: &Place, file: &Path, force: bool) -> anyhow::Result<ExitCode> {
    let folder = place.folder()?;
    let Restored { contents, snapshot_revision, aside } = folder::restore(file, &folder, force, &Ambient::system())?;
    match place.output.format() {
        Format::Json => println!(
            "{}",
            json!({
                "folder": folder, "aside": aside, "snapshotRevision": snapshot_revision.0,
                "contents": contents_json(&contents),
            })
        ),
        Format::Text => {
            println!("restored {} keys of revision {} into {}", contents.keys, snapshot_revision.0, folder.display());
            println!(
                "it goes on at revision {}, so that no client takes an older state for a newer",
                contents.revision.0
            );
            if let Some(aside) = aside {
                println!("what was there is in {}", aside.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn fork(place: &Place, target: &Path) -> anyhow::Result<ExitCode> {
    let target = std::path::absolute(target)?;
    let folder = place.existing()?;
    std::fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    let name = folder.file_name().context("the store's folder has no name")?;
    let forked = folder::fork(&folder, &target.join(name))?;
    let revision = forked.contents.revision.0;
    match place.output.format() {
        Format::Json => println!(
            "{}",
            json!({
                "folder": target, "revision": revision, "keys": forked.contents.keys,
                "sharedBytes": forked.shared_bytes, "copiedBytes": forked.copied_bytes,
            })
        ),
        Format::Text => {
            println!("forked revision {revision}, {} keys, into {}", forked.contents.keys, target.display());
            println!("{} bytes are shared until they change, {} copied", forked.shared_bytes, forked.copied_bytes);
            println!("`pintle up --name NAME --data-dir {}` starts a cluster on it", target.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Place {
    /// Where the store's folder is; what rests in etcd is not for this program to save and mend.
    fn folder(&self) -> anyhow::Result<PathBuf> {
        let settings = settings_of(&self.r#where)?;
        match &settings.store {
            StoreLocation::Folder => Ok(settings.store_dir()),
            StoreLocation::Etcd(etcd) => bail!(
                "the state of this cluster rests in {}, not in a folder; use etcd's own tools: `etcdctl endpoint status` \
                 to check it, `etcdctl snapshot save FILE` to save it, `etcdutl snapshot restore FILE` (before etcd 3.5: \
                 `etcdctl snapshot restore FILE`) to put it back",
                etcd.address
            ),
        }
    }

    /// The store's folder, which must be there.
    fn existing(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder()?;
        if !folder.try_exists().with_context(|| format!("cannot look at {}", folder.display()))? {
            bail!("there is no store in {}", folder.display());
        }
        Ok(folder)
    }
}

fn print_report(folder: &Path, report: &Report) {
    let holder = report.holder.as_ref().map_or_else(|| "nobody".to_owned(), |holder| format!("process {holder}"));
    println!("folder    {} (used by {holder})", folder.display());
    for file in &report.files {
        let format = file.format.map_or_else(|| "unknown".to_owned(), |format| format.to_string());
        println!("file      {} (format {format}, {} bytes)", file.name, file.bytes);
    }
    if let Some(contents) = &report.contents {
        print_contents(contents);
    }
    if let Some((path, offset)) = &report.unfinished {
        println!("unfinished  a write in {} at byte {offset}, never acknowledged: no damage", path.display());
    }
    print_damage(&report.damage);
    if report.damage.is_empty() {
        println!("no damage");
    } else {
        println!("mend it with `pintle store repair`, or with `pintle store restore FILE --force`");
    }
}

fn print_repaired(folder: &Path, repaired: &Repaired) {
    if repaired.damage.is_empty() {
        println!("nothing in {} is damaged; nothing was done", folder.display());
        return;
    }
    print_damage(&repaired.damage);
    for loss in &repaired.lost {
        println!("lost      {}", loss_text(loss));
    }
    if repaired.lost.is_empty() {
        println!("lost      nothing");
    }
    if let Some(aside) = &repaired.aside {
        println!("aside     {} holds what was there", aside.display());
    }
    print_contents(&repaired.contents);
}

fn print_contents(contents: &Contents) {
    println!("revision  {} ({})", contents.revision.0, time_text(contents.time));
    println!("keys      {} ({} bytes)", contents.keys, contents.bytes);
    println!("history   from revision {} ({})", contents.oldest.0, time_text(contents.oldest_time));
}

fn print_damage(damage: &[Damage]) {
    for Damage { path, offset, reason } in damage {
        println!("damage    {} at byte {offset}: {reason}", path.display());
    }
}

fn loss_text(loss: &Loss) -> String {
    match loss {
        Loss::Revisions { first: Revision(first), last: Revision(last) } if first == last => {
            format!("what revision {first} changed")
        }
        Loss::Revisions { first, last } => format!("what revisions {} to {} changed", first.0, last.0),
        Loss::After(revision) => format!("whatever came after revision {}", revision.0),
        Loss::Keys { after, before, at } => {
            let after = after.as_ref().map(|key| format!(" after {key}")).unwrap_or_default();
            let before = before.as_ref().map(|key| format!(" before {key}")).unwrap_or_default();
            format!("keys{after}{before} as of revision {}, but for those that changed later", at.0)
        }
        Loss::Leases { at } => format!("which keys of revision {} end by themselves", at.0),
    }
}

fn report_json(folder: &Path, report: &Report) -> Value {
    let files = report.files.iter();
    json!({
        "folder": folder,
        "holder": report.holder,
        "files": files.map(|file| json!({"name": file.name, "format": file.format, "bytes": file.bytes})).collect::<Vec<_>>(),
        "contents": report.contents.as_ref().map(contents_json),
        "unfinished": report.unfinished.as_ref().map(|(path, offset)| json!({"path": path, "offset": offset})),
        "damage": damage_json(&report.damage),
    })
}

fn contents_json(contents: &Contents) -> Value {
    json!({
        "revision": contents.revision.0, "time": time_text(contents.time),
        "keys": contents.keys, "bytes": contents.bytes,
        "oldestRevision": contents.oldest.0, "oldestTime": time_text(contents.oldest_time),
    })
}

fn damage_json(damage: &[Damage]) -> Vec<Value> {
    let one = |Damage { path, offset, reason }: &Damage| json!({"path": path, "offset": offset, "reason": reason});
    damage.iter().map(one).collect()
}

fn time_text(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| "unknown".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use cluster::EtcdLocation;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        place: Place,
    }

    #[test]
    fn what_rests_in_etcd_is_left_to_its_own_tools() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let run_dir = folder.path().join("run");
        let line = ["store", "--data-dir", data_dir.to_str().unwrap(), "--run-dir", run_dir.to_str().unwrap()];
        let place = Line::parse_from(line).place;
        assert_eq!(place.folder().unwrap(), data_dir.join("store"));

        let etcd = EtcdLocation { address: "etcd://10.0.0.7:2379".into(), ..EtcdLocation::default() };
        cluster::store::remember(&data_dir, &StoreLocation::Etcd(etcd)).unwrap();
        let error = place.existing().unwrap_err().to_string();
        assert!(
            error.starts_with("the state of this cluster rests in etcd://10.0.0.7:2379, not in a folder"),
            "{error}"
        );
        assert!(error.contains("`etcdctl snapshot save FILE`"), "{error}");
    }
}
