#!/usr/bin/env bash
# Runs corslint beside ripgrep, semgrep and ast-grep over the trees of tree.py, in one go:
#   benches/compare.sh FOLDER [RUNS]
# Makes FOLDER/tree-0.1 and FOLDER/tree-1 (100,000 files each) unless they are there, prints medians of
# RUNS (5) runs: seconds of wall clock, seconds of CPU, MiB at the peak. Wants `cargo build --release`,
# Debian's ripgrep, and PyPI's semgrep and ast-grep-cli on the PATH; what is missing is left out.
# semgrep runs once, and on a tenth of the tree: it takes minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
runs=${2:-5}
corslint=$here/../target/release/corslint

measure() { # name times command…
  local name=$1 times=$2
  shift 2
  command -v "$1" >/dev/null || { echo "$name: not installed" >&2; return; }
  for _ in $(seq "$times"); do
    /usr/bin/env python3 - "$@" <<'PYTHON'
import os, resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
PYTHON
  done | python3 -c '
import statistics, sys
rows = [list(map(float, line.split())) for line in sys.stdin]
wall, cpu, peak = (statistics.median(column) for column in zip(*rows))
print(f"| {sys.argv[1]} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {len(rows)} |")
' "$name"
}

for share in 0.1 1; do
  tree=$folder/tree-$share
  [ -d "$tree" ] || python3 "$here/tree.py" "$tree" --share "$(python3 -c "print($share / 100)")"
done

for share in 0.1 1; do
  tree=$folder/tree-$share
  printf '\n%s %% of the files with CORS\n\n| program | wall (s) | CPU (s) | peak (MiB) | runs |\n|---|---|---|---|---|\n' "$share"
  cat "$tree"/*/*/nginx.conf >/dev/null # the folders into the cache
  rg -c . "$tree" >/dev/null || true    # and the files
  measure ripgrep "$runs" rg -c -i 'access-control-allow|cors' "$tree"
  measure corslint "$runs" "$corslint" "$tree"
  measure ast-grep 1 ast-grep run --lang js --pattern 'cors($$$)' "$tree"
  measure 'semgrep, on a tenth' 1 semgrep --metrics=off --disable-version-check --no-git-ignore --config "$here/semgrep.yml" "$tree"/team0[0-3]
done
