//! A listener over a test application, and what came in through it.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use vouch::{
    capture::mail::{
        PostOffice, addresses,
        listener::{self, ListenerSettings},
        rates,
        session::Dialect,
    },
    domain::{ids::CaptureId, person::Actor},
    store::{
        captures::{self, CaptureRow},
        documents::DocumentRow,
        mail_messages::{self, MailMessage},
    },
};

use crate::support::{Fresh, TestApp, app, fresh_sqlite, office, rep};

/// Somebody with a secret address, and a listener.
pub struct World {
    pub fresh: Fresh,
    pub test: TestApp,
    pub anna: Actor,
    /// Anna's secret address.
    pub address: String,
    /// Messages an hour that listeners take from a sender and for an address; 0: any number.
    pub per_hour: u32,
}

/// A listener that ends when dropped.
pub struct Running {
    pub at: SocketAddr,
    _stop: DropGuard,
}

impl World {
    pub async fn new() -> Self {
        let fresh = fresh_sqlite().await;
        let test = app(&fresh.db).await;
        let anna = rep(&test, "anna").await.actor().unwrap();
        let address = address_of(&test, &anna).await;
        Self { fresh, test, anna, address, per_hour: 0 }
    }

    pub async fn listen(&self, dialect: Dialect) -> Running {
        self.listen_with(office(&self.test), dialect, None).await
    }

    /// A listener that waits long for clients that speak first.
    pub async fn listen_patiently(&self) -> Running {
        self.start(office(&self.test), Dialect::Smtp, None, std::time::Duration::from_secs(60)).await
    }

    pub async fn listen_with(
        &self,
        office: PostOffice,
        dialect: Dialect,
        tls: Option<std::sync::Arc<rustls::ServerConfig>>,
    ) -> Running {
        self.start(office, dialect, tls, std::time::Duration::ZERO).await
    }

    async fn start(
        &self,
        office: PostOffice,
        dialect: Dialect,
        tls: Option<std::sync::Arc<rustls::ServerConfig>>,
        greeting_pause: std::time::Duration,
    ) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let settings = ListenerSettings {
            dialect,
            max_connections: 50,
            max_per_address: 40,
            greeting_pause,
            silence: std::time::Duration::from_secs(60),
            tls,
            rates: rates::Rates::per_hour(self.per_hour),
        };
        tokio::spawn(listener::listen(listener, office, settings, stop.clone()));
        Running { at, _stop: stop.drop_guard() }
    }

    /// Everything that waits for Anna.
    pub async fn waiting(&self) -> Vec<MailMessage> {
        let mut tx = self.test.app.db.read().await.unwrap();
        mail_messages::list_doubted(&mut tx, &self.anna.id, None, 10_000).await.unwrap()
    }

    /// A capture with its documents.
    pub async fn capture(&self, id: &CaptureId) -> (CaptureRow, Vec<DocumentRow>) {
        let mut tx = self.test.app.db.read().await.unwrap();
        let capture = captures::find(&mut tx, id).await.unwrap().expect("the capture");
        (capture, captures::documents(&mut tx, id).await.unwrap())
    }

    /// The stored bytes of a message.
    pub async fn bytes(&self, message: &MailMessage) -> Vec<u8> {
        let (_, documents) = self.capture(&message.capture_id).await;
        let key = documents[0].object_key.parse().unwrap();
        self.test.app.objects.get_verified(&key, u64::MAX / 2, &documents[0].sha256).await.unwrap().to_vec()
    }
}

/// The secret address of a person.
pub async fn address_of(test: &TestApp, person: &Actor) -> String {
    let addresses = addresses::of_person(&test.app, person).await.unwrap();
    format!("{}@in.example", addresses[0].local_part)
}

/// A raw conversation: sends the parts, waiting for a reply after each, and returns all replies.
pub async fn talk(at: SocketAddr, parts: &[&[u8]]) -> Vec<String> {
    let stream = TcpStream::connect(at).await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut replies = vec![reply(&mut read).await];
    for part in parts {
        if write.write_all(part).await.is_err() {
            break;
        }
        replies.push(reply(&mut read).await);
    }
    write.shutdown().await.ok();
    let mut rest = String::new();
    read.read_to_string(&mut rest).await.ok();
    replies.extend(rest.lines().map(str::to_owned));
    replies
}

/// One reply, of one line or several; empty when the connection is closed.
async fn reply(read: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> String {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await.unwrap_or(0) == 0 {
            return text;
        }
        text.push_str(&line);
        if line.as_bytes().get(3) != Some(&b'-') {
            return text;
        }
    }
}
