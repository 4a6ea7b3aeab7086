//! Connections to IMAP servers: TLS, and a limit on what a server may make us hold.

use std::{
    fmt, io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_imap::Client;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{Account, ImapError};

/// How long reaching the server may take.
const CONNECT_TIME: Duration = Duration::from_secs(30);

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TLS from the first octet.
    Tls,
    /// TLS after `STARTTLS`; without it nothing is said.
    StartTls,
    /// Nothing, for servers on this machine.
    Plain,
}

/// What both kinds of connection can do.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Wire for T {}

/// A connection that gives no more octets than the command in hand may need.
pub(super) struct Capped {
    inner: Box<dyn Wire>,
    left: u64,
}

impl Capped {
    fn new(inner: Box<dyn Wire>) -> Self {
        Self { inner, left: 0 }
    }

    /// The next command may bring so many octets.
    pub(super) fn allow(&mut self, octets: u64) {
        self.left = octets;
    }
}

impl fmt::Debug for Capped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capped").field("left", &self.left).finish_non_exhaustive()
    }
}

impl AsyncRead for Capped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if matches!(result, Poll::Ready(Ok(()))) {
            let read = (buf.filled().len() - before) as u64;
            let Some(left) = self.left.checked_sub(read) else {
                return Poll::Ready(Err(io::Error::other("the server sent more than was asked for")));
            };
            self.left = left;
        }
        result
    }
}

impl AsyncWrite for Capped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A connection after the server's greeting, protected as configured.
pub(super) async fn connect(account: &Account, allowance: u64) -> Result<Client<Capped>, ImapError> {
    let address = (account.host.as_str(), account.port);
    let stream = timeout(CONNECT_TIME, TcpStream::connect(address))
        .await
        .map_err(|_| ImapError::Silent("connecting"))?
        .map_err(|error| ImapError::Connection(error.to_string()))?;
    let wire: Box<dyn Wire> = match account.transport {
        Transport::Plain => Box::new(stream),
        Transport::Tls => Box::new(encrypt(account, stream).await?),
        Transport::StartTls => {
            let mut client = greeted(Box::new(stream), allowance).await?;
            let starting = client.run_command_and_check_ok("STARTTLS", None);
            timeout(CONNECT_TIME, starting)
                .await
                .map_err(|_| ImapError::Silent("STARTTLS"))?
                .map_err(|error| ImapError::Refused(error.to_string()))?;
            // Answers that came in the clear behind this one are gone with the client.
            let mut client = Client::new(Capped::new(Box::new(encrypt(account, client.into_inner()).await?)));
            client.get_mut().allow(allowance);
            return Ok(client);
        }
    };
    greeted(wire, allowance).await
}

async fn greeted(wire: Box<dyn Wire>, allowance: u64) -> Result<Client<Capped>, ImapError> {
    let mut client = Client::new(Capped::new(wire));
    client.get_mut().allow(allowance);
    let greeting = timeout(CONNECT_TIME, client.read_response())
        .await
        .map_err(|_| ImapError::Silent("greeting"))?
        .map_err(|error| ImapError::Connection(error.to_string()))?;
    greeting.ok_or_else(|| ImapError::Connection("it was closed before the greeting".to_owned()))?;
    Ok(client)
}

async fn encrypt<S>(account: &Account, stream: S) -> Result<tokio_rustls::client::TlsStream<S>, ImapError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + Sync,
{
    let name = ServerName::try_from(account.host.clone())
        .map_err(|_| ImapError::Connection(format!("`{}` is no host name", account.host)))?;
    let connector = TlsConnector::from(Arc::new(trust(account.ca_file.as_deref())?));
    timeout(CONNECT_TIME, connector.connect(name, stream))
        .await
        .map_err(|_| ImapError::Silent("TLS"))?
        .map_err(|error| ImapError::Connection(format!("TLS: {error}")))
}

/// The public authorities, and one of the operator's.
fn trust(ca_file: Option<&Path>) -> Result<ClientConfig, ImapError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let unusable = |error: String| ImapError::File(path.to_owned(), error);
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ImapError::Connection(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
