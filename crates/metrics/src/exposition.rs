//! Prometheus' text format, as far as kubelets use it.

use api::k8s::jiff::Timestamp;

/// One line: a name, labels, a value, and the moment it was taken, where the line tells.
#[derive(Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    labels: Vec<(&'a str, String)>,
    pub(crate) value: f64,
    pub(crate) at: Option<Timestamp>,
}

impl Line<'_> {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}

/// The lines that can be read; comments and broken lines are passed over.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(line)
}

fn line(text: &str) -> Option<Line<'_>> {
    let name_end = text.find(|letter: char| letter == '{' || letter.is_whitespace())?;
    let (name, rest) = text.split_at(name_end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let mut words = rest.split_whitespace();
    let value = words.next()?.parse().ok()?;
    let at = match words.next() {
        Some(millis) => Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?),
        None => None,
    };
    Some(Line { name, labels, value, at })
}

/// What stands between braces, and what follows.
fn labels(mut text: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start().trim_start_matches(',').trim_start();
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = quoted(rest.trim_start())?;
        labels.push((name.trim(), value));
        text = rest;
    }
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut letters = text.strip_prefix('"')?.char_indices();
    let mut value = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 2..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_kubelets_write_them() {
        let text = "# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time\n\
                    # TYPE node_cpu_usage_seconds_total counter\n\
                    node_cpu_usage_seconds_total 123.5 1700000000123\n\
                    container_memory_working_set_bytes{container=\"a\",namespace=\"b\",pod=\"c\"} 4.096e+06 1700000000456\n\
                    scrape_error 0\n\
                    odd{text=\"a\\\"b\\\\c\\nd,}\",} 1\n\
                    broken{a=\"b 1\n\
                    nothing\n";
        let all: Vec<Line<'_>> = lines(text).collect();
        let names: Vec<_> = all.iter().map(|line| line.name).collect();
        assert_eq!(
            names,
            ["node_cpu_usage_seconds_total", "container_memory_working_set_bytes", "scrape_error", "odd"]
        );
        assert_eq!(all[0].value, 123.5);
        assert_eq!(all[0].at.unwrap().as_millisecond(), 1_700_000_000_123);
        assert_eq!(all[1].label("pod"), Some("c"));
        assert_eq!(all[1].value, 4_096_000.0);
        assert_eq!((all[2].at, all[2].label("x")), (None, None));
        assert_eq!(all[3].label("text"), Some("a\"b\\c\nd,}"));
    }
}
