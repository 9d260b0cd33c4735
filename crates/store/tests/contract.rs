//! The contract of [`store::Store`], held against the engines of this crate.

use std::sync::Arc;

use stdx::{Ambient, Clock};
use store::{Embedded, Memory, Options, Store};
use store_contract::{Home, contract};

contract!(memory, memory_home);
contract!(embedded, embedded_home);
// A log so short that snapshots are taken all the time.
contract!(embedded_rotating, rotating_home);

struct Nowhere;

struct Folder {
    folder: tempfile::TempDir,
    rotate_log_bytes: u64,
}

async fn memory_home() -> Nowhere {
    Nowhere
}

async fn embedded_home() -> Folder {
    Folder { folder: tempfile::tempdir().unwrap(), rotate_log_bytes: Options::default().rotate_log_bytes }
}

async fn rotating_home() -> Folder {
    Folder { rotate_log_bytes: 512, ..embedded_home().await }
}

#[async_trait::async_trait]
impl Home for Nowhere {
    async fn open(&self, options: Options) -> Arc<dyn Store> {
        Memory::with_options(options, Clock::system())
    }

    fn is_durable(&self) -> bool {
        false
    }
}

#[async_trait::async_trait]
impl Home for Folder {
    async fn open(&self, options: Options) -> Arc<dyn Store> {
        let options = Options { rotate_log_bytes: self.rotate_log_bytes, ..options };
        Embedded::open(self.folder.path(), options, Ambient::system()).unwrap()
    }

    fn is_durable(&self) -> bool {
        true
    }
}
