//! Images.

use cri::*;

use crate::registry::{self, Registry};
use crate::{IMAGE, Node};

pub(crate) async fn images_are_pulled_listed_found_and_removed(node: &Node) {
    let images = &node.images;
    let spec = |name: &str| Some(ImageSpec { image: name.to_owned(), ..Default::default() });
    let status = async |name: &str| {
        let request = ImageStatusRequest { image: spec(name), verbose: false };
        images.image_status(request).await.unwrap().image
    };
    let found = status(IMAGE).await.unwrap();
    assert!(found.id.starts_with("sha256:") && found.size > 0);
    assert!(found.repo_tags.contains(&IMAGE.to_owned()), "{:?}", found.repo_tags);
    // Short names and ids lead to the same image.
    for name in ["busybox:1.36", &found.id] {
        assert_eq!(status(name).await.map(|image| image.id), Some(found.id.clone()), "{name}");
    }
    let list = async |filter| images.list_images(ListImagesRequest { filter }).await.unwrap().images;
    assert!(list(None).await.iter().any(|image| image.id == found.id));
    // Containerd lists all whatever is asked for, so no more than this is promised.
    let filtered = list(Some(ImageFilter { image: spec(IMAGE) })).await;
    assert!(filtered.iter().any(|image| image.id == found.id));

    assert!(status("none:1").await.is_none(), "an absent image is no error");
    images.remove_image(RemoveImageRequest { image: spec("none:1") }).await.unwrap();

    let usage = images.image_fs_info(ImageFsInfoRequest {}).await.unwrap().image_filesystems;
    assert!(usage.iter().all(|filesystem| filesystem.timestamp > 0) && !usage.is_empty());

    // An image that needs a password is had with it alone.
    let registry = Registry::start().await;
    let name = registry.image();
    let pull = |password: &str| {
        let auth = (!password.is_empty()).then(|| AuthConfig {
            username: registry::USER.to_owned(),
            password: password.to_owned(),
            ..AuthConfig::default()
        });
        images.pull_image(PullImageRequest { image: spec(&name), auth, sandbox_config: None })
    };
    for password in ["", "a guess"] {
        assert!(pull(password).await.is_err(), "with the password {password:?}");
        assert!(status(&name).await.is_none());
    }
    let pulled = pull(registry::PASSWORD).await.unwrap().image_ref;
    let found = status(&name).await.unwrap();
    assert!(pulled == found.id || found.repo_digests.contains(&pulled), "{pulled} is no name of {found:?}");
    assert!(
        found.repo_digests.iter().any(|digest| digest.starts_with(&format!("{}@sha256:", name.trim_end_matches(":1"))))
    );
    images.remove_image(RemoveImageRequest { image: spec(&name) }).await.unwrap();
    assert!(status(&name).await.is_none());

    // Nobody listens at the first; the second is no name.
    for name in ["127.0.0.1:9/none:1", "not a name"] {
        let request = PullImageRequest { image: spec(name), ..Default::default() };
        assert!(images.pull_image(request).await.is_err(), "{name}");
    }
}
