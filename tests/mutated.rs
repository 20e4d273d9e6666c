//! A whole machine, changed at random in a way that a seed repeats: bytes turned over, lines doubled, swapped and moved to
//! other files, files cut short, blocks nested, control characters and very long lines put in. Whatever comes of it is
//! scanned and migrated without a panic, ends with a documented exit code, and what is written is well-formed, of a bounded
//! size, and the same again for the same seed. More machines: `TRANSVASE_HOSTILE=500 cargo test --test mutated`.

#[cfg(test)]
mod needs;

#[cfg(test)]
mod text_harness;

#[cfg(test)]
mod tests {
    use crate::needs::{self, need};
    use crate::text_harness;
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Component, Path, PathBuf};
    use std::process::Command;
    use std::time::{Duration, Instant};

    /// What one machine of this size may cost.
    const TIME: Duration = Duration::from_mins(1);
    const BYTES: u64 = 64 << 20;

    /// Marsaglia's xorshift: the same changes in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from((self.0 >> 16) % end.max(1) as u64).unwrap()
        }

        fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
            &of[self.below(of.len())]
        }
    }

    /// A machine as plain data: files with their modes, and links.
    #[derive(Clone, Default)]
    struct Machine {
        files: BTreeMap<String, (Vec<u8>, u32)>,
        links: BTreeMap<String, PathBuf>,
    }

    fn rich(top: &Path) -> Machine {
        let mut machine = Machine::default();
        for entry in walkdir::WalkDir::new(top).sort_by_file_name() {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(top).unwrap();
            let name = name.to_str().unwrap().to_owned();
            if entry.path_is_symlink() {
                let target = fs::read_link(entry.path()).unwrap();
                machine.links.insert(name, target);
            } else if entry.file_type().is_file() {
                let mode = entry.metadata().unwrap().permissions().mode();
                let content = fs::read(entry.path()).unwrap();
                machine.files.insert(name, (content, mode & 0o7777));
            }
        }
        for (name, text) in MORE {
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            machine
                .files
                .insert((*name).to_owned(), (text.as_bytes().to_vec(), mode));
        }
        // A program of this machine's: what any Linux has, and small.
        if let Ok(program) = fs::read("/bin/true") {
            let program = program[..program.len().min(64 << 10)].to_vec();
            machine
                .files
                .insert("usr/local/bin/program".to_owned(), (program, 0o755));
        }
        let wants = "etc/systemd/system/multi-user.target.wants/";
        for unit in ["odd.service", "odd.timer", "odd.socket"] {
            machine
                .links
                .insert(format!("{wants}{unit}"), format!("../{unit}").into());
        }
        machine
    }

    /// What the fixtures have little of.
    const MORE: &[(&str, &str)] = &[
        (
            "etc/systemd/system/odd.service",
            "[Unit]\nDescription=Odd %n\nRequires=odd.socket\nConditionPathExists=!/none\n[Service]\nType=notify\nUser=www-data\n\
             EnvironmentFile=-/etc/default/odd\nEnvironment=\"A=1 2\" B=${A} PASSWORD=hunter2hunter2\n\
             ExecStartPre=+/bin/sh -c 'mkdir -p \"$RUNTIME_DIRECTORY\"'\nExecStart=/usr/local/bin/program --listen ${A}:80 $OPTS \\\n  --more\n\
             CapabilityBoundingSet=CAP_NET_ADMIN\nDeviceAllow=/dev/fuse rw\nLimitNOFILE=10:20\nStateDirectory=odd\nPrivateTmp=yes\n\
             [Install]\nWantedBy=multi-user.target\nAlias=other.service\n",
        ),
        (
            "etc/systemd/system/odd.service.d/more.conf",
            "[Service]\nExecStartPost=/bin/true\nNice=5\nMemoryMax=1G\n",
        ),
        (
            "etc/systemd/system/odd.timer",
            "[Timer]\nOnCalendar=Mon..Fri *-*-* 02:30:00\nOnUnitActiveSec=1h 5min\nUnit=odd.service\n",
        ),
        (
            "etc/systemd/system/odd.socket",
            "[Socket]\nListenStream=127.0.0.1:9000\nListenStream=/run/odd.sock\nAccept=no\n",
        ),
        (
            "etc/default/odd",
            "OPTS=\"--port 9000 --token abcdefABCDEF0123456789abcdefABCDEF01\"\nTWICE=$OPTS$OPTS\n",
        ),
        (
            "etc/init.d/older",
            "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: older\n# Required-Start: $network\n# Default-Start: 2 3 4 5\n### END INIT INFO\n\
             DAEMON=/usr/local/bin/program\nARGS=\"-d $DAEMON\"\n[ -r /etc/default/odd ] && . /etc/default/odd\n\
             case \"$1\" in start) start-stop-daemon --start --chuid nobody --exec $DAEMON -- $ARGS $OPTS ;; esac\n",
        ),
        (
            "etc/crontab",
            "SHELL=/bin/sh\nMAILTO=root\nTOKEN=s3cr3ts3cr3t\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n\
             @daily nobody /usr/local/bin/program --password=\"$TOKEN\" 2>&1\n",
        ),
        (
            "etc/cron.hourly/hour",
            "#!/bin/sh\n/usr/local/bin/program -h\n",
        ),
        (
            "etc/my.cnf",
            "[client]\npassword=pa55word\n[mysqld]\nport=3306\ndatadir=/var/lib/mysql\n!includedir /etc/mysql/\n",
        ),
        (
            "etc/haproxy/haproxy.cfg",
            "global\n  user haproxy\nfrontend a\n  bind *:80\n  default_backend b\nbackend b\n  server s 10.0.0.1:80 check\n",
        ),
        (
            "etc/app.yaml",
            "a: &x\n  port: 80\n  list: [1, {b: 2}]\nc: *x\nd: |\n  text\n",
        ),
        (
            "srv/app/app.json",
            "{\"db\": {\"url\": \"postgres://u:p4ssw0rd@db:5432/x\"}, \"list\": [1, [2, [3]]]}\n",
        ),
        (
            "srv/app/server.xml",
            "<Server port=\"8005\"><Service><Connector port=\"8080\" keystorePass=\"changeit1\"/></Service></Server>\n",
        ),
    ];

    /// Characters that mean something to somebody.
    const SIGNS: &[&str] = &[
        "\0",
        "\u{1b}[2J",
        "\r",
        "\u{7f}",
        "\u{85}",
        "\u{9b}",
        "\u{202e}",
        "\u{200b}",
        "\u{2028}",
        "\u{feff}",
        "\u{e0041}",
        "\"",
        "'",
        "\\",
        "`",
        "$(id)",
        "${A}",
        "%",
        "%%",
        "{{",
        "}}",
        "<!--",
        "-->",
        "</script>",
        "|",
        ";",
        "\n",
        "\t",
        "#",
        "=",
        ":",
        "[",
        "]",
        "{",
        "}",
        "*",
        "?",
        "..",
        "/",
        "~",
        "&",
        "!",
        "@",
        "-",
        "\u{ff}",
        "é",
        "99999999999999999999",
        "-1",
        "0x",
        "1e9",
        "::",
        "/../../etc/shadow",
        "none",
        "[redacted]",
        "$$",
        "\\\n",
    ];

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        text.split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// One change to a file; `other` is the content of another.
    fn change(text: &mut Vec<u8>, other: &[u8], random: &mut Random) {
        let at = random.below(text.len() + 1);
        match random.below(12) {
            0 => {
                for _ in 0..=random.below(8) {
                    let at = random.below(text.len());
                    if let Some(byte) = text.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
            1 => text.truncate(at),
            2 => drop(text.drain(..at)),
            3 | 4 => {
                for _ in 0..=random.below(4) {
                    let at = random.below(text.len() + 1);
                    text.splice(at..at, random.one(SIGNS).bytes());
                }
            }
            5 => {
                let length = 1 << random.below(17);
                let filler = random.one(&[b'a', b' ', b'$', b'\\', b'{', b'(', b'"', 0x80]);
                text.splice(at..at, std::iter::repeat_n(*filler, length));
            }
            6 => {
                // A block in itself.
                let copy = text.clone();
                text.splice(at..at, copy);
            }
            7 => {
                let pieces = lines(other);
                text.splice(at..at, random.one(&pieces).clone());
            }
            8 => other.clone_into(text),
            9 => {
                // A value that is used where it is made.
                let name = format!("\nV{}=${{V{}}}$V0\n", random.below(3), random.below(3));
                text.splice(at..at, name.into_bytes());
            }
            _ => {
                let mut pieces = lines(text);
                if !pieces.is_empty() {
                    let (from, to) = (random.below(pieces.len()), random.below(pieces.len()));
                    match random.below(3) {
                        0 => {
                            let copies = 1 + random.below(40);
                            let line = pieces[from].clone();
                            pieces.splice(to..to, std::iter::repeat_n(line, copies));
                        }
                        1 => pieces.swap(from, to),
                        _ => drop(pieces.remove(from)),
                    }
                    *text = pieces.concat();
                }
            }
        }
    }

    fn changed(machine: &Machine, seed: u64) -> Machine {
        let mut machine = machine.clone();
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let names: Vec<String> = machine.files.keys().cloned().collect();
        for _ in 0..=random.below(12) {
            let (name, other) = (random.one(&names), random.one(&names));
            let other = machine.files[other].0.clone();
            let file = machine.files.get_mut(name).unwrap();
            for _ in 0..=random.below(3) {
                if !other.is_empty() {
                    change(&mut file.0, &other, &mut random);
                }
            }
            file.0.truncate(1 << 20);
        }
        for _ in 0..random.below(3) {
            let name = random.one(&names);
            match random.below(3) {
                // A name that is no name.
                0 => {
                    let sign = random.one(SIGNS).replace(['\0', '/'], "");
                    let moved = machine.files[name].clone();
                    machine.files.insert(format!("{name}{sign}"), moved);
                }
                1 => drop(machine.files.remove(name)),
                _ => {
                    let target = random.one(&names);
                    machine.files.remove(name);
                    machine
                        .links
                        .insert(name.clone(), format!("/{target}").into());
                }
            }
            if machine.files.len() < names.len() {
                break;
            }
        }
        machine
    }

    fn put(machine: &Machine, root: &Path) {
        for (name, (content, mode)) in &machine.files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        for (name, target) in &machine.links {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, path).unwrap();
        }
    }

    /// Everything below a folder; carried files by their lengths.
    fn written(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for entry in walkdir::WalkDir::new(out) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let name = entry.path().strip_prefix(out).unwrap().to_owned();
                found.insert(name, fs::read(entry.path()).unwrap());
            }
        }
        found
    }

    fn migrate(root: &Path, out: &Path, jobs: &str, what: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let begun = Instant::now();
        let run = Command::new(env!("CARGO_BIN_EXE_transvase"))
            .args(["--quiet", "-j", jobs, "migrate", "--with-secrets", "-o"])
            .args([out, root])
            .output()
            .unwrap();
        let took = begun.elapsed();
        let words = String::from_utf8_lossy(&run.stderr);
        assert!(!words.contains("panicked"), "{what}: {words}");
        let code = run.status.code();
        assert!(matches!(code, Some(0 | 2 | 3)), "{what}: {code:?} {words}");
        assert!(
            code != Some(2) || !words.is_empty(),
            "{what}: no word of why"
        );
        assert!(took < TIME, "{what}: {took:?}");
        assert_eq!(code == Some(2), !out.exists(), "{what}: {words}");
        if code == Some(2) {
            return BTreeMap::from([("refused".into(), run.stderr)]);
        }
        written(out)
    }

    /// What is written is what its readers read.
    fn check(files: &BTreeMap<PathBuf, Vec<u8>>, machine: u64, what: &str) {
        // What is carried, and files of secrets, are the machine's bytes.
        let of_the_machine = ["rootfs", "secrets"];
        let ours = |path: &Path| {
            let mut parts = path.components().map(Component::as_os_str);
            !parts.any(|part| of_the_machine.iter().any(|name| part == *name))
        };
        let bytes: u64 = files
            .iter()
            .filter(|(path, _)| ours(path))
            .map(|(_, bytes)| bytes.len() as u64)
            .sum();
        assert!(bytes < BYTES + machine * 16, "{what}: {bytes} bytes");
        for (path, bytes) in files.iter().filter(|(path, _)| ours(path)) {
            let what = format!("{what}: {}", path.display());
            let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{what}: no text"));
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("json") => {
                    let read: serde_json::Value =
                        serde_json::from_str(text).unwrap_or_else(|why| panic!("{what}: {why}"));
                    let unexamined = read["coverage"]["unexamined"].as_array();
                    for part in unexamined.into_iter().flatten() {
                        let reason = part["reason"].as_str().unwrap();
                        assert!(!reason.contains("detector failed"), "{what}: {part}");
                    }
                }
                Some("yaml") => {
                    let read: Result<serde_json::Value, _> = serde_saphyr::from_str(text);
                    assert!(read.is_ok(), "{what}: {:?}\n{text}", read.err());
                }
                Some("sh") => {
                    let run = Command::new("sh").args(["-nc", text]).output().unwrap();
                    assert!(run.status.success(), "{what}: {run:?}\n{text}");
                }
                _ => {}
            }
        }
    }

    /// How many machines; more by TRANSVASE_HOSTILE.
    fn share() -> u64 {
        let asked = std::env::var("TRANSVASE_HOSTILE").ok();
        asked.map_or(40, |share| share.parse().unwrap())
    }

    #[test]
    fn changed_machines_end_in_an_answer() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/machines");
        let machines: Vec<Machine> = ["shop", "legacy", "gateway", "depot"]
            .iter()
            .map(|name| rich(&top.join(name).join("root")))
            .collect();
        assert!(machines.iter().all(|machine| machine.files.len() > 30));
        let first: u64 = std::env::var("TRANSVASE_FIRST").map_or(0, |seed| seed.parse().unwrap());
        for seed in first..first + share() {
            let machine = &machines[usize::try_from(seed).unwrap() % machines.len()];
            let what = format!("seed {seed}");
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().join("root");
            let machine = changed(machine, seed);
            put(&machine, &root);
            let size = machine.files.values().map(|(text, _)| text.len() as u64);
            let size: u64 = size.sum();
            let files = migrate(&root, &dir.path().join("out"), "2", &what);
            check(&files, size, &what);
            if seed % 4 == 0 {
                let again = migrate(&root, &dir.path().join("again"), "1", &what);
                let differ = files
                    .iter()
                    .find(|(path, bytes)| again.get(*path) != Some(bytes));
                let differ = differ.map(|(path, _)| path);
                assert!(
                    files.len() == again.len() && differ.is_none(),
                    "{what}: {differ:?}"
                );
            }
        }
    }

    /// The files of every target's folder in a folder of `fuzz/`; `None` where that was not handed on.
    fn inputs(folder: &str) -> Option<Vec<(String, PathBuf)>> {
        let top = needs::repository("fuzz")?.join(folder);
        let files = walkdir::WalkDir::new(top).sort_by_file_name();
        let files = files.into_iter().map(|entry| entry.unwrap().into_path());
        let files = files.filter(|path| path.is_file()).map(|path| {
            let target = path.parent().unwrap().file_name().unwrap();
            (target.to_str().unwrap().to_owned(), path.clone())
        });
        Some(files.collect())
    }

    /// Seeds of the fuzz targets of texts, and whatever fuzzing has found, as they are and changed.
    #[test]
    fn texts_and_what_fuzzing_found_end_in_an_answer() {
        let found = need!(inputs("findings"));
        let seeds = need!(inputs("seeds"));
        let mut known = 0;
        for (target, path) in found.iter().chain(&seeds) {
            let data = fs::read(path).unwrap();
            let begun = Instant::now();
            if !text_harness::read(target, &data) {
                // A disk.
                continue;
            }
            known += 1;
            let mut random = Random(data.len() as u64 | 1);
            for _ in 0..share() / 10 {
                let mut changed = data.clone();
                change(&mut changed, &data, &mut random);
                text_harness::read(target, &changed);
            }
            assert!(begun.elapsed() < TIME, "{}", path.display());
        }
        assert!(known >= 14, "{known}");
    }
}
