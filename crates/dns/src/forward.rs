//! Questions about other zones, handed to the servers the node itself asks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use stdx::Ambient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// As many questions may wait for upstream servers at once.
const QUESTIONS_AT_ONCE: usize = 1000;
const ATTEMPTS: usize = 3;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const LARGEST_DATAGRAM: usize = 4096;
/// Where this answer comes from differs from where the question went, or it answers another one.
const STRAY_ANSWERS: usize = 16;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    #[error("no upstream server is configured")]
    NoUpstream,
    #[error("too many questions wait for upstream servers")]
    Overloaded,
    #[error("{server} did not answer in time")]
    Timeout { server: SocketAddr },
    #[error("cannot ask {server}")]
    Exchange {
        server: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the question cannot be written")]
    Question(#[source] hickory_proto::ProtoError),
    #[error("{server} answered nonsense")]
    Nonsense { server: SocketAddr },
}

pub(crate) struct Forwarder {
    upstreams: Vec<SocketAddr>,
    /// The server that answered last.
    preferred: AtomicUsize,
    permits: Semaphore,
    ambient: Ambient,
}

impl Forwarder {
    pub(crate) fn new(upstreams: Vec<SocketAddr>, ambient: Ambient) -> Self {
        let permits = Semaphore::new(QUESTIONS_AT_ONCE);
        Forwarder { upstreams, preferred: AtomicUsize::new(0), permits, ambient }
    }

    pub(crate) fn has_upstream(&self) -> bool {
        !self.upstreams.is_empty()
    }

    /// Asks for the records of a name.
    pub(crate) async fn resolve(&self, name: &Name, record_type: RecordType) -> Result<Message, ForwardError> {
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Query::query(name.clone(), record_type));
        let question = message.to_vec().map_err(ForwardError::Question)?;
        self.ask(&question, false).await
    }

    /// Hands a question on as it came, and returns the answer. Each server is asked until one
    /// answers, the one that did so last before the others.
    pub(crate) async fn ask(&self, question: &[u8], over_tcp: bool) -> Result<Message, ForwardError> {
        let _permit = self.permits.try_acquire().map_err(|_| ForwardError::Overloaded)?;
        let preferred = self.preferred.load(Ordering::Relaxed);
        let mut failure = ForwardError::NoUpstream;
        let attempts = if self.upstreams.is_empty() { 0 } else { ATTEMPTS };
        for attempt in 0..attempts {
            let index = (preferred + attempt) % self.upstreams.len();
            match self.ask_server(self.upstreams[index], question, over_tcp).await {
                Ok(answer) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => {
                    tracing::debug!(error = stdx::error::chain(&error), "an upstream server failed");
                    failure = error;
                }
            }
        }
        Err(failure)
    }

    async fn ask_server(&self, server: SocketAddr, question: &[u8], over_tcp: bool) -> Result<Message, ForwardError> {
        let exchange = async {
            let question = with_identifier(question, self.ambient.random.next_u64() as u16);
            if !over_tcp {
                let answer = ask_udp(server, &question).await?;
                if !answer.metadata.truncation {
                    return Ok(answer);
                }
            }
            ask_tcp(server, &question).await
        };
        tokio::select! {
            answer = exchange => answer,
            () = self.ambient.clock.sleep(ATTEMPT_TIMEOUT) => Err(ForwardError::Timeout { server }),
        }
    }
}

/// Whoever wants to forge an answer must guess the port, which the kernel chooses afresh, and the
/// identifier.
async fn ask_udp(server: SocketAddr, question: &[u8]) -> Result<Message, ForwardError> {
    let failed = |source| ForwardError::Exchange { server, source };
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
    socket.connect(server).await.map_err(failed)?;
    socket.send(question).await.map_err(failed)?;
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    for _ in 0..STRAY_ANSWERS {
        let length = socket.recv(&mut buffer).await.map_err(failed)?;
        if let Some(answer) = matching(&buffer[..length], question) {
            return Ok(answer);
        }
    }
    Err(ForwardError::Nonsense { server })
}

async fn ask_tcp(server: SocketAddr, question: &[u8]) -> Result<Message, ForwardError> {
    let failed = |source| ForwardError::Exchange { server, source };
    let length = u16::try_from(question.len()).map_err(|_| ForwardError::Nonsense { server })?;
    let mut stream = TcpStream::connect(server).await.map_err(failed)?;
    let framed = [&length.to_be_bytes(), question].concat();
    stream.write_all(&framed).await.map_err(failed)?;
    let length = stream.read_u16().await.map_err(failed)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(failed)?;
    matching(&buffer, question).ok_or(ForwardError::Nonsense { server })
}

fn with_identifier(question: &[u8], identifier: u16) -> Vec<u8> {
    let mut question = question.to_vec();
    if let Some(place) = question.first_chunk_mut::<2>() {
        *place = identifier.to_be_bytes();
    }
    question
}

/// The message, where it is the answer to this very question.
fn matching(answer: &[u8], question: &[u8]) -> Option<Message> {
    if answer.get(..2)? != question.get(..2)? {
        return None;
    }
    let answer = Message::from_vec(answer).ok()?;
    let question = Message::from_vec(question).ok()?;
    let same = answer.metadata.message_type == MessageType::Response && answer.queries == question.queries;
    same.then_some(answer)
}
