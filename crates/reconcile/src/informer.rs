//! A local, always current copy of one kind, kept by list and watch.

mod cache;
mod reflector;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use api::NamespacedName;
use client::kube::{Api, Resource};
use serde::de::DeserializeOwned;
use stdx::{Ambient, Signal, signal};
use tokio_util::sync::CancellationToken;

use cache::{Cache, Change};

/// What an informer can hold: any kind of `k8s-openapi`, or its metadata alone
/// (`kube::core::PartialObjectMeta`).
pub trait Kind: Resource + Clone + DeserializeOwned + fmt::Debug + Send + Sync + 'static {}

impl<K: Resource + Clone + DeserializeOwned + fmt::Debug + Send + Sync + 'static> Kind for K {}

/// Which objects of the kind to hold, and how to trim them.
#[derive(Clone, Debug)]
pub struct ListOptions<K> {
    /// A label selector in the query form.
    pub labels: Option<String>,
    /// A field selector, e.g. `spec.nodeName=one`.
    pub fields: Option<String>,
    /// Drops what the readers never look at, before the object is kept.
    pub trim: Option<fn(&mut K)>,
}

impl<K> Default for ListOptions<K> {
    fn default() -> Self {
        ListOptions { labels: None, fields: None, trim: None }
    }
}

impl<K> ListOptions<K> {
    pub fn labels(selector: impl Into<String>) -> Self {
        ListOptions { labels: Some(selector.into()), ..ListOptions::default() }
    }

    pub fn fields(selector: impl Into<String>) -> Self {
        ListOptions { fields: Some(selector.into()), ..ListOptions::default() }
    }
}

type Handler<K> = Box<dyn Fn(Option<&Arc<K>>, Option<&Arc<K>>) + Send + Sync>;

/// A handle on the copy; clones share it. The copy is kept until the token it was started with is
/// cancelled. `metadata.managedFields` is never kept.
pub struct Informer<K> {
    shared: Arc<Shared<K>>,
}

impl<K> Clone for Informer<K> {
    fn clone(&self) -> Self {
        Informer { shared: Arc::clone(&self.shared) }
    }
}

impl<K: Kind> Informer<K> {
    /// Starts to list and watch what `api` and `options` select.
    pub fn start(api: Api<K>, options: ListOptions<K>, ambient: &Ambient, cancel: CancellationToken) -> Self {
        let shared = Arc::new(Shared::new(options.trim));
        tokio::spawn(reflector::run(api, options, Arc::clone(&shared), ambient.clone(), cancel));
        Informer { shared }
    }

    /// Returns once the first list is in the cache and every handler has seen it.
    pub async fn synced(&self) {
        let mut synced = self.shared.synced.subscribe();
        // The sender lives in `shared`, which `self` holds: the wait cannot end in an error.
        if synced.wait_for(|synced| *synced).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub fn is_synced(&self) -> bool {
        self.shared.synced.get()
    }

    pub fn get(&self, key: &NamespacedName) -> Option<Arc<K>> {
        self.shared.read().get(key)
    }

    /// Everything, ordered by namespace and name.
    pub fn list(&self) -> Vec<Arc<K>> {
        self.shared.read().list()
    }

    /// One namespace, ordered by name.
    pub fn list_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        self.shared.read().list_namespace(namespace)
    }

    pub fn len(&self) -> usize {
        self.shared.read().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a secondary index: [`Informer::by_index`] then finds the objects for which `function`
    /// gave a value. A name that is taken already stays as it is, so that all who share the informer
    /// may ask for the index they need.
    pub fn with_index(self, name: &'static str, function: fn(&K) -> Vec<String>) -> Self {
        self.shared.write().add_index(name, function);
        self
    }

    /// The objects with `value` in the index, ordered by key. An index nobody added is empty.
    pub fn by_index(&self, name: &'static str, value: &str) -> Vec<Arc<K>> {
        self.shared.read().by_index(name, value)
    }

    /// Calls `handler(old, new)` for every change from now on, after telling it of everything that is
    /// here already. Calls come one at a time and in order, and the cache already shows the change.
    /// A handler enqueues keys; it must not block, nor register handlers on the same informer.
    pub fn on_change(&self, handler: impl Fn(Option<&Arc<K>>, Option<&Arc<K>>) + Send + Sync + 'static) {
        let mut handlers = self.shared.lock_handlers();
        for object in self.list() {
            handler(None, Some(&object));
        }
        handlers.push(Box::new(handler));
    }

    /// A number that grows with every batch of changes, for those who rebuild a whole table.
    pub fn changed(&self) -> signal::Receiver<u64> {
        self.shared.generation.subscribe()
    }
}

struct Shared<K> {
    cache: RwLock<Cache<K>>,
    /// Held while a change is applied and told, so that handlers see changes in order.
    handlers: Mutex<Vec<Handler<K>>>,
    synced: Signal<bool>,
    generation: Signal<u64>,
    trim: Option<fn(&mut K)>,
}

impl<K: Kind> Shared<K> {
    fn new(trim: Option<fn(&mut K)>) -> Self {
        Shared {
            cache: RwLock::new(Cache::default()),
            handlers: Mutex::new(Vec::new()),
            synced: Signal::new(false),
            generation: Signal::new(0),
            trim,
        }
    }

    fn replace_all(&self, objects: Vec<K>) {
        let objects = objects.into_iter().map(|object| self.prepare(object)).collect();
        self.apply(|cache| cache.replace_all(objects));
        if !self.synced.get() {
            self.synced.set(true);
        }
    }

    fn upsert(&self, object: K) {
        let object = self.prepare(object);
        self.apply(|cache| cache.upsert(object).into_iter().collect());
    }

    fn remove(&self, object: K) {
        let object = self.prepare(object);
        self.apply(|cache| cache.remove(object).into_iter().collect());
    }

    fn prepare(&self, mut object: K) -> Arc<K> {
        object.meta_mut().managed_fields = None;
        if let Some(trim) = self.trim {
            trim(&mut object);
        }
        Arc::new(object)
    }

    fn apply(&self, change: impl FnOnce(&mut Cache<K>) -> Vec<Change<K>>) {
        let handlers = self.lock_handlers();
        let changes = change(&mut self.write());
        for change in &changes {
            for handler in handlers.iter() {
                handler(change.old.as_ref(), change.new.as_ref());
            }
        }
        drop(handlers);
        if !changes.is_empty() {
            self.generation.set(self.generation.get() + 1);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Cache<K>> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cache<K>> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_handlers(&self) -> MutexGuard<'_, Vec<Handler<K>>> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
