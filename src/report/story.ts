/**
 * A story, the account of a schedule: a column for each host CPU, time downward. Plain data, made
 * by src/explore/story/tell.ts, and shown by story-text.ts and the player.
 */

import { PARTS, type PartName } from '../paging/parts.ts';

/** The code that makes an access: a part of page_tables.c, or the code around them. */
export type Part = PartName | 'host' | 'mmu' | 'guest' | 'hardware';

export interface Story {
  /** The litmus test's name and subject. */
  readonly title: string;
  readonly about: string;
  /** `lock-free, nonpae, with R2` */
  readonly setting: string;
  /** How it ended, in words. */
  readonly ending: string;
  readonly good: boolean;
  /** Steps of the run, and of them those that are told. */
  readonly steps: number;
  readonly told: number;
  /** Switches to another CPU, or to hardware. */
  readonly turns: number;
  readonly columns: readonly string[];
  readonly lines: readonly Line[];
  /** Sentences: where it broke, and which two accesses are to blame. */
  readonly findings: readonly Finding[];
}

export interface Finding {
  readonly kind: 'break' | 'pair' | 'waits';
  readonly text: string;
}

export type Line = Mark | Told;

/** What happens between steps: a switch, an operation begins, the guest is entered. */
export interface Mark {
  readonly kind: 'turn' | 'migration' | 'operation' | 'event';
  readonly column: number;
  readonly text: string;
}

/** One step. */
export interface Told {
  readonly kind: 'step';
  readonly column: number;
  /** From 0, as tokens count. */
  readonly step: number;
  readonly part: Part;
  /** Whose access it is; '' for hardware. */
  readonly name: string;
  /** `reads`, `writes`, …; the value after it, or both values with the result. */
  readonly does: string;
  readonly place: string;
  readonly before: string;
  /** undefined where nothing was written. */
  readonly after: string | undefined;
  /** Names of the locks that are held. */
  readonly locks: readonly string[];
  /** `src/paging/fault.ts:82` */
  readonly source: string;
  /** The line itself; '' where it is not at hand. */
  readonly code: string;
  /** Its flags. */
  readonly flags: readonly Flag[];
}

/** The invariant broke here; the earlier and the later of the two accesses to blame. */
export type Flag = 'break' | 'first' | 'second';

export const FLAG_TEXTS: Readonly<Record<Flag, string>> = {
  break: 'here it breaks',
  first: 'to blame: the first of two',
  second: 'to blame: the second of two',
};

/** `i fault`, `host` */
export const partText = (part: Part): string =>
  part in PARTS ? `${part} ${PARTS[part as PartName].title}` : part;
