/** The schema of litmus files: fields, ranges and defaults. */

import { z } from 'zod';
import { DISCIPLINES } from '../../../shared/discipline.ts';
import { GUEST_DUTIES } from '../../check/guest-duty.ts';
import { ALL_DEFECTS } from '../../defects.ts';
import { ADDRESS, type JsonSchema } from '../../yaml/mistakes.ts';
import { pagingPolicySchema } from '../../yaml/paging-policy.ts';
import { MOST_CPUS } from '../engine/actors.ts';

const MOST_VCPUS = 4;
const MOST_PAGES = 512;
const MOST_U32 = 0xffff_ffff;

const integer = (least: number, most: number) => z.int().min(least).max(most);
const address = () => integer(0, MOST_U32).meta({ format: ADDRESS });

export const JUDGEMENTS = ['allowed', 'interesting', 'forbidden'] as const;

export type Judgement = (typeof JUDGEMENTS)[number];

export const litmusSchema = z
  .strictObject({
    name: z.string().min(1).describe('A truth about the machine, or the story of a defect.'),
    about: z.string().min(1).describe('What happens, in a sentence.'),
    defect: z.enum(ALL_DEFECTS).optional().describe('The defect that it aims at.'),
    paging: z
      .array(z.enum(['nonpae', 'pae']))
      .min(1)
      .default(['nonpae', 'pae'])
      .describe('The forms of page tables that it runs with.'),
    disciplines: z
      .array(z.enum(DISCIPLINES))
      .min(1)
      .default(DISCIPLINES.filter((name) => name !== 'as-written'))
      .describe(
        'The disciplines that it runs with; by default all but as-written. With --discipline as-written any test runs.',
      ),
    cpus: integer(1, MOST_CPUS)
      .optional()
      .describe('Host CPUs; by default as many as there are vCPUs.'),
    guest: z
      .strictObject({
        pgdirs: integer(1, 8).default(4).describe('Shadow page tables that the host keeps.'),
        pages: integer(0x21, MOST_PAGES)
          .default(64)
          .describe('Memory, in pages. The first word of each page from 0x20 on is its number.'),
        paging_policy: pagingPolicySchema.optional(),
        tables: z
          .record(z.string(), z.record(z.string(), z.string()))
          .describe('Its top levels by name, and what each maps: {ADDRESS: ENTRY}.'),
        launcher: z
          .record(z.string(), z.enum(['cow', 'ro', 'rw', 'none']))
          .default({})
          .describe('How the Launcher maps pages, by number; by default rw.'),
        linear: z
          .boolean()
          .default(false)
          .describe('Whether it begins without page tables, as at boot.'),
      })
      .describe('The guest.'),
    vcpus: z
      .array(
        z.strictObject({
          on: z.string().describe('The top level that it starts on.'),
          cpu: integer(0, MOST_CPUS - 1)
            .optional()
            .describe('The host CPU that it starts on.'),
          stack: address()
            .multipleOf(4)
            .optional()
            .describe(
              'Where its stack for traps begins; it grows down. By default a page of its own. A ' +
                'vCPU that another starts, and any of a linear guest, has none before set_stack.',
            ),
          ops: z.array(z.string()).describe('Its operations, in order.'),
        }),
      )
      .min(1)
      .max(MOST_VCPUS)
      .describe('A column of operations for each vCPU.'),
    guest_duty: z
      .array(z.string())
      .default([])
      .describe(
        'Invariants that are left to the guest, whose kernel may tell the host late or not at ' +
          `all: ${GUEST_DUTIES.join(', ')}; each everywhere, or only at the addresses that ` +
          'follow it.',
      ),
    outcomes: z
      .array(
        z.strictObject({
          when: z
            .string()
            .describe('A condition on the end of the run; the first that holds counts.'),
          is: z
            .enum(JUDGEMENTS)
            .describe('Whether the run may end so. interesting: allowed, and worth a look.'),
          because: z.string().min(1).describe('The reason.'),
        }),
      )
      .min(1)
      .describe('The outcomes that a run may have, and those that it must not.'),
  })
  .describe('A litmus test.');

/** A file with defaults filled in; its texts are not parsed yet. */
export type RawLitmus = z.output<typeof litmusSchema>;

export const litmusJsonSchema = (): JsonSchema => ({
  title: 'A litmus test of umbra',
  ...(z.toJSONSchema(litmusSchema, { io: 'input' }) as JsonSchema),
});
