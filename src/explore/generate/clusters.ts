/** The failures, clustered by kind and cause, and the smallest of each as a litmus test. */

import { textsOf } from './guest.ts';
import type { KeptFind } from './ledger.ts';
import { type GeneratePlan, type Space, spaceText } from './plan.ts';
import { type GeneratedTest, testOf } from './tests.ts';

export interface Cluster {
  readonly kind: string;
  readonly cause: string;
  /** Programs that failed so. */
  readonly programs: number;
  /** In which spaces. */
  readonly spaces: readonly Space[];
  /** The first one with the fewest operations. */
  readonly smallest: KeptFind;
}

/** The largest first. */
export function clustersOf(plan: GeneratePlan, finds: readonly KeptFind[]): Cluster[] {
  const groups = Map.groupBy(finds, ({ kind, cause }) => JSON.stringify([kind, cause]));
  return [...groups.values()]
    .map((own): Cluster => {
      const [smallest] = own.toSorted((a, b) => sizeOf(a) - sizeOf(b) || a.unit - b.unit);
      const { kind, cause } = smallest!;
      const spaces = [...new Set(own.map(({ space }) => space))].toSorted((a, b) => a - b);
      return {
        kind,
        cause,
        smallest: smallest!,
        programs: own.reduce((n, { count }) => n + count, 0),
        spaces: spaces.map((space) => plan.spaces[space]!),
      };
    })
    .toSorted((a, b) => b.programs - a.programs);
}

const sizeOf = ({ program }: KeptFind): number => program.flat().length;

/** As a litmus test. */
export function testFor({ program, kind, cause }: KeptFind, space: Space): GeneratedTest {
  const { paging, defects } = space.setting;
  return testOf(program, {
    configuration: space.configuration,
    paging,
    about: `Generated; found as ${kind} (${spaceText(space)})${cause && `, by ${cause}`}.`,
    defect: defects.length === 1 ? defects[0] : undefined,
  });
}

/** In a line. */
export const columnsText = ({ program }: Pick<KeptFind, 'program'>): string =>
  program
    .map((column, i) => textsOf(column, i, program.length).join('; ') || 'nothing')
    .join('  ∥  ');
