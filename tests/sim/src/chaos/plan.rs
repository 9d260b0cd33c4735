//! What a seed stands for: who does what when, and what goes wrong meanwhile.

use std::time::Duration;

use serde_json::{Value, json};
use stdx::Random;

use super::specs::{Kind, LASTING, pick};
use crate::cluster::Room;
use crate::network::Weather;

/// How long things go wrong.
pub(super) const TROUBLE: Duration = Duration::from_secs(300);
/// The namespaces that things are declared in. The second may be deleted, and comes back.
pub(super) const NAMESPACES: [&str; 2] = ["default", "shop"];
pub(super) const NODES: [&str; 3] = ["a", "b", "c"];
const MOST_ACTS: u64 = 70;
const FEWEST_ACTS: u64 = 25;

#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Only the control plane has faults; what is available and in which order is held against it.
    pub(super) is_strict: bool,
    pub(super) weather: Weather,
    /// In the order of their times.
    pub(super) acts: Vec<(Duration, Act)>,
    /// What makes the declared world one that can be reached: nothing paused, no quota used up.
    pub(super) settlement: Vec<Act>,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Into the folder.
    Create {
        folder: String,
        manifest: Value,
    },
    Patch {
        path: String,
        patch: Value,
    },
    Delete {
        path: String,
        policy: &'static str,
    },
    /// To one of the pods that there are then; `of` chooses it.
    Pod {
        deed: Deed,
        of: u64,
    },
    KillNode(&'static str),
    ReviveNode(&'static str),
    DeleteNode(&'static str),
    /// Parts the node from the server, or joins it again.
    PartNode(&'static str, bool),
    /// Ends in place of the write that comes after so many.
    KillAtWrite(Room, u64),
    /// For a while there are two.
    SecondLeader(Duration),
    CutWatches,
    /// The server is away for so long; then there is another, which knows what the store does.
    RestartServer(Duration),
    /// What the pods of a Deployment have to do together.
    Load {
        app: String,
        millicores: u64,
    },
    HoldWatches(Room, Duration),
    Compact,
    /// In milliseconds, ahead or back.
    JumpClock(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Delete,
    Evict,
    /// Takes away the label by which its owner knows it.
    Release,
    /// Changes what nobody looks at, so that whoever is about to write is late.
    Touch,
}

struct Declared {
    kind: Kind,
    namespace: &'static str,
    name: String,
    /// The Deployment that it may be about.
    target: String,
}

impl Declared {
    fn path(&self) -> String {
        format!("{}/{}", self.kind.path(self.namespace), self.name)
    }
}

/// The plan of a seed.
pub(super) fn plan(seed: u64) -> Plan {
    let random = Random::seeded(seed);
    let is_strict = random.below(2) == 0;
    let mut draft = Draft { random: random.clone(), is_strict, declared: Vec::new(), held: Vec::new(), names: 0 };
    let count = FEWEST_ACTS + random.below(MOST_ACTS - FEWEST_ACTS);
    let trouble = TROUBLE.as_millis() as u64;
    let mut times: Vec<u64> = (0..count).map(|_| random.below(trouble)).collect();
    times.sort_unstable();
    let mut acts = Vec::new();
    for time in times {
        acts.extend(draft.act().into_iter().map(|act| (Duration::from_millis(time), act)));
    }
    Plan { is_strict, weather: weather(&random, is_strict), acts, settlement: draft.settlement() }
}

fn weather(random: &Random, is_strict: bool) -> Weather {
    if random.below(3) == 0 {
        return Weather::default();
    }
    Weather {
        refused: random.below(40),
        conflicts: random.below(60),
        // A create whose answer is lost is done twice; who promises numbers cannot be held to them.
        lost: if is_strict { 0 } else { random.below(20) },
        delayed: random.below(200),
        longest_delay: Duration::from_millis(1 + random.below(1500)),
    }
}

struct Draft {
    random: Random,
    is_strict: bool,
    declared: Vec<Declared>,
    /// What was given a finalizer that only the settlement takes away, deleted meanwhile or not.
    held: Vec<String>,
    names: u64,
}

impl Draft {
    fn act(&mut self) -> Vec<Act> {
        let lot = self.random.below(100);
        match lot {
            0..30 => self.create(),
            30..55 => self.change().into_iter().collect(),
            55..62 => self.delete().into_iter().collect(),
            62..84 => self.trouble_server(),
            _ if self.is_strict => vec![Act::Pod { deed: Deed::Touch, of: self.random.next_u64() }],
            84..92 => {
                let deed = *pick(&self.random, &[Deed::Delete, Deed::Evict, Deed::Release, Deed::Touch]);
                vec![Act::Pod { deed, of: self.random.next_u64() }]
            }
            _ => vec![self.trouble_node()],
        }
    }

    fn create(&mut self) -> Vec<Act> {
        let kind = *pick(&self.random, &Kind::CHOICES);
        let namespace = *pick(&self.random, &NAMESPACES);
        self.names += 1;
        let name = format!("{}{}", kind_letter(kind), self.names);
        let apps: Vec<&str> = self
            .declared
            .iter()
            .filter(|one| one.namespace == namespace && one.kind == Kind::Deployment)
            .map(|one| one.name.as_str())
            .collect();
        let app = if apps.is_empty() { "nobody" } else { *pick(&self.random, &apps) }.to_owned();
        let manifest = kind.manifest(&name, &app, &self.random);
        // An autoscaler of something that tells of no work would not know what to do.
        let work = Act::Load { app: app.clone(), millicores: self.random.below(1500) };
        let declared = Declared { kind, namespace, name, target: app };
        if kind == Kind::Held {
            self.held.push(declared.path());
        }
        self.declared.push(declared);
        let create = Act::Create { folder: kind.path(namespace), manifest };
        if kind == Kind::Autoscaler { vec![work, create] } else { vec![create] }
    }

    fn change(&mut self) -> Option<Act> {
        let workloads: Vec<&Declared> =
            self.declared.iter().filter(|one| one.kind.has_replicas() || one.kind.has_rollouts()).collect();
        if workloads.is_empty() {
            return None;
        }
        let chosen = pick(&self.random, &workloads);
        let may_pause = chosen.kind == Kind::Deployment;
        if may_pause && self.random.below(4) == 0 {
            return Some(Act::Load { app: chosen.name.clone(), millicores: self.random.below(1500) });
        }
        let patch = match self.random.below(10) {
            0..4 if chosen.kind.has_replicas() => json!({"spec": {"replicas": self.random.below(7)}}),
            4..5 if may_pause => json!({"spec": {"paused": true}}),
            5..6 if may_pause => json!({"spec": {"paused": null}}),
            _ if chosen.kind.has_rollouts() => {
                let image = pick(&self.random, &LASTING);
                // As a strategic merge: of the one container, the image alone.
                json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
            }
            _ => json!({"spec": {"replicas": self.random.below(7)}}),
        };
        Some(Act::Patch { path: chosen.path(), patch })
    }

    fn delete(&mut self) -> Option<Act> {
        let lot = self.random.below(8);
        if lot == 0 {
            self.declared.retain(|one| one.namespace != NAMESPACES[1]);
            return Some(Act::Delete { path: format!("/api/v1/namespaces/{}", NAMESPACES[1]), policy: "Background" });
        }
        if self.declared.is_empty() {
            return None;
        }
        let chosen = self.declared.remove(self.random.below(self.declared.len() as u64) as usize);
        let policies: &[&str] = &["Background", "Background", "Foreground", "Orphan"];
        // Jobs that are left to themselves are still somebody's: they carry on.
        let policy = if chosen.kind == Kind::CronJob { "Background" } else { *pick(&self.random, policies) };
        Some(Act::Delete { path: chosen.path(), policy })
    }

    fn trouble_server(&mut self) -> Vec<Act> {
        let random = self.random.clone();
        let room = *pick(&random, &[Room::Controllers, Room::Controllers, Room::Controllers, Room::Scheduler]);
        let moment = Duration::from_millis(random.below(20_000));
        match random.below(if self.is_strict { 6 } else { 9 }) {
            0..3 => vec![Act::KillAtWrite(room, random.below(12))],
            3 => vec![Act::CutWatches],
            4 => vec![Act::Compact, Act::CutWatches],
            5 => vec![Act::Compact],
            6 => vec![if random.below(2) == 0 { Act::SecondLeader(moment) } else { Act::HoldWatches(room, moment) }],
            7 => vec![Act::RestartServer(moment)],
            _ => vec![Act::JumpClock(random.below(150_000) as i64 - 30_000)],
        }
    }

    fn trouble_node(&mut self) -> Act {
        let node = *pick(&self.random, &NODES);
        match self.random.below(7) {
            0..2 => Act::KillNode(node),
            2..4 => Act::ReviveNode(node),
            4 => Act::PartNode(node, true),
            5 => Act::PartNode(node, false),
            _ => Act::DeleteNode(node),
        }
    }

    fn settlement(&self) -> Vec<Act> {
        let settled = self.declared.iter().filter_map(|one| {
            let patch = match one.kind {
                Kind::Deployment => json!({"spec": {"paused": null}}),
                Kind::CronJob => json!({"spec": {"suspend": true}}),
                Kind::Quota => json!({"spec": {"hard": {"pods": "100"}}}),
                _ => return None,
            };
            Some(Act::Patch { path: one.path(), patch })
        });
        let freed = self
            .held
            .iter()
            .map(|path| Act::Patch { path: path.clone(), patch: json!({"metadata": {"finalizers": null}}) });
        settled.chain(freed).chain(self.idle_autoscalers()).collect()
    }

    /// Those whose target is gone, or that share it, would say so for ever.
    fn idle_autoscalers(&self) -> impl Iterator<Item = Act> {
        let autoscalers = || self.declared.iter().filter(|one| one.kind == Kind::Autoscaler);
        let same = |one: &Declared, other: &Declared| one.namespace == other.namespace && one.target == other.target;
        let is_useful = move |one: &&Declared| {
            let has_target = self.declared.iter().any(|target| {
                target.kind == Kind::Deployment && target.namespace == one.namespace && target.name == one.target
            });
            has_target && autoscalers().filter(|other| same(one, other)).count() == 1
        };
        let idle = autoscalers().filter(move |one| !is_useful(one));
        idle.map(|one| Act::Delete { path: one.path(), policy: "Background" })
    }
}

fn kind_letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Deployment => "web",
        Kind::ReplicaSet => "set",
        Kind::ReplicationController => "rc",
        Kind::StatefulSet => "db",
        Kind::DaemonSet => "agent",
        Kind::Job => "job",
        Kind::CronJob => "cron",
        Kind::Service => "svc",
        Kind::Budget => "pdb",
        Kind::Quota => "quota",
        Kind::Autoscaler => "hpa",
        Kind::Held => "held",
        Kind::Claim => "claim",
    }
}
