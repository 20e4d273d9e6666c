//! `record` against servers of this test's own: what it keeps, and what hostile ones cannot make it do.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use transvase::product::pack::Packs;
use transvase::scan::Scan;
use transvase::verify::{self, Listener, Recorded};

/// A server that hands each connection's request to a function and sends what that says.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

fn serve(answer: impl Fn(usize, &str, &mut TcpStream) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
    let count = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (seen, answer, count) =
                (Arc::clone(&seen), Arc::clone(&answer), Arc::clone(&count));
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_millis(1500)))
                    .unwrap();
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).unwrap_or_default();
                let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                if request.starts_with("GET ") {
                    seen.lock().unwrap().push(request.clone());
                }
                answer(count.fetch_add(1, Ordering::SeqCst), &request, &mut stream);
            });
        }
    });
    Server { port, requests }
}

fn scan() -> Scan {
    let text = include_str!("golden/shop/scan.json");
    Scan::read(text).unwrap()
}

fn listener(port: u16) -> Listener {
    Listener {
        workload: "web".into(),
        port,
        protocol: "tcp".into(),
        hosts: vec!["shop.example.net".into()],
        paths: vec!["/health".into()],
        talk: verify::listener::Talk::default(),
    }
}

fn record(listener: Listener, paths: &[&str]) -> Recorded {
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    verify::record(&scan(), &[listener], "127.0.0.1", &paths, &mut |_| ()).unwrap()
}

#[test]
fn pages_are_kept_without_what_changes_and_without_secrets() {
    let server = serve(|count, request, stream| {
        let body = format!("<title>Shop</title>\n<p>visit {count}</p>\n<b>kakadu</b>\n");
        let text = format!(
            "HTTP/1.1 302 Found\r\nContent-Type: text/html\r\nSet-Cookie: session=hunter2hunter2\r\n\
             Location: http://other.example/login?token=9f8e7d6c5b4a39281706&password=hunter2\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if request.starts_with("GET ") {
            stream.write_all(text.as_bytes()).unwrap();
        }
    });
    let recorded = record(listener(server.port), &["/cart"]);
    let pages = &recorded.listeners[0].answer.pages;
    let asked: Vec<_> = pages
        .iter()
        .map(|page| (page.host.as_str(), page.path.as_str()))
        .collect();
    let own = format!("127.0.0.1:{}", server.port);
    let shop = "shop.example.net";
    assert_eq!(
        asked,
        [
            (own.as_str(), "/"),
            (&own, "/cart"),
            (&own, "/health"),
            (shop, "/"),
            (shop, "/cart"),
            (shop, "/health")
        ]
    );
    let page = &pages[0];
    assert_eq!((page.status, page.title.as_deref()), (302, Some("Shop")));
    assert!(
        page.location
            .as_deref()
            .unwrap()
            .starts_with("http://other.example/login")
    );
    let pieces: Vec<&str> = page.pieces.split(' ').collect();
    assert_eq!(
        pieces.iter().filter(|piece| **piece == "~").count(),
        1,
        "{pieces:?}"
    );
    let text = recorded.to_json();
    assert!(
        !text.contains("hunter2") && !text.contains("9f8e7d") && !text.contains("kakadu"),
        "{text}"
    );
    // Each twice, with GET alone, at this server alone.
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 12);
    assert!(
        requests
            .iter()
            .all(|request| request.contains("\r\nHost: ") && !request.contains("Cookie"))
    );
}

#[test]
fn two_records_of_one_machine_are_the_same() {
    let server = serve(|count, request, stream| {
        if request.starts_with("GET ") {
            let body = format!("<p>{count}</p><p>2026-11-28 16:{:02}:00</p>", count % 60);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    let one = record(listener(server.port), &[]);
    let two = record(listener(server.port), &[]);
    assert_eq!(one.to_json(), two.to_json());
}

#[test]
fn one_that_speaks_first_is_heard() {
    let server = serve(|_, _, stream| {
        let _ = stream.write_all(b"220 mail.example.net ESMTP \x1b[2J\r\n");
    });
    // It waits for a request before it speaks, so it is asked as a pack would.
    let mut listener = listener(server.port);
    listener.talk.ask = b"\r\n".to_vec();
    let recorded = record(listener, &[]);
    let talk = recorded.listeners[0].answer.talk.as_ref().unwrap();
    assert_eq!(talk.said, r"220 mail.example.net ESMTP \x1b[2J\r\n");
}

#[test]
fn packs_tell_their_protocols() {
    let packs = Packs::builtin().unwrap();
    let mut scan = scan();
    for (product, answer, said) in [
        (
            "cache/redis",
            &b"-NOAUTH Authentication required.\r\n"[..],
            "answer=-NOAUTH",
        ),
        ("cache/memcached", b"VERSION 1.6.18\r\n", "version=1.6.18"),
        ("database/postgresql", b"S", "tls=S"),
        (
            "database/zookeeper",
            b"Zookeeper version: 3.8.0-5, built on x\n",
            "version=3.8.0-5",
        ),
        ("messaging/mosquitto", b"\x20\x02\x00\x05", r"code=\x05"),
        (
            "directory/openldap",
            b"0\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            r"result=\x00",
        ),
    ] {
        let server = serve(move |_, _, stream| {
            let _ = stream.write_all(answer);
        });
        let workload = scan
            .workloads
            .iter_mut()
            .find(|w| w.plan.as_ref().is_some_and(|p| !p.network.ports.is_empty()));
        let workload = workload.unwrap();
        workload.product = Some(product.into());
        workload.plan.as_mut().unwrap().network.ports[0].port = server.port;
        let id = workload.id.clone();
        let mut listeners = verify::listeners(&scan, &packs);
        listeners.retain(|listener| listener.workload == id && listener.port == server.port);
        let recorded = verify::record(&scan, &listeners, "127.0.0.1", &[], &mut |_| ()).unwrap();
        let talk = recorded.listeners[0].answer.talk.as_ref();
        assert_eq!(talk.map(|talk| talk.said.as_str()), Some(said), "{product}");
    }
}

#[test]
fn hostile_servers_end() {
    let start = Instant::now();
    // Never stops talking; sends a head without an end; a body as long as it says nobody has; nothing at all.
    let endless = serve(|_, request, stream| {
        if request.starts_with("GET ") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while stream.write_all(&[b'<'; 8192]).is_ok() {}
        }
    });
    let recorded = record(listener(endless.port), &[]);
    let page = &recorded.listeners[0].answer.pages[0];
    assert!(page.cut && page.pieces.len() < 40_000);
    let headless = serve(|_, request, stream| {
        if request.starts_with("GET ") {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ");
            while stream.write_all(&[b'y'; 8192]).is_ok() {}
        }
    });
    let recorded = record(listener(headless.port), &[]);
    assert!(recorded.listeners[0].answer.pages.is_empty());
    let silent = serve(|_, _, _| ());
    let recorded = record(listener(silent.port), &[]);
    assert!(recorded.listeners[0].answer.open);
    assert!(
        start.elapsed() < Duration::from_mins(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_host_that_answers_nowhere_is_an_error() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let failed = verify::record(&scan(), &[listener(port)], "127.0.0.1", &[], &mut |_| ());
    assert!(failed.unwrap_err().0.contains("answers at none"));
}
