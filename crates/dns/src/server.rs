//! The protocol: one question in, one message out.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use hickory_proto::op::{Edns, Header, HeaderCounts, Message, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, Record, RecordType};
use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use stdx::{Clock, Random};

use crate::forward::{ForwardError, Forwarder};
use crate::metrics::{Asked, Metrics};
use crate::table::Table;
use crate::zone::{Answer, Zone};

/// The longest chain of aliases that is followed.
const ALIASES: usize = 8;
const LARGEST_DATAGRAM: u16 = 4096;
const SMALLEST_DATAGRAM: u16 = 512;

pub(crate) struct Handler {
    pub(crate) zone: Zone,
    pub(crate) table: Arc<RwLock<Arc<Table>>>,
    pub(crate) forwarder: Forwarder,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
    /// As metrics name this server.
    pub(crate) name: String,
    pub(crate) metrics: Metrics,
}

/// What goes into a response beside the question.
struct Reply {
    code: ResponseCode,
    authoritative: bool,
    answers: Vec<Record>,
    authorities: Vec<Record>,
    additionals: Vec<Record>,
    /// Who answered, by the names of CoreDNS' plugins; empty where nobody did.
    plugin: &'static str,
}

impl Reply {
    fn failure(code: ResponseCode) -> Self {
        Reply {
            code,
            authoritative: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            plugin: "",
        }
    }

    fn own(answer: Answer) -> Self {
        Reply {
            code: answer.code,
            authoritative: true,
            answers: answer.records,
            authorities: answer.authority.into_iter().collect(),
            additionals: answer.additionals,
            plugin: "kubernetes",
        }
    }

    fn relayed(message: Message) -> Self {
        Reply {
            code: message.metadata.response_code,
            authoritative: false,
            answers: message.answers,
            authorities: message.authorities,
            additionals: message.additionals,
            plugin: "forward",
        }
    }
}

#[async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, response_handle: R) -> ResponseInfo {
        let begun = self.clock.instant();
        let edns = request.edns.as_ref().map(response_edns);
        let reply = match (&request.edns, &edns) {
            (Some(asked), Some(offered)) if asked.version() > offered.version() => {
                Reply::failure(ResponseCode::BADVERS)
            }
            _ => self.reply(request).await,
        };
        let (code, plugin) = (reply.code, reply.plugin);
        let sent = self.send(request, edns, reply, response_handle).await;
        let record_type = request.request_info().ok().map(|info| info.query.query_type());
        let asked = Asked { client: request.src(), protocol: request.protocol(), record_type };
        self.metrics.answered(&self.name, asked, code, plugin, self.clock.instant().duration_since(begun));
        sent
    }
}

impl Handler {
    async fn reply(&self, request: &Request) -> Reply {
        if request.metadata.op_code != OpCode::Query {
            return Reply::failure(ResponseCode::NotImp);
        }
        let Ok(info) = request.request_info() else { return Reply::failure(ResponseCode::FormErr) };
        // The name as it was asked, so that the answer repeats its spelling.
        let question = info.query.original().name();
        let record_type = info.query.query_type();
        if info.query.query_class() != DNSClass::IN || matches!(record_type, RecordType::AXFR | RecordType::IXFR) {
            return Reply::failure(ResponseCode::Refused);
        }
        let table = self.table();
        if self.zone.contains(question) {
            return Reply::own(self.resolve(&table, question, record_type).await);
        }
        if record_type == RecordType::PTR
            && let Some(address) = reverse_address(question)
        {
            let answers = self.zone.reverse(&table, question, address);
            if !answers.is_empty() {
                return Reply {
                    authoritative: true,
                    answers,
                    plugin: "kubernetes",
                    ..Reply::failure(ResponseCode::NoError)
                };
            }
        }
        self.forward(request).await
    }

    /// Follows aliases within the zone, and out of it.
    async fn resolve(&self, table: &Table, question: &Name, record_type: RecordType) -> Answer {
        let mut answer = self.zone.answer(table, question, record_type);
        for _ in 0..ALIASES {
            let Some(target) = answer.unresolved.take() else { break };
            if self.zone.contains(&target) {
                let next = self.zone.answer(table, &target, record_type);
                answer.records.extend(next.records);
                answer.unresolved = next.unresolved;
            } else if self.forwarder.has_upstream() {
                match self.forwarder.resolve(&target, record_type).await {
                    Ok(message) => answer.records.extend(message.answers),
                    Err(error) => {
                        tracing::debug!(%target, error = stdx::error::chain(&error), "an alias leads nowhere")
                    }
                }
            }
        }
        self.spread(&mut answer.records);
        answer
    }

    async fn forward(&self, request: &Request) -> Reply {
        let over_tcp = request.protocol() == Protocol::Tcp;
        match self.forwarder.ask(request.as_slice(), over_tcp).await {
            Ok(message) => Reply::relayed(message),
            Err(ForwardError::NoUpstream) => Reply::failure(ResponseCode::Refused),
            Err(error) => {
                tracing::debug!(error = stdx::error::chain(&error), "a question could not be forwarded");
                Reply::failure(ResponseCode::ServFail)
            }
        }
    }

    /// Clients take the first address: each answer begins elsewhere. Aliases stay in front.
    fn spread(&self, records: &mut [Record]) {
        let aliases = records.iter().take_while(|record| record.record_type() == RecordType::CNAME).count();
        let rest = &mut records[aliases..];
        if rest.len() > 1 {
            let start = self.random.below(rest.len() as u64) as usize;
            rest.rotate_left(start);
        }
    }

    async fn send<R: ResponseHandler>(
        &self,
        request: &Request,
        edns: Option<Edns>,
        reply: Reply,
        mut response_handle: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.response_code = reply.code;
        metadata.authoritative = reply.authoritative;
        metadata.recursion_available = self.forwarder.has_upstream();
        let mut edns = edns;
        if let Some(edns) = &mut edns {
            edns.set_rcode_high(reply.code.high());
        }
        let mut builder = MessageResponseBuilder::from_message_request(request);
        if let Some(edns) = &edns {
            builder.edns(edns);
        }
        let response = builder.build(metadata, &reply.answers, &reply.authorities, [], &reply.additionals);
        match response_handle.send_response(response).await {
            Ok(info) => info,
            Err(error) => {
                tracing::debug!(error = stdx::error::chain(&error), "a response could not be sent");
                metadata.response_code = ResponseCode::ServFail;
                ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
            }
        }
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn response_edns(asked: &Edns) -> Edns {
    let mut edns = Edns::new();
    edns.set_max_payload(asked.max_payload().clamp(SMALLEST_DATAGRAM, LARGEST_DATAGRAM));
    edns.set_version(0);
    edns
}

/// The address that a name under `in-addr.arpa` or `ip6.arpa` stands for, if for a single one.
fn reverse_address(name: &Name) -> Option<std::net::IpAddr> {
    let network = name.parse_arpa_name().ok()?;
    (network.prefix_len() == network.max_prefix_len()).then(|| network.addr())
}
