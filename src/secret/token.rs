//! Secrets that are recognised by their own form, whatever names them.

use super::MASK;
use regex::RegexSet;
use std::sync::LazyLock;

/// Kind and pattern. Only forms that issuers document, so that a hit is a secret.
const TOKENS: &[(&str, &str)] = &[
    (
        "private-key",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    ),
    ("token", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    ("token", r"\bgithub_pat_[A-Za-z0-9_]{40,}\b"),
    ("token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("token", r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
    ("token", r"\b[rs]k_live_[A-Za-z0-9]{20,}\b"),
    ("token", r"\bAIza[A-Za-z0-9_-]{35}"),
    (
        "token",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    ),
    ("token", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    (
        "token",
        r"\bhooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]+",
    ),
    // Credentials of HTTP's own schemes; a digit, padding or a capital inside, since "basic authentication" is prose.
    (
        "token",
        r"\b(?:[Bb]asic|[Bb]earer)\s+(?:[A-Za-z0-9+/]{6,}={1,2}|[A-Za-z+/._~-]*(?:[0-9]|[a-z][A-Z])[A-Za-z0-9+/._~=-]{6,})",
    ),
    (
        "password-hash",
        r"\$(?:2[abxy]|5|6|7|y|gy|apr1|1|md5|argon2(?:id|i|d)|scrypt|pbkdf2(?:-sha[0-9]+)?)\$[A-Za-z0-9./$+=,-]{20,}",
    ),
    // RFC 2307 and its salted kin, SCRAM as databases store it, and what web frameworks write.
    (
        "password-hash",
        r"\{(?:SSHA|SHA|SMD5|SSHA256|SSHA512|PBKDF2-SHA[0-9]+)\}[A-Za-z0-9+/.$]{20,}",
    ),
    (
        "password-hash",
        r"\bSCRAM-SHA-(?:1|256|512)\$[0-9]+:[A-Za-z0-9+/=]{8,}\$[A-Za-z0-9+/=:]{20,}",
    ),
    (
        "password-hash",
        r"\b(?:pbkdf2_sha(?:1|256|512)|bcrypt_sha256|scrypt)\$[0-9]+\$[^\s']{20,}",
    ),
];

static SET: LazyLock<Option<(RegexSet, Vec<regex::Regex>)>> = LazyLock::new(|| {
    let patterns = TOKENS.iter().map(|(_, pattern)| *pattern);
    let each: Result<Vec<_>, _> = patterns.clone().map(regex::Regex::new).collect();
    Some((RegexSet::new(patterns).ok()?, each.ok()?))
});

/// The text with tokens masked, and the kind of the first; `None` where there are none.
pub(super) fn redact(text: &str) -> Option<(String, &'static str)> {
    let (set, each) = SET.as_ref()?;
    let hits = set.matches(text);
    let first = hits.iter().next()?;
    let mut out = text.to_owned();
    for hit in &hits {
        if let Some(regex) = each.get(hit) {
            out = regex.replace_all(&out, MASK).into_owned();
        }
    }
    Some((out, TOKENS.get(first)?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_forms() {
        assert!(SET.is_some());
        let kind = |text: &str| redact(text).map(|(_, kind)| kind);
        assert_eq!(kind("key AKIAIOSFODNN7EXAMPLE end"), Some("token"));
        assert_eq!(kind("-----BEGIN RSA PRIVATE KEY-----"), Some("private-key"));
        assert_eq!(kind("-----BEGIN PRIVATE KEY-----"), Some("private-key"));
        assert_eq!(kind("Basic dXNlcjpwYXNz"), Some("token"));
        assert_eq!(kind("Basic dXNlcjpwYXNzdw=="), Some("token"));
        assert_eq!(kind("Bearer a1b2c3d4e5f6"), Some("token"));
        assert_eq!(kind("Basic authentication is needed"), None);
        assert_eq!(kind("-----BEGIN CERTIFICATE-----"), None);
        for hash in [
            "dev:$7$101$i9oyBxPJE1Cz/+4x$JfkYq3dAYbS0Ef+q==",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "userPassword: {SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
            "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA==:c2VydmVyc2VydmVy",
            "pbkdf2_sha256$260000$saltsalt$aGFzaGhhc2hoYXNoaGFzaGhhc2g=",
        ] {
            assert_eq!(kind(hash), Some("password-hash"), "{hash}");
        }
        assert_eq!(kind("echo $1$2 $7$x"), None);
        assert_eq!(
            kind("bob:$apr1$abcdefgh$0123456789012345678901"),
            Some("password-hash")
        );
        assert_eq!(
            redact("a AKIAIOSFODNN7EXAMPLE b").unwrap().0,
            "a [redacted] b"
        );
    }
}
