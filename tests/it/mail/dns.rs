//! A DNS server with a few records, over UDP: what SPF, DKIM and DMARC ask.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{net::UdpSocket, task::JoinHandle};

const A: u16 = 1;
const TXT: u16 = 16;
const NXDOMAIN: u16 = 3;
const SERVFAIL: u16 = 2;

/// Records by lower-case name without the last dot.
#[derive(Debug, Default)]
pub struct Zone {
    pub txt: BTreeMap<String, String>,
    pub a: BTreeMap<String, Ipv4Addr>,
    /// Names below these get no usable answer.
    pub broken: Vec<String>,
}

/// A running server, ended when dropped.
pub struct Dns {
    pub at: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn serve(zone: Zone) -> Dns {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut query = [0; 1500];
        loop {
            let Ok((size, peer)) = socket.recv_from(&mut query).await else { return };
            if let Some(answer) = answer(&zone, &query[..size]) {
                let _ = socket.send_to(&answer, peer).await;
            }
        }
    });
    Dns { at, task }
}

/// RFC 1035, section 4: header, the question as it came, at most one answer.
fn answer(zone: &Zone, query: &[u8]) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let name = labels.join(".");
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(12..at + 4)?;
    let data = match kind {
        TXT => zone.txt.get(&name).map(|text| {
            text.as_bytes().chunks(255).flat_map(|part| [&[part.len() as u8][..], part].concat()).collect::<Vec<u8>>()
        }),
        A => zone.a.get(&name).map(|ip| ip.octets().to_vec()),
        _ => None,
    };
    let is_known = zone.txt.contains_key(&name) || zone.a.contains_key(&name);
    let code = match &data {
        _ if zone.broken.iter().any(|broken| name.ends_with(broken.as_str())) => SERVFAIL,
        Some(_) => 0,
        None if is_known => 0,
        None => NXDOMAIN,
    };
    let has_answer = data.is_some() && code == 0;
    let mut out = query[..2].to_vec();
    // An authoritative answer, recursion asked for and had.
    out.extend((0x8580 | code).to_be_bytes());
    out.extend([0, 1, 0, u8::from(has_answer), 0, 0, 0, 0]);
    out.extend(question);
    if let Some(data) = data.filter(|_| has_answer) {
        out.extend([0xC0, 0x0C]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    Some(out)
}
