#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets of texts and programs: files of the machines under fixtures/, behind the byte that
chooses what kind they are (tests/text_harness), and a few lines of their own.

usage: fuzz/texts.py

Needs cc for the programs.
"""

import gzip
import lzma
import pathlib
import shutil
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parent
SEEDS = TOP / "seeds"
MACHINES = TOP.parent / "fixtures" / "machines"
DATABASES = TOP.parent / "fixtures" / "packages"
# The largest seed that is kept, in bytes.
MOST = 20 << 10
COUNTS = {}

SYNTAXES = ["blocks", "cblocks", "braces", "apache", "haproxy", "ini", "key-equals", "key-space", "flags", "environment",
            "columns", "json", "yaml", "toml", "xml", "properties", "script"]

SERVICE = rb"""[Unit]
Description=Odd %n of %H
Requires=a.socket
ConditionPathExists=!/none
[Service]
Type=notify
User=www-data
EnvironmentFile=-/etc/a.env
Environment="A=1 2" B=${A} PASSWORD=hunter2hunter2
ExecStartPre=+/bin/sh -c 'mkdir -p "$RUNTIME_DIRECTORY"'
ExecStart=/usr/bin/a --listen ${A}:80 $OPTS \
  --more "\x41\101"
CapabilityBoundingSet=~CAP_NET_ADMIN
AmbientCapabilities=CAP_NET_RAW
DeviceAllow=/dev/fuse rw
LimitNOFILE=10:20
StateDirectory=odd odd/two
LoadCredential=key:/etc/key
[Install]
WantedBy=multi-user.target
Alias=other.service
"""
TIMER = b"[Timer]\nOnCalendar=Mon..Fri *-*-1,15 02:30/10:00\nOnUnitActiveSec=1h 5min\nPersistent=yes\nUnit=a.service\n"
SOCKET = b"[Socket]\nListenStream=127.0.0.1:9000\nListenStream=/run/a.sock\nAccept=no\n[Install]\nWantedBy=multi-user.target\n"
SCRIPT = rb"""#!/bin/sh
### BEGIN INIT INFO
# Provides: old
# Required-Start: $network
# Default-Start: 2 3 4 5
### END INIT INFO
DAEMON=/usr/bin/a
ARGS="-d $DAEMON"
[ -r /etc/default/old ] && . /etc/default/old
case "$1" in
  start) start-stop-daemon --start --chuid nobody --exec $DAEMON -- $ARGS $OPTS ;;
  *) su - app -c "cd /srv && ./run ${A:-b}" ;;
esac
"""
TABLE = b"SHELL=/bin/sh\nMAILTO=root\nTOKEN=s3cr3ts3cr3t\n17 * * * * root cd / && run-parts /etc/cron.hourly\n@daily nobody /usr/bin/a --password=\"$TOKEN\" 2>&1 | b%c\n"
LINES = b"# deb http://old x\ndeb [arch=amd64 signed-by=/a.gpg,/b.asc trusted=yes] https://u:p@a.example.net:80/x_~y bookworm main a/b # c\r\n" \
    b"deb cdrom:[Debian 12 _B_ - a]/ bookworm main\ndeb http://a/ ./\ndeb-src http://a b c\n"
STANZAS = b"# a\nTypes: deb deb-src\nURIs: http://a http://b/\nSuites: a a-updates ./\nComponents: main b\n#c\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n" \
    b" mAMEAADCAQk=\n =abcd\n -----END PGP PUBLIC KEY BLOCK-----\n\nEnabled: no\nTypes: deb\nURIs: x\nSuites: y\n"
PINS = b"Explanation: a\nPackage: a* /b/\nPin: release o=a,n=b\nPin-Priority: -1\n\nPackage: *\nPin: origin \"\"\nPin-Priority: 1001\n"
LIST = b"Package: a\nVersion: 1:2-3\nDescription: x\n y\n\nPackage: b\nVersion: 2\n\n"
SECRETS = b"""password = hunter2hunter2
export API_TOKEN="abcdefABCDEF0123456789abcdefABCDEF01"
url: postgres://u:p4ssw0rd@db:5432/x
'db' => ['password' => 'x1y2z3x1y2z3'],
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
-----END PRIVATE KEY-----
root:$6$saltsalt$abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789:1::
curl -u user:pass12345 --header "Authorization: Bearer abc.def.ghi"
{"password": "a\\nb", "n": 1}
"""
TEXTS = {
    "json": b'{"a": {"b": [1, true, null, "x"]}, "password": "hunter2hunter2"}',
    "yaml": b"a: &x\n  port: 80\n  list: [1, {b: 2}]\nc: *x\nd: |\n  text\n",
    "toml": b"a = 1\n[b.c]\nd = ['x', \"y\"]\n[[e]]\nf = 1979-05-27\n",
    "xml": b"<Server port='8005'><!-- c --><Service><Connector port='8080' keystorePass='changeit1'/></Service></Server>",
    "properties": b"a.b=c\\\n  d\n# x\nserver.port: 80\n",
    "script": b"bind = ['0.0.0.0:80', ]\ndefine('DB_PASSWORD', 'x1y2z3');\n$a = \"b\";\n",
    "haproxy": b"global\n  user haproxy\nfrontend a\n  bind *:80\n  default_backend b\nbackend b\n  server s 10.0.0.1:80 check\n",
    "flags": b"-m 64\n-l 127.0.0.1\n--port=80 --user \"a b\"\n",
    "environment": b"A=1\nexport B='x y'\nC=\"$A${B}\"\n",
    "columns": b"/dev/sda1 / ext4 defaults 0 1\n10.0.0.1 db other\n",
    "key-space": b"port 6379\nbind 127.0.0.1 ::1\nrequirepass hunter2hunter2\ninclude /etc/x/*.conf\n",
    "key-equals": b"port = 5432 # x\ninclude_dir 'conf.d'\nname = 'a''b'\n",
    "ini": b"[client]\npassword=pa55word\n[mysqld]\nport=3306\n!includedir /etc/mysql/\n",
    "apache": b"Define A 80\n<IfModule m>\nListen ${A}\n<VirtualHost *:80>\nProxyPass / http://b:1/\n</VirtualHost>\n</IfModule>\nInclude x/*.conf\n",
    "braces": b"a {\n  b = c\n  d: e\n  !include x\n}\n",
    "cblocks": b"options { /* x */ listen-on { 127.0.0.1; }; // y\n};\ninclude \"/etc/x\";\n",
    "blocks": b"http { server { listen 80; location / { proxy_pass http://b:1; } } include x/*; }\n",
}
PROGRAM = r"""
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>
static const char *const names[] = {"/dev/fuse", "/dev/net/tun", 0};
int main(int argc, char **argv) {
  int fd = open(names[argc & 1], O_RDWR);
  switch (argc) { case 1: return ioctl(fd, 0x400454ca, 0); case 2: return mount("a", "b", "ext4", 0, 0);
    case 3: return setuid(0); case 4: return syscall(argc == 4 ? 101 : 157, 1); case 5: return puts("x"); default: return chroot(argv[1]); }
}
"""


def save(target, name, data):
    if len(data) <= MOST:
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        COUNTS[target] = COUNTS.get(target, 0) + 1


def programs():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "a.c").write_text(PROGRAM)
        for name, options in {"program": [], "static-pie": ["-fPIC", "-pie"], "library": ["-shared", "-fPIC"]}.items():
            subprocess.run(["cc", "-Os", "-s", *options, "-o", folder / name, folder / "a.c"], check=True)
            save("elf", name, b"\0" + (folder / name).read_bytes())
        # Nothing but code.
        (folder / "b.S").write_text(".globl _start\n_start: mov $165,%eax\nsyscall\nmov %eax,%edi\nlea t(%rip),%rbx\nmovslq (%rbx,%rdi,4),%rax\nadd %rbx,%rax\njmp *%rax\na: mov $60,%eax\nsyscall\n.section .rodata\nt: .long a-t,a-t\n")
        subprocess.run(["cc", "-nostdlib", "-static", "-s", "-Wl,-z,max-page-size=16", "-o", folder / "b", folder / "b.S"], check=True)
        save("elf", "bare", b"\0" + (folder / "b").read_bytes())
    save("elf", "script", b"\0#!/usr/bin/env -S python3 -u\nopen('/etc/x')\n")


def databases():
    """Those of fixtures/packages, and small ones in text."""
    made = {name: (DATABASES / name).read_bytes() for name in ["rpmdb.sqlite", "rpmdb.sqlite-wal", "history.sqlite"]}
    save("rpm", "sqlite", b"\0" + made["rpmdb.sqlite"] + made["rpmdb.sqlite-wal"])
    save("rpm", "history", b"\3" + made["history.sqlite"])
    for kind, name in [(1, "Packages-512-le"), (2, "Packages.db")]:
        save("rpm", name, bytes([kind]) + (DATABASES / name).read_bytes())
    # Its pages are mostly empty: a few of them do.
    save("rpm", "Packages-16384-be", b"\1" + (DATABASES / "Packages-16384-be").read_bytes()[:18000])
    save("rpm", "state", b'\4version = "1.0"\n[packages]\n"a.noarch" = {reason = "Dependency"}\n')
    save("rpm", "marks", b"\5# a\nb\n")
    save("rpm", "reason", b"\6dep")
    save("apk", "installed", b"\0C:Q1a=\nP:a\nV:1-r0\nA:x86_64\nD:/bin/sh so:b.so.1>1 !c\np:cmd:a=1\nF:etc\nM:0:0:755\nR:a.conf\n"
         b"a:0:0:640\nZ:Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=\n\nP:.b\nV:1\nD:a\n\n")
    save("apk", "world", b"\1a b=1 c@edge !d\n")
    save("pacman", "desc", b"\0%NAME%\na\n\n%VERSION%\n1:1-1\n\n%REASON%\n1\n\n%DEPENDS%\nb>=1\n\n")
    save("pacman", "files", b"\1%FILES%\netc/\netc/a\n\n%BACKUP%\netc/a\td41d8cd98f00b204e9800998ecf8427e\n\n")
    save("pacman", "mtree", b"\2" + gzip.compress(b"#mtree\n./a\\040b md5digest=d41d8cd98f00b204e9800998ecf8427e\n", mtime=0))
    save("opkg", "status", b"\0Package: a\nVersion: 1\nStatus: install user,hold installed\nArchitecture: x\nConffiles:\n /etc/a "
         b"d41d8cd98f00b204e9800998ecf8427e\nInstalled-Time: 1\n\n")
    save("opkg", "list", b"\1/usr/bin/a\t0755\n/etc/a\n")


def main():
    for target in ["units", "cron", "init", "elf", "packages", "rpm", "apk", "pacman", "opkg", "archives", "system", "content", "syntax", "secret", "words", "glob", "quoting", "pack", "machine"]:
        shutil.rmtree(SEEDS / target, ignore_errors=True)
    for number, unit in enumerate([SERVICE, SERVICE, SERVICE, TIMER, SOCKET, b"[Mount]\nWhat=/dev/a\nWhere=/b\n", b"[Path]\nPathExists=/a\n"]):
        save("units", f"unit-{number}", bytes([number]) + unit)
    for number, table in enumerate([TABLE, b"1 5 a.daily run-parts /etc/cron.daily\n", TABLE, TABLE.replace(b"root ", b""), SCRIPT]):
        save("cron", f"table-{number}", bytes([number]) + table)
    for number, text in enumerate([LINES, STANZAS, PINS, b"machine a.example.net login a password b\n", b"\x98\x03\x04\x00\x00\xc2\x01\x09",
                                   b"Origin: Debian\nSuite: stable\nCodename: bookworm\n", LIST]):
        save("archives", f"text-{number}", bytes([number]) + text)
    save("archives", "packed-gz", b"\7" + gzip.compress(LIST, mtime=0))
    save("archives", "packed-xz", b"\x08" + lzma.compress(LIST))
    save("archives", "packed-lz4", b"\x09\x04\x22\x4d\x18\x40\x40\xc0" + (len(LIST) | 1 << 31).to_bytes(4, "little") + LIST + bytes(4))
    save("archives", "log", b"\x0aCommandline: apt-get install ./a_1.0_all.deb\n")
    save("init", "script", b"\0" + SCRIPT)
    programs()
    for machine in sorted(MACHINES.iterdir()):
        root = machine / "root"
        status = root / "var/lib/dpkg/status"
        if status.exists():
            save("packages", f"status-{machine.name}", b"\0" + status.read_bytes())
        for path in sorted(root.glob("var/lib/dpkg/info/*"))[:6]:
            save("packages", path.name, b"\2" + path.read_bytes())
        for number, name in enumerate(["passwd", "group", "os-release", "hosts", "hostname", "fstab", "timezone"]):
            path = root / "etc" / name
            if path.exists():
                save("system", f"{name}-{machine.name}", bytes([number]) + path.read_bytes())
    databases()
    save("packages", "digests", b"\3" + b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n")
    save("packages", "states", b"\4" + b"Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\n")
    save("packages", "conffiles", b"\0" + b"Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2-3\nDepends: b (>= 1) | c, d\nProvides: e (= 1)\nConffiles:\n /etc/a d41d8cd98f00b204e9800998ecf8427e obsolete\nDescription: x\n y\n\n")
    for number, syntax in enumerate(SYNTAXES):
        save("syntax", syntax, bytes([number]) + TEXTS[syntax])
    for number in range(10):
        for target in ["content", "secret"]:
            save(target, f"lines-{number}", bytes([number]) + SECRETS)
    save("secret", "settings", b"\0" + b"\n".join(TEXTS.values()))
    for name, text in {"service": SERVICE, "script": SCRIPT, "quotes": b" a 'b c' \"d \\\" $e\" f\\ g `h` $(i \"j\") ; k && l | m > n", "addresses": b"*:80 [::1]:443 unix:/run/a http://u:p@h:1/x proxy:unix:/a|fcgi://b 1.2.3.4 :80"}.items():
        save("words", name, b"\0" + text)
    save("glob", "patterns", b"/etc/**/a*[!b-d]?/[]x]\\*\n/etc/x/y/abz1/]*\n/etc\n**\n")
    save("quoting", "signs", "a'b\"c$d`e\\f\ng\th\u202ei\u0085j\U000e0041k\x1bl|*{{m}}-*- vim: x".encode())
    for path in sorted(TOP.parent.joinpath("detectors").glob("*/*.toml"))[::9]:
        if "[recognise]" in path.read_text():
            save("pack", path.stem, b"\0" + path.read_bytes())
    accounts = b"root:x:0:0:r:/root:/bin/sh\nwww-data:x:33:33:w:/var/www:/bin/sh\n"
    pieces = [(1, b"[Service]\nExecStart=\nExecStart=/usr/bin/a -x\n"), (4, TIMER), (5, SOCKET), (7, b"OPTS='-a b'\nA=${A}$A\n"), (9, SCRIPT), (10, SCRIPT), (11, TABLE), (13, accounts), (16, b"ID=debian\nVERSION_ID=12\n"), (20, SERVICE)]
    save("machine", "all", SERVICE + b"".join(b"\xff" + bytes([number]) + text for number, text in pieces))
    save("machine", "template", b"\xff\x02" + SERVICE.replace(b"%n", b"%i %I %p") + b"\xff\x03")
    for target, count in sorted(COUNTS.items()):
        print(f"{target}: {count} seeds")


if __name__ == "__main__":
    main()
