/**
 * The plan: all programs of so many operations, in every chosen configuration and setting, cut into
 * units. The result of a unit depends on the unit alone.
 */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../defects.ts';
import type { PagingName } from '../../hardware/entry.ts';
import type { Shard } from '../../ledger.ts';
import { counted } from '../../numbers.ts';
import type { Setting } from '../setting.ts';
import { Dice } from '../strategies/dice.ts';
import { ENGINE_VERSION } from '../token.ts';
import { lettersOf } from './alphabets.ts';
import { legalPrograms } from './legality.ts';
import { type Configuration, type Program, programsOf } from './programs.ts';

/** Everything that the result depends on, as JSON. */
export interface GeneratePlan {
  readonly engine: number;
  readonly operations: number;
  readonly alphabet: string;
  /** Of the order of programs. */
  readonly seed: number;
  readonly spaces: readonly Space[];
}

/** Programs in one configuration, tried in one setting. */
export interface Space {
  readonly configuration: Configuration;
  readonly setting: Setting;
  /** The most behaviours that are run for a program; by default all. */
  readonly most?: number;
}

export interface GenerateUnit {
  readonly id: number;
  readonly space: Space;
  readonly programs: readonly Program[];
}

export interface Asked {
  readonly operations: number;
  readonly alphabet: string;
  readonly configurations: readonly Configuration[];
  readonly pagings: readonly PagingName[];
  readonly disciplines: readonly DisciplineName[];
  readonly defects: readonly DefectId[];
  readonly seed: number;
  /** Run all behaviours of each program, or so many at most, instead of a sweep. */
  readonly exhaustive?: true | number | undefined;
}

/** Programs of a unit: a second or two. */
const UNIT_PROGRAMS = 32;
const UNIT_EXHAUSTIVE = 1;

export function generatePlan({
  configurations,
  pagings,
  disciplines,
  defects,
  exhaustive,
  ...asked
}: Asked): GeneratePlan {
  const { operations, alphabet, seed } = asked;
  const spaces = pagings.flatMap((paging) =>
    disciplines.flatMap((discipline) =>
      configurations.map((configuration) => ({
        configuration,
        setting: { paging, discipline, defects, ...(exhaustive && { abridged: true }) },
        ...(typeof exhaustive === 'number' && { most: exhaustive }),
      })),
    ),
  );
  return { engine: ENGINE_VERSION, operations, alphabet, seed, spaces };
}

/** The programs of each space of a plan, in a random order by its seed. */
export class Programs {
  readonly #plan: GeneratePlan;
  readonly #lists = new Map<string, readonly Program[]>();

  constructor(plan: GeneratePlan) {
    this.#plan = plan;
  }

  of({ configuration, setting: { paging } }: Space): readonly Program[] {
    const key = `${configuration} ${paging}`;
    const found = this.#lists.get(key) ?? this.#listed(configuration, paging);
    this.#lists.set(key, found);
    return found;
  }

  /** Interleaved over all spaces, so that each gets equally far. */
  *units({ index, of }: Shard): Generator<GenerateUnit, void, void> {
    const { spaces } = this.#plan;
    const most = Math.max(...spaces.map((space) => this.of(space).length));
    const length = spaces[0]?.setting.abridged ? UNIT_EXHAUSTIVE : UNIT_PROGRAMS;
    for (let from = 0, id = 0; from < most; from += length) {
      for (const space of spaces) {
        const programs = this.of(space).slice(from, from + length);
        if (programs.length === 0) continue;
        if (id % of === index - 1) yield { id, space, programs };
        id++;
      }
    }
  }

  #listed(configuration: Configuration, paging: PagingName): readonly Program[] {
    const { alphabet, operations, seed } = this.#plan;
    const letters = lettersOf(alphabet, paging);
    const all = [
      ...legalPrograms(programsOf(letters, configuration, operations), configuration, paging),
    ];
    const dice = new Dice();
    dice.seed(seed);
    for (let i = all.length - 1; i > 0; i--) {
      const other = dice.below(i + 1);
      [all[i], all[other]] = [all[other]!, all[i]!];
    }
    return all;
  }
}

/** The difference between two plans, in words; undefined for none. */
export function differenceOf(one: GeneratePlan, other: GeneratePlan): string | undefined {
  for (const key of ['engine', 'operations', 'alphabet', 'seed'] as const) {
    if (one[key] !== other[key]) return `${key} ${one[key]} there, ${other[key]} here`;
  }
  const differences = Object.entries(AXES).flatMap(([name, of]) => {
    const values = ({ spaces }: GeneratePlan): string => [...new Set(spaces.map(of))].join();
    const [there, here] = [values(one), values(other)];
    return there === here ? [] : `${name} ${there} there, ${here} here`;
  });
  return differences.length === 0 ? undefined : differences.join('; ');
}

/** The spaces of a plan are all combinations of these. */
const AXES: Readonly<Record<string, (space: Space) => string>> = {
  configuration: ({ configuration }) => configuration,
  paging: ({ setting }) => setting.paging,
  discipline: ({ setting }) => setting.discipline,
  defects: ({ setting }) => setting.defects.join() || 'none',
  exhaustive: ({ setting, most = 'all' }) => (setting.abridged ? `${most}` : 'no'),
};

export const spaceText = ({ configuration, setting, most }: Space): string => {
  const { paging, discipline, defects, abridged } = setting;
  const behaviours =
    most === undefined ? 'all behaviours' : `${counted(most, 'behaviour')} at most`;
  const all = abridged ? [behaviours] : [];
  return [`${configuration}, ${paging}, ${discipline}`, ...defects, ...all].join(', ');
};
