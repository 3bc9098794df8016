#!/usr/bin/env bash
# Counts the instructions of a run over a fixed tree, on one thread: `benches/instructions.sh [PROGRAM]`.
# The count is the same on every machine with the same compiler and processor features, so two commits can
# be compared by it where times cannot. Nothing depends on it. Wants Debian's valgrind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${1:-$here/../target/debug/corslint}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/tree.py" "$work/tree" --files 400 --share 0.05 --seed 7 >/dev/null
RAYON_NUM_THREADS=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$work/tree" \
  >/dev/null 2>"$work/log" || [ $? = 1 ]
count=$(sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$work/log")
printf 'instructions over 400 files (%s): %s million\n' "$(basename "$(dirname "$program")")" "$((count / 1000000))"
