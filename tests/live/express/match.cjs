// Matches regular expressions for tests/live/express_regex.rs.
//
// Reads a list of `[pattern, flags, texts]` from standard input; writes for each what `exec` gives for
// one text after the other (the groups, or null) and where `lastIndex` stands then, or null if the
// pattern is none, or takes too long.
'use strict';
const vm = require('vm');

const exec = new vm.Script('regex.exec(text)');
const world = vm.createContext({});
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const answers = cases.map(([pattern, flags, texts]) => {
  let regex;
  try {
    regex = new RegExp(pattern, flags);
  } catch {
    return null;
  }
  world.regex = regex;
  try {
    return texts.map((text) => {
      world.text = text;
      const found = exec.runInContext(world, { timeout: 100 });
      return [found && Array.from(found, (group) => group ?? null), regex.lastIndex];
    });
  } catch {
    return null;
  }
});
process.stdout.write(JSON.stringify(answers));
