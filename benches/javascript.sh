#!/usr/bin/env bash
# Time for each parsed MB of JavaScript and of TypeScript, with the bare parse time beside it:
#   benches/javascript.sh FOLDER [LINES] [RUNS]
# Writes a monorepo of LINES (200,000) lines in each language to FOLDER, unless it is there (typescript.py), and
# prints medians of RUNS (3) runs; the last column is CPU seconds for each MB that is parsed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
lines=${2:-200000}
runs=${3:-3}
(cd "$here/.." && cargo build -q --locked --release && cargo bench -q --locked --bench parsed --no-run)
for language in javascript typescript; do
  tree=$folder/$language-$lines
  option=
  [ $language = typescript ] || option=--javascript
  [ -d "$tree" ] || python3 "$here/typescript.py" "$tree" "$lines" $option
  bare=$(cd "$here/.." && cargo bench -q --locked --bench parsed -- "$tree" | grep parsing)
  megabytes=$(sed -E 's/.* files, ([0-9.]+) MB.*/\1/' <<<"$bare")
  printf '\n%s: %s files, %s bytes; parsed: %s\n' "$language" "$(find "$tree" -type f | wc -l)" "$(du -sb --apparent-size "$tree" | cut -f1)" "$bare"
  printf '\n| language | wall (s) | CPU (s) | peak (MiB) | runs | CPU (s) per parsed MB |\n|---|---|---|---|---|---|\n'
  MB=$megabytes python3 "$here/measure.py" "$language" "$runs" "$here/../target/release/corslint" "$tree"
done
