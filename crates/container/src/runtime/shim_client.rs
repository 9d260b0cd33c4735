//! Speaking to a shim from the asynchronous program.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;

use crate::shim::protocol::{
    Reply, Request, SOCKET_FILE, encode, frame_length, receive_with_descriptors, send_with_descriptors, short_path,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ShimError {
    /// Nobody listens: the shim has ended.
    #[error("the pod's shim is gone")]
    Gone(#[source] io::Error),
    #[error("cannot speak to the pod's shim")]
    Broken(#[from] io::Error),
    #[error("{0}")]
    Refused(String),
    #[error("the container is not running")]
    NotRunning,
    #[error("the pod's shim answered out of turn")]
    OutOfTurn,
}

/// A connection that carries one request and what comes of it.
#[derive(Debug)]
pub(crate) struct Conversation {
    stream: UnixStream,
    /// What came with `Done`.
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// Sends the request and waits for `Done`.
pub(crate) async fn ask(folder: &Path, request: &Request, descriptors: &[OwnedFd]) -> Result<Conversation, ShimError> {
    let stream = connect(folder).await?;
    let frame = encode(request)?;
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let sent = stream
        .async_io(Interest::WRITABLE, || send_with_descriptors(stream.as_raw_fd(), &frame, &raw))
        .await
        .map_err(ShimError::Gone)?;
    let mut conversation = Conversation { stream, descriptors: Vec::new() };
    conversation.stream.write_all(&frame[sent..]).await?;
    match conversation.next().await? {
        Some(Reply::Done) => Ok(conversation),
        Some(Reply::Refused { message }) => Err(ShimError::Refused(message)),
        Some(Reply::NotFound) => Err(ShimError::NotRunning),
        Some(_) => Err(ShimError::OutOfTurn),
        None => Err(ShimError::Gone(io::ErrorKind::UnexpectedEof.into())),
    }
}

impl Conversation {
    /// The next reply, or nothing when the shim has hung up.
    pub(crate) async fn next(&mut self) -> Result<Option<Reply>, ShimError> {
        let mut header = [0; 4];
        let stream = &self.stream;
        let received =
            stream.async_io(Interest::READABLE, || receive_with_descriptors(stream.as_raw_fd(), &mut header)).await;
        let (count, descriptors) = match received {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if count == 0 {
            return Ok(None);
        }
        self.descriptors.extend(descriptors);
        self.stream.read_exact(&mut header[count..]).await?;
        let mut body = vec![0; frame_length(header)?];
        self.stream.read_exact(&mut body).await?;
        Ok(Some(serde_json::from_slice(&body).map_err(io::Error::from)?))
    }

    /// Waits for the end of what was started.
    pub(crate) async fn exit_code(&mut self) -> Result<i32, ShimError> {
        match self.next().await? {
            Some(Reply::Exited { exit_code }) => Ok(exit_code),
            Some(_) => Err(ShimError::OutOfTurn),
            None => Err(ShimError::Gone(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

async fn connect(folder: &Path) -> Result<UnixStream, ShimError> {
    let folder = File::open(folder).map_err(ShimError::Gone)?;
    UnixStream::connect(short_path(&folder, SOCKET_FILE)).await.map_err(ShimError::Gone)
}
