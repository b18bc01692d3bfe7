/** Reads the input of a report: run folders, and JSON of studies, runs and the benchmark. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { z } from 'zod';
import { EVENT_IDS } from '../../cost/table.ts';
import { UserError } from '../../errors.ts';
import { type Benchmark, readBenchmark } from '../benchmark.ts';
import { type KeptEvents, readEvents } from '../events-table.ts';
import type { RunReport } from '../run-report.ts';
import { STATISTICS } from '../statistics-table.ts';
import { checkStudyResult, type StudyResult } from '../study-result.ts';
import { activityOf } from './activity.ts';
import { type Campaign, campaign } from './campaign-section.ts';
import type { LivePage } from './live-section.ts';
import type { SavedMachine } from './machine-section.ts';
import { movesOf } from './migrations.ts';

/** The part of a run folder's run.json that a report needs. */
const folder = z.object({
  command: z.string(),
  arguments: z.array(z.string()),
  options: z.record(z.string(), z.unknown()),
  sources: z.record(z.string(), z.string()),
  started: z.string(),
  seconds: z.number(),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  tables: z.array(
    z.object({
      file: z.string(),
      description: z.string(),
      rows: z.number(),
      columns: z.record(z.string(), z.object({ unit: z.string(), description: z.string() })),
    }),
  ),
});

export type Folder = z.infer<typeof folder>;

export interface SavedTable {
  readonly description: string;
  readonly columns: Folder['tables'][number]['columns'];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export type Saved = { readonly name: string; readonly folder?: Folder } & (
  | { readonly kind: 'machine'; readonly machine: SavedMachine }
  | { readonly kind: 'study'; readonly study: StudyResult }
  | { readonly kind: 'benchmark'; readonly benchmark: Benchmark }
  | { readonly kind: 'campaign'; readonly campaign: Campaign }
  | { readonly kind: 'live'; readonly live: LivePage }
  | { readonly kind: 'tables'; readonly tables: readonly SavedTable[] }
);

const SCHEMA_VERSION = 1;
const EXPECTED =
  'a folder that --out of a command has made, or the file of --json of umbra start, run, ' +
  'study and campaign, or of npm run bench';

/** Throws UserError for anything else, or if another version wrote it. */
export async function readSaved(path: string): Promise<Saved> {
  if (!existsSync(path)) throw new UserError(`${path} is not there; expected is ${EXPECTED}`);
  const name = basename(resolve(path));
  return statSync(path).isDirectory() ? readFolder(path, name) : readFile(path, name);
}

async function readFolder(path: string, name: string): Promise<Saved> {
  const runFile = join(path, 'run.json');
  if (!existsSync(runFile)) {
    throw new UserError(`${path}: found a folder without run.json, expected ${EXPECTED}`);
  }
  const described = versioned(runFile);
  const parsed = folder.safeParse(described);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    throw new UserError(`${runFile}: ${first!.path.join('.')}: ${first!.message}`);
  }
  const resultFile = join(path, 'result.json');
  const result = json(resultFile);
  const named = { name, folder: parsed.data };
  if (isStudy(result)) {
    return { ...named, kind: 'study', study: checkStudyResult(result, resultFile) };
  }
  if (isMachine(result)) {
    mustBeComplete(result, resultFile);
    const happened = await happenedIn(path, result);
    return { ...named, kind: 'machine', machine: { name, report: result, happened } };
  }
  return { ...named, kind: 'tables', tables: await tablesOf(path, parsed.data) };
}

async function readFile(path: string, name: string): Promise<Saved> {
  const result = json(path);
  if (isStudy(result)) return { name, kind: 'study', study: checkStudyResult(result, path) };
  if (isMachine(result)) {
    mustBeComplete(result, path);
    return { name, kind: 'machine', machine: { name, report: result } };
  }
  const asCampaign = campaign.safeParse(result);
  if (asCampaign.success) return { name, kind: 'campaign', campaign: asCampaign.data };
  if (isBenchmark(result)) return { name, kind: 'benchmark', benchmark: readBenchmark(path) };
  throw new UserError(`${path}: found JSON of something else, expected ${EXPECTED}`);
}

async function happenedIn(
  path: string,
  { configuration, costs, events }: RunReport & { readonly events?: KeptEvents },
): Promise<SavedMachine['happened']> {
  const file = join(path, 'events.parquet');
  if (events === undefined || !existsSync(file)) return undefined;
  const all = await readEvents(file, configuration.vcpus);
  const guestOf = configuration.vcpus.flatMap((n, guest) => Array<number>(n).fill(guest));
  return {
    activity: activityOf(all, configuration.host_cpus),
    moves: movesOf(all, configuration.host_cpus, guestOf, costs),
    events,
  };
}

const tablesOf = (path: string, { tables }: Folder): Promise<SavedTable[]> =>
  Promise.all(
    tables.map(async ({ file, description, columns }) => {
      const bytes = new Uint8Array(readFileSync(join(path, file))).buffer;
      return { description, columns, rows: await parquetReadObjects({ file: bytes }) };
    }),
  );

const isStudy = (value: unknown): boolean => (value as { kind?: unknown } | null)?.kind === 'study';

const isMachine = (value: unknown): value is RunReport => {
  const { configuration, total, costs, guests } = (value ?? {}) as Partial<RunReport>;
  return [configuration, total, costs, guests].every((part) => typeof part === 'object');
};

/** Throws UserError for a run of an umbra that counted less. */
function mustBeComplete(report: RunReport, path: string): void {
  const { total, guests, host_cpus, costs } = report;
  const counted = [total, ...guests, ...host_cpus];
  const missing =
    STATISTICS.find((name) => counted.some((statistics) => statistics[name] === undefined)) ??
    EVENT_IDS.find((id) => costs.total.by_event[id] === undefined) ??
    ['placement' as const].find((name) => report[name] === undefined);
  if (missing === undefined) return;
  throw new UserError(
    `${path}: found no ${missing}, expected the report of a run of this version of umbra; run ` +
      'it again with this one',
  );
}

const isBenchmark = (value: unknown): boolean => {
  const { lines, growth } = (value ?? {}) as { lines?: unknown; growth?: unknown };
  return Array.isArray(lines) && Array.isArray(growth);
};

/** Throws UserError for another schema version. */
function versioned(path: string): unknown {
  const value = json(path);
  const { schema_version: version } = (value ?? {}) as { schema_version?: unknown };
  if (version === SCHEMA_VERSION) return value;
  throw new UserError(
    `${path}: found schema version ${JSON.stringify(version) ?? 'none'}, expected ` +
      `${SCHEMA_VERSION}: it was written by another version of umbra; run it again with this one`,
  );
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined) throw new UserError(`${path} cannot be read: ${code}`);
    throw new UserError(`${path}: found text that is not JSON (${message}), expected ${EXPECTED}`);
  }
}
