#!/usr/bin/env bash
# A large Spring project (java.py) under corslint, and the bare parse of the same files beside it:
#   benches/java.sh FOLDER [CONTROLLERS] [RUNS]
# Makes FOLDER/java-CONTROLLERS (1000) unless it is there, and prints medians of RUNS (3) runs: seconds of
# CPU of all threads, MiB at the peak, and what that is for each MB of text that is parsed. CORSLINT and
# PARSED name other binaries than those of the release profile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
controllers=${2:-1000}
tree=$folder/java-$controllers
[ -d "$tree" ] || python3 "$here/java.py" "$tree" "$controllers" 10
cd "$here/.."
[ -n "${CORSLINT:-}" ] || cargo build -q --locked --release
parsed() {
  if [ -n "${PARSED:-}" ]; then "$PARSED" "$tree"; else cargo bench -q --locked --bench parsed -- "$tree"; fi
}
bare=$(parsed | grep parsing)
python3 - "${CORSLINT:-target/release/corslint}" "$tree" "${3:-3}" "$bare" <<'PYTHON'
import os, re, statistics, subprocess, sys

corslint, tree, runs, bare = sys.argv[1:]
rows = []
for _ in range(int(runs)):
    process = subprocess.Popen([corslint, "check", tree], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    rows.append((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
cpu, peak = (statistics.median(column) for column in zip(*rows))
files, megabytes, parse = re.search(r"(\d+) files, ([\d.]+) MB .*: ([\d.]+) s", bare).groups()
megabytes = float(megabytes)
print("| files parsed | MB parsed | CPU (s) | peak (MiB) | CPU per MB (s) | bare parse per MB (s) |")
print("|---|---|---|---|---|---|")
print(f"| {files} | {megabytes} | {cpu:.2f} | {peak:.0f} | {cpu / megabytes:.2f} | {float(parse) / megabytes:.2f} |")
PYTHON
