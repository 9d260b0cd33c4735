//! What the API server was asked, by its own count.

use anyhow::Context;
use client::Client;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Requests {
    /// Watches are not among them.
    pub(super) all: usize,
    pub(super) lists: usize,
}

impl Requests {
    pub(super) async fn of(client: &Client) -> anyhow::Result<Self> {
        let page = client.request_text(http::Request::get("/metrics").body(Vec::new())?).await?;
        Requests::read(&page)
    }

    pub(super) fn since(self, before: Requests) -> Self {
        Requests { all: self.all - before.all, lists: self.lists - before.lists }
    }

    fn read(page: &str) -> anyhow::Result<Self> {
        let mut requests = Requests::default();
        for line in page.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
            let (labels, count) = line.rsplit_once(' ').context("a line of metrics without a value")?;
            let count: usize = count.parse()?;
            if labels.contains("verb=\"LIST\"") {
                requests.lists += count;
            }
            if !labels.contains("verb=\"WATCH\"") {
                requests.all += count;
            }
        }
        Ok(requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_verb() {
        let page = "# TYPE apiserver_request_total counter\n\
                    apiserver_request_total{code=\"200\",verb=\"LIST\"} 2\n\
                    apiserver_request_total{code=\"201\",verb=\"POST\"} 5\n\
                    apiserver_request_total{code=\"200\",verb=\"WATCH\"} 7\n\
                    apiserver_current_inflight_requests{request_kind=\"mutating\"} 1\n";
        assert_eq!(Requests::read(page).unwrap(), Requests { all: 7, lists: 2 });
    }
}
