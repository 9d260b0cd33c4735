//! What was read of pods, within bounds.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::jiff::Timestamp;

use super::naming::{self, Measure};
use crate::exposition::{Broken, checked};

/// Over which a counter's rate is the mean, as in the Prometheus adapter's rules.
const RATE_WINDOW: Duration = Duration::from_secs(120);
/// More points than any interval of scraping yields in the window are not kept.
const POINTS_PER_SERIES: usize = 16;
const SERIES_PER_POD: usize = 5_000;
/// Of names and labels.
const BYTES_PER_POD: usize = 1 << 20;
const SERIES_IN_ALL: usize = 50_000;
const BYTES_IN_ALL: usize = 16 << 20;
/// What each series costs beside its names and labels.
const BYTES_PER_LABEL: usize = 48;

#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(crate) enum SeriesError {
    #[error("{0}")]
    Broken(Broken),
    #[error("it tells more than {SERIES_PER_POD} series")]
    TooMany,
    #[error("its names and labels take more than {BYTES_PER_POD} bytes")]
    TooLong,
    #[error("all pods together tell more than {SERIES_IN_ALL} series or {BYTES_IN_ALL} bytes of names and labels")]
    TooManyInAll,
}

pub(crate) type Labels = BTreeMap<String, String>;

/// By pod.
#[derive(Debug, Default)]
pub(crate) struct Series {
    pods: BTreeMap<NamespacedName, Scraped>,
}

/// A pod's last answer.
#[derive(Debug, Default)]
struct Scraped {
    pod_labels: Labels,
    /// By the series' name and labels.
    points: BTreeMap<(String, Labels), Points>,
    bytes: usize,
    /// Of the last answer; none after a scrape that failed, when nothing is known.
    at: Option<Timestamp>,
}

/// Of a counter what the window holds, else the last value alone.
type Points = VecDeque<(Timestamp, f64)>;

/// One series now.
#[derive(Debug, PartialEq)]
pub(crate) struct Told<'a> {
    pub(crate) pod: &'a NamespacedName,
    pub(crate) pod_labels: &'a Labels,
    pub(crate) labels: &'a Labels,
    pub(crate) at: Timestamp,
    pub(crate) value: f64,
}

impl Series {
    /// Takes in what a pod told at a moment. What is refused leaves nothing of the pod's.
    pub(crate) fn add(
        &mut self,
        pod: &NamespacedName,
        pod_labels: &Labels,
        text: &str,
        now: Timestamp,
    ) -> Result<(), SeriesError> {
        let mut earlier = self.pods.remove(pod).unwrap_or_default();
        let (mut points, mut bytes) = (BTreeMap::new(), 0);
        for line in checked(text) {
            let line = line.map_err(SeriesError::Broken)?;
            let labels = labelled(pod, line.labels);
            let key = (line.name.to_owned(), labels);
            bytes += weight(&key);
            if points.len() >= SERIES_PER_POD {
                return Err(SeriesError::TooMany);
            }
            if bytes > BYTES_PER_POD {
                return Err(SeriesError::TooLong);
            }
            let mut kept = earlier.points.remove(&key).unwrap_or_default();
            let measure = naming::metric(&key.0).1;
            take(&mut kept, measure, line.at.unwrap_or(now), line.value);
            points.insert(key, kept);
        }
        let (series_in_all, bytes_in_all) =
            self.pods.values().fold((0, 0), |(series, bytes), one| (series + one.points.len(), bytes + one.bytes));
        if series_in_all + points.len() > SERIES_IN_ALL || bytes_in_all + bytes > BYTES_IN_ALL {
            return Err(SeriesError::TooManyInAll);
        }
        let scraped = Scraped { pod_labels: pod_labels.clone(), points, bytes, at: Some(now) };
        self.pods.insert(pod.clone(), scraped);
        Ok(())
    }

    /// A scrape failed: what was told before holds no more. Counters go on from it should the pod answer again.
    pub(crate) fn doubt(&mut self, pod: &NamespacedName) {
        if let Some(scraped) = self.pods.get_mut(pod) {
            scraped.at = None;
        }
    }

    pub(crate) fn keep(&mut self, is_there: impl Fn(&NamespacedName) -> bool) {
        self.pods.retain(|pod, _| is_there(pod));
    }

    /// A metric's series, of one namespace or of all where it is empty.
    pub(crate) fn of_metric(&self, metric: &str, namespace: &str) -> Vec<Told<'_>> {
        for (name, measure) in naming::candidates(metric) {
            let told: Vec<Told<'_>> = self.of_series(&name, measure, namespace).collect();
            if !told.is_empty() || self.has(&name, namespace) {
                return told;
            }
        }
        Vec::new()
    }

    /// Whether anybody tells of the metric.
    pub(crate) fn has_metric(&self, metric: &str, namespace: &str) -> bool {
        naming::candidates(metric).any(|(name, _)| self.has(&name, namespace))
    }

    /// Every metric with the labels that its series bear.
    pub(crate) fn metrics(&self) -> BTreeMap<&str, std::collections::BTreeSet<&str>> {
        let mut all: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
        for (name, labels) in self.current("").flat_map(|(_, scraped)| scraped.points.keys()) {
            all.entry(naming::metric(name).0).or_default().extend(labels.keys().map(String::as_str));
        }
        all
    }

    fn current(&self, namespace: &str) -> impl Iterator<Item = (&NamespacedName, &Scraped)> {
        let of_namespace = self.pods.iter().filter(move |(pod, _)| namespace.is_empty() || pod.namespace == namespace);
        of_namespace.filter(|(_, scraped)| scraped.at.is_some())
    }

    fn has(&self, series: &str, namespace: &str) -> bool {
        self.current(namespace).any(|(_, scraped)| scraped.named(series).next().is_some())
    }

    fn of_series(&self, series: &str, measure: Measure, namespace: &str) -> impl Iterator<Item = Told<'_>> {
        self.current(namespace).flat_map(move |(pod, scraped)| {
            scraped.named(series).filter_map(move |(labels, points)| {
                let value = match measure {
                    Measure::Value => points.back()?.1,
                    Measure::Rate => rate(points)?,
                };
                // What is no number would scale anything to anywhere.
                value.is_finite().then_some(Told {
                    pod,
                    pod_labels: &scraped.pod_labels,
                    labels,
                    at: points.back()?.0,
                    value,
                })
            })
        })
    }
}

impl Scraped {
    fn named(&self, series: &str) -> impl Iterator<Item = (&Labels, &Points)> {
        let from = (series.to_owned(), Labels::new());
        let own = self.points.range(from..).take_while({
            let series = series.to_owned();
            move |((name, _), _)| *name == series
        });
        own.map(|((_, labels), points)| (labels, points))
    }
}

/// The series' labels: its own, and whose it is.
fn labelled(pod: &NamespacedName, own: Vec<(&str, String)>) -> Labels {
    let renamed = own.into_iter().map(|(name, value)| match name {
        "namespace" | "pod" => (format!("exported_{name}"), value),
        _ => (name.to_owned(), value),
    });
    // An empty label is as good as none.
    let mut labels: Labels = renamed.filter(|(_, value)| !value.is_empty()).collect();
    labels.insert("namespace".to_owned(), pod.namespace.clone());
    labels.insert("pod".to_owned(), pod.name.clone());
    labels
}

fn weight((name, labels): &(String, Labels)) -> usize {
    name.len() + labels.iter().map(|(label, value)| label.len() + value.len() + BYTES_PER_LABEL).sum::<usize>()
}

fn take(points: &mut Points, measure: Measure, at: Timestamp, value: f64) {
    if measure == Measure::Value {
        points.clear();
    }
    // Told twice, with the same moment of its own.
    if points.back().is_some_and(|(last, _)| *last >= at) {
        return;
    }
    points.push_back((at, value));
    while points.len() > POINTS_PER_SERIES || points.front().is_some_and(|(first, _)| is_before_window(*first, at)) {
        points.pop_front();
    }
}

fn is_before_window(first: Timestamp, last: Timestamp) -> bool {
    Duration::try_from(last.duration_since(first)).is_ok_and(|span| span > RATE_WINDOW)
}

/// Growth in a second, between the first point and the last. A counter that falls has begun anew.
fn rate(points: &Points) -> Option<f64> {
    let (first, last) = (points.front()?.0, points.back()?.0);
    let span = Duration::try_from(last.duration_since(first)).ok().filter(|span| !span.is_zero())?;
    let steps = points.iter().zip(points.iter().skip(1));
    let growth: f64 = steps.map(|((_, before), (_, after))| if after < before { *after } else { after - before }).sum();
    Some(growth / span.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn web() -> NamespacedName {
        NamespacedName::new("shop", "web")
    }

    fn add(series: &mut Series, text: &str, seconds: i64) -> Result<(), SeriesError> {
        series.add(&web(), &Labels::new(), text, at(seconds))
    }

    fn values(series: &Series, metric: &str) -> Vec<f64> {
        series.of_metric(metric, "shop").iter().map(|told| told.value).collect()
    }

    #[test]
    fn a_gauge_is_its_last_value_and_a_counter_its_rate() {
        let mut series = Series::default();
        add(&mut series, "depth 3\nrequests_total{code=\"200\"} 100\n", 0).unwrap();
        assert_eq!((values(&series, "depth"), values(&series, "requests")), (vec![3.0], vec![]));
        assert!(series.has_metric("requests", "shop"), "though nothing can be told of it yet");
        add(&mut series, "depth 4\nrequests_total{code=\"200\"} 130\n", 15).unwrap();
        assert_eq!((values(&series, "depth"), values(&series, "requests")), (vec![4.0], vec![2.0]));
        // It began anew: what it has counted since is its growth.
        add(&mut series, "requests_total{code=\"200\"} 15\n", 30).unwrap();
        assert_eq!((values(&series, "depth"), values(&series, "requests")), (vec![], vec![1.5]));
        assert!(!series.has_metric("depth", "shop"), "what is told no more is not there");
        // Two minutes later only the new is in the window.
        add(&mut series, "requests_total{code=\"200\"} 15\n", 150).unwrap();
        assert_eq!(values(&series, "requests"), vec![0.0]);
    }

    #[test]
    fn nobody_speaks_for_anothers_pod() {
        let mut series = Series::default();
        add(&mut series, "depth{pod=\"other\",namespace=\"bank\",queue=\"a\",none=\"\"} 1\n", 0).unwrap();
        assert!(series.of_metric("depth", "bank").is_empty());
        let told = &series.of_metric("depth", "shop")[0];
        let labels: Vec<(&str, &str)> =
            told.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            labels,
            [
                ("exported_namespace", "bank"),
                ("exported_pod", "other"),
                ("namespace", "shop"),
                ("pod", "web"),
                ("queue", "a")
            ]
        );
    }

    #[test]
    fn a_pod_that_does_not_answer_tells_nothing_and_one_that_left_is_forgotten() {
        let mut series = Series::default();
        add(&mut series, "depth 1\nrequests_total 10\n", 0).unwrap();
        series.doubt(&web());
        assert!(!series.has_metric("depth", "shop") && series.metrics().is_empty());
        add(&mut series, "depth 1\nrequests_total 40\n", 30).unwrap();
        assert_eq!(values(&series, "requests"), vec![1.0], "the gap does not end the counter");
        series.keep(|pod| *pod != web());
        assert!(series.pods.is_empty());
    }

    #[test]
    fn hostile_answers_are_refused_whole() {
        let mut series = Series::default();
        let many = |count: usize| (0..count).map(|index| format!("m{{i=\"{index}\"}} 1\n")).collect::<String>();
        assert_eq!(add(&mut series, &many(SERIES_PER_POD), 0), Ok(()));
        assert_eq!(add(&mut series, &many(SERIES_PER_POD + 1), 1), Err(SeriesError::TooMany));
        assert!(series.pods.is_empty());
        let long = format!("m{{a=\"{}\"}} 1\n", "x".repeat(BYTES_PER_POD));
        assert_eq!(add(&mut series, &long, 2), Err(SeriesError::TooLong));
        let refused = add(&mut series, "depth 1\n<html>\n", 3).unwrap_err();
        assert_eq!(refused.to_string(), "line 2 is not of Prometheus' text format");
        add(&mut series, "depth NaN\nother +Inf\nrequests_total NaN\n", 4).unwrap();
        assert!(series.has_metric("depth", "shop"));
        assert!(values(&series, "depth").is_empty() && values(&series, "other").is_empty());
    }

    #[test]
    fn all_pods_together_are_bounded() {
        let mut series = Series::default();
        let text: String = (0..SERIES_PER_POD).map(|index| format!("m{{i=\"{index}\"}} 1\n")).collect();
        let outcomes: Vec<_> = (0..20)
            .map(|pod| series.add(&NamespacedName::new("shop", format!("web-{pod}")), &Labels::new(), &text, at(0)))
            .collect();
        assert!(outcomes.contains(&Err(SeriesError::TooManyInAll)));
        assert!(series.pods.values().map(|scraped| scraped.points.len()).sum::<usize>() <= SERIES_IN_ALL);
        assert!(series.pods.values().map(|scraped| scraped.bytes).sum::<usize>() <= BYTES_IN_ALL);
    }

    proptest! {
        /// A counter's rate is never negative, whatever it does, and few points are kept of it.
        #[test]
        fn rates_are_never_negative(counts in prop::collection::vec(0u32..1000, 1..60)) {
            let mut series = Series::default();
            for (index, count) in counts.iter().enumerate() {
                add(&mut series, &format!("c_total {count}\n"), index as i64 * 5).unwrap();
            }
            prop_assert!(values(&series, "c").iter().all(|rate| *rate >= 0.0));
            let kept = series.pods[&web()].points.values().next().unwrap().len();
            prop_assert!(kept <= POINTS_PER_SERIES && kept >= counts.len().min(2));
        }
    }
}
