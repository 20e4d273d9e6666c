//! What carries meaning by where it stands in an artefact is ours: directives of a builder, notes to editors and linters,
//! lines of a job table, modes; and the host is nobody's on the machine's word.

mod needs;

#[cfg(test)]
mod tests {
    use crate::needs::{self, need};
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;

    const NAMES: &[&str] = &[
        "syntax=evil.example/x:1",
        "escape=`",
        "check=skip=all",
        "hadolint ignore=DL3008",
        "yaml-language-server: $schema=http://evil.example",
        "x vim: set ft=x:",
        "-*- coding: x -*-",
    ];

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A machine with one service of each description, and the lines of the unit after it.
    fn machine(root: &Path, description: &str, lines: &str) {
        write(root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        write(
            root,
            "etc/passwd",
            "root:x:0:0:r:/root:/bin/sh\napp:x:1001:1001:a:/srv:/bin/sh\n",
        );
        write(root, "etc/group", "root:x:0:\napp:x:1001:\n");
        write(root, "etc/hostname", "vim: set x:\n");
        write(root, "usr/lib/systemd/system/multi-user.target", "[Unit]\n");
        write(root, "srv/app/run", "#!/bin/sh\nsleep 1\n");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.join("srv/app/run"), executable).unwrap();
        let text = format!(
            "[Unit]\nDescription={description}\n[Service]\nUser=app\nExecStart=/srv/app/run\n{lines}"
        );
        write(root, "etc/systemd/system/app.service", &text);
        let wants = root.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink("../app.service", wants.join("app.service")).unwrap();
    }

    fn migrate(root: &Path, mask: &str) -> PathBuf {
        let out = root.with_file_name(format!("out-{mask}"));
        let run = Command::new("sh")
            .args([
                "-c",
                "umask \"$1\"; exec \"$2\" --quiet migrate --allow-partial \"$3\" -o \"$4\"",
                "sh",
                mask,
            ])
            .arg(env!("CARGO_BIN_EXE_transvase"))
            .args([root, &out])
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        out
    }

    /// Directives as BuildKit reads them (frontend/dockerfile/parser/directives.go): `# key=value` and `// key=value` lines
    /// at the top, until the first line of any other form; a byte order mark and a `#!` line before them are passed over.
    fn directives(text: &str) -> Vec<String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().peekable();
        lines.next_if(|line| line.starts_with("#!"));
        let directive = |line: &str| {
            let rest = line.strip_prefix('#').or_else(|| line.strip_prefix("//"))?;
            let (key, _) = rest.trim_start().split_once('=')?;
            let key = key.trim_end();
            let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric());
            is_key.then(|| key.to_ascii_lowercase())
        };
        lines.map_while(directive).collect()
    }

    #[test]
    fn the_top_of_a_dockerfile_is_read_as_a_builder_does() {
        assert_eq!(
            directives("# syntax=a\n#escape=`\n# x\n# check=y\n"),
            ["syntax", "escape"]
        );
        assert_eq!(
            directives("\u{feff}#!/x\n// syntax = a\nFROM x"),
            ["syntax"]
        );
        assert!(directives("# words of ours\n# syntax=a\n").is_empty());
    }

    #[test]
    fn no_name_of_the_machine_is_a_directive() {
        for name in NAMES {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().join("root");
            machine(&root, name, "");
            let out = migrate(&root, "022");
            for path in ["compose.yaml", "workloads/app/Dockerfile"] {
                let text = fs::read_to_string(out.join(path)).unwrap();
                assert_eq!(directives(&text), Vec::<String>::new(), "{path}: {name}");
                let ours = "# Written by transvase from a machine's disk.";
                assert!(text.starts_with(ours), "{path}: {text}");
                for line in text.lines() {
                    let comment = line.trim_start().trim_start_matches('#').trim_start();
                    let speaks = [
                        "hadolint",
                        "yaml-language-server",
                        "syntax",
                        "escape",
                        "check",
                        "shellcheck",
                    ];
                    assert!(
                        !line.trim_start().starts_with('#')
                            || !speaks.iter().any(|word| comment.starts_with(word)),
                        "{path}: {line}"
                    );
                    assert!(
                        !line.contains("vim:") && !line.contains("-*-"),
                        "{path}: {line}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_linter_agrees_about_names_that_are_directives() {
        let linter = need!(needs::tool("hadolint"));
        for name in NAMES {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().join("root");
            machine(&root, name, "");
            let file = migrate(&root, "022").join("workloads/app/Dockerfile");
            let run = Command::new(&linter).arg(file).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&run.stdout), "", "{name}");
        }
    }

    #[test]
    fn nothing_is_handed_the_host_on_the_machine_s_word() {
        let devices = [
            "/dev/sda",
            "/dev/mem",
            "/dev/kvm",
            "/dev/net/tun",
            "block-sd",
        ];
        let capabilities = [
            "CAP_SYS_ADMIN",
            "CAP_SYS_MODULE",
            "CAP_SYS_RAWIO",
            "CAP_SYS_PTRACE",
            "CAP_DAC_READ_SEARCH",
            "CAP_NET_ADMIN",
            "CAP_BPF",
        ];
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        let lines = devices
            .map(|device| format!("DeviceAllow={device} rw\n"))
            .concat();
        machine(
            &root,
            "app",
            &format!("{lines}AmbientCapabilities={}\n", capabilities.join(" ")),
        );
        let out = migrate(&root, "022");
        let text = fs::read_to_string(out.join("compose.yaml")).unwrap();
        let compose: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let service = &compose["services"]["app"];
        for key in ["devices", "privileged", "pid", "ipc", "userns_mode"] {
            assert!(service[key].is_null(), "{key}: {}", service[key]);
        }
        // What the entry point needs to become the service's user is in every engine's own set.
        let added = service["cap_add"].as_array().into_iter().flatten();
        for name in added {
            let ours = ["KILL", "SETGID", "SETUID"];
            assert!(ours.contains(&name.as_str().unwrap()), "{name}");
        }
        assert_ne!(service["network_mode"], "host");
        let comments: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("(not granted: "))
            .collect();
        for name in devices.iter().copied().chain(
            capabilities
                .iter()
                .map(|name| name.trim_start_matches("CAP_")),
        ) {
            assert!(
                comments
                    .iter()
                    .any(|line| line.contains(&format!("[{name}]"))),
                "{name} is no choice: {comments:?}"
            );
        }
        let scan: serde_json::Value =
            serde_json::from_slice(&fs::read(out.join("scan.json")).unwrap()).unwrap();
        assert_eq!(
            scan["workloads"][0]["assessment"]["verdict"],
            "isolated-container"
        );
        let factors = scan["workloads"][0]["assessment"]["factors"]
            .as_array()
            .unwrap();
        assert!(
            factors
                .iter()
                .any(|factor| factor["rule"] == "security/host-privilege")
        );
    }

    #[test]
    fn a_job_table_has_the_machine_s_lines_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        machine(&root, "app", "");
        write(
            &root,
            "var/spool/cron/crontabs/app",
            "*/5 * * * * /srv/app/run 1\n",
        );
        write(
            &root,
            "var/spool/cron/crontabs/a\n* * * * * root evil",
            "*/5 * * * * /srv/app/run 2\n",
        );
        write(
            &root,
            "var/spool/cron/crontabs/root evil",
            "*/5 * * * * /srv/app/run 3\n",
        );
        let out = migrate(&root, "022");
        let mut tables = Vec::new();
        let workloads = fs::read_dir(out.join("workloads")).unwrap();
        for workload in workloads {
            let folder = workload.unwrap().path().join("rootfs/etc/cron.d");
            for table in fs::read_dir(folder).into_iter().flatten() {
                let text = fs::read_to_string(table.unwrap().path()).unwrap();
                let lines = text.lines().filter(|line| line.contains(" * * * "));
                tables.extend(lines.map(str::to_owned));
            }
        }
        assert_eq!(tables, ["*/5 * * * * app /srv/app/run 1"]);
    }

    /// Name and mode of everything below a folder.
    fn modes(at: &Path, of: &Path, found: &mut Vec<(PathBuf, u32)>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let seen = fs::symlink_metadata(&path).unwrap();
            found.push((path.strip_prefix(of).unwrap().to_owned(), seen.mode()));
            if seen.is_dir() {
                modes(&path, of, found);
            }
        }
    }

    #[test]
    fn the_user_s_umask_changes_no_mode() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        machine(&root, "app", "");
        write(&root, "etc/cron.d/own", "*/5 * * * * app /srv/app/run 1\n");
        let of = |mask: &str| {
            let (out, mut found) = (migrate(&root, mask), Vec::new());
            modes(&out, &out, &mut found);
            found.sort();
            found
        };
        assert_eq!(of("022"), of("077"));
    }
}
