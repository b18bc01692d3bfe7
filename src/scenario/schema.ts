/**
 * The fields of a scenario file: units, ranges, defaults and meaning, declared once. The types,
 * the messages about mistakes and scenarios/schema.json are derived from it.
 */

import { z } from 'zod';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import { DEFAULT_PRESET } from '../cost/model.ts';
import { PRESET_NAMES } from '../cost/presets.ts';
import { byEvent, EVENTS } from '../cost/table.ts';
import { ALL_DEFECTS } from '../defects.ts';
import { MAX_VCPUS, MIN_PAGES } from '../guest/kernel/layout.ts';
import { KERNEL_WORK } from '../guest/program.ts';
import { POLICIES } from '../host/policy.ts';
import { ENDINGS } from '../report/expectation.ts';
import type { JsonSchema } from '../yaml/mistakes.ts';
import { pagingPolicySchema } from '../yaml/paging-policy.ts';
import { BUILTINS, WORKLOADS } from './programs.ts';

const MOST_CPUS = 510;
const MOST_MIB = 4096;
const MOST_PAGES = 1 << 20;
export const MOST_SLICE = 1_000_000_000;
const MOST_CYCLES = 1_000_000_000;
const MOST_ROUNDS = 1_000_000;
const MOST_KERNEL_THREADS = 8;
const MOST_U32 = 0xffff_ffff;

const integer = (least: number, most: number) => z.int().min(least).max(most);

const operations = () => integer(1, MOST_SLICE);

const paging = z.enum(['nonpae', 'pae']);

const program = z
  .union([
    z.strictObject({
      workload: z.enum(WORKLOADS).describe('A program made from a seed.'),
      seed: integer(0, MOST_U32)
        .default(1)
        .describe('What the workload draws its random numbers from.'),
      size: integer(1, 10_000)
        .optional()
        .describe('How much it does, in rounds of the workload; each workload has its default.'),
      threads: integer(1, 32).optional().describe('Its threads; each workload has its default.'),
    }),
    z.strictObject({
      trace: z
        .string()
        .min(1)
        .describe('A trace file (umbra import writes them), as a path relative to this file.'),
    }),
    z.strictObject({
      builtin: z.enum(BUILTINS).describe('One of the small hand-written programs.'),
    }),
  ])
  .describe('What the guest runs: a workload, a trace or a builtin program.');

const kernelThread = z
  .strictObject({
    work: z
      .enum(KERNEL_WORK)
      .describe(
        'swap: swaps pages of all processes out and in; windows: maps and unmaps pages of its own.',
      ),
    rounds: integer(1, MOST_ROUNDS).default(100).describe('Rounds until it ends.'),
  })
  .describe('A kernel thread.');

const guest = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .optional()
      .describe('Its name in reports; by default the name of its program.'),
    count: integer(1, 64).default(1).describe('How many such guests.'),
    program,
    paging: paging
      .default('nonpae')
      .describe('Its page tables: nonpae has two levels, pae has three.'),
    nx: z
      .boolean()
      .optional()
      .describe('Whether it sees the NX bit, which needs pae; by default it does with pae.'),
    memory: z
      .union([
        integer(1, MOST_MIB).describe('In MiB.'),
        z.strictObject({ pages: integer(MIN_PAGES, MOST_PAGES).describe('In pages of 4 KiB.') }),
      ])
      .default(32)
      .describe('Its memory, in MiB, or in pages as {pages: N}.'),
    vcpus: integer(1, MAX_VCPUS).default(1).describe('Its vCPUs; lguest had one.'),
    pgdirs: integer(1, 256)
      .default(4)
      .describe('Shadow page tables that the host keeps for it; lguest kept 4.'),
    virtualization: z
      .enum(VIRTUALIZATIONS)
      .default('shadow')
      .describe(
        'How its addresses are translated. shadow: by shadow tables, as in lguest; direct: by ' +
          'its own tables, which the host validates; nested: by its own tables, then by the ' +
          'host’s. Defects, disciplines and paging_policy apply to shadow only.',
      ),
    paging_policy: pagingPolicySchema.optional(),
    kernel_threads: z
      .array(kernelThread)
      .max(MOST_KERNEL_THREADS)
      .optional()
      .describe(
        'Kernel threads beside the program, instead of those that the workload has. They do not ' +
          'change the memory at the end.',
      ),
  })
  .describe('A guest, or several alike.');

const hotplug = z
  .strictObject({
    cpu: integer(0, MOST_CPUS - 1).describe('Which host CPU, counted from 0.'),
    after: integer(0, MOST_U32).describe(
      'It goes offline once the machine has begun this many time slices.',
    ),
    for: integer(1, MOST_U32)
      .optional()
      .describe('It comes back when this many more have begun; by default never.'),
  })
  .describe('One time offline of a host CPU. At least one is always online.');

const preset = z.enum(PRESET_NAMES);

const costs = z.union([
  preset.describe('The hardware whose costs are used.'),
  z.strictObject({
    preset: preset.default(DEFAULT_PRESET).describe('The hardware for all other costs.'),
    cycles: z
      .strictObject(
        byEvent((id) => integer(0, MOST_CYCLES).optional().describe(`${EVENTS[id].title}.`)),
      )
      .default({})
      .describe('Costs of single events, in cycles.'),
  }),
]);

export const scenarioSchema = z
  .strictObject({
    name: z.string().min(1).optional().describe('By default the name of the file.'),
    description: z.string().optional().describe('What the scenario shows, in a sentence.'),
    cpus: integer(1, MOST_CPUS).default(2).describe('Host CPUs, one worker thread each.'),
    policy: z
      .union([
        z.enum(POLICIES),
        z
          .templateLiteral(['replay:', z.string().min(1)])
          .meta({ title: 'replay:FILE' })
          .describe(
            'By a placement file (umbra import schedule), as a path relative to this file.',
          ),
      ])
      .default('random')
      .describe('Where a vCPU continues after its time slice.'),
    slice: z
      .union([
        operations().describe('Always this many.'),
        z.strictObject({
          least: operations().describe('Drawn from this …'),
          most: operations().describe('… up to this.'),
        }),
      ])
      .default({ least: 2_000, most: 20_000 })
      .describe('Operations of a time slice: a number, or {least: N, most: N} to draw from.'),
    seed: integer(0, MOST_U32).default(1).describe('Seed of everything that is drawn at random.'),
    discipline: z
      .enum(DISCIPLINES)
      .default('as-written')
      .describe('Which locks the paging code takes.'),
    defects: z
      .union([z.enum(['all', 'none']), z.array(z.enum(ALL_DEFECTS))])
      .optional()
      .describe(
        'Defects of the C code that are on, by id (umbra defects lists them); by default all if ' +
          'as-written, none under another discipline.',
      ),
    host_memory: z
      .union([
        integer(1, MOST_MIB).describe('In MiB.'),
        z.strictObject({ frames: integer(1, MOST_PAGES).describe('In frames of 4 KiB.') }),
      ])
      .optional()
      .describe('Memory for all guests, in MiB, or in frames as {frames: N}; by default enough.'),
    hotplug: z.array(hotplug).default([]).describe('Host CPUs that go offline during the run.'),
    fail_allocation_after: integer(0, 1_000_000_000)
      .optional()
      .describe(
        'How many page tables and copies on write the host can allocate; all later ones fail. By ' +
          'default none fails.',
      ),
    costs: costs
      .optional()
      .describe(
        'Cycles per event: a hardware preset, or {preset: NAME, cycles: {EVENT: N}}; ' +
          `umbra costs lists them. By default ${DEFAULT_PRESET}. It does not change the run.`,
      ),
    guests: z.array(guest).min(1).max(64).describe('The guests.'),
    expect: z
      .strictObject({
        ending: z
          .union([z.enum(ENDINGS), z.array(z.enum(ENDINGS)).min(1)])
          .describe(
            'done: every guest ends by itself. killed: the host kills one. oops: the host dies. ' +
              'violated: an invariant is broken. A list: any of these.',
          ),
        reason: z
          .string()
          .optional()
          .describe('A regular expression that the reason, the oops or a violation matches.'),
      })
      .optional()
      .describe('How the run must end for exit code 0; by default done.'),
  })
  .describe('A machine that umbra runs: umbra run FILE.');

/** A parsed file, defaults filled in. */
export type Scenario = z.output<typeof scenarioSchema>;

/** As it may be given. */
export type ScenarioInput = z.input<typeof scenarioSchema>;

/** As a JSON Schema, for editors. */
export const scenarioJsonSchema = (): JsonSchema => ({
  title: 'A scenario of umbra',
  ...(z.toJSONSchema(scenarioSchema, { io: 'input' }) as JsonSchema),
});
