//! A machine with one service, migrated with its secrets, and its entry point run by a shell here, outside of any
//! container: what the service's process is given is what is looked at.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Stands in every secret of the fixtures.
pub const MARK: &[u8] = b"hunter2";

pub struct Machine {
    pub dir: tempfile::TempDir,
}

/// What a process was given.
#[derive(Debug)]
pub struct Given {
    pub argv: Vec<Vec<u8>>,
    pub environment: BTreeMap<String, Vec<u8>>,
}

impl Given {
    pub fn words(&self) -> Vec<String> {
        let words = self.argv.iter();
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    }

    pub fn variable(&self, name: &str) -> Option<String> {
        let value = self.environment.get(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

impl Machine {
    /// The files, and what every machine has; those below /opt and /etc/init.d are executable.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own: [(&str, &[u8]); 4] = [
            (
                "/etc/os-release",
                b"ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n",
            ),
            (
                "/etc/passwd",
                b"root:x:0:0::/root:/bin/sh\napp:x:1500:1500::/srv:/bin/sh\n",
            ),
            ("/etc/group", b"root:x:0:\napp:x:1500:\n"),
            ("/bin/sh", b"#!not a program\n"),
        ];
        let root = dir.path().join("machine");
        for (name, content) in own.iter().chain(files) {
            let path = root.join(name.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            let is_program = name.starts_with("/opt/") || name.starts_with("/etc/init.d/");
            let mode = if is_program { 0o755 } else { 0o644 };
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }
        Self { dir }
    }

    /// One that runs `app.service` at boot, whose programs are those of [`Self::given`].
    pub fn with_unit(unit: &str, files: &[(&str, &[u8])]) -> Self {
        let whole = format!("{unit}\n[Install]\nWantedBy=multi-user.target\n");
        let mut all: Vec<(&str, &[u8])> = vec![
            ("/etc/systemd/system/app.service", whole.as_bytes()),
            ("/opt/app/run", b"#!/bin/sh\nexit 0\n"),
            ("/opt/app/prepare", b"#!/bin/sh\nexit 0\n"),
        ];
        all.extend(files);
        let machine = Self::new(&all);
        machine.link(
            "/etc/systemd/system/multi-user.target.wants/app.service",
            "../app.service",
        );
        machine.link("/etc/systemd/system/default.target", "multi-user.target");
        let target = machine.root().join("etc/systemd/system/multi-user.target");
        fs::write(target, "[Unit]\n").unwrap();
        machine
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("machine")
    }

    pub fn link(&self, name: &str, target: &str) {
        let path = self.root().join(name.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub fn out(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    pub fn run(&self, flags: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transvase"));
        command
            .args(["migrate", "--allow-partial"])
            .arg(self.root())
            .arg("-o")
            .arg(self.out())
            .args(flags);
        command.output().unwrap()
    }

    /// Migrates with secrets; none of them is anywhere else.
    pub fn migrate(&self) -> PathBuf {
        let done = self.run(&["--with-secrets"]);
        let said = [done.stdout.as_slice(), &done.stderr].concat();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&said));
        assert!(!holds(&said), "it was said");
        self.nothing_elsewhere();
        self.out()
    }

    pub fn nothing_elsewhere(&self) {
        for entry in walkdir::WalkDir::new(self.out()) {
            let entry = entry.unwrap();
            let inside = entry.path().strip_prefix(self.out()).unwrap();
            if entry.file_type().is_file() && !inside.starts_with("secrets") {
                assert!(
                    !holds(&fs::read(entry.path()).unwrap()),
                    "a secret is in {}",
                    inside.display()
                );
            }
        }
    }

    pub fn secret(&self, name: &str) -> Vec<u8> {
        let path = self.out().join("secrets").join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.out().join(name)).unwrap()
    }

    /// Paths of a container as they are for one that runs here.
    pub fn there(&self, text: &str) -> String {
        let here = self.dir.path().join("container");
        let text = text.replace("/opt/app/", &format!("{}/opt/app/", here.display()));
        let secrets = format!("{}/secrets/", self.out().display());
        let text = text.replace("/run/secrets/", &secrets);
        text.replace("/run/credentials", &format!("{}/cred", here.display()))
    }

    /// What /opt/app/NAME is given when the container of `app` starts.
    pub fn given(&self, name: &str) -> Given {
        let here = self.dir.path().join("container");
        for program in ["run", "prepare"] {
            let path = here.join("opt/app").join(program);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let said = path.with_extension("said").display().to_string();
            let script = format!(
                "#!/bin/sh\nprintf '%s\\0' \"$@\" > '{said}.argv'\nenv -0 > '{said}.env'\n"
            );
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let there = |text: &str| self.there(text);
        let dockerfile = self.text("workloads/app/Dockerfile");
        let instruction = |name: &str| {
            let mut lines = dockerfile.lines();
            let line = lines.find_map(|line| line.strip_prefix(name));
            let words: Vec<String> = serde_json::from_str(line.unwrap()).unwrap();
            words
        };
        // Whoever runs the test owns what is made.
        let entry = there(&self.text("workloads/app/entrypoint.sh"))
            .replace("install -D -o 0 -g 0", "install -D")
            .replace("install -d -o 0 -g 0", "install -d");
        let path = here.join("entrypoint.sh");
        fs::write(&path, entry).unwrap();
        let mut shell = Command::new("sh");
        shell.arg(&path).env_clear().env("PATH", "/usr/bin:/bin");
        shell.args(instruction("CMD ").iter().map(|word| there(word)));
        let done = shell.output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        given(&here.join("opt/app").join(format!("{name}.said")))
    }
}

fn given(said: &Path) -> Given {
    let read = |ending: &str| {
        let mut name = OsString::from(said);
        name.push(ending);
        let bytes = fs::read(PathBuf::from(name)).unwrap();
        let mut words: Vec<Vec<u8>> = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        words.pop();
        words
    };
    let pairs = read(".env").into_iter().map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap();
        let name = OsString::from_vec(pair[..at].to_vec());
        (name.into_string().unwrap(), pair[at + 1..].to_vec())
    });
    Given {
        argv: read(".argv"),
        environment: pairs.collect(),
    }
}

pub fn holds(bytes: &[u8]) -> bool {
    bytes.windows(MARK.len()).any(|window| window == MARK)
}
