//! Figures of a process, told in Prometheus' text format.
//!
//! A [`Counter`] or [`Histogram`] is a family of series, one for each choice of label values. Values come from fixed
//! sets of words, or from what somebody declared; of those there are at most so many.

use std::fmt::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Series of one family at most: what comes under others is not counted.
const MOST_SERIES: usize = 1000;

/// What is promised of a family, as the first word of its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    Alpha,
    Beta,
    Stable,
    /// Programs other than Kubernetes promise nothing, and say nothing.
    Unsaid,
}

/// What one name stands for.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub name: &'static str,
    pub help: &'static str,
    pub stability: Stability,
    /// In the order of the alphabet, as they stand on the page.
    pub labels: &'static [&'static str],
}

/// Only grows.
#[derive(Debug)]
pub struct Counter {
    family: Family,
    series: Series<u64>,
}

impl Counter {
    pub const fn new(family: Family) -> Self {
        Counter { family, series: Series::new() }
    }

    /// One more, under these values of the family's labels.
    pub fn count(&self, values: &[&str]) {
        self.add(values, 1);
    }

    pub fn add(&self, values: &[&str], amount: u64) {
        self.series.with(values, || 0, |count| *count += amount);
    }
}

/// How large something was, each time.
#[derive(Debug)]
pub struct Histogram {
    family: Family,
    bounds: &'static [f64],
    series: Series<Distribution>,
}

impl Histogram {
    pub const fn new(family: Family, bounds: &'static [f64]) -> Self {
        Histogram { family, bounds, series: Series::new() }
    }

    pub fn observe(&self, values: &[&str], size: f64) {
        self.series.with(values, || Distribution::new(self.bounds), |series| series.add(size));
    }
}

/// How many there were of which size.
#[derive(Clone, Debug)]
pub struct Distribution {
    bounds: &'static [f64],
    /// Of each bound, how many were no larger, and larger than the bound before.
    buckets: Vec<u64>,
    count: u64,
    sum: f64,
}

impl Distribution {
    pub fn new(bounds: &'static [f64]) -> Self {
        Distribution { bounds, buckets: vec![0; bounds.len()], count: 0, sum: 0.0 }
    }

    pub fn add(&mut self, size: f64) {
        if let Some(bucket) = self.bounds.iter().position(|bound| size <= *bound) {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum += size;
    }
}

/// Bounds of buckets: each so many times the one before, with the same error as a product in Go has.
pub const fn exponential<const N: usize>(first: f64, factor: f64) -> [f64; N] {
    let mut bounds = [first; N];
    let mut index = 1;
    while index < N {
        bounds[index] = bounds[index - 1] * factor;
        index += 1;
    }
    bounds
}

/// What a scraper reads. A family with labels of which there is no series yet leaves no trace.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    pub fn counter(&mut self, counter: &Counter) {
        let family = &counter.family;
        let samples = counter.series.all(family, || 0);
        self.samples(family, "counter", samples.iter().map(|(values, count)| (values.as_slice(), *count as f64)));
    }

    pub fn histogram(&mut self, histogram: &Histogram) {
        let all = histogram.series.all(&histogram.family, || Distribution::new(histogram.bounds));
        self.distributions(&histogram.family, all.iter().map(|(values, series)| (values.as_slice(), series)));
    }

    /// What is looked up at the moment it is asked for.
    pub fn gauge<V: AsRef<str>>(&mut self, family: &Family, samples: impl IntoIterator<Item = (Vec<V>, f64)>) {
        let samples: Vec<(Vec<V>, f64)> = samples.into_iter().collect();
        self.samples(family, "gauge", samples.iter().map(|(values, value)| (values.as_slice(), *value)));
    }

    pub fn samples<'a, V: AsRef<str> + 'a>(
        &mut self,
        family: &Family,
        kind: &str,
        samples: impl IntoIterator<Item = (&'a [V], f64)>,
    ) {
        let mut is_begun = false;
        for (values, value) in samples {
            self.begin(family, kind, &mut is_begun);
            self.line(family.name, "", family.labels, values, None, value);
        }
    }

    pub fn distributions<'a, V: AsRef<str> + 'a>(
        &mut self,
        family: &Family,
        all: impl IntoIterator<Item = (&'a [V], &'a Distribution)>,
    ) {
        let mut is_begun = false;
        for (values, series) in all {
            self.begin(family, "histogram", &mut is_begun);
            let mut up_to = 0;
            for (bound, bucket) in series.bounds.iter().zip(&series.buckets) {
                up_to += bucket;
                self.line(family.name, "_bucket", family.labels, values, Some(&number(*bound)), up_to as f64);
            }
            self.line(family.name, "_bucket", family.labels, values, Some("+Inf"), series.count as f64);
            self.line(family.name, "_sum", family.labels, values, None, series.sum);
            self.line(family.name, "_count", family.labels, values, None, series.count as f64);
        }
    }

    pub fn into_text(self) -> String {
        self.0
    }

    fn begin(&mut self, family: &Family, kind: &str, is_begun: &mut bool) {
        if !std::mem::replace(is_begun, true) {
            let stability = match family.stability {
                Stability::Alpha => "[ALPHA] ",
                Stability::Beta => "[BETA] ",
                Stability::Stable => "[STABLE] ",
                Stability::Unsaid => "",
            };
            let Family { name, help, .. } = family;
            let help = help.replace('\\', "\\\\").replace('\n', "\\n");
            self.push(format_args!("# HELP {name} {stability}{help}\n# TYPE {name} {kind}\n"));
        }
    }

    fn line<V: AsRef<str>>(
        &mut self,
        name: &str,
        suffix: &str,
        labels: &[&str],
        values: &[V],
        bound: Option<&str>,
        value: f64,
    ) {
        self.push(format_args!("{name}{suffix}"));
        let own = labels.iter().copied().zip(values.iter().map(AsRef::as_ref));
        for (index, (label, value)) in own.chain(bound.map(|bound| ("le", bound))).enumerate() {
            let lead = if index == 0 { '{' } else { ',' };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.push(format_args!("{lead}{label}=\"{value}\""));
        }
        let end = if labels.is_empty() && bound.is_none() { "" } else { "}" };
        self.push(format_args!("{end} {}\n", number(value)));
    }

    fn push(&mut self, words: fmt::Arguments<'_>) {
        self.0.write_fmt(words).expect("a String takes every write");
    }
}

/// By the values of labels. They are few, and found by looking at each.
#[derive(Debug)]
struct Series<S>(Mutex<Vec<(Vec<String>, S)>>);

impl<S> Series<S> {
    const fn new() -> Self {
        Series(Mutex::new(Vec::new()))
    }

    fn with(&self, values: &[&str], begin: impl FnOnce() -> S, change: impl FnOnce(&mut S)) {
        let mut all = self.lock();
        if let Some((_, series)) = all.iter_mut().find(|(known, _)| known.iter().eq(values.iter())) {
            change(series);
        } else if all.len() < MOST_SERIES {
            let mut series = begin();
            change(&mut series);
            all.push((values.iter().map(|value| (*value).to_owned()).collect(), series));
        }
    }

    /// In the order of their values. A family without labels has its one series from the beginning.
    fn all(&self, family: &Family, begin: impl FnOnce() -> S) -> Vec<(Vec<String>, S)>
    where
        S: Clone,
    {
        let mut all = self.lock().clone();
        if all.is_empty() && family.labels.is_empty() {
            all.push((Vec::new(), begin()));
        }
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Vec<String>, S)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As Go writes it: the shortest digits, with an exponent where it is below -4 or above 20.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..21).contains(&exponent) => {
            format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
        }
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Family = Family { name: "plain_total", help: "Plain.", stability: Stability::Alpha, labels: &[] };
    const PARTED: Family =
        Family { name: "parted_total", help: "By a\nand b.", stability: Stability::Stable, labels: &["a", "b"] };
    static BOUNDS: [f64; 3] = exponential(0.5, 2.0);

    #[test]
    fn counters_and_histograms_stand_on_the_page_by_their_labels() {
        let (plain, parted) = (Counter::new(PLAIN), Counter::new(PARTED));
        let sizes = Histogram::new(Family { name: "size", stability: Stability::Beta, ..PARTED }, &BOUNDS);
        parted.count(&["y", "2"]);
        parted.add(&["x", "\"1\\\n"], 3);
        for size in [0.5, 0.75, 9.0] {
            sizes.observe(&["x", "1"], size);
        }
        let mut page = Page::default();
        page.counter(&plain);
        page.counter(&parted);
        page.histogram(&sizes);
        page.gauge(&Family { name: "now", ..PARTED }, [(vec!["u", "v"], 0.25)]);
        page.gauge::<&str>(&Family { name: "never", ..PARTED }, []);
        assert_eq!(
            page.into_text(),
            "# HELP plain_total [ALPHA] Plain.\n# TYPE plain_total counter\nplain_total 0\n\
             # HELP parted_total [STABLE] By a\\nand b.\n# TYPE parted_total counter\n\
             parted_total{a=\"x\",b=\"\\\"1\\\\\\n\"} 3\nparted_total{a=\"y\",b=\"2\"} 1\n\
             # HELP size [BETA] By a\\nand b.\n# TYPE size histogram\n\
             size_bucket{a=\"x\",b=\"1\",le=\"0.5\"} 1\nsize_bucket{a=\"x\",b=\"1\",le=\"1\"} 2\n\
             size_bucket{a=\"x\",b=\"1\",le=\"2\"} 2\nsize_bucket{a=\"x\",b=\"1\",le=\"+Inf\"} 3\n\
             size_sum{a=\"x\",b=\"1\"} 10.25\nsize_count{a=\"x\",b=\"1\"} 3\n\
             # HELP now [STABLE] By a\\nand b.\n# TYPE now gauge\nnow{a=\"u\",b=\"v\"} 0.25\n"
        );
    }

    #[test]
    fn numbers_are_written_as_go_does() {
        let bounds: [f64; 6] = exponential(1e-8, 10.0);
        let texts: Vec<String> = bounds.into_iter().map(number).collect();
        assert_eq!(texts, ["1e-08", "1e-07", "1e-06", "9.999999999999999e-06", "9.999999999999999e-05", "0.001"]);
        assert_eq!(
            (number(f64::NEG_INFINITY), number(1e21), number(1000.0)),
            ("-Inf".into(), "1e+21".into(), "1000".into())
        );
    }

    #[test]
    fn a_family_has_a_bound() {
        let counter = Counter::new(PARTED);
        for number in 0..2 * MOST_SERIES {
            counter.count(&["x", &number.to_string()]);
        }
        let mut page = Page::default();
        page.counter(&counter);
        assert_eq!(page.into_text().lines().count(), 2 + MOST_SERIES);
    }
}
