"""A machine whose clock the vDSO cannot read (Xen's clock source, an unstable time stamp counter, `vdso=0`).

There the C library and the Go runtime ask the kernel for the time by system calls that other machines never show. This
takes the vDSO's address out of a new program's auxiliary vector, while its execve is held back by the tracer.
"""

import os
import struct
import threading
import time

AT_NULL, AT_IGNORE, AT_SYSINFO_EHDR = 0, 1, 33


def words(mem, address):
    """The words from an address on, as far as they can be read."""
    mem.seek(address)
    data = mem.read(1 << 16)
    return struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8])


def hide(pid):
    """Takes the vDSO from the process. Its stack starts with the arguments, the environment and the vector."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
        stack = int(stat.read().rpartition(")")[2].split()[25])
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as mem:
        found = words(mem, stack)
        at = 1 + found[0] + 1
        at = found.index(0, at) + 1
        while found[at] != AT_NULL:
            if found[at] == AT_SYSINFO_EHDR:
                mem.seek(stack + 8 * at)
                mem.write(struct.pack("<Q", AT_IGNORE))
            at += 2
    return stack


class Hidden:
    """Within it, programs that start with this root find no vDSO; `strace` must hold them longer than a look takes."""

    HOLD = "--inject=execve:delay_exit=60000"

    def __init__(self, root):
        self.root, self.is_over = root, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def watch(self):
        seen = {}
        while not self.is_over.is_set():
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    # What changes when a process executes: where its stack begins.
                    with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
                        stack = stat.read().rpartition(")")[2].split()[25]
                    if seen.get(pid) != stack and os.readlink(f"/proc/{pid}/root") == self.root:
                        seen[pid] = stack
                        hide(pid)
                except (OSError, IndexError, ValueError):
                    # It has ended meanwhile, or is the kernel's.
                    continue
            time.sleep(0.015)
