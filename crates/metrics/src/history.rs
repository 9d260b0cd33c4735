//! What was used in the last quarter of an hour, moment by moment.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use api::k8s::jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Between the moments, as Heapster's model has it.
pub(crate) const RESOLUTION: Duration = Duration::from_secs(30);
/// How far back the moments reach.
pub(crate) const DEPTH: Duration = Duration::from_secs(15 * 60);
const MOMENTS: usize = 30;

/// A container of a pod.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct Container {
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) name: String,
    pub(crate) node: String,
}

/// What something used by a moment, and at it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Reading {
    /// Of processor time since it started.
    pub(crate) cpu_nanoseconds: u64,
    pub(crate) cpu_millicores: u64,
    pub(crate) memory_bytes: u64,
    /// Zero for what tells no start.
    pub(crate) up_milliseconds: u64,
}

/// Everything at one moment, in order.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) nodes: Vec<(Arc<str>, Reading)>,
    pub(crate) containers: Vec<(Arc<Container>, Reading)>,
}

/// The last moments. Names are kept once, however many moments they are in.
#[derive(Debug, Default)]
pub(crate) struct History {
    moments: VecDeque<Arc<Moment>>,
}

impl Reading {
    pub(crate) fn plus(self, other: Reading) -> Reading {
        Reading {
            cpu_nanoseconds: self.cpu_nanoseconds.saturating_add(other.cpu_nanoseconds),
            cpu_millicores: self.cpu_millicores.saturating_add(other.cpu_millicores),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            up_milliseconds: self.up_milliseconds.max(other.up_milliseconds),
        }
    }
}

impl History {
    /// Whether the next moment has come. The ticks it is asked at are never quite on time.
    pub(crate) fn is_due(&self, now: Timestamp, tick: Duration) -> bool {
        let due = |last: &Arc<Moment>| {
            Duration::try_from(now.duration_since(last.at)).is_ok_and(|since| since + tick / 2 >= RESOLUTION)
        };
        self.moments.back().is_none_or(due)
    }

    pub(crate) fn add(&mut self, mut moment: Moment) -> Arc<Moment> {
        if let Some(last) = self.moments.back() {
            share(&last.nodes, &mut moment.nodes);
            share(&last.containers, &mut moment.containers);
        }
        let oldest = moment.at.saturating_sub(DEPTH).unwrap_or(Timestamp::MIN);
        self.moments.retain(|one| one.at >= oldest && one.at < moment.at);
        let moment = Arc::new(moment);
        self.moments.push_back(moment.clone());
        while self.moments.len() > MOMENTS {
            self.moments.pop_front();
        }
        moment
    }

    pub(crate) fn last(&self) -> Option<&Arc<Moment>> {
        self.moments.back()
    }

    pub(crate) fn between(&self, start: Timestamp, end: Timestamp) -> impl Iterator<Item = &Arc<Moment>> {
        self.moments.iter().filter(move |moment| start <= moment.at && moment.at <= end)
    }
}

/// Takes the names that were there before, so that each lies in memory once.
fn share<N: ?Sized + Ord>(before: &[(Arc<N>, Reading)], now: &mut [(Arc<N>, Reading)]) {
    let known: BTreeMap<&N, &Arc<N>> = before.iter().map(|(name, _)| (&**name, name)).collect();
    for (name, _) in now {
        if let Some(shared) = known.get(&**name) {
            *name = Arc::clone(shared);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    /// One node, and a container for each name `namespace/pod/container` that burns so many millicores.
    pub(crate) fn moment(seconds: i64, containers: &[(&str, u64)]) -> Moment {
        let reading = |millicores| Reading {
            cpu_nanoseconds: millicores * 1_000_000,
            cpu_millicores: millicores,
            memory_bytes: 1024,
            up_milliseconds: 5000,
        };
        let container = |path: &str| {
            let mut words = path.split('/').map(str::to_owned);
            let mut next = || words.next().unwrap();
            Arc::new(Container { namespace: next(), pod: next(), name: next(), node: "one".to_owned() })
        };
        Moment {
            at: at(seconds),
            nodes: vec![("one".into(), reading(900))],
            containers: containers.iter().map(|(path, millicores)| (container(path), reading(*millicores))).collect(),
        }
    }

    #[test]
    fn moments_are_few_and_names_are_kept_once() {
        let mut history = History::default();
        for index in 0..100 {
            history.add(moment(index * 30, &[("shop/web/main", 1)]));
        }
        assert_eq!(history.moments.len(), MOMENTS);
        let first = &history.moments[0].containers[0].0;
        assert!(history.moments.iter().all(|moment| Arc::ptr_eq(&moment.containers[0].0, first)));
        history.add(moment(100_000, &[]));
        assert_eq!(history.moments.len(), 1, "what is older than the depth is forgotten");
        // A clock that was set back leaves no moment out of order.
        history.add(moment(50, &[]));
        assert_eq!(
            history.between(Timestamp::MIN, Timestamp::MAX).map(|moment| moment.at).collect::<Vec<_>>(),
            [at(50)]
        );
    }

    #[test]
    fn a_moment_is_due_at_the_tick_next_to_it() {
        let mut history = History::default();
        let tick = Duration::from_secs(15);
        assert!(history.is_due(at(0), tick));
        history.add(moment(0, &[]));
        let due: Vec<bool> = [15, 22, 23, 30, 40].iter().map(|seconds| history.is_due(at(*seconds), tick)).collect();
        assert_eq!(due, [false, false, true, true, true]);
    }
}
