//! Sockets for SMTP and LMTP: connections, TLS, time limits and the spool around the pure [`Session`].

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    super::{CaptureError, Spooled, Spooler},
    Delivered, Origin, PostOffice,
    deliver::Recipient,
    prompt::Prompt,
    rates::Rates,
    reply,
    session::{Action, Answer, Dialect, End, Envelope, Fate, Session, Terms},
};
use crate::{
    domain::{capture::Reason, mail::Way},
    kill_points,
};

/// Octets read at once; also what a client can make the session hold.
const READ_BYTES: usize = 64 * 1024;
/// How long a client must keep silent before the greeting, by default. Programs that do not wait for it are no mail servers.
pub const GREETING_PAUSE: Duration = Duration::from_millis(50);
/// How long the TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// How long content may be silent (RFC 5321, section 4.5.3.2.5).
const CONTENT_SILENCE: Duration = Duration::from_secs(180);
/// How long a message may take before it must have come at [`MIN_RATE`].
const CONTENT_GRACE: Duration = Duration::from_secs(60);
/// Octets a second a message must come with after its grace, so that slow senders do not hold connections for days.
const MIN_RATE: u64 = 1_000;
/// How long an answer to a wrong address waits: guessing 80 bits becomes slow as well as hopeless.
const TARPIT: Duration = Duration::from_millis(500);
/// How long a conversation may take altogether.
const MAX_CONVERSATION: Duration = Duration::from_secs(3600);

/// How one listener works.
#[derive(Clone)]
pub struct ListenerSettings {
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one address.
    pub max_per_address: usize,
    /// How long a client must keep silent before the greeting (SMTP).
    pub greeting_pause: Duration,
    /// How long a command may take to come.
    pub silence: Duration,
    /// For `STARTTLS`.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How much mail a sender may bring and an address takes.
    pub rates: Rates,
}

/// Takes connections until `stop` is cancelled, then lets messages in hand end.
pub async fn listen(listener: TcpListener, office: PostOffice, settings: ListenerSettings, stop: CancellationToken) {
    let desk = Arc::new(Desk { office, settings, open: Mutex::default(), stop: stop.clone() });
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let desk = desk.clone();
                    conversations.spawn(async move { desk.serve(stream, peer).await });
                }
                Err(error) => {
                    // Out of file handles: let some conversations end.
                    tracing::warn!("A mail connection could not be taken: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = conversations.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    while conversations.join_next().await.is_some() {}
}

/// One listener with its open connections.
struct Desk {
    office: PostOffice,
    settings: ListenerSettings,
    open: Mutex<HashMap<IpAddr, usize>>,
    stop: CancellationToken,
}

/// A counted connection; gone from the count when dropped.
struct Seat<'a> {
    desk: &'a Desk,
    ip: IpAddr,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut open = self.desk.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.ip);
            }
        }
    }
}

/// How a conversation over one stream ended.
enum Ended {
    /// For good.
    Closed,
    /// To go on over TLS.
    StartTls(Box<Session>),
}

impl Desk {
    fn seat(&self, ip: IpAddr) -> Option<Seat<'_>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let of_this = open.get(&ip).copied().unwrap_or_default();
        if all >= self.settings.max_connections || of_this >= self.settings.max_per_address {
            return None;
        }
        *open.entry(ip).or_default() += 1;
        Some(Seat { desk: self, ip })
    }

    fn terms(&self) -> Terms {
        Terms {
            dialect: self.settings.dialect,
            host_name: self.office.settings.host_name.clone(),
            max_bytes: self.office.app.limits.max_bytes,
            has_tls: self.settings.tls.is_some(),
        }
    }

    async fn serve(&self, mut stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let Some(_seat) = self.seat(peer.ip().to_canonical()) else {
            let _ = timeout(Duration::from_secs(5), stream.write_all(&reply::TOO_MANY_CONNECTIONS.line())).await;
            return;
        };
        metrics::counter!("vouch_mail_connections_total").increment(1);
        match timeout(MAX_CONVERSATION, self.talk(stream, peer)).await {
            Ok(Ok(())) => {}
            // A client that goes away is no news.
            Ok(Err(error)) => tracing::debug!("A mail connection broke: {error}"),
            Err(_) => tracing::info!("Ended a mail connection after its longest time"),
        }
    }

    async fn talk(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let session = match self.settings.dialect {
            Dialect::Smtp if self.speaks_too_early(&stream).await => Session::spoke_too_early(self.terms()),
            Dialect::Smtp | Dialect::Lmtp => Session::new(self.terms()),
        };
        let mut stream = Prompt(stream);
        let Ended::StartTls(session) = self.converse(session, &mut stream, peer).await? else { return Ok(()) };
        let Some(tls) = self.settings.tls.clone() else { return Ok(()) };
        let handshake = TlsAcceptor::from(tls).accept(stream);
        let mut stream = timeout(HANDSHAKE_TIME, handshake).await.map_err(io::Error::other)??;
        self.converse(session.encrypted(), &mut stream, peer).await?;
        let _ = timeout(Duration::from_secs(5), stream.shutdown()).await;
        Ok(())
    }

    async fn speaks_too_early(&self, stream: &TcpStream) -> bool {
        let mut octet = [0; 1];
        matches!(timeout(self.settings.greeting_pause, stream.peek(&mut octet)).await, Ok(Ok(read)) if read > 0)
    }

    /// Talks until the end, or until TLS begins.
    async fn converse<S>(&self, mut session: Session, stream: &mut S, peer: SocketAddr) -> io::Result<Ended>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut hand = Hand::default();
        let mut has_delivered = false;
        let mut out = Vec::new();
        let mut octets = vec![0; READ_BYTES];
        // Ends: the session closes, the stream ends, or time runs out.
        loop {
            while let Some(action) = session.next_action() {
                match action {
                    Action::Send(reply) => out.extend_from_slice(&reply),
                    Action::Lookup(address) => {
                        let answer = self.look_up(&address, session.sender(), &mut hand).await;
                        if answer == Answer::Unknown {
                            flush(stream, &mut out).await?;
                            tokio::time::sleep(TARPIT).await;
                        }
                        session.recipient(answer);
                        kill_points::reached("m01");
                    }
                    Action::Content(content) => {
                        hand.push(self, &content).await;
                        kill_points::reached("m02");
                    }
                    Action::Deliver(envelope) => {
                        flush(stream, &mut out).await?;
                        kill_points::reached("m03");
                        let fates = self.deliver(envelope, std::mem::take(&mut hand), peer).await;
                        kill_points::reached("m04");
                        session.delivered(&fates);
                        has_delivered = true;
                    }
                    Action::Abandon => hand = Hand::default(),
                    Action::StartTls => {
                        flush(stream, &mut out).await?;
                        return Ok(Ended::StartTls(Box::new(session)));
                    }
                    Action::Close => {
                        flush(stream, &mut out).await?;
                        let _ = stream.shutdown().await;
                        return Ok(Ended::Closed);
                    }
                }
            }
            flush(stream, &mut out).await?;
            if has_delivered {
                kill_points::reached("m05");
            }
            if session.is_receiving() && hand.is_too_slow() {
                session.end_now(End::TooSlow);
                continue;
            }
            let silence = if session.is_receiving() { CONTENT_SILENCE } else { self.settings.silence };
            let read = tokio::select! {
                read = timeout(silence, stream.read(&mut octets)) => read,
                // Between messages a conversation can end at any time; inside one the client may finish.
                () = self.stop.cancelled(), if !session.is_receiving() => {
                    session.end_now(End::Stopping);
                    continue;
                }
            };
            match read {
                Ok(Ok(0)) => return Ok(Ended::Closed),
                Ok(Ok(read)) => session.feed(&octets[..read]),
                Ok(Err(error)) => return Err(error),
                Err(_) => session.end_now(End::TooSlow),
            }
        }
    }

    async fn look_up(&self, address: &str, sender: &str, hand: &mut Hand) -> Answer {
        let domains = &self.office.settings.domains;
        if !domains.is_empty() && !self.office.is_our_domain(address) {
            return Answer::Foreign;
        }
        match self.office.find(address).await {
            Ok(Some(_)) if !self.settings.rates.admits(sender, address, Instant::now()) => {
                metrics::counter!("vouch_mail_total", "way" => "smtp", "outcome" => "too_many").increment(1);
                Answer::Busy
            }
            Ok(Some(found)) => {
                hand.recipients.push(found.into());
                Answer::Known
            }
            Ok(None) => Answer::Unknown,
            Err(error) => {
                tracing::warn!("A mail address could not be looked up: {error}");
                Answer::Unavailable
            }
        }
    }

    /// Keeps the message, and says what became of it for each recipient.
    async fn deliver(&self, envelope: Envelope, hand: Hand, peer: SocketAddr) -> Vec<Fate> {
        let count = hand.recipients.len();
        let (spooled, recipients) = match hand.finish(self).await {
            Ok(finished) => finished,
            Err(error) => return vec![fate_of(&error); count],
        };
        // One person may be named twice; each address is answered for.
        let ip = peer.ip().to_canonical();
        let is_stranger = self.settings.dialect == Dialect::Smtp && !ip.is_loopback();
        let origin = Origin {
            way: match self.settings.dialect {
                Dialect::Smtp => Way::Smtp,
                Dialect::Lmtp => Way::Lmtp,
            },
            ip: is_stranger.then_some(ip),
            peer: Some(ip.to_string()),
            hello: Some(envelope.hello),
            sender: Some(envelope.sender),
            is_encrypted: envelope.is_encrypted,
            is_handed_in: false,
        };
        let delivered = self.office.deliver(&spooled, &origin, &recipients).await;
        delivered.iter().map(fate).collect()
    }
}

/// The message in hand.
#[derive(Default)]
struct Hand {
    recipients: Vec<Recipient>,
    spooler: Option<Spooler>,
    failure: Option<CaptureError>,
    began: Option<Instant>,
    size: u64,
}

impl Hand {
    /// Adds content. A failure is kept for the end: the client hears of it when it asks.
    async fn push(&mut self, desk: &Desk, content: &[u8]) {
        self.size += content.len() as u64;
        self.began.get_or_insert_with(Instant::now);
        if self.failure.is_some() {
            return;
        }
        if self.spooler.is_none() {
            match Spooler::begin(&desk.office.app.spool, &desk.office.app.limits).await {
                Ok(spooler) => self.spooler = Some(spooler),
                Err(error) => self.failure = Some(error),
            }
        }
        if let Some(spooler) = &mut self.spooler
            && let Err(error) = spooler.push(content).await
        {
            self.failure = Some(error);
            self.spooler = None;
        }
    }

    fn is_too_slow(&self) -> bool {
        self.began.is_some_and(|began| {
            let late = began.elapsed().saturating_sub(CONTENT_GRACE);
            late.as_secs() * MIN_RATE > self.size
        })
    }

    async fn finish(self, desk: &Desk) -> Result<(Spooled, Vec<Recipient>), CaptureError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let spooler = match self.spooler {
            Some(spooler) => spooler,
            None => Spooler::begin(&desk.office.app.spool, &desk.office.app.limits).await?,
        };
        Ok((spooler.finish_mail().await?, self.recipients))
    }
}

async fn flush(stream: &mut (impl AsyncWrite + Unpin), out: &mut Vec<u8>) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    timeout(CONTENT_SILENCE, async {
        stream.write_all(out).await?;
        stream.flush().await
    })
    .await
    .map_err(io::Error::other)??;
    out.clear();
    Ok(())
}

fn fate(delivered: &Delivered) -> Fate {
    match delivered {
        Ok(_) => Fate::Kept,
        Err(error) => {
            let fate = fate_of(error);
            if fate >= Fate::DiskFull {
                tracing::warn!("A message could not be kept and will come again: {error}");
            }
            fate
        }
    }
}

/// What a sender is told. Whatever is not certainly the message's fault is ours: the sender keeps it.
fn fate_of(error: &CaptureError) -> Fate {
    match error {
        CaptureError::Refused { reason: Reason::TooLarge, .. } => Fate::TooLarge,
        CaptureError::Refused { reason: Reason::Empty, .. } => Fate::Refused,
        CaptureError::Refused { reason: Reason::AutomaticMail, .. } => Fate::Looping,
        CaptureError::DiskFull { .. } => Fate::DiskFull,
        CaptureError::Spool(source) if source.kind() == io::ErrorKind::StorageFull => Fate::DiskFull,
        CaptureError::Objects(source) if source.to_string().contains("No space left") => Fate::DiskFull,
        CaptureError::Refused { .. }
        | CaptureError::Interrupted(_)
        | CaptureError::NotOnBehalf(_)
        | CaptureError::UnknownVisit(_)
        | CaptureError::TooLong { .. }
        | CaptureError::Spool(_)
        | CaptureError::Objects(_)
        | CaptureError::Store(_) => Fate::TryAgain,
    }
}
