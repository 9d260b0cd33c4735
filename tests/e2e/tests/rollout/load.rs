//! Clients that never rest, and what they were answered.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use e2e::wait_for;
use nix::sched::{CloneFlags, setns};

/// Between two requests of one client: constant load, but not all of the machine.
const PACE: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers that each client must get in peace before and after whatever happens.
const CALM: u64 = 30;

/// Where a client stands, and what it asks.
pub(crate) struct Client {
    /// Its network namespace.
    pub(crate) network: PathBuf,
    pub(crate) address: SocketAddr,
    /// One connection for as long as the server keeps it, instead of one a request.
    pub(crate) stays: bool,
    /// How often it asks again when a connection breaks or is refused.
    pub(crate) repeats: u32,
}

/// Runs until [`Load::stop`].
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<(JoinHandle<Tally>, Arc<AtomicU64>)>,
}

/// What came of the requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How often each text was answered.
    pub(crate) answers: BTreeMap<String, u64>,
    pub(crate) failures: Vec<String>,
    pub(crate) connections: u64,
}

impl Load {
    /// Returns once every client has had some answers.
    pub(crate) fn start(clients: Vec<Client>) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = clients.into_iter().map(|client| {
            let (stop, answered) = (stop.clone(), Arc::new(AtomicU64::new(0)));
            let count = answered.clone();
            (std::thread::spawn(move || client.run(&stop, &count)), answered)
        });
        let load = Load { clients: clients.collect(), stop };
        load.calm();
        load
    }

    /// Waits until every client has been answered some more.
    pub(crate) fn calm(&self) {
        for (_, answered) in &self.clients {
            let goal = answered.load(Ordering::Relaxed) + CALM;
            wait_for("answers under load", || match answered.load(Ordering::Relaxed) {
                count if count >= goal => Ok(()),
                count => Err(format!("{count} of {goal}")),
            });
        }
    }

    /// After some more answers.
    pub(crate) fn stop(self) -> Tally {
        self.calm();
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for (client, _) in self.clients {
            let tally = client.join().expect("a client does not panic");
            for (answer, count) in tally.answers {
                *all.answers.entry(answer).or_default() += count;
            }
            all.failures.extend(tally.failures);
            all.connections += tally.connections;
        }
        all
    }
}

type Connection = BufReader<TcpStream>;

impl Client {
    fn run(&self, stop: &AtomicBool, answered: &AtomicU64) -> Tally {
        let mut tally = Tally::default();
        let network = File::open(&self.network).expect("the machine's network namespace");
        setns(network, CloneFlags::CLONE_NEWNET).expect("root may enter it");
        let mut connection = None;
        while !stop.load(Ordering::Relaxed) {
            match self.ask_patiently(&mut connection, &mut tally) {
                Ok(answer) => {
                    *tally.answers.entry(answer).or_default() += 1;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let number = answered.load(Ordering::Relaxed);
                    let kind = if self.stays { "a lasting" } else { "a new" };
                    tally
                        .failures
                        .push(format!("{} over {kind} connection, after {number} answers: {error}", self.address));
                }
            }
            std::thread::park_timeout(PACE);
        }
        tally
    }

    fn ask_patiently(&self, connection: &mut Option<Connection>, tally: &mut Tally) -> io::Result<String> {
        use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, UnexpectedEof};
        let mut left = self.repeats;
        loop {
            match self.ask(connection, tally) {
                Err(error)
                    if left > 0
                        && matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | UnexpectedEof) =>
                {
                    left -= 1;
                    std::thread::park_timeout(PACE);
                }
                outcome => return outcome,
            }
        }
    }

    fn ask(&self, kept: &mut Option<Connection>, tally: &mut Tally) -> io::Result<String> {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => {
                tally.connections += 1;
                let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                BufReader::new(stream)
            }
        };
        let wish = if self.stays { "keep-alive" } else { "close" };
        let request = format!("GET / HTTP/1.1\r\nHost: load\r\nConnection: {wish}\r\n\r\n");
        connection.get_mut().write_all(request.as_bytes())?;
        let (answer, stays) = read_answer(&mut connection)?;
        if stays {
            *kept = Some(connection);
        }
        Ok(answer)
    }
}

/// The body, and whether the server keeps the connection.
fn read_answer(reader: &mut impl BufRead) -> io::Result<(String, bool)> {
    let mut line = String::new();
    let mut next = |reader: &mut dyn BufRead| {
        line.clear();
        match reader.read_line(&mut line)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            _ => Ok(line.trim_end().to_ascii_lowercase()),
        }
    };
    let status = next(reader)?;
    let (mut length, mut stays) = (0, false);
    loop {
        let header = next(reader)?;
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
            Some(("connection", value)) => stays = value == "keep-alive",
            _ if header.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if status != "http/1.1 200 ok" {
        return Err(io::Error::other(status));
    }
    Ok((String::from_utf8_lossy(&body).into_owned(), stays))
}
