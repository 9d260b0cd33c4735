//! The node's own logs: `/logs/` shows the machine's log folder, and with `?query=` what one service wrote.
//!
//! **Invariant:** no path leaves the folder, whatever links lie in it: the kernel resolves it there.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use http::header;
use jiff::Timestamp;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use regex_automata::Input;
use regex_automata::dfa::{Automaton, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

use super::{Answer, Refusal, query_values, text};

const FOLDER: &str = "/var/log";
/// Of a longer file the end is shown.
const MAXIMUM_BYTES: u64 = 16 << 20;

/// `own_log` is what this program itself writes: the log of the service `kubelet`.
pub(crate) fn answer(path: &str, query: &str, own_log: &Path, booted_at: Timestamp) -> Result<Answer, Refusal> {
    let wanted: Vec<String> = query_values(query, "query").filter(|value| !value.is_empty()).collect();
    if wanted.is_empty() {
        return browse(Path::new(FOLDER), path);
    }
    let options = Options::parse(query, booted_at)?;
    let mut shown = String::new();
    for name in &wanted {
        let mut file = open(Path::new(FOLDER), name, own_log)?;
        let contents = read_end(&mut file).map_err(|error| Refusal::internal(error.to_string()))?;
        shown.push_str(&options.choose(&contents));
    }
    Ok(text(shown))
}

/// Which lines are shown.
#[derive(Debug, Default)]
struct Options {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    tail_lines: Option<usize>,
    pattern: Option<Pattern>,
}

/// What lines must have in them, whatever the case, as journalctl is asked upstream. It is compiled within bounds:
/// who may read logs may not thereby exhaust the node.
#[derive(Debug)]
struct Pattern(dense::DFA<Vec<u32>>);

impl Pattern {
    const MAXIMUM_BYTES: usize = 1 << 20;

    fn parse(text: &str) -> Result<Pattern, Refusal> {
        let size = Some(Pattern::MAXIMUM_BYTES);
        let built = dense::Builder::new()
            .configure(dense::Config::new().dfa_size_limit(size).determinize_size_limit(size))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(size))
            .syntax(syntax::Config::new().case_insensitive(true).unicode(false).utf8(false))
            .build(text);
        built.map(Pattern).map_err(|error| Refusal::bad_request(format!("invalid value of pattern: {error}")))
    }

    fn is_in(&self, line: &str) -> bool {
        // Without word boundaries over Unicode and without quit bytes no search fails.
        self.0.try_search_fwd(&Input::new(line)).is_ok_and(|found| found.is_some())
    }
}

impl Options {
    fn parse(query: &str, booted_at: Timestamp) -> Result<Options, Refusal> {
        let value = |name| query_values(query, name).next().filter(|value| !value.is_empty());
        let time = |name: &'static str| {
            let parsed = value(name).map(|value| value.parse()).transpose();
            parsed.map_err(|_| Refusal::bad_request(format!("invalid value of {name}")))
        };
        let lines = value("tailLines").map(|value| value.parse()).transpose();
        let (mut since, mut until) = (time("sinceTime")?, time("untilTime")?);
        if since.zip(until).is_some_and(|(since, until)| since >= until) {
            return Err(Refusal::bad_request("sinceTime must be before untilTime"));
        }
        // Of earlier boots only the last can be told apart from those before.
        match value("boot").map(|boot| boot.parse::<i64>()).transpose() {
            Ok(None) => {}
            Ok(Some(0)) => since = since.max(Some(booted_at)),
            Ok(Some(..0)) => until = Some(until.map_or(booted_at, |until| until.min(booted_at))),
            Ok(Some(1..)) | Err(_) => return Err(Refusal::bad_request("invalid value of boot")),
        }
        Ok(Options {
            since,
            until,
            tail_lines: lines.map_err(|_| Refusal::bad_request("invalid value of tailLines"))?,
            pattern: value("pattern").map(|pattern| Pattern::parse(&pattern)).transpose()?,
        })
    }

    /// Lines that do not begin with a time belong to whatever came before them.
    fn choose(&self, contents: &str) -> String {
        let mut is_in_time = true;
        let mut chosen: Vec<&str> = Vec::new();
        for line in contents.lines() {
            if let Some(at) = line.split(' ').next().and_then(|time| time.parse::<Timestamp>().ok()) {
                is_in_time = self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until);
            }
            if is_in_time && self.pattern.as_ref().is_none_or(|pattern| pattern.is_in(line)) {
                chosen.push(line);
            }
        }
        let skipped = self.tail_lines.map_or(0, |lines| chosen.len().saturating_sub(lines));
        chosen[skipped..].iter().flat_map(|line| [line, "\n"]).collect()
    }
}

/// A service by its name, or a file of the folder by its path.
fn open(folder: &Path, name: &str, own_log: &Path) -> Result<File, Refusal> {
    if name == "kubelet" || name == "pintle" {
        return File::open(own_log).map_err(|error| Refusal::internal(error.to_string()));
    }
    let is_file = name.contains('/');
    let candidates = if is_file {
        vec![PathBuf::from(name.trim_start_matches('/'))]
    } else {
        vec![format!("{name}.log").into(), format!("{name}/{name}.log").into(), name.into()]
    };
    let found = candidates.iter().find_map(|path| open_beneath(folder, path).ok());
    let found = found.filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()));
    found.ok_or_else(|| Refusal::not_found(format!("unable to find logs for {name:?}")))
}

fn browse(folder: &Path, path: &str) -> Result<Answer, Refusal> {
    let missing = |_| Refusal::not_found("404 page not found");
    let inner = path.trim_start_matches("/logs").trim_matches('/');
    let inner = percent_decoded(inner).ok_or_else(|| Refusal::bad_request("invalid path"))?;
    let mut opened = open_beneath(folder, Path::new(&inner)).map_err(missing)?;
    if !opened.metadata().map_err(missing)?.is_dir() {
        let contents = read_end(&mut opened).map_err(|error| Refusal::internal(error.to_string()))?;
        return Ok(text(contents));
    }
    // The opened folder, not what its name means by now.
    let listed =
        fs::read_dir(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&opened))).map_err(missing)?;
    let mut names: Vec<String> = listed
        .flatten()
        .map(|entry| {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            format!("{}{slash}", entry.file_name().to_string_lossy())
        })
        .collect();
    names.sort();
    let mut page = "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n".to_owned();
    for name in names {
        let reference: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let reference = reference.replace('+', "%20").replace("%2F", "/");
        let shown = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;");
        page.push_str(&format!("<a href=\"{reference}\">{shown}</a>\n"));
    }
    page.push_str("</pre>\n");
    let mut answer = text(page);
    let kind = header::HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}

fn percent_decoded(path: &str) -> Option<String> {
    let escaped = path.replace('+', "%2B");
    let (decoded, _) = form_urlencoded::parse(escaped.as_bytes()).next().unwrap_or_default();
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

fn open_beneath(folder: &Path, inner: &Path) -> io::Result<File> {
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let root = File::open(folder)?;
    let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
    openat2(root.as_fd(), inner, how).map(File::from).map_err(io::Error::from)
}

fn read_end(file: &mut File) -> io::Result<String> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(MAXIMUM_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::new(file);
    if start > 0 {
        // Not from the middle of a line.
        reader.skip_until(b'\n')?;
    }
    let mut contents = Vec::new();
    reader.take(MAXIMUM_BYTES).read_to_end(&mut contents)?;
    Ok(String::from_utf8_lossy(&contents).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const LOG: &str = "2030-01-01T00:00:01Z INFO one\n2030-01-01T00:00:02Z WARN two\n  more of two\n2030-01-01T00:00:03Z INFO three\n";

    #[test]
    fn lines_are_chosen_by_time_pattern_and_number() {
        let booted_at = "2030-01-01T00:00:03Z".parse().unwrap();
        let parse = |query: &str| Options::parse(query, booted_at);
        let choose = |query: &str| parse(query).unwrap().choose(LOG);
        assert_eq!(choose(""), LOG);
        let second = "2030-01-01T00:00:02Z WARN two\n  more of two\n";
        assert_eq!(choose("sinceTime=2030-01-01T00:00:02Z&untilTime=2030-01-01T00:00:02.5Z"), second);
        let third = "2030-01-01T00:00:03Z INFO three\n";
        assert_eq!(choose("pattern=INFO&tailLines=1"), third);
        assert_eq!(choose("pattern=info%20t%5B%5Ea%5D%2Be%24"), third, "a regular expression, whatever the case");
        assert_eq!((choose("boot=0"), choose("boot=-1&pattern=two%24")), (third.to_owned(), second.to_owned()));
        let endless = format!("pattern={}", "(a%7Cb)*a".repeat(3) + &"(a%7Cb)%7B40%7D".repeat(20));
        for bad in ["sinceTime=yesterday", "tailLines=-1", "boot=1", "boot=x", "pattern=(", &endless] {
            assert_eq!(parse(bad).unwrap_err().status, http::StatusCode::BAD_REQUEST, "{bad}");
        }
        assert!(parse("sinceTime=2030-01-01T00:00:02Z&untilTime=2030-01-01T00:00:01Z").is_err());
    }

    #[test]
    fn no_path_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("log");
        fs::create_dir_all(logs.join("sub")).unwrap();
        fs::write(logs.join("a.log"), "a").unwrap();
        fs::write(logs.join("sub/sub.log"), "sub").unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        symlink("../secret", logs.join("link")).unwrap();
        symlink("/etc", logs.join("etc")).unwrap();
        let own = folder.path().join("own.log");
        fs::write(&own, "own").unwrap();
        let read = |name: &str| open(&logs, name, &own).map(|mut file| read_end(&mut file).unwrap());
        assert_eq!((read("a"), read("sub"), read("kubelet")), (Ok("a".into()), Ok("sub".into()), Ok("own".into())));
        assert_eq!(read("/sub/sub.log"), Ok("sub".to_owned()));
        for bad in ["link", "../secret", "/../secret", "etc/passwd", "absent"] {
            assert_eq!(read(bad), Err(Refusal::not_found(format!("unable to find logs for {bad:?}"))));
        }
        assert!(browse(&logs, "/logs/").is_ok() && browse(&logs, "/logs/sub/").is_ok());
        for bad in ["/logs/link", "/logs/..%2Fsecret", "/logs/../secret", "/logs/etc/"] {
            assert_eq!(browse(&logs, bad).unwrap_err(), Refusal::not_found("404 page not found"), "{bad}");
        }
    }
}
