/**
 * The file that `npm run bench -- --json` writes and `umbra compare` reads: the lines, the machine
 * and its load; with every sample.
 */

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { mistakesOf } from '../yaml/mistakes.ts';

/** Raised whenever a field changes its meaning or goes away. */
export const SCHEMA_VERSION = 2;

const summary = z.object({
  median: z.number(),
  low: z.number(),
  high: z.number(),
  confidence: z.number(),
  samples: z.number(),
});

const samples = z.array(z.number());

/** Of one isolate, in the order in which they were taken; the same index is the same round. */
const samplesOfIsolate = z.object({
  value: samples,
  baseline: samples,
  /** The same work in C; of a line that has it, where there is a compiler. */
  native: samples.optional(),
  /** Nanoseconds for a fixed piece of work: how fast the core was in that round. */
  pace: samples,
});

const line = z.object({
  part: z.string(),
  name: z.string(),
  /** ns, ms: time for one. …/s: how many in a second. */
  unit: z.string(),
  baseline_name: z.string(),
  value: summary,
  baseline: summary,
  /** Of the measured side to the baseline, round by round, in the line's unit. */
  ratio: summary,
  native: summary.optional(),
  /** How many times as long as C it takes, whatever the unit. */
  native_ratio: summary.optional(),
  goal: z
    .object({
      of: z.enum(['native', 'baseline', 'value']),
      most: z.number().optional(),
      least: z.number().optional(),
    })
    .optional(),
  /** Samples of the measured side that lie far out, by isolate and round, both from 0. */
  outliers: z.array(z.object({ isolate: z.number(), round: z.number(), times: z.number() })),
  /** For each isolate, until the batches became no faster. */
  warm_up: z.array(z.object({ ms: z.number(), rounds: z.number(), settled: z.boolean() })),
  load: z.object({
    /** Cores that the measured side really had, on average. */
    cores: z.number(),
    involuntary_switches: z.number(),
  }),
  samples: z.array(samplesOfIsolate),
});

const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() });

const sweep = z.object({
  name: z.string(),
  unit: z.string(),
  /** The unit of the sizes. */
  over: z.string(),
  /** Of the cost: 0 is flat, 1 is in proportion. */
  expected: z.number(),
  exponent: estimate,
  verdict: z.enum(['ok', 'steeper', 'not clear']),
  points: z.array(z.object({ size: z.number(), cost: summary, samples })),
});

const memory = z.object({
  /** Bytes that one more costs, in a machine as `umbra start` makes it. */
  each: z.array(z.object({ what: z.string(), shared: z.number(), resident: z.number() })),
  largest: z.array(
    z.object({
      budget: z.number(),
      host_cpus: z.number(),
      guests: z.number(),
      guest_mib: z.number(),
      bytes: z.number(),
      /** Resident bytes of such a machine that was booted, every page of it written. */
      booted: z.number().optional(),
      bound_by: z.string(),
    }),
  ),
});

const project = z.object({
  version: z.string(),
  commit: z.string().optional(),
  /** Whether there were changes that no commit has. */
  dirty: z.boolean().optional(),
});

const benchmark = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  project,
  /** Another checkout, of --against: each line's baseline is the same line there. */
  against: project.extend({ only_here: z.array(z.string()) }).optional(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memory_bytes: z.number(),
    platform: z.string(),
    kernel: z.string(),
  }),
  runtime: z.object({
    node: z.string(),
    v8: z.string(),
    compiler: z.string().optional(),
    /** Whether all sides of a line without threads of its own ran on the same core. */
    same_core: z.boolean().optional(),
  }),
  load: z.object({
    /** Over one minute: how many wanted to run. */
    average_before: z.number(),
    average_after: z.number(),
    /** Share of all cores that others had meanwhile, and that the hypervisor kept. */
    others: z.number().optional(),
    stolen: z.number().optional(),
  }),
  seconds: z.number(),
  /** It was broken off: lines are missing. */
  interrupted: z.boolean(),
  lines: z.array(line),
  growth: z.array(sweep),
  memory: memory.optional(),
  /** Lines and sweeps that could not be measured, and why. */
  failed: z.array(z.object({ name: z.string(), reason: z.string() })).default([]),
});

export type Benchmark = z.infer<typeof benchmark>;
export type LineResult = z.infer<typeof line>;
export type SamplesOfIsolate = z.infer<typeof samplesOfIsolate>;
export type SweepResult = z.infer<typeof sweep>;
export type MemoryResult = z.infer<typeof memory>;
export type Failure = Benchmark['failed'][number];
export type Goal = NonNullable<LineResult['goal']>;

/** Whether more of it is worse. */
export const isTime = (unit: string): boolean => unit === 'ns' || unit === 'ms';

const EXPECTED = 'what npm run bench -- --json FILE writes';

/** Mistakes in a file that are told, of those that there are. */
const MOST_MISTAKES = 5;

/** Throws UserError for a file that is something else, of another version, or cut short. */
export function readBenchmark(path: string): Benchmark {
  const value = parse(path);
  const version = (value as { schema_version?: unknown } | null)?.schema_version;
  if (version !== undefined && version !== SCHEMA_VERSION) {
    throw new UserError(
      `${path}: found schema version ${JSON.stringify(version)}, expected ${SCHEMA_VERSION}: it ` +
        'was written by another version of umbra; measure again with this one',
    );
  }
  const parsed = benchmark.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = mistakesOf(parsed.error.issues, value, z.toJSONSchema(benchmark) as never);
  const told = mistakes
    .slice(0, MOST_MISTAKES)
    .map((mistake) => `${path}: ${placeOf(mistake.path)}${mistake.text}`);
  const more = mistakes.length - told.length;
  if (more > 0) told.push(`${path}: and ${more} more; expected is ${EXPECTED}`);
  throw new UserError(told.join('\n'));
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${path} cannot be read: ${code}; give ${EXPECTED}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // A whole file ends with the bracket that it began with.
    const isCut = text.startsWith('{') && !text.trimEnd().endsWith('}');
    const found = isCut
      ? `a file that is cut short after ${text.length} characters`
      : `text that is not JSON (${(error as Error).message})`;
    throw new UserError(`${path}: found ${found}, expected ${EXPECTED}`);
  }
}

/** lines[3].value: */
function placeOf(path: readonly (string | number)[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`));
  return steps.length === 0 ? '' : `${steps.join('').replace(/^\./, '')}: `;
}
