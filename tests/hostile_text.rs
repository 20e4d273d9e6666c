//! Text that is small and means much: variables that double, blocks in blocks, lists that are joined with lists. Each
//! grammar is written at one size and at four times that size. What is made of it grows no more than it does itself, and
//! what was cut is named.

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    /// What a grammar makes of a machine at a size.
    type Grow = fn(&Path, usize);

    /// Not too much of it, however much there is.
    const NOTHING: &str = "";

    /// Where a busy computer's clock tells nothing.
    const FLOOR: Duration = Duration::from_secs(4);

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn program(root: &Path, path: &str, text: &str) {
        write(root, path, text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.join(path), mode).unwrap();
    }

    fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
        (0..count).fold(String::new(), |mut text, n| {
            writeln!(text, "{}", line(n)).unwrap();
            text
        })
    }

    fn unit(root: &Path, name: &str, text: &str) {
        write(root, &format!("etc/systemd/system/{name}"), text);
        let wants = root.join("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        symlink(format!("../{name}"), wants.join(name)).unwrap();
    }

    fn web_server(root: &Path, name: &str) {
        program(root, &format!("usr/sbin/{name}"), "#!/bin/sh\n");
        let text = format!("[Service]\nExecStart=/usr/sbin/{name}\n");
        unit(root, &format!("{name}.service"), &text);
    }

    fn machine(root: &Path) {
        write(root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        write(
            root,
            "etc/passwd",
            "root:x:0:0:r:/root:/bin/sh\napp:x:1001:1001:a:/srv:/bin/sh\n",
        );
        write(root, "etc/group", "root:x:0:\napp:x:1001:\n");
        write(root, "etc/hosts", "127.0.0.1 localhost\n");
        write(root, "etc/hostname", "host\n");
        write(root, "usr/lib/systemd/system/multi-user.target", "[Unit]\n");
        program(root, "srv/app/run", "#!/bin/sh\nsleep 1\n");
        unit(
            root,
            "app.service",
            "[Service]\nUser=app\nExecStart=/srv/app/run\n",
        );
    }

    fn doubling(head: &str, sign: &str, count: usize) -> String {
        let double = |n: usize| match n.checked_sub(1) {
            None => format!("{head}A0{sign}xx"),
            Some(last) => format!("{head}A{n}{sign}\"${{A{last}}}${{A{last}}}\""),
        };
        lines(count, double)
    }

    const GRAMMARS: &[(&str, usize, Grow, &str)] = &[
        (
            "variables of an init script",
            40,
            |root, n| {
                let text = format!(
                    "#!/bin/sh\n{}start-stop-daemon --start --exec /srv/app/run -- $A{}\n",
                    doubling("", "=", n),
                    n - 1
                );
                program(root, "etc/init.d/old", &text);
            },
            "/etc/init.d/old",
        ),
        (
            "variables of a web server's environment",
            40,
            |root, n| {
                web_server(root, "apache2");
                write(root, "etc/apache2/envvars", &doubling("export ", "=", n));
                write(
                    root,
                    "etc/apache2/apache2.conf",
                    &format!("Listen ${{A{}}}\n", n - 1),
                );
            },
            "/etc/apache2/apache2.conf",
        ),
        (
            "definitions",
            40,
            |root, n| {
                web_server(root, "apache2");
                write(
                    root,
                    "etc/apache2/apache2.conf",
                    &doubling("Define ", " ", n),
                );
            },
            "/etc/apache2/apache2.conf",
        ),
        (
            "words of a unit",
            8_000,
            |root, n| {
                let text = format!(
                    "[Service]\nEnvironment=\"V={}\"\nExecStart=/srv/app/run {}\n",
                    "a ".repeat(n),
                    "$V ".repeat(n)
                );
                unit(root, "words.service", &text);
            },
            "/etc/systemd/system/words.service",
        ),
        (
            "a variable file for many units",
            500,
            |root, n| {
                write(
                    root,
                    "etc/default/big",
                    &lines(5_000, |n| format!("V{n}={}", "x".repeat(60))),
                );
                for at in 0..n {
                    unit(
                        root,
                        &format!("u{at}.service"),
                        "[Service]\nEnvironmentFile=/etc/default/*\nExecStart=/srv/app/run\n",
                    );
                }
            },
            "/etc/systemd/system/u1.service",
        ),
        (
            "braces without an end",
            20_000,
            |root, n| {
                let text = format!("[Service]\nExecStart=/srv/app/run {}\n", "${".repeat(n));
                unit(root, "braces.service", &text);
                program(
                    root,
                    "etc/init.d/old",
                    &format!("#!/bin/sh\nA={0}\nsu a -c {0}\n", "${".repeat(n)),
                );
            },
            NOTHING,
        ),
        (
            "blocks in blocks",
            20_000,
            |root, n| {
                web_server(root, "nginx");
                write(root, "etc/nginx/nginx.conf", &"a {".repeat(n));
            },
            "/etc/nginx/nginx.conf",
        ),
        (
            "sections in sections",
            10_000,
            |root, n| {
                web_server(root, "apache2");
                write(
                    root,
                    "etc/apache2/apache2.conf",
                    &lines(n, |n| format!("<IfModule m{n}>\nListen {n}")),
                );
            },
            "/etc/apache2/apache2.conf",
        ),
        (
            "servers",
            3_000,
            |root, n| {
                web_server(root, "nginx");
                let server = |n: usize| {
                    format!(
                        "server {{ listen {}; location / {{ proxy_pass http://127.0.0.1:{}; }} }}",
                        n + 1,
                        n + 2
                    )
                };
                write(
                    root,
                    "etc/nginx/nginx.conf",
                    &format!("http {{\n{}}}\n", lines(n, server)),
                );
            },
            "/etc/nginx/nginx.conf",
        ),
        (
            "files that include one another",
            150,
            |root, n| {
                web_server(root, "nginx");
                write(
                    root,
                    "etc/nginx/nginx.conf",
                    "http { include /etc/nginx/c/*.conf; }\n",
                );
                for at in 0..n {
                    write(
                        root,
                        &format!("etc/nginx/c/{at}.conf"),
                        "include /etc/nginx/c/*.conf;\nlisten 80;\n",
                    );
                }
            },
            NOTHING,
        ),
        (
            "attributes",
            20_000,
            |root, n| {
                web_server(root, "tomcat9");
                let text = (0..n).fold(String::from("<Server "), |text, n| {
                    format!("{text}a{n}=\"x\" ")
                });
                write(root, "etc/tomcat9/server.xml", &format!("{text}/>"));
                unit(
                    root,
                    "tomcat.service",
                    "[Service]\nExecStart=/usr/libexec/tomcat9/tomcat-start.sh\n",
                );
                program(root, "usr/libexec/tomcat9/tomcat-start.sh", "#!/bin/sh\n");
            },
            NOTHING,
        ),
        (
            "elements in elements",
            20_000,
            |root, n| {
                unit(
                    root,
                    "tomcat9.service",
                    "[Service]\nExecStart=/usr/libexec/tomcat9/tomcat-start.sh\n",
                );
                program(root, "usr/libexec/tomcat9/tomcat-start.sh", "#!/bin/sh\n");
                write(
                    root,
                    "etc/tomcat9/server.xml",
                    &format!("{}{}", "<a>\n".repeat(n), "</a>".repeat(n)),
                );
            },
            NOTHING,
        ),
        (
            "names of hosts",
            3_000,
            |root, n| {
                write(
                    root,
                    "etc/hosts",
                    &lines(n, |n| {
                        format!("10.0.{}.{} h{n} g{n}", n / 256 % 256, n % 256)
                    }),
                );
            },
            "/etc/hosts",
        ),
        (
            "groups of one user",
            10_000,
            |root, n| {
                write(
                    root,
                    "etc/passwd",
                    &format!(
                        "app:x:1001:1001:a:/srv:/bin/sh\n{}",
                        lines(n, |n| format!("u{n}:x:{}:{}:::", n + 2000, n + 2000))
                    ),
                );
                write(
                    root,
                    "etc/group",
                    &format!(
                        "app:x:1001:\n{}",
                        lines(n, |n| format!("g{n}:x:{}:app,u{n}", n + 2000))
                    ),
                );
            },
            "/etc/group",
        ),
        (
            "users with jobs",
            1_500,
            |root, n| {
                write(
                    root,
                    "etc/cron.d/many",
                    &lines(n, |n| format!("*/5 * * * * u{n} /srv/app/run {n}")),
                );
            },
            "/etc/cron.d/many",
        ),
        (
            "archives of a machine",
            3_000,
            |root, n| {
                let line = |n| format!("deb http://h{n}.example.net/x a main");
                write(root, "etc/apt/sources.list", &lines(n, line));
            },
            "/etc/apt/sources.list",
        ),
        (
            "conditions of a unit",
            10_000,
            |root, n| {
                let text = format!(
                    "[Unit]\n{}[Service]\nExecStart=/srv/app/run\n",
                    "ConditionPathExists=/etc\n".repeat(n)
                );
                unit(root, "conditions.service", &text);
            },
            "/etc/systemd/system/conditions.service",
        ),
        (
            "units",
            1_500,
            |root, n| {
                for at in 0..n {
                    unit(
                        root,
                        &format!("u{at}.service"),
                        "[Service]\nUser=app\nExecStart=/srv/app/run\n",
                    );
                }
            },
            "workloads",
        ),
    ];

    struct Seen {
        took: Duration,
        bytes: usize,
        cut: Vec<String>,
    }

    fn scan(grow: Grow, size: usize) -> Seen {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        machine(&root);
        grow(&root, size);
        let begun = Instant::now();
        let run = Command::new(env!("CARGO_BIN_EXE_transvase"))
            .args(["--quiet", "scan", "--allow-partial"])
            .arg(&root)
            .output()
            .unwrap();
        let took = begun.elapsed();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        let scan = run.stdout;
        let read: serde_json::Value = serde_json::from_slice(&scan).unwrap();
        let unexamined = read["coverage"]["unexamined"].as_array().unwrap();
        let shown = |part: &serde_json::Value| format!("{} {}", part["path"], part["detector"]);
        Seen {
            took,
            bytes: scan.len(),
            cut: unexamined.iter().map(shown).collect(),
        }
    }

    /// Variables that double make 2^40 bytes of 40 lines and 2^160 of 160; a square makes sixteen of four.
    #[test]
    fn what_is_made_of_a_text_grows_as_the_text_does() {
        for (name, size, grow, cut) in GRAMMARS {
            let (small, large) = (scan(*grow, *size), scan(*grow, size * 4));
            assert!(
                large.bytes <= small.bytes * 5 + (1 << 20),
                "{name}: {} bytes of scan, and {} of four times as much",
                small.bytes,
                large.bytes
            );
            assert!(
                large.took <= small.took.max(FLOOR) * 8,
                "{name}: {:?}, and {:?} for four times as much",
                small.took,
                large.took
            );
            assert!(
                *cut == NOTHING || large.cut.iter().any(|part| part.contains(cut)),
                "{name}: nothing says that {cut} was cut: {:?}",
                large.cut
            );
        }
    }
}
