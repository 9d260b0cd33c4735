//! Prometheus' text format.

use api::k8s::jiff::Timestamp;

/// One line: a name, labels, a value, and the moment it was taken, where the line tells.
#[derive(Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: Vec<(&'a str, String)>,
    pub(crate) value: f64,
    pub(crate) at: Option<Timestamp>,
}

impl Line<'_> {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }
}

/// The number of a line that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("line {0} is not of Prometheus' text format")]
pub(crate) struct Broken(usize);

/// The lines that can be read; comments and broken lines are passed over.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    checked(text).filter_map(Result::ok)
}

/// All lines but comments.
pub(crate) fn checked(text: &str) -> impl Iterator<Item = Result<Line<'_>, Broken>> {
    let numbered = text.lines().map(str::trim).enumerate();
    let told = numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    told.map(|(index, text)| line(text).ok_or(Broken(index + 1)))
}

fn line(text: &str) -> Option<Line<'_>> {
    let name_end = text.find(|letter: char| letter == '{' || letter.is_whitespace())?;
    let (name, rest) = text.split_at(name_end);
    if !is_name(name, ":_") {
        return None;
    }
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    // What follows a number sign is an exemplar.
    let mut words = rest.split_whitespace().take_while(|word| *word != "#");
    let value = words.next()?.parse().ok()?;
    let at = match words.next() {
        Some(millis) => Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?),
        None => None,
    };
    words.next().is_none().then_some(Line { name, labels, value, at })
}

/// Letters, digits but not first, and some others.
fn is_name(text: &str, others: &str) -> bool {
    let is_known = |letter: char| letter.is_ascii_alphanumeric() || others.contains(letter);
    text.chars().all(is_known) && text.chars().next().is_some_and(|first| !first.is_ascii_digit())
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
        let name = name.trim();
        if !is_name(name, "_") {
            return None;
        }
        labels.push((name, value));
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_broken_line_is_told_by_its_number() {
        fn read(text: &str) -> Result<Vec<f64>, Broken> {
            checked(text).map(|line| line.map(|line| line.value)).collect()
        }
        assert_eq!(read("# c\na 1\n\nb{x=\"1\"} +Inf 5\nc 2 # {id=\"x\"} 1\n"), Ok(vec![1.0, f64::INFINITY, 2.0]));
        for broken in
            ["a", "a x", "1a 1", "a{b} 1", "a{b=\"c} 1", "a{1=\"c\"} 1", "a 1 x", "a 1 2 3", "<html>", "a-b 1"]
        {
            assert_eq!(read(&format!("a 1\n{broken}\n")), Err(Broken(2)), "{broken}");
        }
    }

    proptest! {
        /// Whatever a server sends is read or refused.
        #[test]
        fn any_text_ends_somewhere(text in "[a{}=\",\\\\ #\n1é]{0,60}") {
            prop_assert!(checked(&text).count() <= text.lines().count());
        }
    }

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
