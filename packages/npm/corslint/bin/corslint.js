#!/usr/bin/env node
// Starts the binary of the package for this platform.
'use strict';

const { spawnSync } = require('node:child_process');

const name = `corslint-${process.platform}-${process.arch}`;
const file = process.platform === 'win32' ? 'corslint.exe' : 'corslint';

let binary;
try {
  binary = require.resolve(`${name}/bin/${file}`);
} catch {
  console.error(
    `error: the package ${name} is not installed; either there is none for this platform, or ` +
      'optional dependencies were left out (npm install --include=optional)',
  );
  process.exit(2);
}

const result = spawnSync(binary, process.argv.slice(2), { stdio: 'inherit' });
if (result.error) {
  console.error(`error: ${binary}: ${result.error.message}`);
  process.exit(2);
}
process.exit(result.status ?? 2);
