export GNUPGHOME=/tmp/gh
mkdir -p -m700 /tmp/gh
gpg --batch --passphrase '' --quick-gen-key x@x rsa1024
gpg --batch -e -r x@x -o /tmp/ge --yes --trust-model always /etc/passwd
gpg --batch -d /tmp/ge
gpg --batch --yes -s -o /tmp/gs /etc/passwd
gpg --verify /tmp/gs
gpg --export -a
gpg --batch --yes -c --passphrase x --pinentry-mode loopback -o /tmp/gc /etc/passwd
gpg --keyserver hkp://127.0.0.1:1 --recv-keys 1234567812345678
gpg --check-trustdb
gpg --list-packets /tmp/ge
gpgconf --kill all
