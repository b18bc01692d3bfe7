/** The results of a study as data, for --json and the result.json of a run folder. */

import { z } from 'zod';
import { UserError } from '../errors.ts';
import { FEWEST } from './statistics.ts';

/** Raised whenever a field changes its meaning or goes away. */
export const STUDY_SCHEMA_VERSION = 2;

/** Where a median lies with 95 %; absent where seeds are too few to say. */
const where = { low: z.number().optional(), high: z.number().optional() };

const samples = z.object({
  median: z.number(),
  ...where,
  /** One for each seed, in their order. */
  samples: z.array(z.number()),
});

const level = z.union([z.string(), z.number()]);

/** A varied factor; the unit is '' for names and '1' for counts. */
const factor = z.object({ title: z.string(), unit: z.string() });

/** A measure. */
const measure = z.object({
  title: z.string(),
  unit: z.string(),
  description: z.string(),
  /** It is kept, and not shown in tables for people. */
  detail: z.boolean().optional(),
});

const point = z.object({
  experiment: z.string(),
  levels: z.record(z.string(), level),
  measures: z.record(z.string(), samples),
});

const finding = z.object({
  /** The claim, a sentence that is true or false. */
  claim: z.string(),
  verdict: z.enum(['holds', 'does not hold', 'not clear']),
  /** The answer, with its figure. */
  answer: z.string(),
  figure: z.object({
    name: z.string(),
    unit: z.string(),
    /**
     * The median over the seeds; JSON has null where there is none, since it would be a share of
     * nothing.
     */
    value: z.number().or(z.null().transform(() => Number.NaN)),
    ...where,
    /** Seeds that it was made of. */
    samples: z.number(),
  }),
  /** Published results, and reasons for differences. */
  published: z.object({ source: z.string(), value: z.string(), difference: z.string() }).optional(),
});

const chart = z.object({
  /** Also the name of its picture, behind that of the study. */
  id: z.string(),
  title: z.string(),
  experiment: z.string(),
  kind: z.enum(['line', 'bar']),
  /** A factor. */
  x: z.string(),
  /** A measure. */
  y: z.string(),
  /** A factor: a line, or a colour of bars, for each of its levels. */
  series: z.string().optional(),
  x_scale: z.enum(['linear', 'log', 'band']).optional(),
  y_scale: z.enum(['linear', 'log']).optional(),
});

/** What sweeps have beside: in which order they were run, what went wrong, and thresholds. */
const sweep = z.object({
  order_seed: z.number(),
  failed: z.array(
    z.object({ levels: z.record(z.string(), level), seed: z.number(), what: z.string() }),
  ),
  thresholds: z.array(
    z.object({
      levels: z.record(z.string(), level),
      threshold: z.string(),
      verdict: z.enum(['met', 'not met', 'not clear']),
      found: z.string(),
    }),
  ),
});

export const studyResult = z.object({
  schema_version: z.literal(STUDY_SCHEMA_VERSION),
  kind: z.literal('study'),
  study: z.string(),
  title: z.string(),
  question: z.string(),
  method: z.string(),
  /** How many times as much each run did as it takes to see something; sweeps have none. */
  scale: z.number().optional(),
  seeds: z.array(z.number()),
  /** The cost table of the cycles. */
  costs: z.object({
    preset: z.string(),
    overridden: z.array(z.string()),
    cycles: z.record(z.string(), z.number()),
  }),
  factors: z.record(z.string(), factor),
  measures: z.record(z.string(), measure),
  points: z.array(point),
  findings: z.array(finding),
  charts: z.array(chart),
  /** It was broken off: seeds or arms are missing. */
  interrupted: z.boolean(),
  sweep: sweep.optional(),
});

export type StudyResult = z.infer<typeof studyResult>;
export type Swept = z.infer<typeof sweep>;
export type Factor = z.infer<typeof factor>;
export type Measure = z.infer<typeof measure>;
export type Point = z.infer<typeof point>;
export type Samples = z.infer<typeof samples>;
export type Finding = z.infer<typeof finding>;
export type ChartSpec = z.infer<typeof chart>;

/** Checks the content of `path`. Throws UserError if it is not a study's result. */
export function checkStudyResult(value: unknown, path: string): StudyResult {
  const parsed = studyResult.safeParse(broughtUp(value));
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new UserError(
    `${path}: ${first!.path.join('.')}: ${first!.message}; expected is what umbra study ` +
      '--json writes',
  );
}

/** Version 1 gave intervals and verdicts however few the seeds were. */
function broughtUp(value: unknown): unknown {
  const version1 = firstVersion.safeParse(value);
  if (!version1.success) return value;
  const { seeds, points, findings, ...others } = version1.data;
  const few = seeds.length < FEWEST;
  const fewer = <T extends object>(figure: T) =>
    few ? { ...figure, low: undefined, high: undefined } : figure;
  return {
    ...others,
    schema_version: STUDY_SCHEMA_VERSION,
    seeds,
    points: points.map((one) => ({
      ...one,
      measures: Object.fromEntries(
        Object.entries(one.measures).map(([name, measured]) => [name, fewer(measured)]),
      ),
    })),
    findings: findings.map((one) => ({
      ...one,
      ...(few && { verdict: 'not clear' }),
      figure: { ...fewer(one.figure), samples: seeds.length },
    })),
  };
}

const firstVersion = z.looseObject({
  schema_version: z.literal(1),
  seeds: z.array(z.number()),
  points: z.array(z.looseObject({ measures: z.record(z.string(), z.looseObject({})) })),
  findings: z.array(z.looseObject({ figure: z.looseObject({}) })),
});
