//! `pintle image`: works on the image folder itself, whether or not the server runs.

use std::process::ExitCode;

use anyhow::{Context, bail};
use cluster::progress::Format;
use container::ImageStore;
use serde_json::json;

use super::down::settings_of;
use crate::arguments::{ImageCommand, Where};

pub(super) fn run(command: ImageCommand) -> anyhow::Result<ExitCode> {
    match command {
        ImageCommand::Load { r#where, file } => {
            let store = open(&r#where)?;
            let images = store.load(&file).with_context(|| format!("cannot load {}", file.display()))?;
            for image in images {
                println!("loaded {}", image.names.join(", "));
            }
            Ok(ExitCode::SUCCESS)
        }
        ImageCommand::Ls { r#where, output } => list(&open(&r#where)?, output.format()),
        ImageCommand::Rm { r#where, images } => {
            let store = open(&r#where)?;
            let data_dir = settings_of(&r#where)?.data_dir;
            let mut code = ExitCode::SUCCESS;
            for image in images {
                if let Some(known) = store.find(&image)? {
                    let users = container::users_of_image(&data_dir, &known.id)?;
                    if known.names.len() < 2 && !users.is_empty() {
                        let count = users.len();
                        eprintln!("pintle: {image} is in use by {count} containers; delete their pods first");
                        code = ExitCode::FAILURE;
                        continue;
                    }
                }
                match store.remove(&image)? {
                    Some(_) => println!("removed {image}"),
                    None => {
                        eprintln!("pintle: no such image: {image}; `pintle image ls` lists them");
                        code = ExitCode::FAILURE;
                    }
                }
            }
            Ok(code)
        }
    }
}

fn open(place: &Where) -> anyhow::Result<ImageStore> {
    let settings = settings_of(place)?;
    if let Some(remote) = &settings.container_runtime {
        bail!(
            "the images of this cluster are kept by the runtime at {}; work on them there, \
             as with: ctr --namespace k8s.io images import FILE",
            remote.images
        );
    }
    Ok(ImageStore::open(settings.images_dir())?)
}

fn list(store: &ImageStore, format: Format) -> anyhow::Result<ExitCode> {
    let images = store.list()?;
    match format {
        Format::Json => {
            for image in images {
                let object = json!({"id": image.id, "names": image.names, "digests": image.digests,
                    "sizeBytes": image.size_bytes, "origin": image.origin});
                println!("{object}");
            }
        }
        Format::Text => {
            println!("{:<60} {:<15} {:>10}", "NAME", "ID", "SIZE");
            for image in images {
                let id = image.id.trim_start_matches("sha256:");
                for name in &image.names {
                    println!("{name:<60} {:<15} {:>10}", &id[..id.len().min(12)], human_size(image.size_bytes));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Decimal units, as image tools print them.
fn human_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
