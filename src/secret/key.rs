//! Whether a name says that its value is a secret: `DB_PASSWORD`, `requirepass`, `secretKey`; not `password_file`.

/// Words that end a key whose value is a secret, joined.
const SECRET_WORDS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "secretkey",
    "privatekey",
    "presharedkey",
    "appkey",
    "authkey",
    "masterkey",
    "encryptionkey",
    "signingkey",
    "sessionkey",
    "cookiekey",
    "hmackey",
    "noncekey",
    "loggedinkey",
    "licensekey",
    "secretkeybase",
    "authsalt",
    "noncesalt",
    "loggedinsalt",
    "requirepass",
    "masterauth",
    "rediscliauth",
    "authtok",
    "authtoken",
    "psk",
    "pass",
    "pwd",
    "pgpass",
    "bindpw",
    "rootpw",
    "userpw",
    "adminpw",
    "ldappw",
    "dbpw",
    "credential",
    "credentials",
    "authpass",
    "dbpass",
    "userpass",
    "adminpass",
    "mysqlpass",
    "smtppass",
    "rootpass",
    "redispass",
    "postgrespass",
    "keystorepass",
    "truststorepass",
    "keypass",
    "mailpass",
    "ldappass",
    "bindpass",
];

/// A word that ends so is a secret's name wherever it stands in a key.
const ENDS: &[&str] = &["password", "passwd", "passphrase"];

/// Words that make a key a setting about secrets rather than one.
const ABOUT: &[&str] = &[
    "file",
    "path",
    "dir",
    "ttl",
    "timeout",
    "expiry",
    "expires",
    "lifetime",
    "length",
    "policy",
    "encryption",
    "algorithm",
    "prompt",
    "command",
    "hash",
    "authentication",
    "enabled",
    "required",
    "min",
    "max",
    "type",
    "header",
    "name",
    "field",
    "url",
    "uri",
    "reset",
    "change",
    "history",
    "validator",
    "validators",
    "hashers",
    "tokens",
    "server",
    "level",
];

pub fn is_secret_key(key: &str) -> bool {
    let last = key.rsplit(['/', '.']).next().unwrap_or(key);
    let words = words(last);
    let Some(end) = words.last() else {
        return false;
    };
    if ABOUT.contains(&end.as_str()) || words.iter().any(|word| word == "no" || word == "public") {
        return false;
    }
    // `proxy_pass` hands something on; a name for somebody's pass is listed, or an environment variable.
    let is_variable = !last.chars().any(char::is_lowercase);
    // Joined from each word on, so that `api_key` and `SECRET_KEY` are one word each.
    (0..words.len()).any(|from| {
        let joined = words.get(from..).unwrap_or_default().concat();
        let handed_on = joined == "pass" && from > 0 && !is_variable;
        SECRET_WORDS.contains(&joined.as_str()) && !handed_on
    }) || words.iter().any(|word| {
        let ends = ENDS.iter().any(|end| word.ends_with(end));
        word == "secret" || (ends && !word.starts_with("no"))
    })
}

/// `dbPassword`, `DB_PASSWORD` and `db-password` are two words each; lower case.
fn words(key: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in key.chars() {
        if (!c.is_alphanumeric() || (c.is_uppercase() && lower)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        lower = c.is_lowercase() || c.is_numeric();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What a secret under this name is called in reports.
pub(super) fn kind_of(key: &str) -> &'static str {
    let key = key.to_ascii_lowercase();
    if key.contains("pass") || key.contains("pwd") || key.ends_with("pw") {
        "password"
    } else if key.contains("token") {
        "token"
    } else {
        "secret"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for key in [
            "password",
            "DB_PASSWORD",
            "requirepass",
            "secretKey",
            "API_KEY",
            "auth_token",
            "mysql_pass",
            "SECRET_KEY_BASE",
            "DB_PASS",
            "pass",
            "DEFAULT_PASS",
            "PGPASSWORD",
            "MYSQL_PWD",
            "REDISCLI_AUTH",
            "javax.net.ssl.keyStorePassword",
            "AccountKey",
            "PresharedKey",
            "bindpw",
            "APP_KEY",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "password_file",
            "PasswordAuthentication",
            "password_encryption",
            "token_ttl",
            "bypass",
            "compass",
            "keyspace",
            "secret_name",
            "max_tokens",
            "proxy_pass",
            "ProxyPass",
            "NOPASSWD",
            "ssl_certificate_key",
            "aws_access_key_id",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }
}
