//! The last answers of every node, and the rates between them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::jiff::Timestamp;

use crate::exposition::lines;
use crate::history::{Container, Moment, Reading};

/// Answers kept of each node. A rate needs two; the others bridge an answer that came too early.
const KEPT: usize = 4;

/// What something had used up by a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Option<Timestamp>,
    pub(crate) started: Option<Timestamp>,
    /// Of processor time, since it started.
    cpu_seconds: Option<f64>,
    memory_bytes: Option<f64>,
}

/// What something uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Use {
    pub(crate) at: Timestamp,
    /// Over which the processor's use is the mean.
    pub(crate) window: Duration,
    pub(crate) cpu_nanocores: u64,
    pub(crate) memory_bytes: u64,
}

/// One node's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    node: Sample,
    containers: BTreeMap<(NamespacedName, String), Sample>,
}

#[derive(Debug, Default)]
pub(crate) struct Samples {
    nodes: BTreeMap<String, VecDeque<Answer>>,
}

impl Answer {
    /// Reads `/metrics/resource`; lines without a moment are of `now`.
    pub(crate) fn parse(text: &str, now: Timestamp) -> Answer {
        let mut answer = Answer::default();
        for line in lines(text) {
            let sample = match line.name.split_once('_') {
                Some(("node", _)) => &mut answer.node,
                Some(("container", _)) => {
                    let label = |name| line.label(name).unwrap_or_default();
                    let pod = NamespacedName::new(label("namespace"), label("pod"));
                    answer.containers.entry((pod, label("container").to_owned())).or_default()
                }
                _ => continue,
            };
            match line.name {
                "node_cpu_usage_seconds_total" | "container_cpu_usage_seconds_total" => {
                    sample.cpu_seconds = Some(line.value);
                    sample.at = Some(line.at.unwrap_or(now));
                }
                "node_memory_working_set_bytes" | "container_memory_working_set_bytes" => {
                    sample.memory_bytes = Some(line.value);
                }
                "container_start_time_seconds" => {
                    sample.started = Timestamp::from_millisecond((line.value * 1000.0) as i64).ok();
                }
                _ => {}
            }
        }
        answer
    }
}

impl Samples {
    pub(crate) fn add(&mut self, node: &str, answer: Answer) {
        let answers = self.nodes.entry(node.to_owned()).or_default();
        // The kubelet may answer twice from one look.
        if answers.back().is_some_and(|last| last.node.at.is_some() && last.node.at == answer.node.at) {
            return;
        }
        answers.push_back(answer);
        while answers.len() > KEPT {
            answers.pop_front();
        }
    }

    pub(crate) fn keep_nodes(&mut self, is_there: impl Fn(&str) -> bool) {
        self.nodes.retain(|node, _| is_there(node));
    }

    /// All that can be told of this moment.
    pub(crate) fn moment(&self, now: Timestamp) -> Moment {
        let mut moment = Moment { at: now, nodes: Vec::new(), containers: Vec::new() };
        for (node, answers) in &self.nodes {
            let Some(last) = answers.back() else { continue };
            let Some(used) = usage(answers, |answer| Some(answer.node)) else { continue };
            moment.nodes.push((node.as_str().into(), reading(&last.node, &used)));
            for (key, sample) in &last.containers {
                let Some(used) = usage(answers, |answer| answer.containers.get(key).copied()) else { continue };
                let (pod, name) = key.clone();
                let container = Container { namespace: pod.namespace, pod: pod.name, name, node: node.clone() };
                moment.containers.push((container.into(), reading(sample, &used)));
            }
        }
        moment
    }

    pub(crate) fn node(&self, name: &str) -> Option<Use> {
        let answers = self.nodes.get(name)?;
        usage(answers, |answer| Some(answer.node))
    }

    /// The containers of a pod; empty where not all can be told yet.
    pub(crate) fn pod(&self, node: &str, pod: &NamespacedName) -> BTreeMap<String, Use> {
        let Some(answers) = self.nodes.get(node) else { return BTreeMap::new() };
        let Some(last) = answers.back() else { return BTreeMap::new() };
        let own = last.containers.range((pod.clone(), String::new())..).take_while(|((other, _), _)| other == pod);
        let told: Option<BTreeMap<String, Use>> = own
            .map(|(key, _)| Some((key.1.clone(), usage(answers, |answer| answer.containers.get(key).copied())?)))
            .collect();
        told.unwrap_or_default()
    }
}

fn reading(sample: &Sample, used: &Use) -> Reading {
    let up = sample.started.and_then(|started| Duration::try_from(used.at.duration_since(started)).ok());
    Reading {
        cpu_nanoseconds: (sample.cpu_seconds.unwrap_or(0.0) * 1e9) as u64,
        cpu_millicores: used.cpu_nanocores / 1_000_000,
        memory_bytes: used.memory_bytes,
        up_milliseconds: up.map_or(0, |up| u64::try_from(up.as_millis()).unwrap_or(u64::MAX)),
    }
}

/// Between the last answer and the one before it, or the start of what has just started.
fn usage(answers: &VecDeque<Answer>, pick: impl Fn(&Answer) -> Option<Sample>) -> Option<Use> {
    let last = pick(answers.back()?)?;
    let (at, cpu, memory) = (last.at?, last.cpu_seconds?, last.memory_bytes?);
    let earlier = answers
        .iter()
        .rev()
        .skip(1)
        .filter_map(&pick)
        .find(|earlier| earlier.at.is_some_and(|earlier| earlier < at) && earlier.started == last.started);
    let (since, used_before) = match earlier {
        Some(earlier) => (earlier.at?, earlier.cpu_seconds?),
        // Long before the first answer its start tells nothing of what it uses now.
        None => (last.started.filter(|_| answers.len() > 1)?, 0.0),
    };
    let window = Duration::try_from(at.duration_since(since)).ok().filter(|window| !window.is_zero())?;
    let nanocores = ((cpu - used_before).max(0.0) / window.as_secs_f64() * 1e9).round();
    Some(Use { at, window, cpu_nanocores: nanocores as u64, memory_bytes: memory.max(0.0) as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at_seconds: i64, node_cpu: f64, container: Option<(i64, f64)>) -> String {
        let at = at_seconds * 1000;
        let mut text =
            format!("node_cpu_usage_seconds_total {node_cpu} {at}\nnode_memory_working_set_bytes 1024 {at}\n");
        if let Some((started, cpu)) = container {
            let labels = "{container=\"main\",namespace=\"shop\",pod=\"web\"}";
            text += &format!("container_cpu_usage_seconds_total{labels} {cpu} {at}\n");
            text += &format!("container_memory_working_set_bytes{labels} 2048 {at}\n");
            text += &format!("container_start_time_seconds{labels} {started}\n");
        }
        text
    }

    fn samples(texts: &[String]) -> Samples {
        let mut samples = Samples::default();
        for text in texts {
            samples.add("one", Answer::parse(text, Timestamp::UNIX_EPOCH));
        }
        samples
    }

    fn container_cpu(samples: &Samples) -> Option<u64> {
        samples.pod("one", &NamespacedName::new("shop", "web")).get("main").map(|used| used.cpu_nanocores)
    }

    #[test]
    fn a_rate_is_the_difference_of_two_answers() {
        let once = samples(&[text(100, 5.0, Some((10, 3.0)))]);
        assert_eq!((once.node("one"), container_cpu(&once)), (None, None));
        let twice = samples(&[text(100, 5.0, Some((10, 3.0))), text(110, 10.0, Some((10, 5.0)))]);
        let node = twice.node("one").unwrap();
        assert_eq!((node.cpu_nanocores, node.memory_bytes, node.window.as_secs()), (500_000_000, 1024, 10));
        assert_eq!(container_cpu(&twice), Some(200_000_000));
        assert_eq!(twice.pod("one", &NamespacedName::new("shop", "we")).len(), 0);
        assert_eq!(twice.node("two"), None);
    }

    #[test]
    fn a_moment_tells_all_that_is_known() {
        let once = samples(&[text(100, 5.0, Some((10, 3.0)))]);
        assert!(once.moment(Timestamp::UNIX_EPOCH).nodes.is_empty(), "one answer makes no rate");
        let moment =
            samples(&[text(100, 5.0, Some((10, 3.0))), text(110, 10.0, Some((10, 5.0)))]).moment(Timestamp::UNIX_EPOCH);
        let node =
            Reading { cpu_nanoseconds: 10_000_000_000, cpu_millicores: 500, memory_bytes: 1024, up_milliseconds: 0 };
        assert_eq!(moment.nodes, [("one".into(), node)]);
        let (container, reading) = &moment.containers[0];
        assert_eq!((container.pod.as_str(), container.name.as_str(), container.node.as_str()), ("web", "main", "one"));
        assert_eq!((reading.cpu_millicores, reading.up_milliseconds), (200, 100_000));
    }

    #[test]
    fn a_container_that_began_anew_is_counted_from_its_start() {
        let restarted = samples(&[text(100, 5.0, Some((10, 30.0))), text(110, 10.0, Some((105, 2.5)))]);
        assert_eq!(container_cpu(&restarted), Some(500_000_000));
        let fresh = samples(&[text(100, 5.0, None), text(110, 10.0, Some((105, 5.0)))]);
        assert_eq!(container_cpu(&fresh), Some(1_000_000_000));
    }

    #[test]
    fn an_answer_given_twice_counts_once_and_few_are_kept() {
        let same = text(110, 10.0, None);
        let twice = samples(&[text(100, 5.0, None), same.clone(), same]);
        assert_eq!(twice.node("one").unwrap().cpu_nanocores, 500_000_000);
        let many: Vec<String> = (0..20).map(|at| text(100 + at, at as f64, None)).collect();
        assert_eq!(samples(&many).nodes["one"].len(), KEPT);
    }
}
