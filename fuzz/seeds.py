#!/usr/bin/env python3
"""Makes the seeds of every fuzz target: small real disks, without their zeros.

usage: fuzz/seeds.py [TARGET...]

Needs root, loop devices, and the makers: e2fsprogs, xfsprogs, btrfs-progs, dosfstools, mtools, exfatprogs, ntfs-3g,
genisoimage, squashfs-tools, erofs-utils, lvm2, thin-provisioning-tools, qemu-img, fdisk, tar; and cargo, for
fuzz/examples/trim.rs. What one of them refuses is told and left out. The encoding is the one of tests/disk_harness/input.rs.
"""

import contextlib
import io
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"
# The largest seed that is kept, in bytes.
MOST = 20 << 10
MAKERS = {}


def maker(function):
    MAKERS[function.__name__.removeprefix("make_")] = function
    return function


def run(*command, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(word) for word in command], capture_output=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace')[:300]}")
    return done.stdout


# The encoding.


def runs(data, zeros):
    """Where bytes are that are not zero; fewer zeros than these between them do not part them."""
    pattern = re.compile(rb"[^\0](?:\0{0,%d}[^\0])*" % zeros)
    return ((found.start(), found.group()) for found in pattern.finditer(data))


def encode(data, size=None, zeros=24, drop=None):
    """One part, with its END."""
    out = io.BytesIO()
    out.write(struct.pack("<Q", len(data) if size is None else size))
    last = 0
    for start, found in runs(data, zeros):
        if drop:
            found = found[: drop]
        for at in range(0, len(found), 0xffff):
            piece = found[at : at + 0xffff]
            out.write(struct.pack("<IH", start + at - last, len(piece)) + piece)
            last = start + at + len(piece)
    out.write(b"\xff\xff\xff\xff")
    return out.getvalue()


def save(target, name, *parts, **options):
    """Writes a seed of these files or bytes."""
    read = [part if isinstance(part, bytes) else pathlib.Path(part).read_bytes() for part in parts]
    seed = b"".join(encode(part, **options) for part in read)
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(seed)


# What is put into them.


def text(size):
    """Words in an order that no packer stores as a run."""
    rolls = random.Random(size)
    words = b"".join(rolls.choice((b"a line ", b"of the ", b"text, ", b"packed\n")) for _ in range(size // 6))
    return words[:size]


def tree(at, names=6, target=1000, content=b"block".ljust(1024, b"\0") * 5):
    """The smallest tree of what readers have their own code for: few nodes, for each costs every input its time."""
    (at / "etc").mkdir(parents=True)
    (at / "etc/os-release").write_text("ID=debian\n")
    (at / "text").write_bytes(content)
    (at / "one").write_bytes(b"x" * 61)
    with open(at / "holes", "wb") as file:
        for offset in (5, 20_000, 300_000, 2_000_000):
            file.seek(offset)
            file.write(b"hole")
    many = at / "many"
    many.mkdir()
    for number in range(names):
        os.link(at / "one", many / f"{number:x<80}")
    os.symlink("one", at / "short")
    os.symlink("l" * target, at / "long")
    os.mkfifo(at / "fifo")
    os.mknod(at / "null", 0o20666, os.makedev(1, 3))
    marks(at)
    return at


def marks(at):
    os.setxattr(at / "one", "user.small", b"v")
    os.setxattr(at / "one", "user.large", b"w" * 300)
    os.setxattr(at / "etc", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *entry)
        for entry in [(1, 6, 0xFFFFFFFF), (2, 4, 1000), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    )
    os.setxattr(at / "text", "system.posix_acl_access", acl)


@contextlib.contextmanager
def loop(image, *options):
    device = run("losetup", "--find", "--show", *options, image).decode().strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextlib.contextmanager
def mounted(image, options="loop", kind=None):
    with tempfile.TemporaryDirectory() as point:
        run("mount", *(["-t", kind] if kind else []), "-o", options, image, point)
        try:
            yield pathlib.Path(point)
        finally:
            run("umount", point)


def blank(path, size):
    with open(path, "wb") as file:
        file.truncate(size)
    return path


# File systems.


@maker
def make_ext(at):
    tree(at / "tree")
    kinds = {
        "ext2-1k": ("-t ext2 -b 1024", "300K"),
        "ext3": ("-t ext3 -b 1024 -J size=1", "6M"),
        "ext4": ("-t ext4 -b 1024 -O ^has_journal", "400K"),
        "ext4-4k-inline": ("-t ext4 -b 4096 -I 512 -O inline_data,^has_journal", "1M"),
        "ext4-old": ("-t ext4 -b 1024 -O ^64bit,^metadata_csum,^flex_bg,^has_journal", "400K"),
        "ext4-bigalloc": ("-t ext4 -b 1024 -C 4096 -O bigalloc,^has_journal", "1M"),
    }
    for name, (options, size) in kinds.items():
        image = at / name
        run("mke2fs", "-q", "-F", "-N", "96", "-d", at / "tree", *options.split(), image, size)
        save("ext", name, image)
    (at / "new").write_bytes(b"\xc0\x3b\x39\x98" + b"B" * 1020)
    for number, (features, how) in enumerate([("^metadata_csum", ""), ("^64bit", "-c -v 2"), ("64bit", "-c -v 3")]):
        image = at / f"journal-{number}"
        kind = ["-t", "ext4", "-b", "1024", "-O", features, "-J", "size=1"]
        run("mke2fs", "-q", "-F", "-N", "96", "-d", at / "tree", *kind, image, "6M")
        block = run("debugfs", "-R", "blocks text", image).split()[0].decode()
        script = f"jo {how}\njw -b {block} {at}/new\njw -r 77\njc\n"
        (at / "script").write_text(script)
        run("debugfs", "-w", "-f", at / "script", image)
        save("ext", image.name, image)
    # Directories with an index, and files of many extents, as only a kernel makes them.
    image = blank(at / "ext4-htree", 2 << 20)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-N", "160", "-O", "^has_journal", image)
    with mounted(image) as point:
        tree(point / "tree", names=40)
        with open(point / "pieces", "wb") as file:
            for number in range(12):
                file.seek(number * 8192)
                file.write(b"p")
    save("ext", "ext4-htree", image)


@maker
def make_xfs(at):
    environment = {**os.environ, "TEST_DEV": "1", "TEST_DIR": "1", "QA_CHECK_FS": "1"}
    kinds = {
        "v4-512": "-m crc=0 -b size=512 -i size=256",
        "v4-old": "-m crc=0 -n ftype=0",
        "v5-1k": "-b size=1024",
        "v5-nrext64": "-i nrext64=1",
        "v5-wide-dirs": "-n size=16384 -s size=4096",
    }
    for name, options in kinds.items():
        image = at / name
        lines = ["/none", "0 0", "d--755 0 0"]
        for number in range(16 if "512" in name else 3):
            lines.append(f"an-entry-with-a-name-{number} ---644 0 0 {at}/file")
        lines += [f"link l--777 0 0 {'t' * 400}", "fifo p--600 0 0", "null c--666 0 0 1 3", "dir d--755 0 0", "$", "$"]
        (at / "file").write_bytes(b"text" * 20)
        (at / "proto").write_text("\n".join(lines) + "\n")
        command = ["mkfs.xfs", "-q", "-f", "-p", at / "proto", *options.split(), "-d"]
        run(*command, f"file,name={image},size=32m,agcount=1", env=environment)
        save("xfs", name, image)
    for name, options in {"kernel": "-b size=1024", "kernel-4k": "-m bigtime=1"}.items():
        image = blank(at / name, 16 << 20)
        run("mkfs.xfs", "-q", "-f", *options.split(), "-d", "agcount=1", image, env=environment)
        with mounted(image) as point:
            tree(point / "tree", names=30 if "4k" in name else 12)
            run("cp", "--reflink=always", point / "tree/text", point / "shared")
            for number in range(6):
                os.setxattr(point / "shared", f"user.attribute-{number}", b"a" * 60)
            os.setxattr(point / "shared", "user.remote", b"r" * 3000)
            if "4k" not in name:
                # A directory of nodes: its names leave one leaf.
                for number in range(90):
                    os.link(point / "shared", point / f"{number:n<40}")
        # What the log holds is as large as the rest.
        run("xfs_repair", "-L", "-o", "force_geometry", image)
        save("xfs", name, image)


@maker
def make_btrfs(at):
    tree(at / "tree")
    kinds = {"mixed": "-M -n 4096", "dup": "-n 4096 -m dup -d single", "old": "-n 4096 -m single -O ^no-holes,^extref,^skinny-metadata"}
    for name, options in kinds.items():
        image = blank(at / name, 130 << 20)
        run("mkfs.btrfs", "-q", "-f", *options.split(), "--rootdir", at / "tree", image)
        save("btrfs", name, image)
    for packing in ("zlib", "lzo", "zstd"):
        image = blank(at / packing, 16 << 20)
        run("mkfs.btrfs", "-q", "-f", "-M", "-n", "4096", image)
        with mounted(image, f"loop,compress-force={packing},discard") as point:
            tree(point / "tree", content=text(9000))
            run("btrfs", "subvolume", "create", point / "sub")
            run("btrfs", "subvolume", "create", point / "sub/nested")
            (point / "sub/file").write_bytes(b"inline")
            run("btrfs", "subvolume", "snapshot", "-r", point / "sub", point / "snapshot")
            run("fallocate", "-l", "100K", point / "prealloc")
            os.sync()
            run("fstrim", point)
        save("btrfs", packing, image)


@maker
def make_fat(at):
    for bits, size in ((12, 128 << 10), (16, 2400 << 10), (32, 36 << 20)):
        image = blank(at / f"fat{bits}", size)
        run("mkfs.vfat", "-F", bits, "-n", "A LABEL", *(["-s", "1"] if bits > 12 else []), image)
        for name in ("A Long Name.text", "SHORT.TXT", "empty", "\u00e9\u4e2d"):
            (at / "file").write_bytes(b"" if name == "empty" else b"text".ljust(600, b"\0"))
            run("mcopy", "-i", image, at / "file", f"::{name}")
        run("mmd", "-i", image, "::EFI")
        for number in range(6):
            run("mcopy", "-i", image, at / "file", f"::EFI/an entry with number {number}")
        save("fat", image.name, image)


@maker
def make_exfat(at):
    for name, options in {"small": "-c 512", "large": "-c 4096"}.items():
        image = blank(at / name, 8 << 20)
        run("mkfs.exfat", "-L", "LABEL", *options.split(), image)
        with fuse(image, "mount.exfat-fuse") as point:
            for number in range(5):
                (point / f"A Long Name, number {number}").write_bytes(b"text".ljust(number * 400, b"\0"))
            (point / "folder/inner").mkdir(parents=True)
            (point / "folder/inner/file").write_bytes(b"x".ljust(5000, b"\0"))
        save("exfat", name, image)


@contextlib.contextmanager
def fuse(image, helper, *options):
    with tempfile.TemporaryDirectory() as point, loop(image) as device:
        run(helper, *options, device, point)
        try:
            yield pathlib.Path(point)
        finally:
            run("umount", point)
            os.sync()


@maker
def make_ntfs(at):
    for name, options in {"small": "-c 512", "usual": "-c 4096"}.items():
        image = blank(at / name, 6 << 20)
        run("mkntfs", "-F", "-q", "-f", *options.split(), "-L", "LABEL", image)
        with fuse(image, "ntfs-3g", "-o", "streams_interface=xattr") as point:
            (point / "folder").mkdir()
            os.setxattr(point / "folder", "system.ntfs_attrib_be", struct.pack(">I", 0x800))
            (point / "folder/packed").write_bytes(text(7000))
            (point / "resident").write_bytes(b"r" * 100)
            os.symlink("resident", point / "link")
            os.setxattr(point / "resident", "user.stream", b"another stream")
            for number in range(8):
                os.link(point / "resident", point / f"{number:n<60}")
            # Attributes that leave no room for others.
            for number in range(8):
                os.setxattr(point / "folder/packed", f"user.{number:s<40}", b"s" * 100)
        data = bytearray(image.read_bytes())
        for start in range(0, len(data), 512):
            # The log's empty pages.
            if data[start : start + 512] == b"\xff" * 512:
                data[start : start + 512] = bytes(512)
        save("ntfs", name, bytes(data))


@maker
def make_iso9660(at):
    tree(at / "tree", target=200)
    for name in ("null", "holes"):
        (at / "tree" / name).unlink()
    kinds = {"rock": "-R", "joliet": "-J -joliet-long", "both": "-R -J -joliet-long", "plain": "-iso-level 3"}
    for name, options in kinds.items():
        run("genisoimage", "-quiet", "-no-pad", *options.split(), "-o", at / name, at / "tree")
        save("iso9660", name, at / name)


@maker
def make_squashfs(at):
    tree(at / "tree", content=text(5000))
    for packing in ("gzip", "xz", "zstd", "lz4", "lzo"):
        run("mksquashfs", at / "tree", at / packing, "-comp", packing, "-quiet", "-no-progress", "-xattrs")
        save("squashfs", packing, at / packing)
    # Metadata that is not packed can be changed byte by byte.
    for name, options in {"plain": "-noI -noD -noF -noX", "tables": "-noI -noX", "blocks": "-noI -noX -b 4096 -no-fragments"}.items():
        run("mksquashfs", at / "tree", at / name, *options.split(), "-quiet", "-no-progress", "-xattrs")
        save("squashfs", name, at / name)


@maker
def make_erofs(at):
    tree(at / "tree", names=3)
    # The maker fails over it.
    os.removexattr(at / "tree/text", "system.posix_acl_access")
    (at / "tree/large").write_bytes(text(9000))
    kinds = {
        "lz4": "-zlz4",
        "lz4hc": "-zlz4hc -C 16384",
        "tail": "-zlz4hc -Eztailpacking",
        "legacy": "-zlz4 -Elegacy-compress",
        "plain": "",
        "chunks": "--chunksize=4096",
        "extended": "-Eforce-inode-extended",
    }
    for name, options in kinds.items():
        if name == "plain":
            # What is not packed lies there as it is.
            os.truncate(at / "tree/large", 0)
            os.truncate(at / "tree/large", 5000)
        run("mkfs.erofs", "--quiet", "-U", "01234567-89ab-cdef-0123-456789abcdef", *options.split(), at / name, at / "tree")
        save("erofs", name, at / name)


# Tables and volumes.


@maker
def make_gpt(at):
    script = "label: gpt\nfirst-lba: 34\n" + "".join(f"start={40 + 8 * n}, size=8, name=part-{n}\n" for n in (2, 0, 1))
    image = blank(at / "gpt", 80 << 10)
    run("sfdisk", "--quiet", image, input=script.encode(), stdin=None)
    save("gpt", "primary", image)
    data = bytearray(image.read_bytes())
    data[512:1024] = bytes(512)
    save("gpt", "backup", bytes(data))
    # The same in sectors of 4,096 bytes: numbers of sectors stay.
    wide = bytearray(80 << 12)
    wide[: 512] = image.read_bytes()[:512]
    source = image.read_bytes()
    for sector in range(1, 160):
        wide[sector * 4096 : sector * 4096 + 512] = source[sector * 512 : sector * 512 + 512]
    wide[2 * 4096 : 2 * 4096 + 16384] = source[1024 : 1024 + 16384]
    save("gpt", "wide", bytes(wide[: 80 << 12]), size=160 << 12)


@maker
def make_mbr(at):
    script = "label: dos\nstart=8, size=8, type=83\nstart=16, size=200, type=5\nstart=20, size=8\nstart=30, size=8\nstart=40, size=8\n"
    image = blank(at / "mbr", 128 << 10)
    run("sfdisk", "--quiet", image, input=script.encode(), stdin=None)
    save("mbr", "logical", image)
    run("sfdisk", "--quiet", image, input=b"label: dos\nstart=8, size=8, type=83, bootable\n", stdin=None)
    save("mbr", "primary", image)


EXTENT = 64 << 10


def crc32_of_lvm(data):
    """Without the inversions, from a number of its own."""
    return zlib.crc32(data, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def physical(number, text, size=4 << 20):
    """A physical volume whose area holds this text; its extents begin at 1 MiB."""
    disk = bytearray(size)
    name = (b"%032d" % number)
    label = bytearray(512)
    label[0:8] = b"LABELONE"
    struct.pack_into("<QII8s", label, 8, 1, 0, 32, b"LVM2 001")
    struct.pack_into("<32sQ", label, 32, name, size)
    struct.pack_into("<QQQQ", label, 72, 1 << 20, 0, 0, 0)
    struct.pack_into("<QQQQ", label, 104, 4096, (1 << 20) - 4096, 0, 0)
    struct.pack_into("<I", label, 16, crc32_of_lvm(bytes(label[20:])))
    disk[512:1024] = label
    area = bytearray(512)
    area[4:20] = b"\x20LVM2 x[5A%r0N*>"
    struct.pack_into("<IQQ", area, 20, 1, 4096, (1 << 20) - 4096)
    struct.pack_into("<QQII", area, 40, 512, len(text), crc32_of_lvm(text), 0)
    struct.pack_into("<I", area, 0, crc32_of_lvm(bytes(area[4:])))
    disk[4096 : 4096 + 512] = area
    disk[4096 + 512 : 4096 + 512 + len(text)] = text
    return disk


def group(volumes, physicals=2):
    name = lambda number: "%032d" % number
    devices = "".join(
        f'pv{n} {{\nid = "{name(n)}"\ndevice = "/dev/sd{n}"\nstatus = ["ALLOCATABLE"]\npe_start = 2048\npe_count = 40\n}}\n'
        for n in range(physicals)
    )
    return (
        f'vg {{\nid = "{name(99)}"\nseqno = 3\nformat = "lvm2"\nstatus = ["RESIZEABLE"]\nextent_size = 128\n'
        f"physical_volumes {{\n{devices}}}\nlogical_volumes {{\n{volumes}}}\n}}\ncontents = \"Text\"\nversion = 1\n\0"
    ).encode()


def logical(name, *segments, visible=True):
    status = '"READ", "WRITE"' + (', "VISIBLE"' if visible else "")
    text = f'{name} {{\nid = "{name:x>32}"\nstatus = [{status}]\nsegment_count = {len(segments)}\n'
    for number, segment in enumerate(segments, 1):
        text += f"segment{number} {{\n{segment}\n}}\n"
    return text + "}\n"


def segment(start, count, kind, rest):
    return f'start_extent = {start}\nextent_count = {count}\ntype = "{kind}"\n{rest}'


@maker
def make_lvm(at):
    striped = lambda start, count, *stripes, size=1: segment(
        start, count, "striped", f"stripe_count = {len(stripes)}\nstripe_size = 128\nstripes = [{', '.join(stripes)}]"
    )
    volumes = (
        logical("root", striped(0, 3, '"pv0", 0'), striped(3, 2, '"pv1", 4'))
        + logical("two", striped(0, 4, '"pv0", 8', '"pv1", 8'))
        + logical("leg0", striped(0, 2, '"pv0", 20'), visible=False)
        + logical("leg1", striped(0, 2, '"pv1", 20'), visible=False)
        + logical("mirror", segment(0, 2, "raid1", 'device_count = 2\nraids = ["leg0", "leg0", "leg1", "leg1"]'))
        + logical("snap", segment(0, 2, "snapshot", 'chunk_size = 8\norigin = "root"\ncow_store = "two"'), visible=False)
    )
    text = group(volumes)
    disks = []
    for number in range(2):
        disk = physical(number, text)
        for extent in range(40):
            disk[(1 << 20) + extent * EXTENT : (1 << 20) + extent * EXTENT + 4] = struct.pack(">HH", number, extent)
        disks.append(bytes(disk))
    save("lvm", "group", *disks)
    xml = '<superblock uuid="" time="1" transaction="1" flags="0" version="2" data_block_size="128" nr_data_blocks="20">\n'
    for device, blocks in {1: [(0, 3), (1, 4), (5, 9)], 7: [(2, 1)]}.items():
        xml += f'<device dev_id="{device}" mapped_blocks="{len(blocks)}" transaction="0" creation_time="0" snap_time="1">\n'
        xml += "".join(f'<single_mapping origin_block="{a}" data_block="{b}" time="1"/>\n' for a, b in blocks) + "</device>\n"
    (at / "xml").write_text(xml + "</superblock>\n")
    run("thin_restore", "-i", at / "xml", "-o", blank(at / "tables", 16 * EXTENT))
    thin = (
        logical("tables", striped(0, 16, '"pv0", 0'), visible=False)
        + logical("data", striped(0, 20, '"pv0", 16'), visible=False)
        + logical("pool", segment(0, 20, "thin-pool", 'metadata = "tables"\npool = "data"\ntransaction_id = 1\nchunk_size = 128'), visible=False)
        + logical("thin1", segment(0, 12, "thin", 'thin_pool = "pool"\ntransaction_id = 0\ndevice_id = 1'))
        + logical("thin7", segment(0, 12, "thin", 'thin_pool = "pool"\ntransaction_id = 0\ndevice_id = 7\norigin = "thin1"'))
    )
    disk = physical(0, group(thin, 1))
    tables = (at / "tables").read_bytes()
    disk[1 << 20 : (1 << 20) + len(tables)] = tables
    save("lvm", "thin", bytes(disk))


def member(number, level, minor, members=2, layout=0):
    """A member of version 1.x, as Linux's drivers/md has it."""
    block_at, data_at = {0: (256 << 10, 0), 1: (0, 64 << 10), 2: (4096, 64 << 10)}[minor]
    block = bytearray(256 + 2 * members)
    struct.pack_into("<IIII16s32s", block, 0, 0xA92B4EFC, 1, 0, 0, b"u" * 16, b"machine:data")
    struct.pack_into("<iIQII", block, 72, level, layout, 512, 8, members)
    struct.pack_into("<QQQQ", block, 128, data_at // 512, 512, block_at // 512, 0)
    struct.pack_into("<I", block, 160, number)
    struct.pack_into("<Q", block, 200, 20)
    struct.pack_into("<QII", block, 208, (1 << 64) - 1, 0, members)
    for role in range(members):
        struct.pack_into("<H", block, 256 + 2 * role, role)
    block += bytes(-len(block) % 4)
    total = sum(struct.unpack(f"<{len(block) // 4}I", block))
    struct.pack_into("<I", block, 216, (total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF)
    disk = bytearray((320 << 10) if minor else (264 << 10))
    disk[data_at : data_at + 8] = b"member %d" % number
    disk[block_at : block_at + len(block)] = block
    return bytes(disk)


@maker
def make_md(at):
    for name, level in {"linear": -1, "stripes": 0, "mirror": 1, "parity": 5}.items():
        for minor in (0, 1, 2):
            save("md", f"{name}-{minor}", member(0, level, minor, layout=1 if level == 0 else 0), member(1, level, minor, layout=1 if level == 0 else 0))
    # Version 0.90, which lies in the last whole 64 KiB.
    disks = []
    for number in range(2):
        block = bytearray(4096)
        struct.pack_into("<III", block, 0, 0xA92B4EFC, 0, 90)
        struct.pack_into("<IIIIIII", block, 20, 7, 0, 1, 64, 2, 2, 3)
        struct.pack_into("<I", block, 156, 20)
        for disk in range(2):
            descriptor = struct.pack("<IIIII", disk, 0, 0, disk, 6)
            block[512 + 128 * disk : 512 + 128 * disk + 20] = descriptor
            if disk == number:
                block[3968 : 3968 + 20] = descriptor
        total = sum(struct.unpack("<1024I", block))
        struct.pack_into("<I", block, 152, (total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF)
        disks.append(b"data".ljust(64 << 10, b"\0") + bytes(block).ljust(67 << 10, b"\0"))
    save("md", "old", *disks)


@maker
def make_signature(at):
    for name, command in {"swap": "mkswap -L LABEL {}", "ext": "mke2fs -q -F {}"}.items():
        image = blank(at / name, 200 << 10)
        run(*command.format(image).split())
        save("signature", name, image, drop=600)
    marks = {
        "luks": (0, b"LUKS\xba\xbe\0\x02"),
        "bitlocker": (3, b"-FVE-FS-"),
        "zfs": (131072, struct.pack("<Q", 0x00BAB10C)),
        "gfs2": (65536, bytes.fromhex("01161970")),
        "ocfs2": (2048, b"OCFSV2"),
        "lvm": (512, b"LABELONE"),
        "md": (4096, struct.pack("<II", 0xA92B4EFC, 1)),
        "bluestore": (0, b"bluestore block device\n"),
    }
    for name, (offset, mark) in marks.items():
        disk = bytearray(300 << 10)
        disk[offset : offset + len(mark)] = mark
        save("signature", name, bytes(disk))


# Images.


def content(at, size=256 << 10):
    """A raw disk: some blocks of text, some of zeros."""
    with open(at, "wb") as file:
        file.truncate(size)
        for offset in (0, 9000, 70_000, 131_072, size - 512):
            file.seek(offset)
            file.write(b"content at %d" % offset)
    return at


@maker
def make_qcow2(at):
    raw = content(at / "raw")
    kinds = {
        "v2": "compat=0.10,cluster_size=512",
        "v3": "cluster_size=4096",
        "usual": "cluster_size=65536",
        "subclusters": "cluster_size=16384,extended_l2=on",
    }
    for name, options in kinds.items():
        run("qemu-img", "convert", "-O", "qcow2", "-o", options, raw, at / name)
        save("qcow2", name, at / name)
    for packing in ("zlib", "zstd"):
        options = f"cluster_size=4096,compression_type={packing}"
        run("qemu-img", "convert", "-c", "-O", "qcow2", "-o", options, raw, at / packing)
        save("qcow2", packing, at / packing)
    run("qemu-img", "snapshot", "-c", "snap", at / "v3")
    save("qcow2", "snapshot", at / "v3")
    (at / "base").write_bytes(raw.read_bytes())
    for name, kind in {"backing": "raw", "chain": "qcow2"}.items():
        if kind == "qcow2":
            run("qemu-img", "convert", "-O", "qcow2", "-o", "cluster_size=512", raw, at / "base")
        run("qemu-img", "create", "-f", "qcow2", "-b", "base", "-F", kind, "-o", "cluster_size=512", "top", "512K", cwd=at)
        save("qcow2", name, at / "top", at / "base")
    run("qemu-img", "create", "-f", "qcow2", "-o", "data_file=base,data_file_raw=on", "data", "256K", cwd=at)
    save("qcow2", "data-file", at / "data", at / "base")


@maker
def make_qcow1(at):
    raw = content(at / "raw")
    run("qemu-img", "convert", "-O", "qcow", raw, at / "plain")
    # Some releases write the whole image and end with an error nevertheless.
    subprocess.run(["qemu-img", "convert", "-c", "-O", "qcow", raw, at / "packed"], capture_output=True)
    shutil.copy(raw, at / "base")
    run("qemu-img", "create", "-f", "qcow", "-b", "base", "-F", "raw", "top", cwd=at)
    save("qcow1", "plain", at / "plain")
    save("qcow1", "packed", at / "packed")
    save("qcow1", "backing", at / "top", at / "base")


@maker
def make_vmdk(at):
    raw = content(at / "raw")
    for kind in ("monolithicSparse", "streamOptimized"):
        run("qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={kind}", raw, at / f"{kind}.vmdk")
        save("vmdk", kind, at / f"{kind}.vmdk")
    for kind, suffix in {"monolithicFlat": "flat", "twoGbMaxExtentSparse": "s001", "twoGbMaxExtentFlat": "f001"}.items():
        folder = at / kind
        folder.mkdir()
        run("qemu-img", "convert", "-O", "vmdk", "-o", f"subformat={kind}", raw, folder / "disk.vmdk")
        # The names that the target gives to the parts.
        text = (folder / "disk.vmdk").read_bytes().replace(b"disk-%s.vmdk" % suffix.encode(), b"disk-s001.vmdk")
        save("vmdk", kind, text, folder / f"disk-{suffix}.vmdk")
    descriptor = (
        b"# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"custom\"\n"
        b'RW 16 FLAT "disk-s001.vmdk" 0\nRW 8 ZERO\nRW 8 FLAT "disk-s002.vmdk" 8\nddb.adapterType = "ide"\n'
    )
    save("vmdk", "custom", descriptor, b"first".ljust(8192, b"\0"), b"second".ljust(8192, b"2"))
    child = descriptor.replace(b"parentCID=ffffffff", b"parentCID=00000001\nparentFileNameHint=\"disk-s002.vmdk\"")
    save("vmdk", "delta", child, b"first".ljust(8192, b"\0"), descriptor)


@maker
def make_vhd(at):
    raw = content(at / "raw")
    for kind in ("dynamic", "fixed"):
        run("qemu-img", "convert", "-O", "vpc", "-o", f"subformat={kind},force_size", raw, at / kind)
        save("vhd", kind, at / kind)
    # A difference: the header names a parent, by its UUID and by name.
    data = bytearray((at / "dynamic").read_bytes())
    parent = data[:]
    for footer in (0, len(data) - 512):
        struct.pack_into(">I", data, footer + 60, 4)
        data[footer + 68 : footer + 84] = b"child".ljust(16, b"\0")
        struct.pack_into(">I", data, footer + 64, 0)
        struct.pack_into(">I", data, footer + 64, ~sum(data[footer : footer + 512]) & 0xFFFFFFFF)
    data[512 + 40 : 512 + 56] = parent[68:84]
    name = "parent.vhd".encode("utf-16-be")
    data[512 + 64 : 512 + 64 + len(name)] = name
    locator = "parent.vhd".encode("utf-16-le")
    place = len(data) - 512
    data[place:place] = locator.ljust(512, b"\0")
    struct.pack_into(">4sIIIQ", data, 512 + 576, b"W2ru", 512, len(locator), 0, place)
    struct.pack_into(">I", data, 512 + 36, 0)
    struct.pack_into(">I", data, 512 + 36, ~sum(data[512:1536]) & 0xFFFFFFFF)
    save("vhd", "difference", bytes(data), bytes(parent))


@maker
def make_vhdx(at):
    raw = content(at / "raw", 2 << 20)
    for kind in ("dynamic", "fixed"):
        run("qemu-img", "convert", "-O", "vhdx", "-o", f"subformat={kind}", raw, at / kind)
        save("vhdx", kind, at / kind)
    save("vhdx", "log", with_log(bytearray((at / "dynamic").read_bytes())))


def with_log(data):
    """The image with an entry in its log: one sector of data, one of zeros. Sums stay as they are: fuzzing passes them."""
    log = 1 << 20
    for header in (64 << 10, 128 << 10):
        data[header + 48 : header + 64] = b"g" * 16
        struct.pack_into("<IQ", data, header + 68, 1 << 20, log)
    entry = bytearray(8192)
    struct.pack_into("<4sIIIQII", entry, 0, b"loge", 0, 8192, 0, 1, 2, 0)
    entry[32:48] = b"g" * 16
    struct.pack_into("<QQ", entry, 48, len(data), len(data))
    struct.pack_into("<4sIQQQ", entry, 64, b"desc", 0x44332211, 0x1122334455667788, 3 << 20, 1)
    struct.pack_into("<4sIQQQ", entry, 96, b"zero", 0, 4096, (3 << 20) + 65536, 1)
    struct.pack_into("<4sI", entry, 4096, b"data", 0)
    struct.pack_into("<I", entry, 8188, 1)
    data[log : log + 8192] = entry
    return bytes(data)


@maker
def make_vdi(at):
    raw = content(at / "raw", 2 << 20)
    for name, options in {"dynamic": "static=off", "static": "static=on"}.items():
        run("qemu-img", "convert", "-O", "vdi", "-o", options, raw, at / name)
        save("vdi", name, at / name)


@maker
def make_ova(at):
    raw = content(at / "raw", 64 << 10)
    run("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, at / "disk.vmdk")
    descriptor = """<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
<References><File ovf:id="f" ovf:href="disk.vmdk"/><File ovf:id="g" ovf:href="data.vmdk" ovf:compression="identity"/></References>
<DiskSection><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="65536"/>
<Disk ovf:diskId="e" ovf:fileRef="g" ovf:capacity="64" ovf:capacityAllocationUnits="byte * 2^10"/></DiskSection>
<VirtualSystem ovf:id="vm"><VirtualHardwareSection>
<Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
<Item><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/d</rasd:HostResource></Item>
<Item><rasd:InstanceID>4</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType><rasd:AddressOnParent>1</rasd:AddressOnParent><rasd:HostResource>/disk/e</rasd:HostResource></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>
"""
    (at / "machine.ovf").write_text(descriptor)
    shutil.copy(at / "disk.vmdk", at / "data.vmdk")
    for name, kind in {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT}.items():
        with tarfile.open(at / name, "w", format=kind) as archive:
            for member in ("machine.ovf", "disk.vmdk", "data.vmdk"):
                headers = {"comment": "a record", "mtime": "1.5"} if name == "pax" else {}
                info = archive.gettarinfo(at / member, arcname=member)
                info.pax_headers = headers
                with open(at / member, "rb") as file:
                    archive.addfile(info, file)
        save("ova", name, at / name)


@maker
def make_split(at):
    raw = content(at / "raw").read_bytes()
    save("split", "three", raw[: 100 << 10], raw[100 << 10 : 200 << 10], raw[200 << 10 :])
    save("split", "one", raw)


@maker
def make_lz4(at):
    text = b"compress me, " * 20
    save_block("lz4", "literals", bytes([0xF0, 5]) + text[:20], 20)
    save_block("lz4", "matches", bytes([0xD6]) + text[:13] + struct.pack("<H", 13) + bytes([0x50]) + text[:5], 28)


@maker
def make_lzo(at):
    save_block("lzo", "literals", bytes([17 + 20]) + b"compress me, compress" [:20] + b"\x11\0\0", 20)
    save_block("lzo", "matches", bytes([17 + 13]) + b"compress me, " + bytes([0x20 | 9]) + struct.pack("<H", 12 << 2) + b"\x11\0\0", 64)


def save_block(target, name, packed, room):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(struct.pack("<H", room) + packed)


@maker
def make_tar(at):
    tree(at / "tree", names=2)
    for kind in ("ustar", "gnu", "posix", "v7"):
        options = ["--sparse"] if kind in ("gnu", "posix") else []
        options += ["--xattrs", "--xattrs-include=*"] if kind == "posix" else []
        done = subprocess.run(["tar", "-C", at / "tree", f"--format={kind}", *options, "-cf", at / kind, "."], capture_output=True)
        if done.returncode > 2:
            raise RuntimeError(done.stderr.decode())
        save("tar", kind, at / kind)
    for version in ("0.0", "0.1"):
        run("tar", "-C", at / "tree", "--format=posix", "--sparse", f"--sparse-version={version}", "-cf", at / version, "etc", "holes")
        save("tar", f"sparse-{version}", at / version)


def trim(seeds):
    """Takes away what no answer of the reader comes from. Checksums are computed there, so those that are read still agree."""
    subprocess.run(["cargo", "run", "--quiet", "--example", "trim", "--", *seeds], cwd=SEEDS.parent, check=True)


def main():
    wanted = sys.argv[1:] or MAKERS
    failed = False
    for target in wanted:
        shutil.rmtree(SEEDS / target, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                MAKERS[target](pathlib.Path(folder))
            except (RuntimeError, OSError) as error:
                failed = True
                print(f"{target}: {error}", file=sys.stderr)
        trim(sorted((SEEDS / target).glob("*")))
        for path in (SEEDS / target).glob("*"):
            if path.stat().st_size > MOST:
                print(f"{target}/{path.name}: {path.stat().st_size} bytes are too many", file=sys.stderr)
                path.unlink()
        sizes = [path.stat().st_size for path in (SEEDS / target).glob("*")]
        print(f"{target}: {len(sizes)} seeds, {sum(sizes)} bytes")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
