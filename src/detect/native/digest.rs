//! MD5 of a file's content: a digest that package databases record, so one that tells changed configuration from untouched.

use crate::detect::{Detector, Doc, FileView, Interest, Sink};
use crate::fact::Fact;
use md5::{Digest as _, Md5};

pub struct Digest;

impl Digest {
    pub const ID: &str = "file/digest";
}

impl Detector for Digest {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn doc(&self) -> Doc {
        Doc {
            title: "Digests of configuration files",
            recognises: "the MD5 of files whose package recorded one",
            why: "only changed configuration is copied into an image",
            cannot_see: "a change that keeps the MD5; it guards against accidents, not attackers",
            references: &["RFC 1321"],
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
        let mut md5 = String::with_capacity(32);
        for byte in Md5::digest(file.bytes) {
            // Writing to a String cannot fail.
            let _ = write!(md5, "{byte:02x}");
        }
        sink.fact(Fact::Digest {
            path: file.path.clone(),
            md5,
        });
    }
}
