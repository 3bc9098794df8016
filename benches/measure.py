#!/usr/bin/env python3
"""Prints a row of a table: measure.py NAME RUNS COMMAND…: medians of wall clock and CPU in seconds, of the
peak in MiB, and the number of runs. With MB in the environment: CPU seconds for each of them, too."""

import os
import statistics
import subprocess
import sys
import time

name, times, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
rows = []
for _ in range(times):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    rows.append((time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
wall, cpu, peak = (statistics.median(column) for column in zip(*rows))
digits = 2 if wall >= 0.1 else 4
parsed = float(os.environ.get("MB", 0))
share = f" {cpu / parsed:.2f} |" if parsed else ""
print(f"| {name} | {wall:.{digits}f} | {cpu:.{digits}f} | {peak:.0f} | {times} |{share}", flush=True)
