//! How a start is told: by the server to `up`, and by `up` to the person or program that called it.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One line of the server's report, as JSON, down the pipe that `up` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Report {
    /// A step is done.
    Done { step: Step },
    /// Everything a user waits for is there.
    Ready,
    /// The start failed; one line, with what to do.
    Failed { message: String },
}

/// The steps of a start, in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Checks,
    Certificates,
    Api,
    Kubeconfig,
    Node,
    Dns,
}

impl Step {
    pub const ALL: [Step; 6] = [Step::Checks, Step::Certificates, Step::Api, Step::Kubeconfig, Step::Node, Step::Dns];

    fn title(self) -> &'static str {
        match self {
            Step::Checks => "machine checked",
            Step::Certificates => "certificates",
            Step::Api => "API server ready",
            Step::Kubeconfig => "kubeconfig written",
            Step::Node => "node Ready",
            Step::Dns => "DNS answering",
        }
    }
}

/// What `--output` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

/// Tells steps as they happen: one changing line each on a terminal, plain lines elsewhere, JSON
/// lines for programs.
pub struct Teller<W: Write> {
    out: W,
    style: Style,
    pending: Option<Step>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Terminal,
    Plain,
    Json,
}

impl Teller<std::io::Stdout> {
    pub fn stdout(format: Format) -> Self {
        let out = std::io::stdout();
        let style = match format {
            Format::Json => Style::Json,
            Format::Text if out.is_terminal() => Style::Terminal,
            Format::Text => Style::Plain,
        };
        Teller { out, style, pending: None }
    }
}

impl<W: Write> Teller<W> {
    /// Announces the step that is worked on; only a terminal shows it.
    pub fn begin(&mut self, step: Step) -> std::io::Result<()> {
        if self.style == Style::Terminal {
            write!(self.out, "  … {}", step.title())?;
            self.out.flush()?;
            self.pending = Some(step);
        }
        Ok(())
    }

    pub fn done(&mut self, step: Step, since_start: Duration) -> std::io::Result<()> {
        let millis = since_start.as_millis();
        match self.style {
            Style::Terminal => {
                self.erase()?;
                writeln!(self.out, "  ✓ {:<20} {}", step.title(), human(since_start))?;
            }
            Style::Plain => writeln!(self.out, "{} ({})", step.title(), human(since_start))?,
            Style::Json => {
                writeln!(self.out, "{}", serde_json::json!({"event": "done", "step": step, "sinceStartMs": millis}))?;
            }
        }
        self.out.flush()
    }

    /// Ends an announced step that will not be done.
    pub fn erase(&mut self) -> std::io::Result<()> {
        if self.pending.take().is_some() {
            write!(self.out, "\r\x1b[2K")?;
        }
        Ok(())
    }

    /// The last word: prose for people, one object for programs.
    pub fn finish(&mut self, text: &str, object: &serde_json::Value) -> std::io::Result<()> {
        self.erase()?;
        match self.style {
            Style::Json => writeln!(self.out, "{object}")?,
            _ => writeln!(self.out, "{text}")?,
        }
        self.out.flush()
    }
}

fn human(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        _ => format!("{:.2} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(style: Style) -> String {
        let mut teller = Teller { out: Vec::new(), style, pending: None };
        teller.begin(Step::Api).unwrap();
        teller.done(Step::Api, Duration::from_millis(93)).unwrap();
        teller.begin(Step::Node).unwrap();
        teller.done(Step::Node, Duration::from_millis(1234)).unwrap();
        teller.finish("up", &serde_json::json!({"event": "ready"})).unwrap();
        String::from_utf8(teller.out).unwrap()
    }

    #[test]
    fn each_reader_gets_its_own_form() {
        expect_test::expect![[r#"
            API server ready (93 ms)
            node Ready (1.23 s)
            up
        "#]]
        .assert_eq(&told(Style::Plain));
        expect_test::expect![[r#"
            {"event":"done","step":"api","sinceStartMs":93}
            {"event":"done","step":"node","sinceStartMs":1234}
            {"event":"ready"}
        "#]]
        .assert_eq(&told(Style::Json));
        assert_eq!(told(Style::Terminal).matches('\n').count(), 3, "one changing line a step");
    }
}
