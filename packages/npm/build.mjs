// Makes the packages of npm: `node build.mjs BINARY PLATFORM ARCH OUT`, with Node's names for the
// platform (`linux`, `darwin`, `win32`) and processor (`x64`, `arm64`). The version is that of
// Cargo.toml; the repository, without which npm accepts no provenance, is the one that the workflow runs in.
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [binary, platform, arch, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: node build.mjs BINARY PLATFORM ARCH OUT');
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const manifest = readFileSync(join(here, '../../Cargo.toml'), 'utf8');
const version = /^version = "(.+)"$/m.exec(manifest)[1];

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
const repository = GITHUB_REPOSITORY && {
  type: 'git',
  url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`,
};

const name = `corslint-${platform}-${arch}`;
const folder = join(out, name);
const file = platform === 'win32' ? 'corslint.exe' : 'corslint';
mkdirSync(join(folder, 'bin'), { recursive: true });
copyFileSync(binary, join(folder, 'bin', file));
chmodSync(join(folder, 'bin', file), 0o755);
const own = {
  name,
  version,
  description: `The binary of corslint for ${platform} on ${arch}`,
  license: 'MIT OR Apache-2.0',
  repository,
  os: [platform],
  cpu: [arch],
  files: ['bin'],
};
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);

const main = join(out, 'corslint');
cpSync(join(here, 'corslint'), main, { recursive: true });
const path = join(main, 'package.json');
const pack = JSON.parse(readFileSync(path, 'utf8'));
pack.version = version;
pack.repository = repository;
for (const dependency of Object.keys(pack.optionalDependencies)) {
  pack.optionalDependencies[dependency] = version;
}
writeFileSync(path, `${JSON.stringify(pack, null, 2)}\n`);
