//! A message on its way to the door: who it is for, what speaks for its sender, whether it is read or waits.

use std::{io, net::IpAddr, path::Path, sync::Arc};

use super::{
    super::{Accepted, CaptureError, Handover, Outcome, Spooled, take_in},
    MailSettings, addresses,
    authenticate::{Authenticator, Route},
    headers::Head,
};
use crate::{
    app::App,
    domain::{
        capture::{Channel, Reason},
        ids::{MailAddressId, PersonId},
        mail::{Doubt, Evidence, Way, judge},
        sha256::Sha256,
        time::Timestamp,
        visit::VisitChoice,
    },
    store::{
        Json, StoreError,
        captures::CaptureRow,
        mail_addresses::{self, MailAddress},
        mail_messages::MailMessage,
        people,
    },
};

/// Where a message came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Which way.
    pub way: Way,
    /// The server that brought it, when it is a stranger's: SPF asks about this one.
    pub ip: Option<IpAddr>,
    /// The server or service that brought it, for people.
    pub peer: Option<String>,
    /// How that server called itself.
    pub hello: Option<String>,
    /// The sender in the envelope; empty for bounces, `None` without an envelope.
    pub sender: Option<String>,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
    /// Whether its owner put it where it was found, such as a folder of their mailbox: then it is theirs to hand in,
    /// whoever wrote it.
    pub is_handed_in: bool,
}

/// Who a message is for.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Whose.
    pub person: PersonId,
    /// The secret address it was sent to, and the visit behind it.
    pub address: Option<MailAddress>,
}

impl From<MailAddress> for Recipient {
    fn from(address: MailAddress) -> Self {
        Self { person: address.person_id.clone(), address: Some(address) }
    }
}

/// What is kept beside the bytes of a message.
#[derive(Debug, Clone)]
pub struct Letter {
    /// SHA-256 without trace headers.
    pub content_hash: Sha256,
    /// Why it waits; `None`: it is read.
    pub doubt: Option<Doubt>,
    way: Way,
    address_id: Option<MailAddressId>,
    envelope_sender: Option<String>,
    header_from: Option<String>,
    subject: Option<String>,
    message_id: Option<String>,
    sent_at: Option<Timestamp>,
    peer: Option<String>,
    hello: Option<String>,
    is_encrypted: bool,
    evidence: Evidence,
}

impl Letter {
    /// The row beside `capture`.
    pub(in crate::capture) fn row(&self, app: &App, capture: &CaptureRow) -> MailMessage {
        MailMessage {
            id: app.id(),
            capture_id: capture.id.clone(),
            owner_id: capture.owner_id.clone(),
            address_id: self.address_id.clone(),
            way: self.way,
            content_hash: self.content_hash,
            envelope_sender: self.envelope_sender.clone(),
            header_from: self.header_from.clone(),
            subject: self.subject.clone(),
            message_id: self.message_id.clone(),
            sent_at: self.sent_at,
            peer: self.peer.clone(),
            hello: self.hello.clone(),
            is_encrypted: self.is_encrypted,
            evidence: Json(self.evidence.clone()),
            doubt: self.doubt,
            received_at: capture.created_at,
            decision: None,
            decided_by: None,
            decided_at: None,
        }
    }
}

/// The reason a capture shows while its message waits.
pub fn reason(doubt: Doubt) -> Reason {
    if doubt.is_quiet() { Reason::AutomaticMail } else { Reason::SenderDoubted }
}

/// What became of a message for one recipient.
pub type Delivered = Result<Accepted, CaptureError>;

/// Takes messages in for their owners. Cheap to clone.
#[derive(Clone)]
pub struct PostOffice {
    /// The running instance.
    pub app: App,
    /// What the organisation decided.
    pub settings: Arc<MailSettings>,
    /// Who asks DNS about senders.
    pub authenticator: Authenticator,
}

impl PostOffice {
    /// Whether the address is in a domain of ours.
    pub fn is_our_domain(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.settings.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain))
    }

    /// An address as people see it.
    pub fn shown(&self, address: &MailAddress) -> String {
        match self.settings.domains.first() {
            Some(domain) => format!("{}@{domain}", address.local_part),
            None => address.local_part.clone(),
        }
    }

    /// Whose the address is.
    pub async fn find(&self, address: &str) -> Result<Option<MailAddress>, StoreError> {
        if addresses::secret_of(address).is_none() {
            return Ok(None);
        }
        let mut tx = self.app.db.read().await?;
        addresses::find(&mut tx, address).await
    }

    /// Takes the message in for each recipient. Each `Ok` means: durable, theirs, whatever happens next.
    pub async fn deliver(&self, spooled: &Spooled, origin: &Origin, recipients: &[Recipient]) -> Vec<Delivered> {
        let letter = match self.examine(spooled, origin).await {
            Ok(letter) => letter,
            Err(error) => {
                let text = error.to_string();
                return recipients.iter().map(|_| Err(CaptureError::Interrupted(text.clone()))).collect();
            }
        };
        // Taken, it could go on in circles; refused, the server that holds it stops.
        if origin.way == Way::Smtp && letter.doubt == Some(Doubt::Loop) {
            let refusal = || CaptureError::refused(Reason::AutomaticMail, "the message went through too many servers");
            return recipients.iter().map(|_| Err(refusal())).collect();
        }
        let mut results = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            results.push(self.deliver_to(spooled, origin, recipient, letter.clone()).await);
        }
        results
    }

    async fn deliver_to(
        &self,
        spooled: &Spooled,
        origin: &Origin,
        recipient: &Recipient,
        mut letter: Letter,
    ) -> Delivered {
        let mut tx = self.app.db.read().await?;
        let Some(actor) = people::find_actor(&mut tx, &recipient.person).await? else {
            return Err(CaptureError::NotOnBehalf(recipient.person.clone()));
        };
        if letter.doubt.is_none() && !origin.is_handed_in {
            let is_known = match &letter.header_from {
                Some(from) => mail_addresses::knows_sender(&mut tx, &recipient.person, from).await?,
                None => false,
            };
            letter.doubt = judge(&letter.evidence, is_known, self.settings.policy);
        }
        drop(tx);
        letter.address_id = recipient.address.as_ref().map(|address| address.id.clone());
        let visit = recipient.address.as_ref().and_then(|address| address.visit_id.clone());
        let mut handover = Handover {
            owner: recipient.person.clone(),
            channel: Channel::Mail,
            client_id: None,
            captured_at: None,
            place: None,
            note: None,
            visit: visit.map_or(VisitChoice::Undecided, VisitChoice::Visit),
            file_name: letter.subject.as_deref().map(file_name),
        };
        let result = take_in(&self.app, &actor, &handover, spooled, Some(&letter)).await;
        let result = match result {
            // The visit is gone or went to somebody else; the mail is no less theirs.
            Err(CaptureError::UnknownVisit(_)) => {
                handover.visit = VisitChoice::Undecided;
                take_in(&self.app, &actor, &handover, spooled, Some(&letter)).await
            }
            other => other,
        };
        let outcome = match &result {
            Ok(Accepted { outcome: Outcome::AlreadyHere, .. }) => "again",
            Ok(_) => letter.doubt.map_or("read", Doubt::as_str),
            Err(_) => "failed",
        };
        metrics::counter!("vouch_mail_total", "way" => origin.way.as_str(), "outcome" => outcome).increment(1);
        result
    }

    /// Reads the header, collects evidence, tells what must stay quiet.
    async fn examine(&self, spooled: &Spooled, origin: &Origin) -> io::Result<Letter> {
        let _room = self.authenticator.room_for(spooled.size).await;
        let raw: Arc<[u8]> = read(spooled.path()).await?.into();
        let mut letter = Letter {
            content_hash: spooled.sha256,
            doubt: None,
            way: origin.way,
            address_id: None,
            envelope_sender: origin.sender.as_deref().map(short),
            header_from: None,
            subject: None,
            message_id: None,
            sent_at: None,
            peer: origin.peer.as_deref().map(short),
            hello: origin.hello.as_deref().map(short),
            is_encrypted: origin.is_encrypted,
            evidence: Evidence::default(),
        };
        let Ok(head) = Head::split(&raw) else {
            letter.doubt = Some(Doubt::Limits);
            return Ok(letter);
        };
        letter.content_hash = head.content_hash();
        letter.header_from = head.from().into_iter().next();
        letter.subject = head.subject();
        letter.message_id = head.message_id();
        letter.sent_at = head.sent_at();
        let is_own = |address: &str| self.is_our_domain(address) && addresses::secret_of(address).is_some();
        // What its owner put there is meant, whatever it looks like.
        if !origin.is_handed_in {
            letter.doubt = head.quiet(origin.sender.as_deref(), is_own);
        }
        if letter.doubt.is_none() && !origin.is_handed_in {
            let route =
                Route { ip: origin.ip, hello: origin.hello.clone().unwrap_or_default(), sender: origin.sender.clone() };
            letter.evidence = self.authenticator.check(raw.clone(), &head, route).await;
        }
        Ok(letter)
    }
}

async fn read(path: &Path) -> io::Result<Vec<u8>> {
    tokio::fs::read(path).await
}

/// Columns hold no more of what strangers say.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// A name for the downloaded message.
fn file_name(subject: &str) -> String {
    let clean: String = subject
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.') { c } else { '_' })
        .take(80)
        .collect();
    format!("{}.eml", clean.trim().trim_matches('.'))
}
