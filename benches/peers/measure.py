"""Runs a command to its end; writes wall and CPU seconds of it and all it started, and the most
memory one of them held in bytes, as JSON.

usage: measure.py RESULT COMMAND ARGUMENT...

What the command leaves behind (connection masters, for instance) comes to this process, is ended
and counted too; the wall time is the command's own.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def left_behind():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


def main():
    result, command = sys.argv[1], sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    begin = time.perf_counter()
    code = subprocess.call(command)
    wall = time.perf_counter() - begin
    while pids := left_behind():
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(result, "w", encoding="ascii") as file:
        cpu, rss = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
        json.dump({"wall": wall, "cpu": cpu, "rss": rss}, file)
    sys.exit(code)


main()
