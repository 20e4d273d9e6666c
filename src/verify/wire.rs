//! Connections that end: every read has a time and a size.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one exchange may take in all.
const EXCHANGE: Duration = Duration::from_secs(15);

/// Silence that ends what somebody says.
const QUIET: Duration = Duration::from_millis(300);

/// Where somebody listens, and whether a session of TLS is made first.
#[derive(Debug, Clone)]
pub struct Door {
    pub address: SocketAddr,
    /// The name asked for in TLS, where it is spoken at all.
    pub secure: Option<String>,
}

/// What bytes go over.
pub(super) trait Wire: Read + Write {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

/// One connection.
pub struct Line {
    wire: Box<dyn Wire>,
    ends: Instant,
}

/// What came before the connection or the patience ended.
#[derive(Debug, Default)]
pub struct Came {
    pub bytes: Vec<u8>,
    /// More would have come than was read.
    pub cut: bool,
}

/// A plain connection.
pub(super) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(CONNECT))?;
    stream.set_write_timeout(Some(CONNECT))?;
    Ok(stream)
}

impl Door {
    pub fn open(&self) -> io::Result<Line> {
        let stream = connect(self.address)?;
        let wire: Box<dyn Wire> = match &self.secure {
            None => Box::new(stream),
            Some(name) => super::tls::session(stream, name)?,
        };
        let ends = Instant::now() + EXCHANGE;
        Ok(Line { wire, ends })
    }
}

impl Line {
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes)?;
        self.wire.flush()
    }

    /// Waits for the first byte as long as said, and goes on until `is_whole` holds, nothing more comes for `quiet`, or there
    /// are `most` bytes.
    fn read(
        &mut self,
        (first, quiet): (Duration, Duration),
        most: usize,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> Came {
        let mut came = Came::default();
        let mut part = [0; 4096];
        loop {
            let patience = if came.bytes.is_empty() { first } else { quiet };
            let left = self.ends.saturating_duration_since(Instant::now());
            let wait = patience.min(left);
            if wait.is_zero() || self.wire.socket().set_read_timeout(Some(wait)).is_err() {
                break;
            }
            match self.wire.read(&mut part) {
                Ok(0) => break,
                Ok(read) => came.bytes.extend(part.iter().take(read)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            if came.bytes.len() >= most {
                came.cut = came.bytes.len() > most;
                came.bytes.truncate(most);
                break;
            }
            if is_whole(&came.bytes) {
                break;
            }
        }
        came
    }

    /// What somebody says until they fall silent.
    pub fn listen(&mut self, first: Duration, most: usize) -> Vec<u8> {
        self.read((first, QUIET), most, |_| false).bytes
    }

    /// An answer that says itself where it ends.
    pub fn receive(&mut self, most: usize, is_whole: impl Fn(&[u8]) -> bool) -> Came {
        self.read((EXCHANGE, EXCHANGE), most, is_whole)
    }
}

/// One datagram and its answer.
pub fn datagram(address: SocketAddr, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let any: SocketAddr = if address.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut last = io::Error::from(ErrorKind::TimedOut);
    // A datagram may be lost.
    for _ in 0..3 {
        socket.send(bytes)?;
        let mut answer = vec![0; 4096];
        match socket.recv(&mut answer) {
            Ok(read) => {
                answer.truncate(read);
                return Ok(answer);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
