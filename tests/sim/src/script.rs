//! The language of scenarios. One statement a line; `#` begins a comment.
//!
//! ```text
//! [at TIME] STATEMENT               waits until TIME after the start, then acts
//!
//! nodes NAME... [cpu=4] [memory=8Gi] [pods=110]
//! kill node NAME                    its kubelet falls silent
//! revive node NAME                  and comes back
//! image IMAGE starts after TIME     how long its containers take to get ready (else 2s)
//! image IMAGE never starts
//! image IMAGE exits CODE[,CODE...] after TIME   of its containers, one after the other; the last code stays
//! load APP MILLICORES               what the pods labelled `app=APP` have to do together, each its share
//! create deployment NAME image=IMAGE [replicas=1] [maxSurge=25%] [maxUnavailable=25%]
//! create statefulset NAME image=IMAGE [replicas=1] [policy=OrderedReady]
//! create daemonset NAME image=IMAGE [maxSurge=0] [maxUnavailable=1]
//! create job NAME image=IMAGE [completions=1] [parallelism=1] [backoffLimit=6] [mode=NonIndexed]
//! create cronjob NAME image=IMAGE schedule=0_*/6_*_*_* [concurrency=Allow]   underscores for spaces
//! create service NAME port=PORT     selects the pods of the deployment of that name
//! scale deployment|statefulset NAME replicas=N
//! set image deployment|statefulset|daemonset NAME image=IMAGE
//! suspend job|cronjob NAME
//! resume job|cronjob NAME
//! create                            followed by a manifest in YAML, each of its lines behind `|`
//! patch KIND NAME JSON              a merge patch
//! delete KIND NAME [cascade=background|foreground|orphan]   here and above, NAME may be NAMESPACE/NAME
//! drain node NAME                   keeps new pods off it, and evicts the others until none is left
//! restart controllers|scheduler
//! kill controllers|scheduler at write N   in place of the N-th write from now; a second later they are back
//! second controllers for TIME       two lead; then only the newer
//! cut watches                       of all but the nodes
//! compact                           the store forgets all history
//! clock ahead|back TIME             somebody sets it
//! wait CONDITION [within TIME]      fails the scenario after TIME (else 10m)
//! end                               nothing after this is seen
//!
//! CONDITION: deployment|statefulset|daemonset NAME complete | job NAME complete | job NAME failed | node NAME ready | node NAME unknown | node NAME empty
//! TIME: such as 500ms, 2s, 10m, 1h
//! ```

use std::time::Duration;

use crate::cluster::Room;
use crate::condition::Condition;
pub use crate::kubelet::Exits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Counted from 1.
    pub line: usize,
    /// Without `at` and comments.
    pub text: String,
    pub at: Option<Duration>,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Nodes {
        names: Vec<String>,
        size: NodeSize,
    },
    Kill {
        node: String,
    },
    Revive {
        node: String,
    },
    /// `None`: never.
    Image {
        image: String,
        starts_after: Option<Duration>,
    },
    ImageExits {
        image: String,
        exits: Exits,
    },
    Request(Request),
    /// Of the processor, by the pods of that app together.
    Load {
        app: String,
        millicores: u64,
    },
    Drain {
        node: String,
    },
    Trouble(Trouble),
    Wait {
        condition: Condition,
        within: Duration,
    },
    End,
}

/// What an administrator asks of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    CreateDeployment { name: String, image: String, replicas: i32, max_surge: String, max_unavailable: String },
    CreateStatefulSet { name: String, image: String, replicas: i32, policy: String },
    CreateDaemonSet { name: String, image: String, max_surge: String, max_unavailable: String },
    CreateJob { name: String, job: JobShape },
    CreateCronJob { name: String, image: String, schedule: String, concurrency: String },
    CreateService { name: String, port: u16 },
    Scale { kind: Workload, name: String, replicas: i32 },
    SetImage { kind: Workload, name: String, image: String },
    Suspend { kind: Suspendable, name: String, suspend: bool },
    Create { manifest: String },
    Patch { kind: String, name: String, patch: String },
    Delete { kind: String, name: String, policy: &'static str },
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Restart(Room),
    /// Counted from one.
    KillAtWrite(Room, u64),
    SecondLeader(Duration),
    CutWatches,
    Compact,
    /// By milliseconds.
    JumpClock(i64),
}

/// What a Job is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobShape {
    pub image: String,
    pub completions: i32,
    pub parallelism: i32,
    pub backoff_limit: i32,
    pub mode: String,
}

/// Kinds whose template holds the image to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    Deployment,
    StatefulSet,
    DaemonSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspendable {
    Job,
    CronJob,
}

/// What a node says it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSize {
    pub cpu: String,
    pub memory: String,
    pub pods: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {reason}")]
pub struct ParseError {
    line: usize,
    reason: String,
}

const DEFAULT_PATIENCE: Duration = Duration::from_secs(600);

pub fn parse(script: &str) -> Result<Vec<Statement>, ParseError> {
    let mut statements: Vec<Statement> = Vec::new();
    for (number, line) in (1..).zip(script.lines()) {
        if let Some(manifest_line) = line.trim_start().strip_prefix('|') {
            continue_manifest(&mut statements, manifest_line).map_err(|reason| ParseError { line: number, reason })?;
            continue;
        }
        let text = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let statement = parse_statement(number, &words).map_err(|reason| ParseError { line: number, reason })?;
        statements.push(statement);
    }
    if !matches!(statements.last(), Some(Statement { action: Action::End, .. })) {
        return Err(ParseError { line: script.lines().count(), reason: "a script closes with `end`".into() });
    }
    Ok(statements)
}

fn continue_manifest(statements: &mut [Statement], line: &str) -> Result<(), String> {
    let Some(Statement { action: Action::Request(Request::Create { manifest }), .. }) = statements.last_mut() else {
        return Err("a manifest follows `create`".into());
    };
    manifest.push_str(line.strip_prefix(' ').unwrap_or(line));
    manifest.push('\n');
    Ok(())
}

fn parse_statement(line: usize, words: &[&str]) -> Result<Statement, String> {
    let (at, words) = match words {
        ["at", time, rest @ ..] => (Some(parse_time(time)?), rest),
        rest => (None, rest),
    };
    Ok(Statement { line, text: words.join(" "), at, action: parse_action(words)? })
}

fn parse_action(words: &[&str]) -> Result<Action, String> {
    let owned = |word: &&str| (*word).to_owned();
    let request = match words {
        ["nodes", rest @ ..] => {
            let names: Vec<String> = rest.iter().take_while(|word| !word.contains('=')).map(owned).collect();
            let mut settings = Settings::parse(&rest[names.len()..])?;
            let size = NodeSize {
                cpu: settings.take_or("cpu", "4"),
                memory: settings.take_or("memory", "8Gi"),
                pods: settings.take_or("pods", "110"),
            };
            settings.finish()?;
            return Ok(Action::Nodes { names, size });
        }
        ["kill", "node", node] => return Ok(Action::Kill { node: owned(node) }),
        ["revive", "node", node] => return Ok(Action::Revive { node: owned(node) }),
        ["image", image, "starts", "after", time] => {
            return Ok(Action::Image { image: owned(image), starts_after: Some(parse_time(time)?) });
        }
        ["image", image, "never", "starts"] => return Ok(Action::Image { image: owned(image), starts_after: None }),
        ["image", image, "exits", codes, "after", time] => {
            let codes = codes.split(',').map(number).collect::<Result<Vec<i32>, String>>()?;
            let exits = Exits { codes, after: parse_time(time)? };
            return Ok(Action::ImageExits { image: owned(image), exits });
        }
        ["load", app, millicores] => {
            return Ok(Action::Load { app: owned(app), millicores: number(millicores)? });
        }
        ["wait", condition @ .., "within", time] => {
            return Ok(Action::Wait { condition: Condition::parse(condition)?, within: parse_time(time)? });
        }
        ["wait", condition @ ..] => {
            return Ok(Action::Wait { condition: Condition::parse(condition)?, within: DEFAULT_PATIENCE });
        }
        ["end"] => return Ok(Action::End),
        ["create", "deployment", name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let request = Request::CreateDeployment {
                name: owned(name),
                image: settings.take("image")?,
                replicas: number(&settings.take_or("replicas", "1"))?,
                max_surge: settings.take_or("maxSurge", "25%"),
                max_unavailable: settings.take_or("maxUnavailable", "25%"),
            };
            settings.finish()?;
            request
        }
        ["create", "service", name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let request = Request::CreateService { name: owned(name), port: number(&settings.take("port")?)? };
            settings.finish()?;
            request
        }
        ["create", "statefulset", name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let request = Request::CreateStatefulSet {
                name: owned(name),
                image: settings.take("image")?,
                replicas: number(&settings.take_or("replicas", "1"))?,
                policy: settings.take_or("policy", "OrderedReady"),
            };
            settings.finish()?;
            request
        }
        ["create", "daemonset", name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let request = Request::CreateDaemonSet {
                name: owned(name),
                image: settings.take("image")?,
                max_surge: settings.take_or("maxSurge", "0"),
                max_unavailable: settings.take_or("maxUnavailable", "1"),
            };
            settings.finish()?;
            request
        }
        ["create", "job", name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let job = JobShape {
                image: settings.take("image")?,
                completions: number(&settings.take_or("completions", "1"))?,
                parallelism: number(&settings.take_or("parallelism", "1"))?,
                backoff_limit: number(&settings.take_or("backoffLimit", "6"))?,
                mode: settings.take_or("mode", "NonIndexed"),
            };
            settings.finish()?;
            Request::CreateJob { name: owned(name), job }
        }
        ["create", "cronjob", name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let request = Request::CreateCronJob {
                name: owned(name),
                image: settings.take("image")?,
                schedule: settings.take("schedule")?.replace('_', " "),
                concurrency: settings.take_or("concurrency", "Allow"),
            };
            settings.finish()?;
            request
        }
        ["scale", kind, name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let replicas = number(&settings.take("replicas")?)?;
            settings.finish()?;
            match Workload::parse(kind)? {
                Workload::DaemonSet => return Err("a daemonset has as many pods as there are nodes".into()),
                kind => Request::Scale { kind, name: owned(name), replicas },
            }
        }
        ["set", "image", kind, name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let image = settings.take("image")?;
            settings.finish()?;
            Request::SetImage { kind: Workload::parse(kind)?, name: owned(name), image }
        }
        [verb @ ("suspend" | "resume"), kind, name] => {
            let kind = match *kind {
                "job" => Suspendable::Job,
                "cronjob" => Suspendable::CronJob,
                other => return Err(format!("a {other} cannot be suspended")),
            };
            Request::Suspend { kind, name: owned(name), suspend: *verb == "suspend" }
        }
        ["create"] => Request::Create { manifest: String::new() },
        ["patch", kind, name, patch @ ..] => {
            Request::Patch { kind: owned(kind), name: owned(name), patch: patch.join(" ") }
        }
        ["delete", kind, name, rest @ ..] => {
            let mut settings = Settings::parse(rest)?;
            let policy = match settings.take_or("cascade", "background").as_str() {
                "background" => "Background",
                "foreground" => "Foreground",
                "orphan" => "Orphan",
                other => return Err(format!("{other:?} is no cascade")),
            };
            settings.finish()?;
            Request::Delete { kind: owned(kind), name: owned(name), policy }
        }
        ["drain", "node", node] => return Ok(Action::Drain { node: owned(node) }),
        ["restart", room] => return Ok(Action::Trouble(Trouble::Restart(parse_room(room)?))),
        ["kill", room, "at", "write", count] => {
            return Ok(Action::Trouble(Trouble::KillAtWrite(parse_room(room)?, number(count)?)));
        }
        ["second", "controllers", "for", time] => return Ok(Action::Trouble(Trouble::SecondLeader(parse_time(time)?))),
        ["cut", "watches"] => return Ok(Action::Trouble(Trouble::CutWatches)),
        ["compact"] => return Ok(Action::Trouble(Trouble::Compact)),
        ["clock", direction @ ("ahead" | "back"), time] => {
            let by = parse_time(time)?.as_millis() as i64;
            return Ok(Action::Trouble(Trouble::JumpClock(if *direction == "ahead" { by } else { -by })));
        }
        other => return Err(format!("no statement reads {:?}", other.join(" "))),
    };
    Ok(Action::Request(request))
}

fn parse_room(word: &str) -> Result<Room, String> {
    match word {
        "controllers" => Ok(Room::Controllers),
        "scheduler" => Ok(Room::Scheduler),
        other => Err(format!("{other:?} cannot be restarted")),
    }
}

impl Workload {
    fn parse(word: &str) -> Result<Workload, String> {
        match word {
            "deployment" => Ok(Workload::Deployment),
            "statefulset" => Ok(Workload::StatefulSet),
            "daemonset" => Ok(Workload::DaemonSet),
            other => Err(format!("{other:?} is no workload with a template")),
        }
    }
}

/// `name=value` words.
struct Settings(Vec<(String, String)>);

impl Settings {
    fn parse(words: &[&str]) -> Result<Settings, String> {
        let pair = |word: &&str| match word.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(format!("{word:?} is not a setting")),
        };
        words.iter().map(pair).collect::<Result<_, _>>().map(Settings)
    }

    fn take(&mut self, name: &str) -> Result<String, String> {
        let position = self.0.iter().position(|(other, _)| other == name);
        position.map(|position| self.0.remove(position).1).ok_or_else(|| format!("{name}= is missing"))
    }

    fn take_or(&mut self, name: &str, default: &str) -> String {
        self.take(name).unwrap_or_else(|_| default.to_owned())
    }

    fn finish(self) -> Result<(), String> {
        match self.0.first() {
            Some((name, _)) => Err(format!("{name}= means nothing here")),
            None => Ok(()),
        }
    }
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number in range"))
}

fn parse_time(word: &str) -> Result<Duration, String> {
    let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let amount: u64 = number(digits)?;
    match &word[digits.len()..] {
        "ms" => Ok(Duration::from_millis(amount)),
        "s" => Ok(Duration::from_secs(amount)),
        "m" => Ok(Duration::from_secs(amount * 60)),
        "h" => Ok(Duration::from_secs(amount * 3600)),
        _ => Err(format!("{word:?} is not a time such as 500ms, 2s, 10m or 1h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(line: &str) -> Result<Statement, String> {
        parse(&format!("{line}\nend")).map(|statements| statements[0].clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn statements_are_read() {
        let scale = first("at 90s   scale deployment web replicas=5  # more").unwrap();
        assert_eq!(scale.at, Some(Duration::from_secs(90)));
        assert_eq!(scale.text, "scale deployment web replicas=5");
        assert_eq!(
            scale.action,
            Action::Request(Request::Scale { kind: Workload::Deployment, name: "web".into(), replicas: 5 })
        );

        let wait = first("wait deployment web complete within 1m").unwrap();
        let condition = Condition::DeploymentComplete("web".into());
        assert_eq!(wait.action, Action::Wait { condition, within: Duration::from_secs(60) });

        let nodes = first("nodes a b cpu=2").unwrap();
        let size = NodeSize { cpu: "2".into(), memory: "8Gi".into(), pods: "110".into() };
        assert_eq!(nodes.action, Action::Nodes { names: vec!["a".into(), "b".into()], size });
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        let refused = [
            ("destroy everything", "line 1: no statement reads \"destroy everything\""),
            ("at noon end", "line 1: \"\" is not a number in range"),
            ("create deployment web", "line 1: image= is missing"),
            ("create deployment web image=a colour=red", "line 1: colour= means nothing here"),
            ("wait for better times", "line 1: no condition reads \"for better times\""),
        ];
        for (line, reason) in refused {
            assert_eq!(first(line).unwrap_err(), reason);
        }
        assert_eq!(parse("nodes a").unwrap_err().to_string(), "line 1: a script closes with `end`");
    }
}
