#!/usr/bin/env python3
"""Reading disk images in place, beside the kernel and qemu-img on the same images in the same run.

usage: benches/disks.py [--runs N] [--only NAME] FOLDER

FOLDER takes the images, some 5 GB, which are made once: ext4, XFS and btrfs with 100,000 small files, and one large file in
every container. Needs root (loop mounts, dropping caches), mkfs.ext4, mkfs.xfs, mkfs.btrfs, qemu-img, and the program's own
reader: cargo bench --no-run --bench read.

Small files: walked and read whole by two threads, the caches dropped before each run, from a loop mount and from the image.
The large file: read by one reader, blocks unpacked on every core, against `qemu-img convert` of the image into nothing,
which does the same, caches warm. The programs take turns, and the fastest run of each counts; beside it stands what a
second of processor time gives, which the rest of the machine's load hardly changes.

Exit code 1 where small files take longer than through the mount, or the large file comes at less than 70% of
qemu-img's bytes in a second; 2 where it could not be measured.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES, FOLDERS = 100_000, 1000
LARGE = 300 << 20
GOAL = 0.70

SYSTEMS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"], "btrfs": ["mkfs.btrfs", "-q", "-f"]}
CONTAINERS = {
    "raw": ["raw"],
    "qcow2": ["qcow2"],
    "qcow2, zlib": ["qcow2", "-c"],
    "qcow2, zstd": ["qcow2", "-c", "-o", "compression_type=zstd"],
    "qcow2, subclusters": ["qcow2", "-o", "extended_l2=on,cluster_size=128k"],
    "vmdk": ["vmdk", "-o", "subformat=monolithicSparse"],
    "vmdk, packed": ["vmdk", "-o", "subformat=streamOptimized"],
    "vmdk, flat": ["vmdk", "-o", "subformat=monolithicFlat"],
    "vmdk, 2 GB": ["vmdk", "-o", "subformat=twoGbMaxExtentSparse"],
    "vhd": ["vpc", "-o", "subformat=dynamic,force_size"],
    "vhdx": ["vhdx"],
    "vdi": ["vdi"],
}


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(2)


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace')}")
    return done.stdout


@contextlib.contextmanager
def mounted(image, *options):
    with tempfile.TemporaryDirectory() as point:
        run("mount", "-o", ",".join(["loop", *options]), image, point)
        try:
            yield pathlib.Path(point)
        finally:
            run("umount", point)


def blank(image, size):
    part = image.with_suffix(".part")
    with open(part, "wb") as file:
        file.truncate(size)
    return part


def small_files(image, system):
    """A file system of small files: most of some kilobytes, as in the root of a machine."""
    if image.exists():
        return
    part = blank(image, 2 << 30)
    run(*SYSTEMS[system], part)
    rolls = random.Random(3)
    text = b"".join(rolls.randbytes(3).hex().encode() + b" line\n" for _ in range(20_000))
    with mounted(part) as point:
        for folder in range(FOLDERS):
            at = point / f"{folder % 40}" / f"{folder}"
            at.mkdir(parents=True)
            for number in range(FILES // FOLDERS):
                start, size = rolls.randrange(100_000), min(int(rolls.expovariate(1 / 4000)), 100_000)
                (at / f"file-{number:03}.conf").write_bytes(text[start : start + size])
    part.rename(image)


def large_file(folder):
    """An ext4 of one large file, of what is on a machine: programs and libraries, packed by nobody."""
    image = folder / "large.raw"
    if not image.exists():
        part = blank(image, LARGE + (80 << 20))
        run("mkfs.ext4", "-q", "-F", part)
        with mounted(part) as point:
            tar = subprocess.Popen(["tar", "-cf", "-", "/usr/lib", "/usr/bin"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            with open(point / "large", "wb") as file:
                left = LARGE
                while left and (piece := tar.stdout.read(min(left, 1 << 20))):
                    file.write(piece)
                    left -= len(piece)
            tar.kill()
            tar.wait()
        part.rename(image)
    return image


def container(folder, name):
    kind, *options = CONTAINERS[name]
    raw = large_file(folder)
    if kind == "raw":
        return raw
    image = folder / f"{name.replace(', ', '-').replace(' ', '')}.{kind}"
    if not image.exists():
        run("qemu-img", "convert", "-f", "raw", "-O", kind, *options, raw, image)
    return image


def reader():
    """The newest build of benches/read.rs."""
    found = sorted(ROOT.glob("target/release/deps/read-*"), key=lambda path: path.stat().st_mtime)
    found = [path for path in found if os.access(path, os.X_OK) and not path.suffix]
    if not found:
        fail("the reader is not built: cargo bench --no-run --bench read")
    return found[-1]


def read(threads, *arguments):
    environment = {**os.environ, "THREADS": str(threads)}
    done = subprocess.run([reader(), *map(str, arguments)], env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        fail(done.stderr.decode())
    return json.loads(done.stdout)


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def processor():
    """Seconds of processor time of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def best(runs, *sides):
    """The fastest of each side; they take turns."""
    times = [[side() for side in sides] for _ in range(runs)]
    return [least(column) for column in zip(*times, strict=True)]


def least(column):
    """The least, of each number by itself where there are several."""
    if isinstance(column[0], tuple):
        return tuple(min(part) for part in zip(*column, strict=True))
    return min(column)


def compare_small(folder, system, runs):
    image = folder / f"small.{system}"
    small_files(image, system)
    counts = set()

    def through_kernel():
        drop_caches()
        with mounted(image, "ro") as point:
            found = read(2, "tree", point)
        counts.add((found["files"], found["bytes"]))
        return found["seconds"]

    def in_place():
        drop_caches()
        found = read(2, "image", image)
        counts.add((found["files"], found["bytes"]))
        return found["seconds"]

    kernel, own = best(runs, through_kernel, in_place)
    if len(counts) != 1:
        fail(f"{system}: the two read different things: {counts}")
    return kernel, own, kernel / own


def compare_large(folder, name, runs):
    image = container(folder, name)
    kind = CONTAINERS[name][0]
    size = json.loads(run("qemu-img", "info", "-f", kind, "--output=json", image))["virtual-size"]

    def qemu():
        start = time.monotonic(), processor()
        nothing = f"driver=null-co,size={size}"
        run("qemu-img", "convert", "-f", kind, "-n", "--target-image-opts", image, nothing)
        return time.monotonic() - start[0], processor() - start[1]

    def own():
        # One file, so one reader; zero stands for a thread for each core, which unpack for it.
        start = processor()
        found = read(0, "image", image)
        taken = processor() - start
        if found["bytes"] != LARGE:
            fail(f"{name}: {found['bytes']} bytes")
        return found["seconds"], taken

    theirs, ours = best(runs, qemu, own)
    rate = lambda seconds: LARGE / max(seconds, 0.001) / 1e6
    return rate(theirs[0]), rate(ours[0]), rate(theirs[1]), rate(ours[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", help="a file system or a container of the tables")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        fail("mounting and dropping caches need root")
    wanted = lambda names: [name for name in names if not options.only or name in options.only]

    missed = []
    print(f"fastest of {options.runs} runs\n")
    if systems := wanted(SYSTEMS):
        print(f"| {FILES:,} small files, two threads, cold | loop mount, s | in place, s | ratio |\n|---|---:|---:|---:|")
        for system in systems:
            kernel, own, ratio = compare_small(options.folder, system, options.runs)
            print(f"| {system} | {kernel:.2f} | {own:.2f} | {ratio:.2f} |", flush=True)
            if ratio < 1:
                missed.append(f"{system} takes longer in place than through a mount")
        print()
    if containers := wanted(CONTAINERS):
        print("| one large file, one reader, warm | qemu-img convert, MB/s | in place, MB/s | ratio | MB per processor second | ratio |")
        print("|---|---:|---:|---:|---:|---:|")
        for name in containers:
            theirs, ours, theirs_used, ours_used = compare_large(options.folder, name, options.runs)
            used = f"{theirs_used:.0f}, {ours_used:.0f} | {ours_used / theirs_used:.2f}"
            print(f"| {name} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.2f} | {used} |", flush=True)
            if ours / theirs < GOAL:
                missed.append(f"{name} comes at less than {GOAL:.0%} of qemu-img's speed")
    for line in missed:
        print(f"\nmissed: {line}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
