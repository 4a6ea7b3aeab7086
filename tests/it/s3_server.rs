//! A real S3-speaking server (`s3s-fs`, signatures checked) over TCP in this process, with faults put between it
//! and the network on request.

#![expect(clippy::unwrap_used, reason = "a server that cannot start ends the test")]

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use hyper::{Request, Response, body::Incoming, header::CONTENT_LENGTH, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::{auth::SimpleAuth, service::S3Service, service::S3ServiceBuilder};
use tokio_stream::StreamExt as _;
use vouch::objects::{S3Credentials, S3Settings, S3Timeouts};

pub const BUCKET: &str = "receipts";
const ACCESS_KEY: &str = "AKIAVOUCHTEST";
const SECRET_KEY: &str = "a-secret-for-tests-only";

/// Something that goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error answer with this status and S3 code instead of doing anything.
    Answer(u16, &'static str),
    /// No answer ever.
    Stall,
    /// Done, but the connection breaks before the answer.
    LoseAnswer,
    /// Done, but never answered; the log gets a line `held METHOD …`.
    HoldAnswer,
    /// Half of the body, then the connection breaks.
    TruncateBody,
    /// One bit of the body turned over.
    AlterBody,
    /// Half of the body, then nothing.
    StallBody,
    /// Done and answered, then the stored bytes change on disk.
    AlterStored,
    /// Done and answered, then the stored object is gone.
    LoseStored,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

struct Shared {
    service: S3Service,
    root: PathBuf,
    faults: Mutex<VecDeque<(String, Fault)>>,
    is_away: AtomicBool,
    log: Mutex<Vec<String>>,
}

pub struct S3Server {
    shared: Arc<Shared>,
    port: u16,
    task: tokio::task::JoinHandle<()>,
    root: tempfile::TempDir,
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl S3Server {
    /// Starts the server on a free port with one empty bucket.
    pub async fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let shared = Arc::new(Shared {
            service: builder.build(),
            root: root.path().to_path_buf(),
            faults: Mutex::default(),
            is_away: AtomicBool::new(false),
            log: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let handler = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { return };
                if handler.is_away.load(Ordering::Relaxed) {
                    continue;
                }
                let handler = Arc::clone(&handler);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&handler), request));
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { shared, port, task, root }
    }

    /// How a store reaches this server.
    pub fn settings(&self) -> S3Settings {
        S3Settings {
            bucket: BUCKET.into(),
            prefix: "vouch/".into(),
            region: "us-east-1".into(),
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            path_style: true,
            credentials: S3Credentials {
                access_key_id: ACCESS_KEY.into(),
                secret_access_key: SECRET_KEY.into(),
                session_token: None,
            },
            ca_pem: None,
            timeouts: S3Timeouts::default(),
        }
    }

    /// The environment with which `vouch` uses this server.
    pub fn environment(&self) -> Vec<(String, String)> {
        let settings = self.settings();
        let pair = |key: &str, value: &str| (format!("VOUCH_OBJECTS__{key}"), value.to_owned());
        vec![
            pair("STORE", "s3"),
            pair("S3__BUCKET", &settings.bucket),
            pair("S3__ENDPOINT", settings.endpoint.as_deref().unwrap()),
            pair("S3__REGION", &settings.region),
            pair("S3__PREFIX", &settings.prefix),
            pair("S3__PATH_STYLE", "true"),
            pair("S3__ACCESS_KEY_ID", &settings.credentials.access_key_id),
            pair("S3__SECRET_ACCESS_KEY", &settings.credentials.secret_access_key),
        ]
    }

    /// Where the buckets are.
    pub fn root(&self) -> &std::path::Path {
        self.root.path()
    }

    /// Puts an object there, as somebody else would.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.root.path().join(BUCKET).join(name), bytes).unwrap();
    }

    /// The next request whose `METHOD /path?query` contains `pattern` meets `fault`.
    pub fn inject(&self, pattern: &str, fault: Fault) {
        self.shared.faults.lock().unwrap().push_back((pattern.to_owned(), fault));
    }

    /// From now on connections break, or work again.
    pub fn go_away(&self, is_away: bool) {
        self.shared.is_away.store(is_away, Ordering::Relaxed);
    }

    /// Requests so far: method, path and query, `If-None-Match`, signed body digest.
    pub fn log(&self) -> Vec<String> {
        self.shared.log.lock().unwrap().clone()
    }

    /// Files of unfinished uploads in the server's directory.
    pub fn left_over_parts(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.root.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("upload")).collect()
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<s3s::Body>, BoxError> {
    if shared.is_away.load(Ordering::Relaxed) {
        return Err("injected: the server is away".into());
    }
    let line = format!("{} {}", request.method(), request.uri());
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("-").to_owned();
    let logged = format!("{line} {} {}", header("if-none-match"), header("x-amz-content-sha256"));
    shared.log.lock().unwrap().push(logged);
    let stored = shared.root.join(request.uri().path().trim_start_matches('/'));
    let fault = {
        let mut faults = shared.faults.lock().unwrap();
        let found = faults.iter().position(|(pattern, _)| line.contains(pattern));
        found.and_then(|index| faults.remove(index)).map(|(_, fault)| fault)
    };
    match fault {
        Some(Fault::Answer(status, code)) => {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>injected</Message></Error>");
            return Ok(Response::builder().status(status).body(s3s::Body::from(body))?);
        }
        Some(Fault::Stall) => std::future::pending().await,
        _ => {}
    }
    let response = shared.service.call(request.map(s3s::Body::from)).await.map_err(|e| format!("{e:?}"))?;
    match fault {
        None | Some(Fault::Answer(..) | Fault::Stall) => Ok(response),
        Some(Fault::HoldAnswer) => {
            shared.log.lock().unwrap().push(format!("held {line}"));
            std::future::pending().await
        }
        Some(Fault::LoseAnswer) => Err("injected: the answer is lost".into()),
        Some(Fault::AlterStored) => {
            let mut bytes = std::fs::read(&stored)?;
            bytes[0] ^= 1;
            std::fs::write(&stored, bytes)?;
            Ok(response)
        }
        Some(Fault::LoseStored) => {
            std::fs::remove_file(&stored)?;
            Ok(response)
        }
        Some(fault @ (Fault::TruncateBody | Fault::AlterBody | Fault::StallBody)) => {
            let (mut parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(axum::body::Body::new(body), usize::MAX).await?;
            parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
            let half = bytes.slice(..bytes.len() / 2);
            let body = match fault {
                Fault::AlterBody => {
                    let mut altered = bytes.to_vec();
                    altered[bytes.len() / 2] ^= 1;
                    s3s::Body::from(Bytes::from(altered))
                }
                Fault::TruncateBody => {
                    let cut = futures_util::stream::once(async {
                        // Lets the server send the first half before the error ends everything.
                        tokio::task::yield_now().await;
                        Err(std::io::Error::other("injected: cut off"))
                    });
                    let pieces = tokio_stream::iter([Ok(half)]).chain(cut);
                    s3s::Body::http_body_unsync(axum::body::Body::from_stream(pieces))
                }
                _ => {
                    let pieces = tokio_stream::iter([Ok::<_, std::io::Error>(half)]).chain(tokio_stream::pending());
                    s3s::Body::http_body_unsync(axum::body::Body::from_stream(pieces))
                }
            };
            Ok(Response::from_parts(parts, body))
        }
    }
}
