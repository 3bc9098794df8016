#!/usr/bin/env python3
"""Makes the first inputs and the dictionary of a fuzz target: `seeds.py TARGET FOLDER DICTIONARY`.

Both come from what the repository holds anyway: fixtures, rules, grammars. `src/input.rs` says how an
input is made up.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
# The largest input.
MAX_BYTES = 8192
# What the request of every seed is.
REQUEST = b"\0?\0OPTIONS\nhttps://app.example.com\n\nPUT\nx-token,authorization"

# Target: the patterns of its seeds, the grammars whose words it knows.
FILES = {
    "nginx": (["fixtures/**/*.conf", "tests/live/seeds/*.conf"], ["nginx"]),
    "javascript": (["fixtures/**/*.js"], ["javascript"]),
    "typescript": (["fixtures/**/*.ts", "fixtures/**/*.js"], ["javascript"]),
    "python": (["fixtures/**/*.py"], ["python"]),
    "java": (["fixtures/**/*.java"], ["java"]),
    "kotlin": (["fixtures/**/*.kt"], ["java"]),
    "yaml": (["fixtures/**/*.yml", "fixtures/**/*.yaml"], ["settings"]),
    "properties": (["fixtures/**/*.properties"], ["settings"]),
    "xml": (["fixtures/**/*.xml"], ["xml"]),
    "rules": (["rules/*.toml"], []),
    "config": (["fixtures/**/corslint.toml", "fixtures/**/pyproject.toml"], []),
    "suppress": (["fixtures/**/*.conf", "fixtures/**/*.js", "fixtures/**/*.py", "fixtures/**/*.java"], ["nginx"]),
}
# Framework: the file that an input's first text stands in, the endings of all files, the grammars.
FRAMEWORKS = {
    "nginx": ("nginx.conf", [".conf", ".inc", ".template"], ["nginx"]),
    "express": ("app.js", [".js", ".ts", ".json"], ["javascript"]),
    "django": ("settings.py", [".py"], ["python"]),
    "flask": ("app.py", [".py"], ["python"]),
    "starlette": ("app.py", [".py"], ["python"]),
    "spring": ("App.java", [".java", ".kt", ".xml", ".yml", ".properties", ".gradle"], ["java", "settings", "xml"]),
}
NOT_INPUT = {"recorded.json", "package-lock.json"}


def plain(target):
    patterns, _ = FILES[target]
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_bytes()
            if target == "rules":
                # The file's name has to be the rule's id.
                text = re.sub(rb'(?m)^id = ".*"$', b'id = "rule"', text)
            yield text
    if target == "config":
        yield from configurations()
    if target == "suppress":
        yield b"# corslint: ignore[missing-vary, any-origin] until=2027-01-31 the cache is ours\n// corslint: ignore-file[any-origin]\n"


def configurations():
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```toml\n(.*?)```", path.read_text(), re.S):
            yield block.encode()


def projects(framework):
    first, endings, _ = FRAMEWORKS[framework]
    folders = sorted(path for path in FIXTURES.glob("*/*") if path.is_dir())
    folders = [path for path in folders if path.parent.name in (framework, "project", "tour")]
    for folder in folders:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in endings and path.name not in NOT_INPUT]
        texts = {str(path.relative_to(folder)): path.read_bytes() for path in files}
        if not texts:
            continue
        if first not in texts:
            like = [name for name in texts if name.endswith(pathlib.Path(first).suffix)]
            if like and framework not in ("spring", "django"):
                texts[first] = texts.pop(like[0])
        parts = [texts.pop(first, b"")]
        for name, text in texts.items():
            parts += [name.encode(), text]
        yield b"\0".join(parts) + REQUEST
    for path in sorted((ROOT / "rules").glob("*.toml")):
        for language, code in re.findall(r"framework = \"(\w+)\".*?code = '''\n?(.*?)'''", path.read_text(), re.S):
            if language == framework:
                yield code.encode()


def words(grammars):
    known = {"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Origin", "Vary", "*", "null"}
    for grammar in grammars:
        for line in (ROOT / "grammars" / grammar / "words.txt").read_text().splitlines():
            parts = line.split()
            if parts and parts[0] in ("seed", "companion"):
                known.add(parts[1])
    if "nginx" in grammars:
        for name in ("directives.txt", "variables.txt"):
            for line in (ROOT / "grammars/nginx" / name).read_text().splitlines():
                if line and not line.startswith("#"):
                    known.add(line.split()[0])
    return sorted(known)


def main():
    target, folder, dictionary = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if target in FILES:
        seeds, grammars = plain(target), FILES[target][1]
    else:
        framework = target.removeprefix("respond-").removeprefix("fix-")
        seeds, grammars = projects(framework), FRAMEWORKS[framework][2]
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for seed in {seed for seed in seeds if len(seed) <= MAX_BYTES}:
        (folder / f"{count:04}").write_bytes(seed)
        count += 1
    with dictionary.open("w") as out:
        for word in words(grammars):
            escaped = word.replace("\\", "\\\\").replace('"', '\\"')
            out.write(f'"{escaped}"\n')
    print(f"{target}: {count} seeds", file=sys.stderr)


main()
