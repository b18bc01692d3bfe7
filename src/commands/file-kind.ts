/** Recognizes files and folders, so that a message can name the right command for them. */

import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { parseDocument } from 'yaml';
import { UserError } from '../errors.ts';
import { shippedTests } from '../explore/litmus/find-files.ts';
import { statOf } from '../files.ts';
import { MAGIC } from '../guest/traces/format.ts';
import { SAMPLES } from '../guest/traces/samples.ts';
import { foreignFormat } from '../import/foreign.ts';
import { scenarioNames } from '../scenario/find.ts';
import { pathOf } from './configuration.ts';

const KINDS = {
  scenario: { is: 'a scenario', by: 'umbra run' },
  litmus: { is: 'a litmus test', by: 'umbra litmus, explore, verify, campaign and mutants' },
  configuration: { is: 'a file of options', by: 'every command, with --config' },
  trace: { is: "a program's trace", by: 'umbra start' },
  lackey: { is: 'a log of Valgrind’s lackey', by: 'umbra import lackey' },
  memory: { is: 'a memory trace of another tool', by: 'umbra import memory' },
  recording: { is: 'a recorded schedule', by: 'umbra import schedule' },
  placement: { is: 'a placement', by: '--policy replay:FILE' },
  schedule: { is: 'a schedule', by: 'umbra replay, inspect and shrink' },
  vectors: { is: 'a recording of the C code', by: 'umbra conformance' },
  ledger: { is: 'a ledger or another database', by: 'umbra merge, and --out of umbra campaign' },
  timeline: { is: 'a trace of host CPUs', by: 'ui.perfetto.dev' },
  page: { is: 'a page', by: 'a browser' },
  benchmark: { is: 'a run of the benchmark', by: 'umbra compare and report' },
  machine: { is: 'the report of a run', by: 'umbra report and costs' },
  found: { is: 'the result of a search', by: 'umbra replay, inspect and shrink' },
  result: { is: 'a result of --json', by: 'umbra report' },
  runFolder: {
    is: 'a folder of --out',
    by: 'umbra report, and umbra replay if a schedule is in it',
  },
  generated: {
    is: 'a folder of --out of umbra generate',
    by: 'umbra litmus, and each test in it for umbra replay',
  },
  folder: { is: 'a folder', by: 'umbra litmus, verify, campaign, mutants and conformance' },
} as const;

export type FileKind = keyof typeof KINDS;

/** The kinds of arguments of each command; other commands take any. */
const TAKES: Readonly<Record<string, readonly FileKind[]>> = {
  start: ['trace'],
  run: ['scenario'],
  litmus: ['litmus', 'folder'],
  explore: ['litmus'],
  campaign: ['litmus', 'folder'],
  mutants: ['litmus', 'folder'],
  replay: ['schedule', 'found', 'runFolder'],
  inspect: ['schedule', 'found', 'runFolder'],
  shrink: ['schedule', 'found', 'runFolder'],
  merge: ['ledger'],
  conformance: ['vectors', 'folder'],
  compare: ['benchmark'],
  costs: ['machine'],
  // Which of these it is, they say with its place.
  'import lackey': ['lackey', 'memory', 'recording'],
  'import memory': ['memory', 'lackey', 'recording'],
  'import schedule': ['recording', 'lackey', 'memory'],
};

/**
 * Throws UserError for an argument that is a file or a folder of another kind than the command
 * takes.
 */
export function checkKinds(command: CommandUnknownOpts): void {
  const name = pathOf(command);
  const takes = TAKES[name];
  const { config, test } = command.opts() as { readonly config?: string; readonly test?: string };
  if (config !== undefined) mustBe(config, ['configuration'], '--config');
  if (test !== undefined) mustBe(test, ['litmus'], '--test');
  if (takes === undefined) return;
  for (const path of command.args) mustBe(path, takes, `umbra ${name}`);
}

function mustBe(path: string, takes: readonly FileKind[], who: string): void {
  const kind = kindOf(path);
  if (kind === undefined || takes.includes(kind)) return;
  if (kind === 'generated' && takes.includes('folder')) return;
  // As umbra generate writes them: a litmus test with its failing schedule in a comment.
  if (takes.includes('schedule') && kind === 'litmus' && hasToken(path)) return;
  const { is, by } = KINDS[kind];
  const folder =
    kind === 'folder' && takes.includes('runFolder') ? ` or ${KINDS.runFolder.is}` : '';
  const taken = `${KINDS[takes[0]!].is}${folder}`;
  throw new UserError(`${path} is ${is}, and ${who} takes ${taken}: it is for ${by}`);
}

const hasToken = (path: string): boolean =>
  /\bumbra\d+\.[\w-]{20}/.test(beginningOf(path)?.toString('utf8') ?? '');

/** Looked at no further than this: a log may be long. */
const MOST_BYTES = 1 << 20;

/**
 * The kind of a path, or of the name of something that comes with umbra. Undefined if unknown, and
 * for pipes, which can be read only once.
 */
export function kindOf(path: string): FileKind | undefined {
  const stat = statOf(path);
  if (stat === undefined) return kindOfName(path);
  if (stat.isDirectory()) return folderKind(path);
  if (!stat.isFile()) return undefined;
  const bytes = beginningOf(path);
  if (bytes === undefined) return undefined;
  if (bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'trace';
  const text = bytes.toString('utf8');
  if (text.startsWith('SQLite format 3\0')) return 'ledger';
  if (path.endsWith('.pftrace')) return 'timeline';
  if (/^\s*<(!doctype|html)/i.test(text)) return 'page';
  if (/^==\d+== |^(I | [LSM]) ?[0-9a-f]{6,},\d+$/m.test(text.slice(0, 4096))) return 'lackey';
  if (text.startsWith('{')) return jsonKind(path, text);
  if (/^(?=.*\bvcpu\b)(?=.*\bns\b).*\bhost_cpu\b/.test(text)) return 'placement';
  const format = foreignFormat(bytes.subarray(0, 1 << 16))?.format;
  if (format !== undefined) return format === 'schedule' ? 'recording' : 'memory';
  return yamlKind(text) ?? (/\bumbra\d+\.[\w-]{20}/.test(text) ? 'schedule' : undefined);
}

function folderKind(path: string): FileKind {
  if (existsSync(join(path, 'run.json'))) return 'runFolder';
  return existsSync(join(path, 'generate.sqlite')) ? 'generated' : 'folder';
}

function kindOfName(name: string): FileKind | undefined {
  if (scenarioNames().includes(name)) return 'scenario';
  if (shippedTests().some((test) => test.name === name)) return 'litmus';
  if (shippedTests().some(({ part }) => part === name)) return 'folder';
  return (SAMPLES as readonly string[]).includes(name) ? 'trace' : undefined;
}

/** Undefined for what cannot be read. */
function beginningOf(path: string): Buffer | undefined {
  try {
    const bytes = Buffer.alloc(MOST_BYTES);
    const file = openSync(path, 'r');
    const length = readSync(file, bytes);
    closeSync(file);
    return bytes.subarray(0, length);
  } catch {
    return undefined;
  }
}

function jsonKind(path: string, beginning: string): FileKind | undefined {
  const [line] = beginning.split('\n', 1);
  if (/"switcherAddr"/.test(line!)) return 'vectors';
  const value = keysIn(() => JSON.parse(readFileSync(path, 'utf8')));
  // With nothing beside its version it may be of anything, of another umbra: its reader says so.
  if (!value?.has('schema_version') || value.size === 1) return undefined;
  if (value.has('lines') && value.has('growth')) return 'benchmark';
  if (value.has('configuration') && value.has('total')) return 'machine';
  return hasToken(path) ? 'found' : 'result';
}

function yamlKind(text: string): FileKind | undefined {
  const keys = keysIn(() => parseDocument(text).toJS());
  if (keys === undefined) return undefined;
  if (keys.has('vcpus') && keys.has('outcomes')) return 'litmus';
  return keys.has('guests') ? 'scenario' : undefined;
}

/** The kind of a YAML map; undefined for anything else. */
function keysIn(read: () => unknown): ReadonlySet<string> | undefined {
  try {
    const value = read();
    return typeof value === 'object' && value !== null ? new Set(Object.keys(value)) : undefined;
  } catch {
    return undefined;
  }
}
