//! The parts of an image's configuration and manifest that a runtime uses.

use serde::{Deserialize, Deserializer};

/// The image's configuration (OCI image specification, `config.md`; Docker's is the same).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ImageConfig {
    pub(crate) architecture: String,
    pub(crate) system: String,
    /// Digests of the uncompressed layers, the lowest first.
    pub(crate) diff_ids: Vec<String>,
    pub(crate) user: String,
    pub(crate) environment: Vec<String>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) working_directory: String,
    pub(crate) stop_signal: String,
}

impl<'de> Deserialize<'de> for ImageConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            architecture: String,
            #[serde(default)]
            os: String,
            rootfs: RootFs,
            config: Option<Run>,
        }
        #[derive(Deserialize)]
        struct RootFs {
            diff_ids: Option<Vec<String>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Run {
            user: Option<String>,
            env: Option<Vec<String>>,
            entrypoint: Option<Vec<String>>,
            cmd: Option<Vec<String>>,
            working_dir: Option<String>,
            stop_signal: Option<String>,
        }
        let file = File::deserialize(deserializer)?;
        let run = file.config.unwrap_or_default();
        Ok(ImageConfig {
            architecture: file.architecture,
            system: file.os,
            diff_ids: file.rootfs.diff_ids.unwrap_or_default(),
            user: run.user.unwrap_or_default(),
            environment: run.env.unwrap_or_default(),
            entrypoint: run.entrypoint.unwrap_or_default(),
            command: run.cmd.unwrap_or_default(),
            working_directory: run.working_dir.unwrap_or_default(),
            stop_signal: run.stop_signal.unwrap_or_default(),
        })
    }
}

/// An index or a manifest; which of the two, its fields tell.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) config: Option<Descriptor>,
    #[serde(default)]
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default)]
    pub(crate) manifests: Vec<Descriptor>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) digest: String,
    pub(crate) platform: Option<Platform>,
    #[serde(default)]
    pub(crate) annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Platform {
    pub(crate) architecture: String,
    pub(crate) os: String,
}

/// This machine's architecture by Go's names, which images use.
pub(crate) fn own_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

/// What of an index runs here. Those without a platform are left for the configuration to decide;
/// attestations (`unknown/unknown`) are none of ours.
pub(crate) fn choose(manifests: &[Descriptor]) -> Result<&Descriptor, Vec<String>> {
    let fits = |platform: &Platform| platform.os == "linux" && platform.architecture == own_architecture();
    let exact = manifests.iter().find(|descriptor| descriptor.platform.as_ref().is_some_and(fits));
    let chosen = exact.or_else(|| manifests.iter().find(|descriptor| descriptor.platform.is_none()));
    chosen.ok_or_else(|| {
        let platforms = manifests.iter().filter_map(|descriptor| descriptor.platform.as_ref());
        platforms
            .filter(|platform| platform.os != "unknown")
            .map(|platform| format!("{}/{}", platform.os, platform.architecture))
            .collect()
    })
}
