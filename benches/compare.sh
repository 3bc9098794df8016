#!/usr/bin/env bash
# Runs corslint beside ripgrep, semgrep and ast-grep over the trees of tree.py, in one go:
#   benches/compare.sh FOLDER [RUNS]
# Makes FOLDER/tree-0.1 and FOLDER/tree-1 (100,000 files each) unless they are there, prints medians of
# RUNS (5) runs: seconds of wall clock, seconds of CPU, MiB at the peak. Then the bare parse time, shares
# of a tree, and the time from start to exit for one file of a small project. Wants Debian's ripgrep, and
# PyPI's semgrep and ast-grep-cli on the PATH; what is missing is left out. semgrep runs once, and on a
# tenth of the tree: it takes minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
runs=${2:-5}
(cd "$here/.." && cargo build -q --locked --release && cargo bench -q --locked --bench parsed --no-run)
corslint=$here/../target/release/corslint

measure() { # name times command…
  local name=$1 times=$2
  shift 2
  command -v "$1" >/dev/null || { echo "$name: not installed" >&2; return; }
  python3 "$here/measure.py" "$name" "$times" "$@"
}

table() { # title
  printf '\n%s\n\n| program | wall (s) | CPU (s) | peak (MiB) | runs |\n|---|---|---|---|---|\n' "$1"
}

for share in 0.1 1; do
  tree=$folder/tree-$share
  [ -d "$tree" ] || python3 "$here/tree.py" "$tree" --share "$(python3 -c "print($share / 100)")"
done

for share in 0.1 1; do
  tree=$folder/tree-$share
  table "$share % of the files with CORS"
  "$corslint" "$tree" >/dev/null 2>&1 || true # the folders into the cache
  rg -c . "$tree" >/dev/null || true          # and the files
  measure ripgrep "$runs" rg -c -i 'access-control-allow|cors' "$tree"
  measure corslint "$runs" "$corslint" "$tree"
  measure ast-grep 1 ast-grep run --lang js --pattern 'cors($$$)' "$tree"
  measure 'semgrep, on a tenth' 1 semgrep --metrics=off --disable-version-check --no-git-ignore --config "$here/semgrep.yml" "$tree"/team0[0-3]
  measure 'corslint, on that tenth' "$runs" "$corslint" "$tree"/team0[0-3]
  printf '\n'
  (cd "$here/.." && cargo bench -q --locked --bench parsed -- "$tree" | grep parsing)
done

table "Shares of the tree with 1 %"
measure 'a quarter' "$runs" "$corslint" "$folder"/tree-1/team0*
measure 'a half' "$runs" "$corslint" "$folder"/tree-1/team[01]*
measure 'all' "$runs" "$corslint" "$folder"/tree-1

table "One file of a project of 100 files"
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
mkdir -p "$project/.git" "$project/src"
printf '{"name": "service", "dependencies": {"express": "^4.21.0", "cors": "^2.8.5"}}\n' >"$project/package.json"
for number in $(seq 98); do
  printf 'export const value%d = [%d, "text"].map(String);\n' "$number" "$number" >"$project/src/module$number.js"
done
cat >"$project/app.js" <<'JS'
import express from 'express';
import cors from 'cors';
const app = express();
app.use(cors({ origin: true, credentials: true }));
app.get('/items', (req, res) => res.json([]));
app.listen(3000);
JS
cd "$project"
measure 'corslint app.js' 60 "$corslint" app.js
measure 'corslint --version' 60 "$corslint" --version
