//! Images as volumes.

use cri::*;

use crate::bench::{Bench, IMAGE, config};

fn image_mount(path: &str, inner: &str) -> Mount {
    Mount {
        container_path: path.to_owned(),
        readonly: true,
        image: Some(ImageSpec { image: IMAGE.to_owned(), ..ImageSpec::default() }),
        image_sub_path: inner.to_owned(),
        ..Mount::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_a_volume_that_nobody_writes() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("imagevolume").await;
    let script =
        "cat /files/etc/group | head -n 1; cat /only/group | wc -l; touch /files/x 2>&1; echo $?; ls /only | wc -l";
    let mut container = config("app", script);
    container.mounts = vec![image_mount("/files", ""), image_mount("/only", "etc")];
    let (_, output) = bench.script(&sandbox, container).await;
    assert_eq!(output, "root:x:0:\n3\ntouch: /files/x: Read-only file system\n1\n2\n");
    assert_eq!(std::fs::read_dir(bench.folder.path().join("run/staged")).unwrap().count(), 0, "nothing stays staged");
    let users = container::users_of_image(&bench.folder.path().join("data"), &bench.image_id());
    assert_eq!(users.unwrap().len(), 1);
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_volume_that_cannot_be_says_why() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("imagevolumes").await;
    let absent = Some(ImageSpec { image: "docker.io/library/absent:1".to_owned(), ..ImageSpec::default() });
    let cases = [
        (Mount { image: absent, ..image_mount("/v", "") }, "failed to resolve image \"docker.io/library/absent:1\""),
        (Mount { readonly: false, ..image_mount("/v", "") }, "readonly must be true while mount image"),
        (Mount { host_path: "/tmp".to_owned(), ..image_mount("/v", "") }, "hostpath must be empty while mount image"),
        (Mount { image: Some(ImageSpec::default()), ..image_mount("/v", "") }, "image not specified in"),
        (image_mount("/v", "no/such"), "failed to ensure image subpath \"no/such\""),
        (image_mount("/v", "etc/group"), "only directory subpath is supported"),
        // It stays inside of the image, where no such folder is.
        (image_mount("/v", "../../../../../../proc/self"), "failed to ensure image subpath"),
    ];
    for (mount, reason) in cases {
        let mut container = config("app", "true");
        container.mounts = vec![mount];
        let error = bench.try_create(&sandbox, container).await.unwrap_err();
        assert!(error.message.starts_with("ImageVolumeMountFailed: ") && error.message.contains(reason), "{error}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}
