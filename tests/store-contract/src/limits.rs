//! What is refused, clearly and without a trace.

use bytes::Bytes;
use store::{Expect, MAX_KEY_BYTES, MAX_VALUE_BYTES, Options, ReadAt, Revision, StoreError};

use crate::{Home, create, text, watch};

/// etcd takes a megabyte and a half, and so must every engine.
const SURELY_FITS: usize = 1 << 20;

pub async fn limits_hold(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let large = Bytes::from(vec![b'x'; SURELY_FITS]);
    store.put("large", large.clone(), Expect::Absent).await.unwrap();
    assert_eq!(store.get("large", ReadAt::Newest).await.unwrap().unwrap().value, large);
    let newest = store.revision();
    let too_large = Bytes::from(vec![b'x'; MAX_VALUE_BYTES + 1]);
    let error = store.put("larger", too_large, Expect::Absent).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { size, limit } if size > limit), "{error:?}");
    let longest = "k".repeat(MAX_KEY_BYTES);
    store.put(&longest, text("x"), Expect::Absent).await.unwrap();
    store.delete(&longest, Expect::Anything).await.unwrap();
    assert!(store.revision() > newest);
    assert_eq!(store.get("larger", ReadAt::Newest).await.unwrap(), None);
}

pub async fn bad_keys_are_refused(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let newest = store.revision();
    let too_long = "x".repeat(MAX_KEY_BYTES + 1);
    for key in ["", "a\0", "a/../b", "..", "a/.", "a//b", "a/", "/", &too_long] {
        let errors = [
            store.put(key, Bytes::new(), Expect::Anything).await.map(drop).unwrap_err(),
            store.delete(key, Expect::At(Revision(1))).await.map(drop).unwrap_err(),
            store.get(key, ReadAt::Newest).await.map(drop).unwrap_err(),
            store.get(key, ReadAt::Memory).await.map(drop).unwrap_err(),
            store.changes(key).await.map(drop).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, StoreError::InvalidKey { .. }), "{key:?}: {error:?}");
        }
    }
    assert_eq!(store.revision(), newest);
}

pub async fn the_future_is_refused(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    create(store, "a", "1").await;
    let ahead = Revision(1 << 40);
    let refused = [
        watch(store, "", ahead).map(drop).unwrap_err(),
        store.compact(ahead).await.unwrap_err(),
        store.get("a", ReadAt::Exactly(ahead)).await.map(drop).unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, StoreError::FutureRevision { requested, .. } if requested == ahead.0), "{error:?}");
    }
}
