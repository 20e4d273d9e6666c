//! HTTP/1.1 as far as one answer to one GET needs it: RFC 9110 and 9112. What comes is a stranger's.

/// The longest body that is read, and the longest head.
pub const LONGEST: usize = 1 << 20;
const LONGEST_HEAD: usize = 64 << 10;

/// Fields of a head that are looked at.
const MOST_FIELDS: usize = 200;

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// The request for a page. `None` where host or path have what no request may have.
pub fn request(host: &str, path: &str) -> Option<String> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    (plain(host) && plain(path) && path.starts_with('/') && !host.is_empty()).then(|| {
        let agent = concat!("transvase/", env!("CARGO_PKG_VERSION"));
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
    })
}

/// Where the head of the final answer starts and ends: those of 1xx before it are passed over.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut start = 0;
    for _ in 0..8 {
        let rest = bytes.get(start..)?;
        let end = rest
            .windows(4)
            .take(LONGEST_HEAD)
            .position(|four| four == b"\r\n\r\n")?;
        let after = start + end + 4;
        let status = status(rest)?;
        if status >= 200 || status == 101 {
            return Some((start, after));
        }
        start = after;
    }
    None
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.get(..12)?;
    let version = line.strip_prefix(b"HTTP/1.")?;
    let digits = std::str::from_utf8(version.get(2..5)?).ok()?;
    let status: u16 = digits.parse().ok()?;
    (100..=999).contains(&status).then_some(status)
}

fn fields(head: &[u8]) -> Vec<(String, String)> {
    let text: String = head.iter().map(|byte| char::from(*byte)).collect();
    let lines = text.split("\r\n").skip(1).take(MOST_FIELDS);
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

/// How long the body is, as the head says.
enum Length {
    Bytes(usize),
    Chunks,
    ToTheEnd,
}

fn length(status: u16, fields: &[(String, String)]) -> Length {
    let field = |name: &str| fields.iter().find(|(known, _)| known == name);
    if status < 200 || status == 204 || status == 304 {
        return Length::Bytes(0);
    }
    if field("transfer-encoding")
        .is_some_and(|(_, value)| value.to_ascii_lowercase().ends_with("chunked"))
    {
        return Length::Chunks;
    }
    let bytes = field("content-length").and_then(|(_, value)| value.parse().ok());
    bytes.map_or(Length::ToTheEnd, Length::Bytes)
}

/// Whether all of an answer has come, so that nobody waits for a connection to close.
pub fn is_whole(bytes: &[u8]) -> bool {
    let Some((start, body)) = head(bytes) else {
        return bytes.len() > LONGEST_HEAD || !may_be(bytes);
    };
    let head = bytes.get(start..body).unwrap_or_default();
    let came = bytes.get(body..).unwrap_or_default();
    match length(status(head).unwrap_or_default(), &fields(head)) {
        Length::Bytes(length) => came.len() >= length,
        Length::Chunks => unchunked(came).1,
        Length::ToTheEnd => false,
    }
}

/// Whether what has come so far may become an answer.
fn may_be(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"HTTP/1.").all(|(a, b)| a == b)
}

/// An answer, where it is one.
pub fn reply(bytes: &[u8]) -> Option<Reply> {
    let (start, body) = head(bytes)?;
    let head = bytes.get(start..body)?;
    let status = status(head)?;
    let fields = fields(head);
    let came = bytes.get(body..)?;
    let body = match length(status, &fields) {
        Length::Bytes(length) => came.get(..length).unwrap_or(came).to_vec(),
        Length::Chunks => unchunked(came).0,
        Length::ToTheEnd => came.to_vec(),
    };
    Some(Reply {
        status,
        fields,
        body,
    })
}

/// The content of chunks, and whether the last one came.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).take(1024).position(|two| two == b"\r\n") {
        let line = rest.get(..end).unwrap_or_default();
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let digits = std::str::from_utf8(digits).unwrap_or_default().trim();
        let Ok(length) = usize::from_str_radix(digits, 16) else {
            break;
        };
        if length == 0 {
            return (body, true);
        }
        rest = rest.get(end + 2..).unwrap_or_default();
        body.extend(rest.iter().take(length.min(LONGEST)));
        let Some(behind) = length.checked_add(2).and_then(|next| rest.get(next..)) else {
            break;
        };
        rest = behind;
    }
    (body, false)
}

/// What stands in the title element of a page, spaces drawn together.
pub fn title(body: &str) -> Option<String> {
    let lower = body.to_ascii_lowercase();
    let from = lower.find("<title")?;
    let from = from + lower.get(from..)?.find('>')? + 1;
    let to = from + lower.get(from..)?.find("</title")?;
    let words: Vec<&str> = body.get(from..to)?.split_whitespace().take(40).collect();
    Some(words.join(" ")).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_by_length_by_chunks_and_to_the_end() {
        let by_length = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nabcdef";
        assert!(is_whole(by_length) && !is_whole(&by_length[..40]));
        let read = reply(by_length).unwrap();
        assert_eq!(
            (read.status, read.body.as_slice(), read.field("x")),
            (200, &b"abc"[..], Some("y"))
        );
        let chunks = b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert!(is_whole(chunks) && !is_whole(&chunks[..chunks.len() - 6]));
        let read = reply(chunks).unwrap();
        assert_eq!((read.status, read.body.as_slice()), (404, &b"abcde"[..]));
        let open = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert!(!is_whole(open));
        assert_eq!(reply(open).unwrap().body, b"abc");
    }

    #[test]
    fn what_is_no_answer_ends_at_once() {
        assert!(is_whole(b"SSH-2.0-x"));
        assert!(reply(b"SSH-2.0-x\r\n\r\n").is_none());
        assert!(!is_whole(b"HTT"));
    }

    #[test]
    fn nothing_gets_into_a_request() {
        assert!(request("a\r\nX: y", "/").is_none());
        assert!(request("a", "/ HTTP/1.1\r\n").is_none());
        assert!(request("a", "http://other/").is_none());
        assert!(request("a", "/x?y=z").is_some());
    }

    #[test]
    fn titles() {
        assert_eq!(
            title("<TITLE lang=x>\n A\n b </title>").as_deref(),
            Some("A b")
        );
        assert_eq!(title("<title>never closed"), None);
    }

    proptest! {
        #[test]
        fn whatever_comes(tail in proptest::collection::vec(any::<u8>(), 0..300), start in 0usize..4) {
            let starts: [&[u8]; 4] = [
                b"",
                b"HTTP/1.1 200 OK\r\n",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            ];
            let bytes = [starts[start], &tail].concat();
            let _ = is_whole(&bytes);
            if let Some(reply) = reply(&bytes) {
                prop_assert!(reply.body.len() <= bytes.len());
            }
            let _ = title(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn sizes_of_chunks(size in "[0-9a-fA-F]{1,20}") {
            let _ = unchunked(format!("{size}\r\nabc").as_bytes());
        }
    }
}
