/** Runs a page's commands as its reader types them: in order, in a writable folder like a clone. */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { plainWords, type Ran, umbraAt } from '../commands/umbra.ts';

/** Files shown in a page: blocks that begin with a comment naming the file. */
const filesOf = (page: string): readonly { readonly name: string; readonly text: string }[] =>
  Array.from(
    readFileSync(page, 'utf8').matchAll(/^```\w+\n(# (\S+\.yaml)\n[\s\S]*?)^```/gm),
    ([, text, name]) => ({ name: name!, text: text! }),
  );

/** The commands behind npm scripts: npm itself takes half a second each time. */
const NPM = `
umbra() { "$NODE" src/main.ts "$@"; }
npm() {
  case "$*" in
    "run -s umbra -- "* | "run umbra -- "*) while [ "$1" != -- ]; do shift; done; umbra "\${@:2}" ;;
    "start -- "*) umbra start "\${@:3}" ;;
    start) umbra start ;;
    "run bench -- "*) "$NODE" bench/main.ts "\${@:4}" ;;
    *) echo "what does npm $* run?" >&2; return 99 ;;
  esac
}
`;

/** Commands without shell syntax run within this process. */
const UMBRA = /^npm (?:(start)|run (?:-s )?umbra)(?: --( .+))?$/;

/** Commands of the docs write there: it is a copy, or empty. */
const WRITTEN_TO = ['docs', 'runs'];

export class Session {
  readonly #folder = mkdtempSync(join(tmpdir(), 'umbra-docs-'));

  /** The files shown in the page are in it. */
  constructor(page: string) {
    // Started by root, PostgreSQL runs as another user, which needs access to its data.
    chmodSync(this.#folder, 0o711);
    for (const name of readdirSync('.').filter((name) => !WRITTEN_TO.includes(name))) {
      symlinkSync(resolve(name), join(this.#folder, name));
    }
    cpSync('docs', join(this.#folder, 'docs'), { recursive: true });
    mkdirSync(join(this.#folder, 'home/.config/fish/completions'), { recursive: true });
    for (const { name, text } of filesOf(page)) writeFileSync(join(this.#folder, name), text);
  }

  async run(command: string): Promise<Ran> {
    const [isUmbra, start, line = ''] = UMBRA.exec(command) ?? [];
    const args = isUmbra === undefined ? undefined : plainWords(line);
    if (args !== undefined) {
      return umbraAt(this.#folder, ...(start === undefined ? args : [start, ...args]));
    }
    const { UMBRA_STATE: _, ...environment } = process.env;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', NPM + command], {
      cwd: this.#folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...environment, NODE: process.execPath, HOME: join(this.#folder, 'home') },
    });
    return { code: status, stdout, stderr };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
