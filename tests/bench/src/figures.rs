//! What is measured, as a table for people and as JSON for programs.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use serde_json::{Value, json};

/// A number with what it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quantity {
    PerSecond(f64),
    Seconds(f64),
    Bytes(f64),
    Times(f64),
    Count(f64),
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aim {
    AtMost(Quantity),
    /// Of the limit beside it.
    ShareAtLeast(f64),
    ShareAtMost(f64),
}

#[derive(Clone, Debug)]
pub(crate) struct Figure {
    what: String,
    value: Quantity,
    details: Vec<(&'static str, Quantity)>,
    beside: Option<(String, Quantity)>,
    /// The value's share of what stands beside it. Taken round by round where there were rounds.
    share: Option<f64>,
    aim: Option<Aim>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, value: Quantity) -> Self {
        Figure { what: what.into(), value, details: Vec::new(), beside: None, share: None, aim: None }
    }

    pub(crate) fn detail(mut self, name: &'static str, value: Quantity) -> Self {
        self.details.push((name, value));
        self
    }

    /// The limit or the rival of the same run.
    pub(crate) fn beside(mut self, what: impl Into<String>, limit: Quantity) -> Self {
        self.share = Some(self.value.number() / limit.number());
        self.beside = Some((what.into(), limit));
        self
    }

    /// A share that was taken round by round.
    pub(crate) fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    pub(crate) fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    fn is_met(&self) -> Option<bool> {
        Some(match self.aim? {
            Aim::AtMost(most) => self.value.number() <= most.number(),
            Aim::ShareAtLeast(least) => self.share? >= least,
            Aim::ShareAtMost(most) => self.share? <= most,
        })
    }

    fn row(&self) -> String {
        let mut details = String::new();
        for (name, value) in &self.details {
            let comma = if details.is_empty() { "" } else { ", " };
            write!(details, "{comma}{name} {value}").expect("a string takes whatever is written");
        }
        let beside = self.beside.as_ref().map(|(what, limit)| format!("{what}: {limit}")).unwrap_or_default();
        let share = self.share.map(|share| Quantity::Times(share).to_string()).unwrap_or_default();
        let aim = self.aim.map(|aim| aim.to_string()).unwrap_or_default();
        let met = match self.is_met() {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        };
        format!("| {} | {} | {details} | {beside} | {share} | {aim} | {met} |", self.what, self.value)
    }

    fn json(&self) -> Value {
        let details: serde_json::Map<String, Value> =
            self.details.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect();
        json!({
            "what": self.what,
            "value": self.value.json(),
            "details": details,
            "beside": self.beside.as_ref().map(|(what, limit)| json!({ "what": what, "value": limit.json() })),
            "share": self.share,
            "aim": self.aim.map(|aim| aim.to_string()),
            "met": self.is_met(),
        })
    }
}

/// Figures that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) figures: Vec<Figure>,
}

impl Section {
    pub(crate) fn json(&self) -> Value {
        json!({ "title": self.title, "figures": self.figures.iter().map(Figure::json).collect::<Vec<_>>() })
    }
}

impl Display for Section {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "### {}\n", self.title)?;
        writeln!(out, "| what | measured | details | beside it | share | aim | met |\n|---|---|---|---|---|---|---|")?;
        self.figures.iter().try_for_each(|figure| writeln!(out, "{}", figure.row()))
    }
}

impl Quantity {
    pub(crate) fn count(count: usize) -> Self {
        Quantity::Count(count as f64)
    }

    pub(crate) fn number(self) -> f64 {
        match self {
            Quantity::PerSecond(number)
            | Quantity::Seconds(number)
            | Quantity::Bytes(number)
            | Quantity::Times(number)
            | Quantity::Count(number) => number,
        }
    }

    fn json(self) -> Value {
        let unit = match self {
            Quantity::PerSecond(_) => "1/s",
            Quantity::Seconds(_) => "s",
            Quantity::Bytes(_) => "B",
            Quantity::Times(_) => "×",
            Quantity::Count(_) => "1",
        };
        json!({ "number": self.number(), "unit": unit })
    }
}

impl From<Duration> for Quantity {
    fn from(duration: Duration) -> Self {
        Quantity::Seconds(duration.as_secs_f64())
    }
}

impl Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Quantity::PerSecond(number) => write!(out, "{}/s", grouped(number)),
            Quantity::Seconds(seconds) => match seconds {
                s if s >= 1.0 => write!(out, "{s:.2} s"),
                s if s >= 1e-3 => write!(out, "{} ms", three_digits(s * 1e3)),
                s if s >= 1e-6 => write!(out, "{} µs", three_digits(s * 1e6)),
                s => write!(out, "{:.0} ns", s * 1e9),
            },
            Quantity::Bytes(bytes) => scaled_bytes(out, bytes),
            Quantity::Times(number) => write!(out, "{}×", three_digits(number)),
            Quantity::Count(number) => out.write_str(&grouped(number)),
        }
    }
}

impl Display for Aim {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Aim::AtMost(most) => write!(out, "≤{most}"),
            Aim::ShareAtLeast(least) => write!(out, "≥{}", Quantity::Times(least)),
            Aim::ShareAtMost(most) => write!(out, "≤{}", Quantity::Times(most)),
        }
    }
}

fn scaled_bytes(out: &mut fmt::Formatter<'_>, bytes: f64) -> fmt::Result {
    match bytes.abs() {
        b if b >= 1e9 => write!(out, "{:.2} GB", bytes / 1e9),
        b if b >= 1e6 => write!(out, "{} MB", three_digits(bytes / 1e6)),
        b if b >= 1e3 => write!(out, "{} kB", three_digits(bytes / 1e3)),
        _ => write!(out, "{bytes:.0} B"),
    }
}

/// As many decimals as make three digits.
fn three_digits(number: f64) -> String {
    match number.abs() {
        n if n >= 100.0 => grouped(number),
        n if n >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// "12,345".
fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::from(if number < -0.5 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_section_reads_well() {
        let figures = vec![
            Figure::new("put, 1 client", Quantity::PerSecond(8123.4))
                .detail("p50", Quantity::Seconds(0.000_112))
                .detail("p99", Quantity::Seconds(0.0123))
                .beside("disk", Quantity::PerSecond(9000.0))
                .aim(Aim::ShareAtLeast(0.9)),
            Figure::new("empty store", Quantity::Bytes(1_234_000.0)).aim(Aim::AtMost(Quantity::Bytes(5e6))),
            Figure::new("put, 256 clients", Quantity::PerSecond(120_000.0))
                .beside("etcd", Quantity::PerSecond(10_000.0))
                .share(11.5)
                .aim(Aim::ShareAtLeast(10.0)),
        ];
        expect![[r#"
            ### Puts

            | what | measured | details | beside it | share | aim | met |
            |---|---|---|---|---|---|---|
            | put, 1 client | 8,123/s | p50 112 µs, p99 12.3 ms | disk: 9,000/s | 0.90× | ≥0.90× | yes |
            | empty store | 1.23 MB |  |  |  | ≤5.00 MB | yes |
            | put, 256 clients | 120,000/s |  | etcd: 10,000/s | 11.5× | ≥10.0× | yes |
        "#]]
        .assert_eq(&Section { title: "Puts", figures }.to_string());
    }

    #[test]
    fn quantities_keep_three_digits() {
        let shown = |quantity: Quantity| quantity.to_string();
        assert_eq!(shown(Quantity::Seconds(2e-7)), "200 ns");
        assert_eq!(shown(Quantity::Seconds(1.5)), "1.50 s");
        assert_eq!(shown(Quantity::Bytes(-2_500_000.0)), "-2.50 MB");
        assert_eq!(shown(Quantity::Count(5_000_000.0)), "5,000,000");
    }

    #[test]
    fn an_aim_without_a_limit_beside_it_is_undecided() {
        assert_eq!(Figure::new("x", Quantity::Count(1.0)).aim(Aim::ShareAtLeast(1.0)).is_met(), None);
        assert_eq!(Figure::new("x", Quantity::Count(1.0)).aim(Aim::AtMost(Quantity::Count(0.5))).is_met(), Some(false));
    }
}
