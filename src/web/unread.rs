//! Answers that come before the request has been read: a refusal by its headers, a full disk, a person not signed in.
//!
//! Left alone, the connection is closed with the rest of the body still coming: the sender's system then throws the answer
//! away (browsers say "network error" instead of "the file is too large"), and a client that keeps connections sends its
//! next request into the closed one. So the rest is read and dropped for a while ("lingering close", RFC 9112 section
//! 9.6), and the answer says that the connection ends with it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt as _;
use http_body::{Frame, SizeHint};

use super::problem::ApiError;

/// The most bytes read only to be dropped: twice the largest file that is taken by default.
const MOST_BYTES: usize = 64 << 20;
/// The longest time spent on it.
const MOST_TIME: Duration = Duration::from_secs(30);

/// Middleware: refuses what says that it is longer than `most` bytes with a typed `413`, and sees to it that whoever is
/// answered early can read the answer.
pub async fn answer_early(most: u64, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Who asks first sends nothing when the answer is no.
    let comes_anyway = !request.headers().contains_key(header::EXPECT);
    let keeps_connections = request.version() <= Version::HTTP_11;
    let read_whole = Arc::new(AtomicBool::new(false));
    let too_long = request.body().size_hint().lower() > most;
    let request =
        request.map(|body| Body::new(Watched { body: Some(body), read_whole: Arc::clone(&read_whole), comes_anyway }));
    let mut response = if too_long {
        let detail = format!("the request is longer than {most} bytes: send fewer or smaller files");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail).into_response()
    } else {
        next.run(request).await
    };
    if keeps_connections && !read_whole.load(Ordering::Acquire) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A request's body that knows whether it was read to its end and, when it was not, has the rest read and dropped.
struct Watched {
    /// `None` only while being dropped.
    body: Option<Body>,
    read_whole: Arc<AtomicBool>,
    comes_anyway: bool,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || body.is_end_stream() {
            self.read_whole.store(true, Ordering::Release);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.read_whole.load(Ordering::Acquire) || !self.comes_anyway {
            return;
        }
        let (Some(body), Ok(runtime)) = (self.body.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            // Ends: the body does, the sender goes away, or one of the two bounds is reached.
            let _ = tokio::time::timeout(MOST_TIME, read_and_drop(body)).await;
        });
    }
}

async fn read_and_drop(body: Body) {
    let mut rest = body.into_data_stream();
    let mut bytes = 0;
    while let Some(Ok(data)) = rest.next().await {
        bytes += data.len();
        if bytes > MOST_BYTES {
            break;
        }
    }
}
