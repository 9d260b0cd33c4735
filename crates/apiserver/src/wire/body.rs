//! Bodies: what comes in with a limit, what goes out in pieces.

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

/// Long answers are handed to the connection in buffers of about this size.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(never).boxed_unsync()
}

/// A body that is put together as the connection takes it; `length` is given where it is known.
pub(crate) fn chunks(length: Option<u64>, chunks: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Chunks { remaining: length, chunks: Box::new(chunks) }.map_err(never).boxed_unsync()
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

struct Chunks {
    remaining: Option<u64>,
    chunks: Box<dyn Iterator<Item = Bytes> + Send>,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.chunks.next();
        if let (Some(remaining), Some(chunk)) = (&mut self.remaining, &chunk) {
            *remaining -= chunk.len() as u64;
        }
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.remaining.map_or_else(http_body::SizeHint::default, http_body::SizeHint::with_exact)
    }
}
