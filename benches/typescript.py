#!/usr/bin/env python3
"""Writes a monorepo: typescript.py FOLDER LINES [--javascript].

Every package has an Express application with a policy of its own, five routers, and modules beside
them that have nothing to do with CORS, about 2,000 lines in all; one package of options is shared."""

import json
import pathlib
import re
import sys

SHARED = """«import type { CorsOptions } from 'cors';

»export const origins = ['https://app.example.com', 'https://docs.example.com']« as const»;

export function isAllowed(origin«: string | undefined»)«: boolean» {
  return !origin || origins.some((known) => known === origin);
}

export const options«: CorsOptions» = {
  origin: (origin, callback) => callback(null, isAllowed(origin)),
  credentials: true,
};
"""

APP = """import cors from 'cors';
import express from 'express';
import { options } from '@shared/cors';
%s
const app = express();
app.use(express.json());
app.use(cors({ ...options, maxAge: %d }));
%s
app.listen(3000);
"""

ROUTER = """import { Router } from 'express';
import { %(name)sPart0 } from './parts/%(name)sPart0';

const router = Router();
router.get('/', (req, res) => res.json(new %(name)sPart0().all()));
router.get('/:id', (req, res) => res.json(new %(name)sPart0().one(req.params.id)));
router.post('/', (req, res) => res.status(201).json(req.body));
router.put('/:id', (req, res) => res.json(req.body));
router.delete('/:id', (req, res) => res.sendStatus(204));
export default router;
"""

PART = """«export interface %(name)sRecord {
  id: string;
  title: string;
  tags: string[];
  changed?: Date;
}
»
/** Nothing that the network has to do with. */
export class %(name)s {
  «private readonly »known = new Map«<string, %(name)sRecord>»();

  all()«: %(name)sRecord[]» {
    return [...this.known.values()].sort((a, b) => a.title.localeCompare(b.title));
  }

  one(id«: string»)«: %(name)sRecord | undefined» {
    const found = this.known.get(id);
    if (found === undefined || found.tags.length === 0) {
      return undefined;
    }
    return { ...found, title: found.title.trim() };
  }

  add(record«: %(name)sRecord»)«: void» {
    for (const tag of record.tags) {
      if (tag.length > 40) {
        throw new Error(`the tag ${tag} is too long`);
      }
    }
    this.known.set(record.id, { ...record, changed: new Date() });
  }
}
"""


def code(text: str, typed: bool) -> str:
    """With what stands between the signs for TypeScript, or without."""
    return re.sub("[«»]", "", text) if typed else re.sub("«.*?»", "", text, flags=re.DOTALL)


def main() -> None:
    typed = "--javascript" not in sys.argv
    ending = "ts" if typed else "js"
    root = pathlib.Path(sys.argv[1])
    wanted = int(sys.argv[2])
    shared = root / "packages/shared"
    shared.mkdir(parents=True)
    (shared / f"cors.{ending}").write_text(code(SHARED, typed))
    (root / "package.json").write_text(json.dumps({"workspaces": ["packages/*"]}))
    paths = {"@shared/*": ["packages/shared/*"]}
    (root / "tsconfig.json").write_text(json.dumps({"compilerOptions": {"baseUrl": ".", "paths": paths}}))
    lines = 0
    number = 0

    def write(path: pathlib.Path, text: str) -> None:
        nonlocal lines
        text = code(text, typed)
        lines += text.count("\n")
        path.write_text(text)

    while lines < wanted:
        folder = root / f"packages/service{number}"
        (folder / "parts").mkdir(parents=True)
        depends = {"express": "^5.1.0", "cors": "^2.8.5"}
        (folder / "package.json").write_text(json.dumps({"dependencies": depends}))
        (folder / "tsconfig.json").write_text(json.dumps({"extends": "../../tsconfig.json"}))
        names = [f"S{number}R{router}" for router in range(5)]
        imports = "".join(f"import {name} from './{name}';\n" for name in names)
        uses = "".join(f"app.use('/{name.lower()}', {name});\n" for name in names)
        write(folder / f"app.{ending}", APP % (imports, 600 + number, uses))
        for name in names:
            write(folder / f"{name}.{ending}", ROUTER % {"name": name})
            for part in range(10):
                write(folder / f"parts/{name}Part{part}.{ending}", PART % {"name": f"{name}Part{part}"})
        number += 1


if __name__ == "__main__":
    main()
