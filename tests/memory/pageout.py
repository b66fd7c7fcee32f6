"""pageout.py PID: asks the kernel to page out all private memory of a process (process_madvise, MADV_PAGEOUT)."""

import ctypes
import os
import sys

MADV_PAGEOUT = 21
SYS_PROCESS_MADVISE = 440


class Range(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])
handle = os.pidfd_open(pid)
asked = 0
with open(f"/proc/{pid}/maps") as maps:
    for line in maps:
        span, modes, *_ = line.split()
        if not modes.startswith("rw") or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
            continue
        start, end = (int(bound, 16) for bound in span.split("-"))
        done = libc.syscall(SYS_PROCESS_MADVISE, handle, ctypes.byref(Range(start, end - start)), 1, MADV_PAGEOUT, 0)
        asked += done == end - start
print(asked)
