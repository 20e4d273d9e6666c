#!/usr/bin/env bash
# Makes a real guest: nginx in front of a Python application, PostgreSQL with data, Redis, a cron job and a timer, each as
# an administrator would set it up, on a qcow2 with a GPT and two ext4 file systems.
#
# usage: guest.sh OUTDIR     leaves guest.tar and guest.qcow2 there; needs mmdebstrap, e2fsprogs, fdisk, qemu-utils; root
set -euo pipefail
out=$1
mkdir -p "$out"
here=$(cd "$(dirname "$0")" && pwd)
packages=systemd-sysv,openssh-server,cron,rsyslog,chrony,unattended-upgrades,nginx,python3-venv,python3-pip,postgresql,redis-server,locales,tzdata

# The mirror's own certificate authority is this machine's, not the guest's: pip in the chroot is told of it.
bundle=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}

if [ ! -s "$out/guest.tar" ]; then
  mmdebstrap --variant=important --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook="upload $bundle /tmp/ca.crt" \
    --customize-hook="copy-in $here/guest /tmp" \
    --customize-hook='chroot "$1" sh /tmp/guest/setup.sh' \
    --customize-hook='rm -rf "$1/tmp/ca.crt" "$1/tmp/guest"' \
    bookworm "$out/guest.part.tar"
  mv "$out/guest.part.tar" "$out/guest.tar"
fi

# No loop device is needed: each file system is made from a tree, then put in its place in the image.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
tar -C "$tree" --numeric-owner -xf "$out/guest.tar" --exclude='./dev/*'
mkdir "$tree.srv"
trap 'rm -rf "$tree" "$tree.srv"' EXIT
cp -a "$tree/srv/." "$tree.srv/"
rm -rf "${tree:?}/srv/"*
root_uuid=11111111-2222-4333-8444-555555555555
srv_uuid=66666666-7777-4888-8999-aaaaaaaaaaaa
printf 'UUID=%s / ext4 errors=remount-ro 0 1\nUUID=%s /srv ext4 defaults 0 2\n' "$root_uuid" "$srv_uuid" > "$tree/etc/fstab"
rm -f "$out"/{root,srv,disk}.img
mke2fs -q -t ext4 -U "$root_uuid" -d "$tree" "$out/root.img" 1600M
mke2fs -q -t ext4 -U "$srv_uuid" -d "$tree.srv" "$out/srv.img" 256M
truncate -s 1870M "$out/disk.img"
sfdisk -q "$out/disk.img" <<'TABLE'
label: gpt
start=1MiB, size=1600MiB, type=linux, name=root
start=1602MiB, size=256MiB, type=linux, name=srv
TABLE
dd if="$out/root.img" of="$out/disk.img" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$out/srv.img" of="$out/disk.img" bs=1M seek=1602 conv=notrunc,sparse status=none
qemu-img convert -c -O qcow2 "$out/disk.img" "$out/guest.qcow2"
rm -f "$out"/{root,srv,disk}.img
echo "$out/guest.qcow2"
