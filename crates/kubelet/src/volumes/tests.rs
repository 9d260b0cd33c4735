use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::tokens::TokenSource;
use super::*;
use crate::testing::{NoMounts, node_facts, pod_from};

/// Hands out `token-1`, `token-2`, … that last an hour.
struct Counting(AtomicUsize);

#[async_trait]
impl TokenSource for Counting {
    async fn request(
        &self,
        _pod: &Pod,
        _audience: Option<&str>,
        seconds: i64,
    ) -> Result<(String, Timestamp), TokenError> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Ok((format!("token-{number}"), Timestamp::from_second(seconds).unwrap()))
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    tokens: Tokens,
    objects: Objects,
    claims: claims::BoundClaims,
}

impl Fixture {
    fn new() -> Self {
        let map = serde_json::from_str(r#"{"metadata":{"name":"m"},"data":{"k":"v","x":"y"}}"#).unwrap();
        let secret = serde_json::from_str(r#"{"metadata":{"name":"s"},"data":{"k":"c2VjcmV0"}}"#).unwrap();
        Fixture {
            folder: tempfile::tempdir().unwrap(),
            tokens: Tokens::new(Arc::new(Counting(AtomicUsize::new(0)))),
            objects: Objects {
                config_maps: BTreeMap::from([("m".to_owned(), map)]),
                secrets: BTreeMap::from([("s".to_owned(), secret)]),
                ..Objects::default()
            },
            claims: claims::BoundClaims::new(),
        }
    }

    fn node(&self) -> NodeFacts {
        NodeFacts { root_dir: self.folder.path().to_owned(), ..node_facts() }
    }

    async fn set_up(&self, volumes: &str, now_seconds: i64) -> Result<ReadyVolumes, String> {
        let pod = pod_from(&format!(
            r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u","labels":{{"a":"b"}}}},"spec":{{"containers":[],"volumes":{volumes}}}}}"#
        ));
        let all = PodVolumes {
            pod: &pod,
            objects: &self.objects,
            claims: &self.claims,
            node_labels: None,
            addresses: Addresses { pod_ips: &[], host_ips: &[] },
            node: &self.node(),
            mounter: &NoMounts,
            tokens: &self.tokens,
            now: Timestamp::from_second(now_seconds).unwrap(),
        };
        set_up(&all).await.map_err(|error| stdx::error::chain(&error))
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join("pods/u/volumes").join(path)).unwrap()
    }
}

#[tokio::test]
async fn objects_become_files_and_change_with_them() {
    let mut fixture = Fixture::new();
    let volumes = r#"[{"name":"c","configMap":{"name":"m","items":[{"key":"k","path":"d/k","mode":256}]}},
                      {"name":"s","secret":{"secretName":"s","defaultMode":384}},{"name":"e","emptyDir":{}}]"#;
    fixture.set_up(volumes, 0).await.unwrap();
    assert_eq!(fixture.read("kubernetes.io~configmap/c/d/k"), "v");
    assert_eq!(fixture.read("kubernetes.io~secret/s/k"), "secret");
    let file = fixture.folder.path().join("pods/u/volumes/kubernetes.io~secret/s/k");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(fixture.folder.path().join("pods/u/volumes/kubernetes.io~empty-dir/e/own"), "kept").unwrap();
    fixture.objects.config_maps.get_mut("m").unwrap().data.as_mut().unwrap().insert("k".into(), "new".into());
    fixture.set_up(volumes, 1).await.unwrap();
    assert_eq!(fixture.read("kubernetes.io~configmap/c/d/k"), "new");
    assert_eq!(fixture.read("kubernetes.io~empty-dir/e/own"), "kept");
}

#[tokio::test]
async fn a_token_is_renewed_at_four_fifths_of_its_life() {
    let fixture = Fixture::new();
    let volumes = r#"[{"name":"t","projected":{"sources":[
        {"serviceAccountToken":{"path":"token","expirationSeconds":1000}},
        {"configMap":{"name":"m","items":[{"key":"k","path":"ca.crt"}]}},
        {"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}}]}}]"#;
    let ready = fixture.set_up(volumes, 0).await.unwrap();
    assert_eq!(ready.refresh_at(), Some(Timestamp::from_second(800).unwrap()));
    assert_eq!(fixture.read("kubernetes.io~projected/t/token"), "token-1");
    assert_eq!(fixture.read("kubernetes.io~projected/t/ca.crt"), "v");
    assert_eq!(fixture.read("kubernetes.io~projected/t/namespace"), "ns");
    fixture.set_up(volumes, 799).await.unwrap();
    assert_eq!(fixture.read("kubernetes.io~projected/t/token"), "token-1");
    fixture.set_up(volumes, 800).await.unwrap();
    assert_eq!(fixture.read("kubernetes.io~projected/t/token"), "token-2");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let fixture = Fixture::new();
    let error = fixture.set_up(r#"[{"name":"c","configMap":{"name":"none"}}]"#, 0).await.unwrap_err();
    assert_eq!(error, "MountVolume.SetUp failed for volume \"c\" : configmap \"none\" not found");
    let error = fixture.set_up(r#"[{"name":"c","configMap":{"name":"m","items":[{"key":"z","path":"z"}]}}]"#, 0).await;
    assert_eq!(
        error.unwrap_err(),
        "MountVolume.SetUp failed for volume \"c\" : references non-existent config map key: z"
    );
    fixture.set_up(r#"[{"name":"c","configMap":{"name":"none","optional":true}}]"#, 0).await.unwrap();
    let error = fixture.set_up(r#"[{"name":"c","nfs":{"server":"x","path":"/"}}]"#, 0).await.unwrap_err();
    assert_eq!(error, "MountVolume.SetUp failed for volume \"c\" : no volume plugin matched");
    let error = fixture.set_up(r#"[{"name":"c","csi":{"driver":"d.example.com"}}]"#, 0).await.unwrap_err();
    assert_eq!(
        error,
        "MountVolume.SetUp failed for volume \"c\" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: \
         driver name d.example.com not found in the list of registered CSI drivers"
    );
}

impl Fixture {
    /// Mounts a claim whose volume is given; where it is then.
    async fn mount_claim(&mut self, volume: &str, read_only: bool) -> Result<std::path::PathBuf, String> {
        let folder = self.folder.path().display().to_string();
        let volume = serde_json::from_str(&volume.replace("FOLDER", &folder)).unwrap();
        let bound = claims::BoundClaim { claim: "claim".to_owned(), volume, read_only };
        self.claims.insert("data".to_owned(), bound);
        let ready = self.set_up(r#"[{"name":"data","persistentVolumeClaim":{"claimName":"claim"}}]"#, 0).await?;
        assert_eq!(ready.by_name["data"].read_only, read_only);
        Ok(ready.by_name["data"].host_path.clone())
    }
}

#[tokio::test]
async fn claims_lead_to_folders_of_this_node() {
    let mut fixture = Fixture::new();
    let folder = fixture.folder.path().to_owned();
    let mode = |path: &str| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
    let volume = r#"{"metadata":{"name":"pv"},"spec":{"hostPath":{"path":"FOLDER/host","type":"DirectoryOrCreate"}}}"#;
    assert_eq!(fixture.mount_claim(volume, true).await, Ok(folder.join("host")));
    assert_eq!(mode("host"), 0o755);
    // Somebody else's local volume must be there; one of our own making is made.
    let volume = r#"{"metadata":{"name":"pv"},"spec":{"local":{"path":"FOLDER/local"}}}"#;
    let missing = format!(
        "MountVolume.NewMounter initialization failed for volume \"pv\" : path {:?} does not exist",
        folder.join("local")
    );
    assert_eq!(fixture.mount_claim(volume, false).await, Err(missing));
    let made = r#"{"metadata":{"name":"pv","annotations":{"pv.kubernetes.io/provisioned-by":"pintle.dev/local"}},
        "spec":{"local":{"path":"FOLDER/local"}}}"#;
    assert_eq!(fixture.mount_claim(made, false).await, Ok(folder.join("local")));
    assert_eq!(mode("local"), 0o777);
    assert_eq!(fixture.mount_claim(volume, false).await, Ok(folder.join("local")));
}

#[tokio::test]
async fn volumes_out_of_reach_say_why() {
    let mut fixture = Fixture::new();
    let elsewhere = r#"{"metadata":{"name":"pv"},"spec":{"local":{"path":"/"},"nodeAffinity":{"required":{
        "nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["b"]}]}]}}}}"#;
    assert_eq!(
        fixture.mount_claim(elsewhere, false).await.unwrap_err(),
        "MountVolume.NodeAffinity check failed for volume \"pv\" : no matching NodeSelectorTerms"
    );
    let csi = r#"{"metadata":{"name":"pv"},"spec":{"csi":{"driver":"d.example.com","volumeHandle":"h"}}}"#;
    assert_eq!(
        fixture.mount_claim(csi, false).await.unwrap_err(),
        "MountVolume.MountDevice failed for volume \"pv\" : kubernetes.io/csi: attacher.MountDevice failed to create \
         newCsiDriverClient: driver name d.example.com not found in the list of registered CSI drivers"
    );
}
