#!/usr/bin/env bash
# Large projects of each language under corslint, and the bare parse of the same files beside them:
#   benches/languages.sh FOLDER [RUNS]
# Writes to FOLDER what is not there yet: monorepos of 50,000, 100,000 and 200,000 lines of JavaScript, TypeScript
# (typescript.py) and Python (python.py), and Spring projects of 250, 500 and 1,000 controllers (java.py). Prints
# medians of RUNS (3) runs; CPU time is that of all threads, the bare parse is done on one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
runs=${2:-3}
cd "$here/.."
cargo build -q --locked --release
cargo bench -q --locked --bench parsed --no-run

write() { # language size folder
  case $1 in
    JavaScript) python3 "$here/typescript.py" "$3" "$2" --javascript ;;
    TypeScript) python3 "$here/typescript.py" "$3" "$2" ;;
    Python) python3 "$here/python.py" "$3" "$2" ;;
    Java) python3 "$here/java.py" "$3" "$(($2 / 200))" 10 ;;
  esac
}

printf '| language | files | text (MB) | parsed files | parsed (MB) | bare parse (s) | wall (s) | CPU (s) | peak (MiB) | runs | CPU (s) per parsed MB |\n'
printf '|---|---|---|---|---|---|---|---|---|---|---|\n'
for language in JavaScript TypeScript Python Java; do
  for size in 50000 100000 200000; do
    tree=$folder/$language-$size
    [ -d "$tree" ] || write "$language" "$size" "$tree" >/dev/null
    files=$(find "$tree" -type f | wc -l)
    bytes=$(find "$tree" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.1f", sum / 1e6 }')
    bare=$(cargo bench -q --locked --bench parsed -- "$tree" | sed -nE 's/^([0-9]+) files, ([0-9.]+) MB .*: ([0-9.]+) s of bare.*/\1 | \2 | \3/p')
    MB=$(cut -d' ' -f3 <<<"$bare") python3 "$here/measure.py" "$language | $files | $bytes | $bare" "$runs" target/release/corslint "$tree"
  done
done
