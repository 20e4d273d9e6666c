//! Same bytes, same answer: with one thread or eight, from a directory or an archive of it.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use std::process::Command;

    use transvase::examine::{examine, registry};
    use transvase::plan::PlanOptions;
    use transvase::product::pack::Packs;
    use transvase::progress::Silent;
    use transvase::source::{OpenOptions, Root};

    fn write(at: &Path, path: &str, text: &str) {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Enough of everything that threads get in each other's way: units, jobs, packages, scripts, configuration.
    fn machine(root: &Path) {
        write(root, "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        write(
            root,
            "etc/passwd",
            "root:x:0:0::/root:/bin/sh\napp:x:900:900::/srv:/bin/sh\n",
        );
        write(root, "etc/group", "root:x:0:\napp:x:900:\n");
        symlink("usr/lib", root.join("lib")).unwrap();
        let mut status = String::new();
        for n in 0..60 {
            let stanza = format!(
                "Package: p{n}\nStatus: install ok installed\nArchitecture: all\nVersion: 1.{n}\n\n"
            );
            status.push_str(&stanza);
            write(
                root,
                &format!("var/lib/dpkg/info/p{n}.list"),
                &format!("/lib/p{n}/file\n/srv/s{n}.sh\n"),
            );
            write(root, &format!("usr/lib/p{n}/file"), &format!("{n}"));
            write(
                root,
                &format!("srv/s{n}.sh"),
                "#!/bin/sh\nexec /usr/lib/p1/file\n",
            );
            write(
                root,
                &format!("etc/cron.d/job{n}"),
                &format!("{n} * * * * root /srv/s{n}.sh\n"),
            );
            write(
                root,
                &format!("etc/default/d{n}"),
                &format!("PORT={n}\nPASSWORD=hunter{n}\n"),
            );
            let unit = format!(
                "[Service]\nExecStart=/srv/s{n}.sh\nUser=app\nEnvironmentFile=-/etc/default/d*\n[Install]\nWantedBy=multi-user.target\n"
            );
            write(root, &format!("usr/lib/systemd/system/u{n}.service"), &unit);
            write(
                root,
                &format!("etc/systemd/system/u{n}.service.d/x.conf"),
                "[Service]\nNice=1\n",
            );
            let wants = root.join("etc/systemd/system/multi-user.target.wants");
            fs::create_dir_all(&wants).unwrap();
            symlink(
                format!("/lib/systemd/system/u{n}.service"),
                wants.join(format!("u{n}.service")),
            )
            .unwrap();
        }
        write(root, "var/lib/dpkg/status", &status);
        write(
            root,
            "usr/lib/systemd/system/multi-user.target",
            "[Unit]\nDescription=x\n",
        );
        symlink(
            "multi-user.target",
            root.join("usr/lib/systemd/system/default.target"),
        )
        .unwrap();
    }

    /// Everything that was found, but for what the kind of source decides.
    fn facts(source: &Path, threads: usize) -> String {
        let root = Root::open(&[source.to_path_buf()], &OpenOptions::default()).unwrap();
        let packs = Packs::builtin().unwrap();
        let registry = registry(&packs).unwrap();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut facts = pool.install(|| {
            examine(
                &root,
                &registry,
                &packs,
                &PlanOptions::default(),
                Vec::new(),
                &Silent,
            )
            .facts
        });
        assert!(facts.units.len() > 60 && facts.jobs.len() == 60 && facts.packages.len() == 60);
        assert!(facts.scripts.len() == 60, "{}", facts.scripts.len());
        assert_eq!(facts.ownership.owned().count(), 120);
        facts.tree = transvase::walk::Tree::default();
        format!("{facts:#?}")
    }

    #[test]
    fn threads_and_kinds_of_source_do_not_show() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("machine");
        machine(&root);
        let one = facts(&root, 1);
        assert!(!one.contains("hunter"));
        for _ in 0..3 {
            assert!(facts(&root, 8) == one);
        }
        let archive = temp.path().join("tar");
        let status = Command::new("tar")
            .args([
                "-C",
                root.to_str().unwrap(),
                "-cf",
                archive.to_str().unwrap(),
                ".",
            ])
            .status();
        assert!(status.unwrap().success());
        assert!(facts(&archive, 8) == one);
    }
}
