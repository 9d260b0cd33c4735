//! One informer per kind, shared by all who ask.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use client::Client;
use client::kube::{Api, Resource};
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use crate::informer::{Informer, Kind, ListOptions};

/// Makes each informer at the first request for its kind. Clones share what was made.
#[derive(Clone)]
pub struct Informers {
    client: Client,
    ambient: Ambient,
    cancel: CancellationToken,
    made: Arc<Mutex<BTreeMap<TypeId, Box<dyn Any + Send>>>>,
}

impl Informers {
    /// `client` must be allowed to list and watch every kind asked for.
    pub fn new(client: Client, ambient: &Ambient, cancel: CancellationToken) -> Self {
        Informers { client, ambient: ambient.clone(), cancel, made: Arc::default() }
    }

    /// The informer of all objects of a kind, in all namespaces.
    pub fn of<K>(&self) -> Informer<K>
    where
        K: Kind + Resource<DynamicType = ()>,
    {
        self.of_trimmed(None)
    }

    /// As [`Informers::of`]; the first request for a kind decides how its objects are trimmed.
    pub fn of_trimmed<K>(&self, trim: Option<fn(&mut K)>) -> Informer<K>
    where
        K: Kind + Resource<DynamicType = ()>,
    {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let informer = made.entry(TypeId::of::<K>()).or_insert_with(|| {
            let options = ListOptions { trim, ..ListOptions::default() };
            let api: Api<K> = Api::all(self.client.clone());
            Box::new(Informer::start(api, options, &self.ambient, self.cancel.clone()))
        });
        let informer: Option<&Informer<K>> = informer.downcast_ref();
        informer.expect("the entry under a kind's type id is that kind's informer").clone()
    }
}
