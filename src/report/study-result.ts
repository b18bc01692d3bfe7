/** What a study came to, as data: what --json and the result.json of a run folder hold. */

import { z } from 'zod';
import { UserError } from '../../shared/errors.ts';

/** Raised whenever a field changes its meaning or goes away. */
export const STUDY_SCHEMA_VERSION = 1;

/** A figure, and where it lies with 95 %. */
const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() });

const samples = z.object({
  median: z.number(),
  low: z.number(),
  high: z.number(),
  /** One for each seed, in their order. */
  samples: z.array(z.number()),
});

const level = z.union([z.string(), z.number()]);

/** What is varied; the unit is '' for names and '1' for counts. */
const factor = z.object({ title: z.string(), unit: z.string() });

/** What is measured. */
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
  /** What is asked, as a sentence that is true or not. */
  claim: z.string(),
  verdict: z.enum(['holds', 'does not hold', 'not clear']),
  /** The answer, with its figure. */
  answer: z.string(),
  figure: estimate.extend({ name: z.string(), unit: z.string() }),
  /** What others found, and why it may not be the same. */
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

export const studyResult = z.object({
  schema_version: z.literal(STUDY_SCHEMA_VERSION),
  kind: z.literal('study'),
  study: z.string(),
  title: z.string(),
  question: z.string(),
  method: z.string(),
  scale: z.number(),
  seeds: z.array(z.number()),
  /** What cycles were counted with. */
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
});

export type StudyResult = z.infer<typeof studyResult>;
export type Factor = z.infer<typeof factor>;
export type Measure = z.infer<typeof measure>;
export type Point = z.infer<typeof point>;
export type Samples = z.infer<typeof samples>;
export type Finding = z.infer<typeof finding>;
export type ChartSpec = z.infer<typeof chart>;

/** Checks what was read from `path`. Throws UserError for what is no study's result. */
export function checkStudyResult(value: unknown, path: string): StudyResult {
  const parsed = studyResult.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new UserError(
    `${path}: ${first!.path.join('.')}: ${first!.message}; expected is what umbra study --json writes`,
  );
}
