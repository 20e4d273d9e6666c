//! What the machine said and what the container says, side by side.

use super::listener::Listener;
use super::recorded::{Answer, Page, Tls};
use crate::proof::{Check, Kind};

/// One check for each thing that was asked.
pub fn compare(listener: &Listener, machine: &Answer, container: &Answer) -> Vec<Check> {
    let port = format!("{}/{}", listener.port, listener.protocol);
    if !machine.open {
        // What did not answer then has nothing to be compared with.
        return Vec::new();
    }
    let mut checks = vec![Check::new(
        Kind::Answer,
        format!("{port} takes connections"),
        open(machine),
        open(container),
    )];
    if !container.open {
        return checks;
    }
    let shown = |tls: &Option<Tls>| tls.as_ref().map_or("no TLS".to_owned(), certificate);
    if machine.tls.is_some() {
        checks.push(Check::new(
            Kind::Answer,
            format!("{port} TLS"),
            shown(&machine.tls),
            shown(&container.tls),
        ));
    }
    if let Some(talk) = &machine.talk {
        let said = container.talk.as_ref();
        let said = said.map_or("nothing of its protocol".to_owned(), |said| {
            said.said.clone()
        });
        let what = if talk.sent.is_empty() {
            "greeting"
        } else {
            "answer"
        };
        checks.push(Check::new(
            Kind::Answer,
            format!("{port} {what}"),
            talk.said.clone(),
            said,
        ));
    }
    for (before, now) in machine.pages.iter().zip(&container.pages) {
        checks.push(pages(&port, before, now));
    }
    checks
}

fn open(answer: &Answer) -> String {
    if answer.open { "yes" } else { "no" }.to_owned()
}

/// The version may rise; the certificate stays.
fn certificate(tls: &Tls) -> String {
    if tls.subject.is_empty() && tls.names.is_empty() {
        return tls.version.clone();
    }
    format!(
        "{} by {}, {} to {}, for {}",
        tls.subject,
        tls.issuer,
        tls.not_before,
        tls.not_after,
        tls.names.join(" ")
    )
}

fn pages(port: &str, before: &Page, now: &Page) -> Check {
    let what = format!("{port} {} {}{}", before.method, before.host, before.path);
    let (mut machine, mut container) = (head(before), head(now));
    if machine == container && !before.cut && !now.cut {
        let (one, other) = bodies(before, now);
        machine.push_str(&one);
        container.push_str(&other);
    }
    Check::new(Kind::Answer, what, machine, container)
}

/// Status, type, title and the rest of what is not the body.
fn head(page: &Page) -> String {
    if page.status == 0 {
        return "no HTTP".to_owned();
    }
    let mut text = page.status.to_string();
    for (name, value) in [
        ("", &page.content_type),
        ("to ", &page.location),
        ("title ", &page.title),
        ("by ", &page.server),
    ] {
        if let Some(value) = value {
            text.extend([" ", name, value]);
        }
    }
    text
}

/// Bodies, as far as both sides are known to stay the same; empty where they are.
fn bodies(before: &Page, now: &Page) -> (String, String) {
    if before.digest == now.digest {
        return (String::new(), String::new());
    }
    let (one, other): (Vec<&str>, Vec<&str>) = (
        before.pieces.split_whitespace().collect(),
        now.pieces.split_whitespace().collect(),
    );
    let differs = |(a, b): (&&str, &&str)| a != b && *a != "~" && *b != "~";
    if one.len() == other.len() {
        let count = one.iter().zip(&other).filter(|pair| differs(*pair)).count();
        if count == 0 {
            return (String::new(), String::new());
        }
        let first = one.iter().zip(&other).position(differs).unwrap_or_default();
        let said = |pieces: &[&str]| {
            let piece = pieces.get(first).copied().unwrap_or_default();
            format!(
                " body of {} pieces, piece {} is {piece}",
                pieces.len(),
                first + 1
            )
        };
        return (said(&one), format!("{}, {count} differ", said(&other)));
    }
    // A part that changes may be longer at one time than at another.
    let changes = one.contains(&"~") || other.contains(&"~");
    let before_it = one
        .iter()
        .zip(&other)
        .take_while(|(a, b)| a == b && **a != "~")
        .count();
    let behind = one.iter().rev().zip(other.iter().rev());
    let behind_it = behind.take_while(|(a, b)| a == b && **a != "~").count();
    let masked = |pieces: &[&str]| {
        let end = pieces.len().saturating_sub(behind_it);
        let inner = pieces.get(before_it..end).unwrap_or_default();
        inner.is_empty() || inner.contains(&"~")
    };
    if changes && masked(&one) && masked(&other) {
        return (String::new(), String::new());
    }
    (
        format!(" body of {} pieces", one.len()),
        format!(
            " body of {} pieces, the first {before_it} alike",
            other.len()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::listener::Talk;
    use crate::verify::recorded::Said;

    fn listener() -> Listener {
        Listener {
            workload: "w".into(),
            port: 80,
            protocol: "tcp".into(),
            hosts: Vec::new(),
            paths: Vec::new(),
            talk: Talk::default(),
        }
    }

    fn page(status: u16, pieces: &str) -> Answer {
        let page = Page {
            method: "GET".into(),
            host: "h".into(),
            path: "/".into(),
            status,
            digest: pieces.into(),
            pieces: pieces.into(),
            ..Page::default()
        };
        Answer {
            open: true,
            pages: vec![page],
            ..Answer::default()
        }
    }

    fn differences(machine: &Answer, container: &Answer) -> Vec<String> {
        let checks = compare(&listener(), machine, container);
        let differing = checks.iter().filter(|check| !check.held);
        differing
            .map(|c| format!("{}: -{} +{}", c.what, c.machine, c.container))
            .collect()
    }

    #[test]
    fn what_is_alike_holds_and_what_differs_is_named() {
        assert!(differences(&page(200, "a b"), &page(200, "a b")).is_empty());
        assert!(differences(&page(200, "a ~ c"), &page(200, "a b c")).is_empty());
        assert!(differences(&page(200, "a ~ c"), &page(200, "a b x c")).len() == 1);
        assert!(differences(&page(200, "a ~ c"), &page(200, "a ~ x c")).is_empty());
        assert_eq!(
            differences(&page(200, "a"), &page(502, "b")),
            ["80/tcp GET h/: -200 +502"]
        );
        let body = differences(&page(200, "a b c"), &page(200, "a x c"));
        assert!(
            body[0].contains("piece 2 is b") && body[0].contains("1 differ"),
            "{body:?}"
        );
    }

    #[test]
    fn a_closed_port_and_another_greeting() {
        let talk = |said: &str| Answer {
            open: true,
            talk: Some(Said {
                greets: true,
                sent: String::new(),
                said: said.into(),
            }),
            ..Answer::default()
        };
        assert_eq!(differences(&talk("220 a"), &Answer::default()).len(), 1);
        assert_eq!(
            differences(&talk("220 a"), &talk("220 b")),
            ["80/tcp greeting: -220 a +220 b"]
        );
        assert!(differences(&Answer::default(), &talk("220 a")).is_empty());
    }
}
