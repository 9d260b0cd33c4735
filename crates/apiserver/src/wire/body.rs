//! Bodies: what comes in with a limit, what goes out in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;

use crate::status::ApiError;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the server reads, and what it answers with.
#[derive(Debug)]
pub struct Body(Source);

/// The two kinds that nearly every request has need no allocation and no call through a pointer.
#[derive(Debug)]
enum Source {
    /// None once it was taken.
    Whole(Option<Bytes>),
    Wire(Incoming),
    Other(UnsyncBoxBody<Bytes, BoxError>),
}

/// The most a request may carry, as upstream's.
pub(crate) const MAX_REQUEST_BYTES: usize = 3 * 1024 * 1024;

/// Long answers are handed to the connection in buffers of about this size.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Body(Source::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
}

/// A body as the connection reads it.
pub(crate) fn wire(body: Incoming) -> Body {
    Body(Source::Wire(body))
}

/// A body that is put together as the connection takes it; `length` is given where it is known.
pub(crate) fn chunks(length: Option<u64>, chunks: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body(Source::Other(Chunks { remaining: length, chunks: Box::new(chunks) }.map_err(never).boxed_unsync()))
}

/// A body that comes piece by piece: a watch, a followed log.
pub(crate) fn stream<S>(stream: S) -> Body
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    use futures::TryStreamExt;
    Body(Source::Other(BodyExt::boxed_unsync(StreamBody::new(stream.map_ok(Frame::data)))))
}

/// Wraps a body of another library.
pub(crate) fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Body(Source::Other(body.map_err(Into::into).boxed_unsync()))
}

/// The whole body, or 413 once it passes the limit.
pub(crate) async fn read(mut body: Body) -> Result<Bytes, ApiError> {
    // Most bodies come in one piece, which is taken as it is.
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| ApiError::bad_request(format!("unable to read the request body: {error}")))?;
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + whole.len() + data.len() > MAX_REQUEST_BYTES {
            return Err(ApiError::too_large(format!("Request entity too large: limit is {MAX_REQUEST_BYTES}")));
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        whole.extend_from_slice(&std::mem::take(&mut first));
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Source::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Wire(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Source::Other(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Whole(bytes) => bytes.is_none(),
            Source::Wire(body) => body.is_end_stream(),
            Source::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Source::Wire(body) => body.size_hint(),
            Source::Other(body) => body.size_hint(),
        }
    }
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

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    #[tokio::test]
    async fn a_body_is_read_whole_in_one_piece_or_several_and_no_further_than_the_limit() {
        let pieces = |pieces: &[&'static str]| {
            let pieces: Vec<Bytes> = pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
            read(chunks(None, pieces.into_iter()))
        };
        assert_eq!(pieces(&[]).await.unwrap(), "");
        assert_eq!(pieces(&["one"]).await.unwrap(), "one");
        assert_eq!(pieces(&["one", "", "two", "three"]).await.unwrap(), "onetwothree");
        let limit = vec![b'x'; MAX_REQUEST_BYTES];
        assert_eq!(read(full(limit.clone())).await.unwrap().len(), MAX_REQUEST_BYTES);
        let beyond = chunks(None, [Bytes::from(limit), Bytes::from_static(b"x")].into_iter());
        let refused = read(beyond).await.unwrap_err();
        assert_eq!((refused.code().as_u16(), refused.message()), (413, "Request entity too large: limit is 3145728"));
    }

    #[test]
    fn a_whole_body_tells_its_length_and_an_empty_one_its_end() {
        assert!(empty().is_end_stream() && full("").is_end_stream() && !full("a").is_end_stream());
        assert_eq!((empty().size_hint().exact(), full("abc").size_hint().exact()), (Some(0), Some(3)));
    }
}
