//! The conditions `up` waits for, observed as a user would observe them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use api::k8s::api::core::v1::{Node, ServiceAccount};
use client::{Api, Client};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use reconcile::{Informer, ListOptions};
use stdx::Ambient;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// How long one question may stay without an answer before it is asked again: rules may not be in place yet.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(25);
/// Enough for a slow machine; a start that takes longer has failed.
const MAXIMUM_QUESTIONS: u32 = 2400;

/// Returns when the node's Ready condition is true.
pub(crate) async fn node(client: &Client, name: &str, ambient: &Ambient) {
    observe(Api::all(client.clone()), name, ambient, is_ready).await;
}

/// Returns when pods can be made in the namespace `default`: they are refused without a service account.
pub(crate) async fn service_account(client: &Client, ambient: &Ambient) {
    observe(Api::namespaced(client.clone(), "default"), "default", ambient, |_: &ServiceAccount| true).await;
}

/// Watches one object until `condition` holds of it.
async fn observe<K: reconcile::Kind>(api: Api<K>, name: &str, ambient: &Ambient, condition: fn(&K) -> bool) {
    let cancel = CancellationToken::new();
    let _stop_watching = cancel.clone().drop_guard();
    let options = ListOptions::fields(format!("metadata.name={name}"));
    let informer = Informer::start(api, options, ambient, cancel);
    let mut changes = informer.changed();
    while !informer.list().iter().any(|object| condition(object)) {
        if changes.changed().await.is_err() {
            return;
        }
    }
}

pub(crate) fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// Returns when the cluster's DNS service address answers for the API's own service: server, service rules and
/// table are then all in place.
pub(crate) async fn dns(service_ip: IpAddr, domain: &str) -> anyhow::Result<()> {
    let name = Name::from_ascii(format!("kubernetes.default.svc.{domain}."))?;
    let mut question = Message::new(7, MessageType::Query, OpCode::Query);
    question.add_query(Query::query(name, RecordType::A));
    let question = question.to_vec()?;
    for _ in 0..MAXIMUM_QUESTIONS {
        // A fresh socket each time: the kernel remembers where it sent the last one's packets.
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        if ask(&socket, SocketAddr::new(service_ip, 53), &question).await.is_some_and(|answer| has_answer(&answer)) {
            return Ok(());
        }
    }
    bail!("DNS at {service_ip} does not answer; see the server's log")
}

async fn ask(socket: &UdpSocket, server: SocketAddr, question: &[u8]) -> Option<Message> {
    let exchange = async {
        socket.connect(server).await?;
        socket.send(question).await?;
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).await?;
        anyhow::Ok(Message::from_vec(&buffer[..length]).context("the answer")?)
    };
    // An ICMP refusal comes at once; the rest of the slice is then waited out, so that questions stay few.
    let deadline = tokio::time::Instant::now() + ANSWER_TIMEOUT;
    match tokio::time::timeout_at(deadline, exchange).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(_)) => {
            tokio::time::sleep_until(deadline).await;
            None
        }
        Err(_) => None,
    }
}

fn has_answer(answer: &Message) -> bool {
    answer.metadata.response_code == ResponseCode::NoError && !answer.answers.is_empty()
}

/// The name servers of this machine, to which DNS passes on what is not the cluster's.
pub(crate) fn machine_resolvers() -> Vec<SocketAddr> {
    // systemd-resolved keeps the real servers beside the stub it puts into /etc/resolv.conf.
    let files = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"];
    let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    parse_resolvers(&text)
}

fn parse_resolvers(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| line.strip_prefix("nameserver"))
        .filter_map(|rest| rest.trim().parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_from_the_machines_file() {
        let text = "# made by hand\nsearch example.org\nnameserver 192.0.2.53\nnameserver ::1\nnameserver nonsense\n";
        let found: Vec<String> = parse_resolvers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.53:53", "[::1]:53"]);
    }
}
