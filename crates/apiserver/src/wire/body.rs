//! Bodies: what comes in with a limit, what goes out in shared pieces.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};

use crate::status::ApiError;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the server reads, and what it answers with.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The most a request may carry, as upstream's.
pub(crate) const MAX_REQUEST_BYTES: usize = 3 * 1024 * 1024;

pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(never).boxed_unsync()
}

/// Slices of stored objects and what stands between them, sent without being copied together.
pub(crate) fn pieces(pieces: Vec<Bytes>) -> Body {
    Pieces { remaining: pieces.iter().map(|piece| piece.len() as u64).sum(), pieces: pieces.into() }
        .map_err(never)
        .boxed_unsync()
}

/// A body that comes piece by piece: a watch, a followed log.
pub(crate) fn stream<S>(stream: S) -> Body
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    use futures::TryStreamExt;
    BodyExt::boxed_unsync(StreamBody::new(stream.map_ok(Frame::data)))
}

/// Wraps a body of another library.
pub(crate) fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// The whole body, or 413 once it passes the limit.
pub(crate) async fn read(mut body: Body) -> Result<Bytes, ApiError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| ApiError::bad_request(format!("unable to read the request body: {error}")))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > MAX_REQUEST_BYTES {
            return Err(ApiError::too_large(format!("Request entity too large: limit is {MAX_REQUEST_BYTES}")));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn never(error: Infallible) -> BoxError {
    match error {}
}

struct Pieces {
    pieces: VecDeque<Bytes>,
    remaining: u64,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.pop_front().map(|piece| {
            self.remaining -= piece.len() as u64;
            Ok(Frame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.remaining)
    }
}
