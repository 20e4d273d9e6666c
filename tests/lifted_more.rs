//! What programs that nobody packaged need of the machine, under either strategy.

#[cfg(test)]
mod needs;
#[cfg(test)]
#[allow(dead_code, reason = "the other half of it is the other test's")]
mod reach_support;

#[cfg(test)]
mod tests {
    use super::needs::{self, need};
    use super::reach_support::Machine;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown};
    use std::path::Path;
    use std::process::Command;

    const STATUS: &[u8] = b"Package: base-files\nStatus: install ok installed\nEssential: yes\nArchitecture: amd64\nVersion: 12\n\n";

    fn unit(lines: &str) -> String {
        format!("[Service]\nUser=app\n{lines}\n")
    }

    fn migrated(machine: &Machine, strategy: &str) {
        let done = machine.run(&["--strategy", strategy]);
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
    }

    fn read(machine: &Machine, file: &str) -> String {
        fs::read_to_string(machine.out().join(file)).unwrap()
    }

    fn cc(directory: &Path, arguments: &[&str]) {
        let mut command = Command::new("cc");
        let done = command.current_dir(directory).args(arguments).output();
        let done = done.unwrap();
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{error}");
    }

    /// A program whose library is found through the loader's configuration alone.
    fn with_library(machine: &Machine) {
        let root = machine.root();
        fs::create_dir_all(root.join("usr/local/lib/meter")).unwrap();
        fs::create_dir_all(root.join("usr/local/sbin")).unwrap();
        fs::write(root.join("l.c"), "int scale(int x) { return x * 3; }\n").unwrap();
        let program = "int scale(int); int main(int c, char **v) { return scale(c); }\n";
        fs::write(root.join("p.c"), program).unwrap();
        let real = "usr/local/lib/meter/libmeter.so.1.2";
        let name = "-Wl,-soname,libmeter.so.1";
        cc(&root, &["-shared", "-fPIC", name, "-o", real, "l.c"]);
        cc(&root, &["-o", "usr/local/sbin/meterd", "p.c", real]);
        machine.link("/usr/local/lib/meter/libmeter.so.1", "libmeter.so.1.2");
        fs::remove_file(root.join("l.c")).unwrap();
        fs::remove_file(root.join("p.c")).unwrap();
    }

    const LOADER: [(&str, &[u8]); 3] = [
        ("/var/lib/dpkg/status", STATUS),
        ("/etc/ld.so.conf", b"include /etc/ld.so.conf.d/*.conf\n"),
        ("/etc/ld.so.conf.d/meter.conf", b"/usr/local/lib/meter\n"),
    ];

    #[test]
    fn libraries_that_nobody_packaged_come_with_their_program() {
        need!(needs::tools(&["cc"]));
        let machine = Machine::with_unit(&unit("ExecStart=/usr/local/sbin/meterd"), &LOADER);
        with_library(&machine);
        migrated(&machine, "packages");
        let context = machine.out().join("workloads/app/rootfs");
        for file in [
            "usr/local/lib/meter/libmeter.so.1.2",
            "usr/local/lib/meter/libmeter.so.1",
            "etc/ld.so.conf.d/meter.conf",
        ] {
            assert!(context.join(file).symlink_metadata().is_ok(), "{file}");
        }
        let dockerfile = read(&machine, "workloads/app/Dockerfile");
        let copied = dockerfile.rfind("COPY").unwrap();
        assert!(dockerfile.find("\nRUN ldconfig\n").unwrap() > copied);
    }

    #[test]
    fn a_lifted_image_has_them_too() {
        need!(needs::tools(&["cc"]));
        let machine = Machine::with_unit(&unit("ExecStart=/usr/local/sbin/meterd"), &LOADER);
        with_library(&machine);
        migrated(&machine, "lift");
        let context = machine.out().join("workloads/app/rootfs");
        let library = context.join("usr/local/lib/meter/libmeter.so.1.2");
        assert!(library.is_file(), "it stands in the context");
        assert!(!read(&machine, "workloads/app/Dockerfile").contains("ldconfig"));
    }

    /// A directory of the service's own account; whoever runs the tests owns what is theirs.
    fn owned(machine: &Machine, path: &str) {
        let place = machine.root().join(path);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("readings"), "42\n").unwrap();
        let own = fs::metadata(&place).unwrap().uid();
        if own == 0 {
            chown(&place, Some(1500), Some(1500)).unwrap();
        } else {
            let users = format!("root:x:0:0::/root:/bin/sh\napp:x:{own}:1500::/srv:/bin/sh\n");
            fs::write(machine.root().join("etc/passwd"), users).unwrap();
        }
    }

    fn questions(machine: &Machine) -> bool {
        read(machine, "scan.json").contains("unknown/state")
    }

    #[test]
    fn state_that_nobody_names_is_carried_and_asked_for() {
        let machine = Machine::with_unit(&unit("ExecStart=/opt/app/run"), &[]);
        owned(&machine, "var/opt/meter");
        migrated(&machine, "packages");
        let compose = read(&machine, "compose.yaml");
        assert!(compose.contains("target: \"/var/opt/meter\""), "{compose}");
        assert!(questions(&machine), "a guess is none");
    }

    #[test]
    fn what_two_services_own_is_nobodys() {
        let second = unit("ExecStart=/opt/other/run");
        let machine = Machine::with_unit(
            &unit("ExecStart=/opt/app/run"),
            &[
                ("/etc/systemd/system/other.service", second.as_bytes()),
                ("/opt/other/run", b"#!/bin/sh\nexit 0\n"),
            ],
        );
        machine.link(
            "/etc/systemd/system/multi-user.target.wants/other.service",
            "../other.service",
        );
        owned(&machine, "var/opt/meter");
        migrated(&machine, "packages");
        assert!(!read(&machine, "compose.yaml").contains("/var/opt/meter"));
    }

    #[test]
    fn a_program_that_no_pack_knows_is_not_the_first_process() {
        let unit = unit("ExecStart=/usr/local/sbin/meterd");
        let machine = Machine::with_unit(&unit, &[("/usr/local/sbin/meterd", b"\x7fELF")]);
        let program = machine.root().join("usr/local/sbin/meterd");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(program, mode).unwrap();
        migrated(&machine, "packages");
        assert!(read(&machine, "compose.yaml").contains("init: true"));
    }

    #[test]
    fn a_capability_that_nobody_granted_does_not_fail_the_start() {
        let lines = "AmbientCapabilities=CAP_IPC_LOCK CAP_NET_BIND_SERVICE\nRuntimeDirectory=app\nExecStart=/opt/app/run";
        let machine = Machine::with_unit(&unit(lines), &[]);
        migrated(&machine, "packages");
        let script = read(&machine, "workloads/app/entrypoint.sh");
        let start = script.lines().last().unwrap();
        assert!(
            start.contains("-all,+net_bind_service\"$granted\" "),
            "{start}"
        );
        assert!(script.contains("bounding >> 14 & 1"), "{script}");
        assert!(!read(&machine, "compose.yaml").contains("- \"IPC_LOCK\""));
    }
}
