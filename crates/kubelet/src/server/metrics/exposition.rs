//! Prometheus' text format.

use std::fmt::Write;

use jiff::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    /// What belongs to one name. A family without samples leaves no trace.
    pub(crate) fn family<'a>(&'a mut self, name: &'a str, help: &'a str, kind: &'a str) -> Family<'a> {
        Family { text: &mut self.text, name, help, kind, begun: false }
    }

    /// A family of one sample without labels.
    pub(crate) fn single(&mut self, name: &str, help: &str, kind: &str, value: f64) {
        self.family(name, help, kind).sample(&[], value);
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

pub(crate) struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
    help: &'a str,
    kind: &'a str,
    begun: bool,
}

impl Family<'_> {
    /// Labels in the order of their names.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line(labels, value, "");
    }

    pub(crate) fn sample_at(&mut self, labels: &[(&str, &str)], value: f64, at: Timestamp) {
        self.line(labels, value, &format!(" {}", at.as_millisecond()));
    }

    fn line(&mut self, labels: &[(&str, &str)], value: f64, suffix: &str) {
        let Family { name, help, kind, .. } = *self;
        if !self.begun {
            self.begun = true;
            self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        }
        self.text.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let lead = if index == 0 { '{' } else { ',' };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.push(format_args!("{lead}{label}=\"{value}\""));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.push(format_args!(" {}{suffix}\n", number(value)));
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("writing to a string cannot fail");
    }
}

/// As Go writes it: the shortest digits, with an exponent where it is below -4 or above 20.
fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value.is_nan() { "NaN".to_owned() } else { format!("{value}").replace("inf", "+Inf") };
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if (-4..21).contains(&exponent) => format!("{value}"),
        Ok(exponent) => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
        Err(_) => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_samples_and_escapes() {
        let mut exposition = Exposition::default();
        exposition.family("empty", "Nothing.", "gauge");
        exposition.single("one", "One.", "gauge", 1.0);
        let mut family = exposition.family("many_total", "Many.", "counter");
        family.sample(&[("a", "x\"y\\z\n"), ("b", "")], 0.25);
        family.sample_at(&[("a", "2")], 4.71e-7, Timestamp::from_millisecond(1_626_461_875_123).unwrap());
        assert_eq!(
            exposition.into_text(),
            "# HELP one One.\n# TYPE one gauge\none 1\n# HELP many_total Many.\n# TYPE many_total counter\n\
             many_total{a=\"x\\\"y\\\\z\\n\",b=\"\"} 0.25\nmany_total{a=\"2\"} 4.71e-07 1626461875123\n"
        );
    }
}
