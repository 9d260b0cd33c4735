//! An HTTP server for tests: it tells its name, its addresses, the request and its environment.
//!
//! | path | answer |
//! |---|---|
//! | `/` | `$GREETING` when set, else as `/echo`; after `$ROUNDS` rounds of work for the processor |
//! | `/echo` | all of it; as JSON with `?format=json` or `Accept: application/json` |
//! | `/hello` | `Hello World!` |
//! | `/hostname`, `/env`, `/headers` | that part only |
//! | `/healthz` | 200, or 500 after `/healthz/fail` until `/healthz/ok` |
//! | `/exit?code=N` | ends the process with that code |
//!
//! It listens on `$PORT` (several with commas; 3000 by default), logs one line a request and ends on
//! SIGTERM when the requests under way are answered. A connection is kept for a client that asks for it
//! (`Connection: keep-alive`), until SIGTERM: the next answer then says that it is the last.

mod request;
mod response;

use std::env;
use std::io::{self, BufReader, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::request::Request;
use crate::response::Response;

const DEFAULT_PORT: &str = "3000";
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// Requests answered at one time; more wait in the kernel's queue.
const WORKERS: usize = 64;

fn main() -> io::Result<()> {
    let mut stop = SigSet::empty();
    stop.add(Signal::SIGTERM);
    stop.add(Signal::SIGINT);
    // Blocked before any thread exists, so that only the wait below takes them.
    stop.thread_block()?;
    let server = Arc::new(Server::default());
    let ports = env::var("PORT").unwrap_or_else(|_| DEFAULT_PORT.to_owned());
    for port in ports.split(',') {
        let port = port.trim().parse().map_err(|_| io::Error::other(format!("PORT: {port:?} is not a port")))?;
        let listener = listen(port)?;
        println!("listening on port {port}");
        let server = server.clone();
        thread::spawn(move || accept(&server, &listener));
    }
    let signal = stop.wait()?;
    println!("{signal}: stopping");
    server.drain();
    Ok(())
}

/// All addresses of both families, or of IPv4 alone where the kernel has no IPv6.
fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
        .or_else(|_| TcpListener::bind(SocketAddr::from(([0, 0, 0, 0], port))))
}

#[derive(Default)]
struct Server {
    unhealthy: AtomicBool,
    stopping: AtomicBool,
    under_way: Mutex<usize>,
    changed: Condvar,
}

impl Server {
    fn enter(&self) {
        let count = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count =
            self.changed.wait_while(count, |count| *count >= WORKERS).unwrap_or_else(PoisonError::into_inner);
        *count += 1;
    }

    fn leave(&self) {
        *self.under_way.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.changed.notify_all();
    }

    fn drain(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        let count = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(count, |count| *count > 0));
    }
}

fn accept(server: &Arc<Server>, listener: &TcpListener) {
    for connection in listener.incoming() {
        match connection {
            Ok(connection) => {
                server.enter();
                let server = server.clone();
                thread::spawn(move || {
                    if let Err(error) = serve(&server, &connection) {
                        eprintln!("{error}");
                    }
                    server.leave();
                });
            }
            Err(error) => eprintln!("accept: {error}"),
        }
    }
}

fn serve(server: &Server, connection: &TcpStream) -> io::Result<()> {
    connection.set_read_timeout(Some(REQUEST_DEADLINE))?;
    connection.set_write_timeout(Some(REQUEST_DEADLINE))?;
    let mut reader = BufReader::new(connection);
    while let Some(request) = Request::read(&mut reader)? {
        let response = answer(server, &request, connection)?;
        println!("{} {} {}", request.method, request.target, response.status);
        let keeps = request.wants_to_stay() && !server.stopping.load(Ordering::Relaxed);
        let mut writer = connection;
        writer.write_all(&response.to_bytes(keeps))?;
        writer.flush()?;
        if let Some(code) = response.exit {
            std::process::exit(code);
        }
        if !keeps {
            break;
        }
    }
    Ok(())
}

fn answer(server: &Server, request: &Request, connection: &TcpStream) -> io::Result<Response> {
    let response = match request.path() {
        "/" => {
            work();
            match env::var("GREETING") {
                Ok(greeting) => Response::text(greeting),
                Err(_) => response::echo(request, connection)?,
            }
        }
        "/echo" => response::echo(request, connection)?,
        "/hello" => Response::text("Hello World!"),
        "/hostname" => Response::text(response::hostname()),
        "/env" => response::environment(request.wants_json()),
        "/headers" => response::headers(request),
        "/healthz/fail" => set_health(server, true),
        "/healthz/ok" => set_health(server, false),
        "/healthz" if server.unhealthy.load(Ordering::Relaxed) => Response::text("failing").with_status(500),
        "/healthz" => Response::text("ok"),
        "/exit" => {
            let code = request.parameter("code").and_then(|code| code.parse().ok()).unwrap_or(0);
            Response::text(format!("ending with {code}")).with_exit(code)
        }
        _ => Response::text("no such page").with_status(404),
    };
    Ok(response)
}

/// Keeps the processor busy, for those who watch it.
fn work() {
    let rounds: u32 = env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(0);
    let sum = (0..rounds).fold(0.0001_f64, |sum, _| sum + sum.sqrt());
    std::hint::black_box(sum);
}

fn set_health(server: &Server, unhealthy: bool) -> Response {
    server.unhealthy.store(unhealthy, Ordering::Relaxed);
    Response::text(if unhealthy { "failing from now on" } else { "healthy from now on" })
}
