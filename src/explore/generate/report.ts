/** The report of the generator: as data, and as text. */

import type { Shard } from '../../ledger.ts';
import { counted, grouped } from '../../numbers.ts';
import type { Setting } from '../setting.ts';
import type { Cluster } from './clusters.ts';
import { textsOf } from './guest.ts';
import type { GenerateLedger, SpaceTotals } from './ledger.ts';
import { type GeneratePlan, type Programs, type Space, spaceText } from './plan.ts';
import type { Configuration } from './programs.ts';

export interface GenerateReport
  extends Pick<GeneratePlan, 'engine' | 'operations' | 'alphabet' | 'seed'> {
  readonly schema_version: 1;
  readonly shard: Shard;
  /** Or behaviours, each once, with --exhaustive. */
  readonly schedules: number;
  /** Runs that were cut off, in addition. */
  readonly blocked: number;
  /** Programs with more behaviours than the bound. */
  readonly unfinished: number;
  readonly steps: number;
  readonly failed: number;
  readonly spaces: readonly SpaceReport[];
  readonly clusters: readonly ClusterReport[];
}

interface SpaceReport extends Setting, Pick<Space, 'most'> {
  readonly configuration: Configuration;
  /** Programs that were tried, and all that there are. */
  readonly tried: number;
  readonly programs: number;
  readonly schedules: number;
  readonly blocked: number;
  readonly unfinished: number;
  readonly failed: number;
}

interface ClusterReport {
  readonly kind: string;
  readonly cause: string;
  readonly message: string;
  readonly programs: number;
  readonly spaces: readonly string[];
  /** The operations of each vCPU of the smallest. */
  readonly smallest: readonly (readonly string[])[];
  readonly file: string | null;
  readonly token: string | null;
}

export interface Written {
  readonly file: string;
  readonly token: string;
}

export function reportOf({
  plan,
  shard,
  programs,
  ledger,
  clusters,
  files,
}: {
  readonly plan: GeneratePlan;
  readonly shard: Shard;
  readonly programs: Programs;
  readonly ledger: GenerateLedger;
  readonly clusters: readonly Cluster[];
  readonly files: ReadonlyMap<Cluster, Written>;
}): GenerateReport {
  const totals = new Map(ledger.totals().map((one) => [one.space, one]));
  const { engine, operations, alphabet, seed } = plan;
  const sum = (of: Exclude<keyof SpaceTotals, 'space' | 'programs'>): number =>
    [...totals.values()].reduce((n, one) => n + one[of], 0);
  return {
    schema_version: 1,
    engine,
    operations,
    alphabet,
    seed,
    shard,
    schedules: sum('schedules'),
    blocked: sum('blocked'),
    unfinished: sum('unfinished'),
    steps: sum('steps'),
    failed: sum('failed'),
    spaces: plan.spaces.map((space, i) => ({
      configuration: space.configuration,
      ...space.setting,
      ...(space.most !== undefined && { most: space.most }),
      tried: totals.get(i)?.programs ?? 0,
      programs: programs.of(space).length,
      schedules: totals.get(i)?.schedules ?? 0,
      blocked: totals.get(i)?.blocked ?? 0,
      unfinished: totals.get(i)?.unfinished ?? 0,
      failed: totals.get(i)?.failed ?? 0,
    })),
    clusters: clusters.map((cluster) => ({
      kind: cluster.kind,
      cause: cluster.cause,
      message: cluster.smallest.message,
      programs: cluster.programs,
      spaces: cluster.spaces.map(spaceText),
      smallest: cluster.smallest.program.map((column, i, all) => textsOf(column, i, all.length)),
      file: files.get(cluster)?.file ?? null,
      token: files.get(cluster)?.token ?? null,
    })),
  };
}

/** Where nothing failed of so many. */
const nothingOf = (tried: number): string => (tried === 0 ? 'nothing tried' : 'nothing wrong');

/** `examples`: the smallest program of each cluster, in a line. `isTimeUp`: --seconds ended it. */
export function formatGenerated(
  report: GenerateReport,
  examples: readonly string[],
  isTimeUp: boolean,
): string {
  const { operations, alphabet, spaces, clusters, failed, shard } = report;
  const isExhaustive = spaces[0]?.abridged === true;
  const lines = spaces.map((space) => {
    const { tried, programs } = space;
    const setting = spaceText({ ...space, setting: space });
    const wrong = space.failed > 0 ? `${grouped(space.failed)} failed` : nothingOf(tried);
    return (
      `${operations} operations, ${alphabet}, ${setting}: ${grouped(tried)} of ` +
      `${counted(programs, 'program')}, ${runsText(space, isExhaustive)}; ${wrong}`
    );
  });
  const found = clusters.flatMap(({ kind, cause, programs, spaces: where, file }, i) => [
    '',
    `${kind}${cause && `; ${cause}`}: ${counted(programs, 'program')}`,
    `  ${examples[i]!}`,
    `  ${where.length > 2 ? `in ${where.length} spaces, ${where[0]} the first` : where.join('; ')}`,
    ...(file === null ? [] : [`  ${file}`]),
  ]);
  const part = shard.of > 1 ? `shard ${shard.index}/${shard.of}: ` : '';
  const tried = spaces.reduce((n, space) => n + space.tried, 0);
  const wrong = failed === 0 ? nothingOf(tried) : `${counted(failed, 'program')} failed`;
  const unseen =
    clusters.length > 0 && clusters.every(({ file }) => file === null)
      ? ['', 'with --out DIR they are written as litmus tests, with tokens for umbra replay']
      : [];
  const why =
    isTimeUp && tried === 0 ? ': time was up before the first unit of programs was done' : '';
  const runs = runsText(report, isExhaustive);
  const total = `${part}${counted(tried, 'program')}, ${runs}, ${wrong}${why}`;
  return `${[...lines, ...found, ...unseen, '', total].join('\n')}\n`;
}

function runsText(
  { schedules, blocked, unfinished }: Pick<SpaceReport, 'schedules' | 'blocked' | 'unfinished'>,
  isExhaustive: boolean,
): string {
  if (!isExhaustive) return counted(schedules, 'schedule');
  const left = blocked === 0 ? '' : `, ${counted(blocked, 'run')} left in the middle`;
  const more = unfinished === 0 ? '' : `, not all of ${counted(unfinished, 'program')}`;
  return `${counted(schedules, 'behaviour')}, each once${more}${left}`;
}
