//! A small Debian machine that boots to one target: services are added to it by their units.

use std::path::Path;

pub fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let file = root.join(path.trim_start_matches('/'));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// A program by its mode; what it is does not matter.
pub fn program(root: &Path, path: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    write(root, path, text);
    let file = root.join(path.trim_start_matches('/'));
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The machine, nothing running on it.
pub fn machine(root: &Path) {
    let release =
        "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian 12\"\n";
    write(root, "etc/os-release", release);
    write(root, "etc/hostname", "small\n");
    let users = "root:x:0:0::/root:/bin/sh\nshop:x:900:900::/var/lib/shop:/bin/sh\n";
    write(root, "etc/passwd", users);
    write(root, "etc/group", "root:x:0:\nshop:x:900:\n");
    program(root, "usr/bin/dash", "x");
    write(root, "usr/lib/systemd/systemd", "x");
    let target = "[Unit]\nAllowIsolate=yes\n";
    write(root, "usr/lib/systemd/system/multi-user.target", target);
    let default = root.join("usr/lib/systemd/system/default.target");
    std::os::unix::fs::symlink("multi-user.target", default).unwrap();
    write(root, "var/lib/dpkg/status", "");
}

/// A service that starts at boot, from the lines of its `[Service]`.
pub fn service(root: &Path, name: &str, lines: &str) {
    let unit = format!(
        "[Unit]\nDescription=The {name}\n[Service]\n{lines}\n[Install]\nWantedBy=multi-user.target\n"
    );
    write(root, &format!("etc/systemd/system/{name}.service"), unit);
    let wants = root.join("etc/systemd/system/multi-user.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    let link = wants.join(format!("{name}.service"));
    std::os::unix::fs::symlink(format!("../{name}.service"), link).unwrap();
}
