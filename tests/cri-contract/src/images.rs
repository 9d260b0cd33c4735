//! Images.

use cri::*;

use crate::{IMAGE, Node};

pub(crate) async fn images_are_listed_found_and_removed(node: &Node) {
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

    // Nobody listens at the first; the second is no name.
    for name in ["127.0.0.1:9/none:1", "not a name"] {
        let request = PullImageRequest { image: spec(name), ..Default::default() };
        assert!(images.pull_image(request).await.is_err(), "{name}");
    }
}
