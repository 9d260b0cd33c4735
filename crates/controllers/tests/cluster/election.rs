//! Several that stand for one lease: never two lead, and another takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::coordination::v1::Lease;
use reconcile::{Election, Standings, lead};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// What all candidates report to.
struct Watched {
    leading: AtomicUsize,
    /// Who leads, or led last.
    leader: watch::Sender<String>,
}

/// A candidate that notes when it leads, for as long as it does.
fn candidate(
    world: &World,
    watched: &Arc<Watched>,
    identity: &str,
    standings: &Standings,
) -> (CancellationToken, JoinHandle<()>) {
    let cancel = CancellationToken::new();
    let election = Election {
        client: world.user("system:kube-scheduler"),
        lease: NamespacedName::new("kube-system", "kube-scheduler"),
        identity: identity.to_owned(),
        ambient: world.ambient(),
        standings: standings.clone(),
        cancel: cancel.clone(),
    };
    let (watched, identity) = (Arc::clone(watched), identity.to_owned());
    let standing = tokio::spawn(async move {
        let work = |term: CancellationToken| {
            let (watched, identity) = (Arc::clone(&watched), identity.clone());
            async move {
                assert_eq!(watched.leading.fetch_add(1, Ordering::SeqCst), 0, "two lead at once");
                watched.leader.send_replace(identity);
                term.cancelled().await;
                watched.leading.fetch_sub(1, Ordering::SeqCst);
            }
        };
        lead(election, work).await;
    });
    (cancel, standing)
}

#[tokio::test(start_paused = true)]
async fn one_leads_and_another_takes_over() {
    let world = World::start().await;
    let watched = Arc::new(Watched { leading: AtomicUsize::new(0), leader: watch::Sender::new(String::new()) });
    let mut leader = watched.leader.subscribe();
    let told: [Standings; 3] = Default::default();
    let leads = |nth: usize| {
        let page = told[nth].page();
        page.lines().any(|line| line == "leader_election_master_status{name=\"kube-scheduler\"} 1")
    };
    let (first, first_standing) = candidate(&world, &watched, "first", &told[0]);
    leader.wait_for(|leader| leader == "first").await.unwrap();
    let (second, second_standing) = candidate(&world, &watched, "second", &told[1]);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(*leader.borrow(), "first", "who leads goes on leading");
    assert_eq!((leads(0), leads(1)), (true, false));

    // Told to stop, it lets go at once.
    first.cancel();
    first_standing.await.unwrap();
    leader.wait_for(|leader| leader == "second").await.unwrap();
    assert_eq!((leads(0), leads(1)), (false, true));
    world
        .until::<Lease>("the second's lease", |leases| {
            leases.iter().any(|lease| {
                let spec = lease.spec.clone().unwrap_or_default();
                spec.holder_identity.as_deref() == Some("second") && spec.lease_transitions == Some(1)
            })
        })
        .await;

    // Killed, it keeps the lease until that is over.
    let (third, third_standing) = candidate(&world, &watched, "third", &told[2]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    second_standing.abort();
    assert!(second_standing.await.unwrap_err().is_cancelled());
    watched.leading.store(0, Ordering::SeqCst);
    let killed = tokio::time::Instant::now();
    leader.wait_for(|leader| leader == "third").await.unwrap();
    let waited = killed.elapsed();
    assert!(waited > Duration::from_secs(10) && waited < Duration::from_secs(32), "{waited:?}");
    second.cancel();
    third.cancel();
    third_standing.await.unwrap();
    world.stop().await;
}
