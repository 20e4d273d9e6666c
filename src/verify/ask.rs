//! Asks one listener: which protocol it speaks, and then, twice, what it says. Nothing that is asked changes anything.

use super::certificate;
use super::http;
use super::listener::{Listener, Talk};
use super::mask::{self, Body};
use super::recorded::{Answer, Page, Said, Tls};
use super::tls;
use super::wire::{self, Door};
use crate::text::{escaped, unescaped};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a listener that may speak first is waited for, and one that surely does.
const MAY: Duration = Duration::from_millis(700);
const DOES: Duration = Duration::from_secs(10);

/// What is read of a protocol that is not HTTP.
const MOST: usize = 8 << 10;

/// Pages that are asked for at one port.
const MOST_PAGES: usize = 64;

/// Between two requests.
const PAUSE: Duration = Duration::from_millis(20);

/// A listener of a host.
#[derive(Debug)]
pub struct Asked<'a> {
    pub address: SocketAddr,
    /// The host as clients call it.
    pub authority: String,
    /// Paths that the user named.
    pub paths: &'a [String],
    pub listener: &'a Listener,
}

/// What a listener says of itself, which nobody has asked before.
pub fn discover(asked: &Asked<'_>) -> Answer {
    let listener = asked.listener;
    if listener.protocol == "udp" {
        return datagram(asked.address, &listener.talk.datagram, &listener.talk);
    }
    let mut answer = Answer::default();
    let mut door = Door {
        address: asked.address,
        secure: None,
    };
    if door.open().is_err() {
        return answer;
    }
    answer.open = true;
    let talk = &listener.talk;
    answer.talk = said(&door, talk.greets, &talk.ask, talk);
    if answer.talk.is_some() {
        return answer;
    }
    if !talk.greets {
        // One that nobody knows may speak first, too.
        let stranger = Talk::default();
        answer.talk = said(&door, true, &[], &stranger);
        if answer.talk.is_some() {
            return answer;
        }
    }
    let name = listener.hosts.first().cloned();
    answer.tls = shown(asked.address, name.as_deref());
    if answer.tls.is_some() {
        door.secure = Some(name.unwrap_or_default());
        answer.talk = said(&door, talk.greets, &talk.ask, talk);
    }
    if answer.talk.is_none() {
        answer.pages = pages(&door, asked);
    }
    answer
}

/// The same questions again, to somebody who should say the same.
pub fn again(address: SocketAddr, listener: &Listener, before: &Answer) -> Answer {
    let known = &listener.talk;
    if listener.protocol == "udp" {
        let sent = before.talk.as_ref().and_then(|said| unescaped(&said.sent));
        let sent = sent.unwrap_or_else(|| known.datagram.clone());
        return datagram(address, &sent, known);
    }
    let mut answer = Answer::default();
    let mut door = Door {
        address,
        secure: None,
    };
    if door.open().is_err() {
        return answer;
    }
    answer.open = true;
    if let Some(tls) = &before.tls {
        answer.tls = shown(address, tls.name.as_deref());
        if answer.tls.is_some() {
            door.secure = Some(tls.name.clone().unwrap_or_default());
        }
    }
    if let Some(said_before) = &before.talk {
        let sent = unescaped(&said_before.sent).unwrap_or_default();
        answer.talk = said(&door, said_before.greets, &sent, known);
    }
    let pages = before.pages.iter().take(MOST_PAGES);
    answer.pages = pages
        .map(|page| fetch(&door, &page.host, &page.path))
        .collect();
    answer
}

/// What a pack knows of an answer over UDP.
fn datagram(address: SocketAddr, sent: &[u8], talk: &Talk) -> Answer {
    let Ok(came) = wire::datagram(address, sent) else {
        return Answer::default();
    };
    Answer {
        open: true,
        talk: Some(Said {
            greets: false,
            sent: escaped(sent),
            said: stays(&came, &came, talk).unwrap_or_default(),
        }),
        ..Answer::default()
    }
}

/// Asks twice in a protocol of its own. `None` where nothing came, or not what the protocol says.
fn said(door: &Door, greets: bool, ask: &[u8], talk: &Talk) -> Option<Said> {
    if !greets && ask.is_empty() {
        return None;
    }
    let patience = if talk.greets || !ask.is_empty() {
        DOES
    } else {
        MAY
    };
    let once = || -> Option<Vec<u8>> {
        let mut line = door.open().ok()?;
        let mut came = Vec::new();
        if greets {
            came = line.listen(patience, MOST);
        }
        if !ask.is_empty() {
            line.send(ask).ok()?;
            came.extend(line.listen(DOES, MOST));
        }
        std::thread::sleep(PAUSE);
        Some(came).filter(|came| !came.is_empty())
    };
    let first = once()?;
    let stays = stays(&first, &once()?, talk)?;
    Some(Said {
        greets,
        sent: escaped(ask),
        said: stays,
    })
}

/// What of two answers stays the same: the named parts of the pack's expression, or the text. `None` where the expression
/// does not hold.
fn stays(first: &[u8], second: &[u8], talk: &Talk) -> Option<String> {
    let text: String = first.iter().map(|byte| char::from(*byte)).collect();
    let Some(expect) = &talk.expect else {
        return Some(mask::kept_of(&escaped(first), &escaped(second)));
    };
    let found = expect.captures(&text)?;
    let named = expect.capture_names().flatten();
    let parts = named.filter_map(|name| {
        let bytes: Vec<u8> = found
            .name(name)?
            .as_str()
            .chars()
            .filter_map(|c| u8::try_from(c).ok())
            .collect();
        Some(format!("{name}={}", mask::kept(&escaped(&bytes))))
    });
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return Some(mask::kept_of(&escaped(first), &escaped(second)));
    }
    Some(parts.join(" "))
}

/// The certificate of a listener that speaks TLS.
fn shown(address: SocketAddr, name: Option<&str>) -> Option<Tls> {
    let session = tls::hello(address, name.unwrap_or_default())?;
    let shown = certificate::read(&session.certificate).unwrap_or_default();
    Some(Tls {
        name: name.map(str::to_owned),
        version: session.version,
        ..shown
    })
}

/// Every host that is configured, at every path.
fn pages(door: &Door, asked: &Asked<'_>) -> Vec<Page> {
    let listener = asked.listener;
    let root = "/".to_owned();
    let mut paths: Vec<&String> = Vec::new();
    for path in std::iter::once(&root)
        .chain(asked.paths)
        .chain(&listener.paths)
    {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let hosts = std::iter::once(&asked.authority).chain(&listener.hosts);
    let each = hosts.flat_map(|host| paths.iter().map(move |path| (host, path)));
    let mut found: Vec<Page> = Vec::new();
    for (host, path) in each.take(MOST_PAGES) {
        let page = fetch(door, host, path);
        // Who does not speak HTTP is not asked for more of it.
        if page.status == 0 && found.is_empty() {
            break;
        }
        found.push(page);
    }
    found
}

/// One page, fetched twice.
fn fetch(door: &Door, host: &str, path: &str) -> Page {
    let mut page = Page {
        method: "GET".to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        ..Page::default()
    };
    let Some(request) = http::request(host, path) else {
        return page;
    };
    let once = || -> Option<(http::Reply, bool)> {
        let mut line = door.open().ok()?;
        line.send(request.as_bytes()).ok()?;
        let came = line.receive(http::LONGEST + (64 << 10), http::is_whole);
        std::thread::sleep(PAUSE);
        Some((http::reply(&came.bytes)?, came.cut))
    };
    let (Some((first, cut)), Some((second, _))) = (once(), once()) else {
        return page;
    };
    let both = |name: &str| {
        let first = first.field(name)?;
        Some(mask::kept_of(first, second.field(name).unwrap_or_default()))
    };
    let title = |reply: &http::Reply| http::title(&String::from_utf8_lossy(&reply.body));
    let body = Body::of(&first.body, &second.body);
    page.status = first.status;
    page.content_type = both("content-type");
    page.server = both("server");
    page.location = both("location");
    page.title =
        title(&first).map(|text| mask::kept_of(&text, &title(&second).unwrap_or_default()));
    page.digest = body.digest();
    page.pieces = body.short();
    page.cut = cut;
    page
}
