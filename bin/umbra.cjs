#!/usr/bin/env node

// What starts umbra. Any Node can read it, and it says which Node umbra takes before anything is
// loaded that an older one does not understand.

const least = Number(/\d+/.exec(require('../package.json').engines.node)[0]);
const { node } = process.versions;

if (Number(node.split('.')[0]) < least) {
  console.error(
    `umbra: this is Node ${node} (${process.execPath}), and umbra takes Node ${least} or later;\n` +
      `  npx -p node@${least} -p umbra umbra … brings it along, and nodejs.org has it`,
  );
  process.exitCode = 2;
} else {
  const { existsSync } = require('node:fs');
  const { join } = require('node:path');
  // A clone has the sources, and nothing needs to be built there.
  const isClone = existsSync(join(__dirname, '../src/main.ts'));
  void import(isClone ? '../src/main.ts' : '../dist/src/main.js');
}
