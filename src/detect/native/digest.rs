//! Digests of a file's content, by the algorithms that package databases record: they tell changed configuration from
//! untouched.

use crate::detect::{Detector, Doc, FileView, Interest, Sink, Want};
use crate::fact::Fact;
use crate::path::MachinePath;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::collections::BTreeSet;

pub struct Digest;

type Hash = fn(&[u8]) -> Vec<u8>;

/// By the length of the digest in hexadecimal.
const ALGORITHMS: &[(usize, &str, Hash)] = &[
    (32, "md5", |bytes| Md5::digest(bytes).to_vec()),
    (40, "sha1", |bytes| Sha1::digest(bytes).to_vec()),
    (56, "sha224", |bytes| Sha224::digest(bytes).to_vec()),
    (64, "sha256", |bytes| Sha256::digest(bytes).to_vec()),
    (96, "sha384", |bytes| Sha384::digest(bytes).to_vec()),
    (128, "sha512", |bytes| Sha512::digest(bytes).to_vec()),
];

impl Digest {
    pub const ID: &str = "file/digest";

    /// The file's digests, by the algorithms that these were made with.
    pub fn want<'a>(path: &MachinePath, recorded: impl Iterator<Item = &'a str>) -> Want {
        let lengths: BTreeSet<usize> = recorded.map(str::len).collect();
        let mut want = Want::file(path, Self::ID);
        let known = ALGORITHMS
            .iter()
            .filter(|(length, ..)| lengths.contains(length));
        let names: Vec<&str> = known.map(|(_, name, _)| *name).collect();
        want.purpose.context = names.join(" ");
        want
    }
}

impl Detector for Digest {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Digests of configuration files",
            recognises: "digests of files whose package recorded one",
            why: "only changed configuration is copied into an image",
            cannot_see: "a change that keeps the digest: of MD5 and SHA-1, they guard against accidents, not attackers",
            references: &["RFC 1321", "RFC 6234"],
        }
    }

    fn interest(&self) -> Interest {
        Interest {
            limit: 64 << 20,
            ..Interest::default()
        }
    }

    fn inspect(&self, file: &FileView<'_>, sink: &mut Sink) {
        use std::fmt::Write as _;
        let wanted: Vec<&str> = file.purpose.context.split(' ').collect();
        let algorithms = ALGORITHMS
            .iter()
            .filter(|(_, name, _)| wanted.contains(name));
        let digests = algorithms.map(|(length, _, hash)| {
            let mut text = String::with_capacity(*length);
            for byte in hash(file.bytes) {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
            }
            text
        });
        sink.fact(Fact::Digest {
            path: file.path.clone(),
            digests: digests.collect(),
        });
    }
}
