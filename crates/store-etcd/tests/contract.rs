//! The contract of [`store::Store`], held against etcd.

use std::sync::Arc;
use std::time::Duration;

use stdx::Ambient;
use store::{Options, Store};
use store_contract::etcd::Server;
use store_contract::{Home, contract};
use store_etcd::{Address, COMPACT_EVERY, Config, Etcd, Identity, client_tls};

contract!(etcd, home);

struct InEtcd(Server);

async fn home() -> InEtcd {
    InEtcd(Server::start())
}

#[async_trait::async_trait]
impl Home for InEtcd {
    async fn open(&self, options: Options) -> Arc<dyn Store> {
        let tls = self.0.tls().map(|files| {
            let identity = Identity { certificate: &files.certificate, key: &files.key };
            client_tls(&files.authority, Some(identity)).unwrap()
        });
        let address = Address::parse(&self.0.address(), "pintle").unwrap();
        let timeout = Duration::from_secs(20);
        let ambient = Ambient::system();
        let config =
            Config { address, tls, options, timeout, open_timeout: timeout, compact_every: COMPACT_EVERY, ambient };
        Etcd::open(config).await.unwrap()
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// The same over TLS with a client's certificate, as far as the wire matters.
#[tokio::test]
async fn etcd_is_spoken_to_over_tls() {
    let home = InEtcd(Server::start_with_tls());
    store_contract::parts::revisions_rise_and_entries_remember_theirs(&home).await;
    store_contract::parts::limits_hold(&home).await;
}

#[tokio::test]
async fn without_the_right_certificate_there_is_no_store() {
    let server = Server::start_with_tls();
    let files = server.tls().unwrap();
    let open = async |tls| {
        let address = Address::parse(&server.address(), "pintle").unwrap();
        let timeout = Duration::from_secs(1);
        let (options, ambient) = (Options::default(), Ambient::system());
        let config =
            Config { address, tls, options, timeout, open_timeout: timeout, compact_every: COMPACT_EVERY, ambient };
        Etcd::open(config).await.unwrap_err().to_string()
    };
    let anonymous = open(Some(client_tls(&files.authority, None).unwrap())).await;
    let clear = open(None).await;
    for error in [anonymous, clear] {
        assert!(error.starts_with("the store at etcd://127.0.0.1:"), "{error}");
    }
}
