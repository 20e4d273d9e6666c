//! What steers a terminal, turns text round or is not seen stands as itself in nothing that is written: it is escaped in
//! each file's own way, and reads back as what the machine has. Carried bytes are the machine's and stay as they are.

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    /// By kind, so that one does not hide what another does. NUL is in texts only: no name can hold it.
    const KINDS: &[(&str, &str)] = &[
        ("ends strings of C", "x\0y"),
        ("steers", "\u{1b}[31m\u{7}\u{8}\u{7f}\u{1b}]0;x"),
        ("returns", "x\ry"),
        ("of C1", "\u{80}\u{85}\u{9b}\u{9f}"),
        (
            "turns",
            "\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{61c}",
        ),
        (
            "is not seen",
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{2028}\u{2029}\u{e0001}\u{e0041}\u{e007f}\u{fe0f}",
        ),
    ];

    /// A name as a file system can have it.
    fn named(name: &str) -> String {
        name.replace('\0', "")
    }

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(named(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn program(root: &Path, path: &str) {
        write(root, path, "#!/bin/sh\nsleep 1\n");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.join(named(path)), executable).unwrap();
    }

    fn unit(root: &Path, name: &str, text: &str) {
        let name = &named(name);
        write(root, &format!("etc/systemd/system/{name}"), text);
        let wants = root.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink(format!("../{name}"), wants.join(name)).unwrap();
    }

    /// A value of the machine.
    fn value(kind: &str) -> String {
        format!("b{kind}e")
    }

    fn machine(root: &Path, kind: &str) {
        let v = value(kind);
        write(
            root,
            "etc/os-release",
            &format!("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian {v} 12\"\n"),
        );
        write(
            root,
            "etc/passwd",
            &format!(
                "root:x:0:0:r:/root:/bin/sh\napp:x:1001:1001:Mr {v}:/srv/{v}:/bin/sh\nu{v}:x:1002:1002:{v}:/srv:/bin/{v}\n"
            ),
        );
        write(
            root,
            "etc/group",
            &format!("root:x:0:\napp:x:1001:u{v}\ng{v}:x:1002:app\n"),
        );
        write(root, "etc/hostname", &format!("host{v}\n"));
        write(root, "etc/timezone", &format!("Zone/{v}\n"));
        write(root, "etc/hosts", &format!("10.0.0.1 db{v} other\n"));
        write(
            root,
            "etc/fstab",
            &format!(
                "/dev/{v} /mnt/{v} ext4 defaults,{v} 0 0\nserver{v}:/x /srv/nfs nfs {v} 0 0\n"
            ),
        );
        write(
            root,
            "etc/sysctl.conf",
            &format!("net.ipv4.ip_forward=1\nkernel.{v}={v}\n"),
        );
        write(root, "etc/default/locale", &format!("LANG=\"{v}\"\n"));
        write(root, "usr/lib/systemd/system/multi-user.target", "[Unit]\n");
        program(root, "srv/app/run");
        program(root, &format!("srv/app/run{v}"));
        write(root, &format!("srv/app/{v}/file"), "content\n");
        write(
            root,
            "srv/app/.env",
            &format!("PLAIN={v}\nPASSWORD=pw{v}\n"),
        );
        symlink(named(&v), root.join("srv/app/link")).unwrap();
        symlink("/nowhere", root.join(named(&format!("srv/app/l{v}")))).unwrap();
        unit(
            root,
            "app.service",
            &format!(
                "[Unit]\nDescription=Does {v}\nDocumentation=http://x/{v}\nRequiresMountsFor=/mnt/{v}\n[Service]\nUser=app\n\
                 WorkingDirectory=/srv/app/{v}\nEnvironment=\"VALUE={v}\" \"PASSWORD=pw{v}\"\nEnvironmentFile=/srv/app/.env\n\
                 ExecStartPre=/bin/echo \"{v}\"\nExecStart=/srv/app/run \"{v}\" --listen=0.0.0.0:8080\nStateDirectory=\"s{v}\"\n\
                 RuntimeDirectory=\"r{v}\"\nCapabilityBoundingSet=CAP_{v}\nDeviceAllow=/dev/{v} rw\nPIDFile=/run/{v}.pid\n{v}={v}\n"
            ),
        );
        unit(
            root,
            &format!("n{v}.service"),
            &format!(
                "[Unit]\nDescription=n{v}\n[Service]\nUser=u{v}\nExecStart=\"/srv/app/run{v}\"\n"
            ),
        );
        unit(
            root,
            "nginx.service",
            "[Service]\nExecStart=/usr/sbin/nginx\n",
        );
        program(root, "usr/sbin/nginx");
        write(
            root,
            "etc/nginx/nginx.conf",
            &format!(
                "user \"{v}\";\nhttp {{ server {{ listen 80; server_name \"{v}\"; root \"/srv/{v}\"; ssl_certificate \"/etc/{v}.pem\";\n\
                 location / {{ proxy_pass \"http://db{v}:80\"; }} }} include \"/etc/nginx/{v}\"; }}\n"
            ),
        );
        write(
            root,
            "etc/cron.d/jobs",
            &format!(
                "SETTING=s{v}\nMAILTO=\"{v}\"\n*/5 * * * * app /srv/app/run {v}\n* * * * * u{v} /bin/true\n"
            ),
        );
        program(root, "etc/init.d/old");
        write(
            root,
            "etc/init.d/old",
            &format!(
                "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: old\n# Short-Description: {v}\n# Default-Start: 2 3 4 5\n### END INIT INFO\n\
                 start-stop-daemon --start --exec /srv/app/run -- \"{v}\"\n"
            ),
        );
        symlink("../init.d/old", {
            fs::create_dir_all(root.join("etc/rc2.d")).unwrap();
            root.join("etc/rc2.d/S01old")
        })
        .unwrap();
        packages(root, &v);
    }

    fn packages(root: &Path, v: &str) {
        let package = |name: &str, version: &str| {
            format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\nMaintainer: {v}\n\
                 Description: {v}\n more {v}\n\n"
            )
        };
        let all = [
            package("nginx", &format!("1{v}")),
            package(&format!("p{v}"), "2"),
            package("run", &format!("3-{v}")),
        ];
        write(root, "var/lib/dpkg/status", &all.concat());
        write(root, "var/lib/dpkg/info/nginx.list", "/usr/sbin/nginx\n");
        write(
            root,
            "var/lib/dpkg/info/run.list",
            &format!("/srv/app/run\n/srv/app/run{v}\n"),
        );
    }

    fn transvase(args: &[&Path], status: &[i32]) -> Output {
        let run = Command::new(env!("CARGO_BIN_EXE_transvase"))
            .args(args)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        assert!(
            run.status.code().is_some_and(|code| status.contains(&code)),
            "{args:?}: {}",
            String::from_utf8_lossy(&run.stderr)
        );
        run
    }

    /// As Unicode has them (the properties Cc, Bidi_Control, Default_Ignorable_Code_Point), not as the program has them.
    fn is_bad(c: char) -> bool {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    }

    /// Lines that hold such a character, escaped to be shown.
    fn bad(text: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(text);
        let lines = text.split('\n').filter(|line| line.contains(is_bad));
        let shown = lines.map(|line| line.escape_debug().to_string());
        shown.map(|line| line.chars().take(300).collect()).collect()
    }

    /// Everything below OUT that is ours: what is carried is the machine's, and so are the lines of its job tables.
    fn ours(out: &Path) -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(out).sort_by_file_name();
        let entries = entries.into_iter().filter_entry(|entry| {
            let name = entry.file_name();
            name != "rootfs" && !(entry.depth() == 1 && (name == "data" || name == "secrets"))
        });
        let paths = entries.map(|entry| entry.unwrap().into_path());
        paths.filter(|path| path != out).collect()
    }

    fn values(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| values(item, found)),
            Value::Object(fields) => {
                found.extend(fields.keys().cloned());
                fields.values().for_each(|field| values(field, found));
            }
            _ => {}
        }
    }

    struct Made {
        _dir: tempfile::TempDir,
        root: PathBuf,
        out: PathBuf,
    }

    fn made(kind: &str) -> (Made, Output) {
        let dir = tempfile::tempdir().unwrap();
        let (root, out) = (dir.path().join("root"), dir.path().join("out"));
        machine(&root, kind);
        let args = ["migrate", "-vv", "--allow-partial"].map(Path::new);
        let run = transvase(&[&args[..], &[&root, Path::new("-o"), &out]].concat(), &[0]);
        let made = Made {
            _dir: dir,
            root,
            out,
        };
        (made, run)
    }

    #[test]
    fn nothing_that_is_written_steers_or_hides() {
        let mut wrong = Vec::new();
        for (name, kind) in KINDS {
            let (made, run) = made(kind);
            let mut check = |what: &str, text: &[u8]| {
                let lines = bad(text);
                wrong.extend(lines.iter().map(|line| format!("{name}, {what}: {line}")));
            };
            check("migrate's output", &run.stdout);
            check("migrate's words", &run.stderr);
            for path in ours(&made.out) {
                let shown = path.strip_prefix(&made.out).unwrap().to_str().unwrap();
                check("a name", shown.as_bytes());
                if path.is_file() {
                    check(shown, &fs::read(&path).unwrap());
                }
            }
            let scan = made.out.join("scan.json");
            for format in [
                "terminal",
                "html",
                "md",
                "cyclonedx",
                "sarif",
                "json",
                "csv",
            ] {
                for source in [&scan, &made.root] {
                    for rows in ["workloads", "concerns"] {
                        let args = ["report", "--format", format, "--rows", rows].map(Path::new);
                        let run = transvase(&[&args[..], &[source]].concat(), &[0]);
                        // Rows of a CSV end so (RFC 4180).
                        let text = String::from_utf8(run.stdout).unwrap();
                        let text = match format {
                            "csv" => text.replace("\r\n", "\n"),
                            _ => text,
                        };
                        check(&format!("report --format {format}"), text.as_bytes());
                        check(&format!("words of {format}"), &run.stderr);
                        if format != "csv" {
                            break;
                        }
                    }
                }
            }
            let root = &made.root;
            let odd = named(&format!("/srv/app/run{}", value(kind)));
            let inside: &[&[&str]] = &[
                &["inspect", "ROOT"],
                &["inspect", "--format", "json", "ROOT"],
                &["inspect", "ROOT", "ls", "/srv/app"],
                &["inspect", "ROOT", "ls", &odd],
                &["inspect", "ROOT", "ls", "/none/"],
                &["inspect", "ROOT", "cat", "/srv/app"],
                &["kernel", "ROOT", &odd],
                &["kernel", "ROOT", &odd, "--format", "json"],
                &["scan", "ROOT"],
            ];
            for args in inside {
                let args: Vec<&Path> = args
                    .iter()
                    .map(|arg| match *arg {
                        "ROOT" => root.as_path(),
                        arg => Path::new(arg),
                    })
                    .collect();
                let run = transvase(&args, &[0, 2, 3]);
                check(&format!("{args:?}"), &run.stdout);
                check(&format!("words of {args:?}"), &run.stderr);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_is_escaped_reads_back() {
        for (name, kind) in KINDS {
            let (made, _) = made(kind);
            let v = value(kind);
            let read = |path: &str| fs::read_to_string(made.out.join(path)).unwrap();
            let scan: Value = serde_json::from_str(&read("scan.json")).unwrap();
            let mut found = Vec::new();
            values(&scan, &mut found);
            assert!(
                found.iter().any(|text| text.contains(&format!("Does {v}"))),
                "{name}: {found:?}"
            );
            // Read by others than those who wrote them.
            let compose: Value = serde_saphyr::from_str(&read("compose.yaml")).unwrap();
            let mut found = Vec::new();
            values(&compose, &mut found);
            let script = made.out.join("workloads/app/entrypoint.sh");
            let run = Command::new("sh").arg("-n").arg(&script).output().unwrap();
            assert!(run.status.success(), "{name}: {run:?}");
            let text = read("workloads/app/entrypoint.sh");
            let exports = text.lines().filter(|line| line.starts_with("export "));
            let exports = exports.collect::<Vec<_>>().join("\n");
            let run = Command::new("sh")
                .args(["-c", &format!("{exports}\nprintf %s \"$VALUE\"")])
                .output()
                .unwrap();
            // No variable holds NUL, and the service manager takes none that would.
            let expected = if v.contains('\0') { "" } else { &v };
            assert_eq!(
                String::from_utf8(run.stdout).unwrap(),
                expected,
                "{name}: {text}"
            );
            let dockerfile = read("workloads/app/Dockerfile");
            let command = dockerfile
                .lines()
                .find_map(|line| line.strip_prefix("CMD "))
                .unwrap();
            let argv: Vec<String> = serde_json::from_str(command).unwrap();
            assert_eq!(argv[1], named(&v), "{name}");
            // A job table has no escapes: the machine's own line is carried, or it is said that it cannot be.
            let table = made
                .out
                .join("workloads/jobs-app/rootfs/etc/cron.d/jobs-app");
            let table = fs::read_to_string(table).unwrap_or_default();
            let carried = table.contains(&format!("SETTING=s{v}\n"));
            let said = read("workloads/jobs-app/README.md").contains("which no cron line can say");
            assert!(carried || said, "{name}: {table:?}");
            let volumes = found
                .iter()
                .any(|text| text.ends_with(&format!("s{}", named(&v))));
            assert!(volumes || v.contains('\0'), "{name}: {found:?}");
        }
    }

    #[test]
    fn files_that_only_guide_a_tool_hold_no_text_of_the_machine() {
        let (first, second) = (made(KINDS[0].1).0, made(KINDS[3].1).0);
        let guides = |made: &Made| -> Vec<(PathBuf, String)> {
            let paths = ours(&made.out).into_iter().filter(|path| {
                let name = path.file_name().unwrap();
                name == ".env" || name == ".gitignore" || name == ".dockerignore"
            });
            let read = |path: PathBuf| {
                let text = fs::read_to_string(&path).unwrap();
                (path.strip_prefix(&made.out).unwrap().to_owned(), text)
            };
            paths.map(read).collect()
        };
        let (first, second) = (guides(&first), guides(&second));
        assert!(first.len() >= 3, "{first:?}");
        for (path, text) in &first {
            let same = second.iter().find(|(other, _)| other == path);
            let plain = |text: &str| text.chars().all(|c| c == '\n' || (' '..='~').contains(&c));
            assert!(plain(text), "{}: {text}", path.display());
            if path.file_name().unwrap() != ".env" {
                assert!(
                    same.is_none_or(|(_, other)| other == text),
                    "{}: {text}",
                    path.display()
                );
            }
        }
    }

    #[test]
    fn files_of_ours_have_plain_modes() {
        let (made, _) = made(KINDS[0].1);
        for path in ours(&made.out) {
            let meta = fs::symlink_metadata(&path).unwrap();
            assert!(meta.is_file() || meta.is_dir(), "{}", path.display());
            let mode = meta.mode() & 0o7777;
            let wanted: &[u32] = if meta.is_dir() {
                &[0o755]
            } else {
                &[0o644, 0o755]
            };
            assert!(wanted.contains(&mode), "{}: {mode:o}", path.display());
        }
    }

    #[test]
    fn a_page_has_no_link_that_the_machine_made() {
        let (made, _) = made(KINDS[0].1);
        let page = fs::read_to_string(made.out.join("report.html")).unwrap();
        for (at, _) in page.match_indices("href=") {
            let target: String = page[at..].chars().take(80).collect();
            assert!(
                !target.contains("http://x/") && !target.contains("http://db"),
                "{target}"
            );
        }
    }
}
