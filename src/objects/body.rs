//! The bytes of an object on their way out of the store.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Instant, Sleep},
};
use tokio_util::io::ReaderStream;

/// A stream of an object's bytes. It yields exactly [`ObjectBody::size`] bytes or an error: a body that ends
/// early is `UnexpectedEof`, one that stalls is `TimedOut`.
pub struct ObjectBody {
    inner: Pin<Box<dyn AsyncRead + Send>>,
    size: u64,
    left: u64,
    stall: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl ObjectBody {
    pub(super) fn new(inner: impl AsyncRead + Send + 'static, size: u64, stall: Duration) -> Self {
        Self { inner: Box::pin(inner), size, left: size, stall, deadline: Box::pin(tokio::time::sleep(stall)) }
    }

    /// Bytes of the whole object.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// As a stream of pieces, for an HTTP response.
    pub fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        ReaderStream::with_capacity(self, 64 * 1024)
    }
}

impl AsyncRead for ObjectBody {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let Poll::Ready(result) = this.inner.as_mut().poll_read(cx, buf) else {
            ready!(this.deadline.as_mut().poll(cx));
            let reason = format!("no byte for {:?}, {} of {} bytes missing", this.stall, this.left, this.size);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
        };
        result?;
        this.deadline.as_mut().reset(Instant::now() + this.stall);
        let count = (buf.filled().len() - before) as u64;
        if count == 0 && this.left > 0 {
            let reason = format!("the body ended {} bytes short of {}", this.left, this.size);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason)));
        }
        if count > this.left {
            let reason = format!("the body is longer than the announced {} bytes", this.size);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
        }
        this.left -= count;
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectBody").field("size", &self.size).field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_body_that_ends_early_is_an_error_and_not_a_short_file() {
        let mut body = ObjectBody::new(&b"abc"[..], 5, SECOND);
        let error = body.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        let mut bytes = Vec::new();
        ObjectBody::new(&b"abc"[..], 3, SECOND).read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"abc");
    }

    #[tokio::test]
    async fn a_body_that_stalls_times_out() {
        let (reader, _writer) = tokio::io::duplex(8);
        let mut body = ObjectBody::new(reader, 5, Duration::from_millis(5));
        let error = body.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
