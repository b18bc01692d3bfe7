/**
 * The kinds of units in a queue: a function in workers/, and how to report its result. A worker
 * runs only these, whatever the database names.
 */

import { deserialize, serialize } from 'node:v8';
import type { UnitResult } from '../explore/campaign/unit.ts';
import type { FirstFind } from '../explore/generate/each-defect.ts';
import type { UnitResult as GeneratedResult } from '../explore/generate/unit.ts';
import type { MutantRuns } from '../explore/mutants/mutants.ts';
import type { Met } from '../explore/verify/outcomes.ts';
import { counted } from '../numbers.ts';
import type { StressTally } from '../report/stress-totals.ts';
import { workerUrl } from '../worker-url.ts';

/** The result of a replayed schedule. */
export interface AgainResult {
  /** How it ends, in words; or that it does not any more. */
  readonly still: string;
}

/** A summary of a result, for --watch. */
export interface Told {
  /** Schedules, programs, runs: what the kind counts. */
  readonly size: number;
  readonly failures: number;
  /** Of the first failure. */
  readonly says?: string;
  readonly token?: string;
}

/**
 * A unit that was split because other workers are idle: its result so far, and units for the rest.
 * Their order determines their ids.
 */
export class Split {
  readonly result: unknown;
  readonly rest: readonly unknown[];

  constructor(result: unknown, rest: readonly unknown[]) {
    this.result = result;
    this.rest = rest;
  }
}

export interface Kind {
  /** The file of the function, and its name in it. */
  readonly file: string;
  readonly name: string;
  /** What `size` counts. */
  readonly counts: string;
  /**
   * The function takes `{ task, wanted }` (see Splittable) and may return `{ result, rest }`;
   * without `rest`, or with none of it, it is done.
   */
  readonly splits?: true;
  tell(result: never): Told;
}

/** The parameter of a splitting kind's function. */
export interface Splittable<Task> {
  readonly task: Task;
  /**
   * At index 0, how many more units idle workers could take: if any, the unit should split soon.
   */
  readonly wanted: Uint32Array;
}

const fileOf = (worker: string): string => workerUrl(worker).href;

const NOTHING_WRONG = { failures: 0 } as const;

export const KINDS: Readonly<Record<string, Kind>> = {
  campaign: {
    file: fileOf('campaign-task'),
    name: 'unit',
    counts: 'schedules',
    tell: ({ schedules, failures }: UnitResult) => {
      const [first] = failures;
      const { ending, message, token } = first ?? {};
      return {
        size: schedules,
        failures: failures.length,
        ...(first !== undefined && { says: `${ending}: ${message}` }),
        ...(token !== undefined && { token }),
      };
    },
  },
  generate: {
    file: fileOf('generate-task'),
    name: 'unit',
    counts: 'programs',
    tell: ({ programs, failed, finds }: GeneratedResult) => {
      const [first] = finds;
      const says = first && { says: `${first.ending}: ${first.message}` };
      return { size: programs, failures: failed, ...says };
    },
  },
  'generate first': {
    file: fileOf('generate-task'),
    name: 'first',
    counts: 'programs',
    tell: ({ programs }: FirstFind) => ({ size: programs, ...NOTHING_WRONG }),
  },
  mutants: {
    file: fileOf('mutant-task'),
    name: 'mutant',
    counts: 'schedules',
    // A canary must be caught.
    tell: ({ runs }: MutantRuns) => ({ size: runs, ...NOTHING_WRONG }),
  },
  study: {
    file: fileOf('study-task'),
    name: 'run',
    counts: 'runs',
    tell: () => ({ size: 1, ...NOTHING_WRONG }),
  },
  stress: {
    file: fileOf('stress-task'),
    name: 'run',
    counts: 'runs',
    tell: ({ tally: { faults } }: { readonly tally: StressTally }) => {
      const [says] = faults;
      return { size: 1, failures: Number(faults.length > 0), ...(says !== undefined && { says }) };
    },
  },
  /** A mutant that must be caught: that it is not is the failure. */
  canary: {
    file: fileOf('mutant-task'),
    name: 'mutant',
    counts: 'schedules',
    tell: ({ runs, caught }: MutantRuns) =>
      caught > 0
        ? { size: runs, ...NOTHING_WRONG }
        : {
            size: runs,
            failures: 1,
            says: `the canary was not caught by ${counted(runs, 'schedule')}`,
          },
  },
  /** A failing schedule, replayed. */
  again: {
    file: fileOf('again-task'),
    name: 'again',
    counts: 'schedules',
    tell: ({ still }: AgainResult) => ({ size: 1, failures: 0, says: still }),
  },
  verify: {
    file: fileOf('verify-task'),
    name: 'unit',
    counts: 'behaviours',
    tell: ({ met }: { readonly met: readonly Met[] }) => {
      const wrong = met.filter(({ ending }) => ending !== 'ok');
      const [first] = wrong;
      return {
        size: met.reduce((sum, { classes }) => sum + classes, 0),
        failures: wrong.length,
        ...(first !== undefined && { says: `${first.ending}: ${first.message}` }),
      };
    },
  },
  'mutants shrunk': {
    file: fileOf('mutant-task'),
    name: 'story',
    counts: 'failures',
    tell: () => ({ size: 1, ...NOTHING_WRONG }),
  },
};

/** As the pool would hand them to another thread: Maps, undefined and all. */
export const packed = (value: unknown): Buffer => serialize(value);

/** What `packed` made. */
export const unpacked = (bytes: Buffer): unknown => deserialize(bytes);
