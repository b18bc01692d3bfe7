/** Schedules of a test in one setting, counted as they come; the same here and in Node. */

import type { Litmus } from '../../explore/litmus/litmus.ts';
import { Tally } from '../../explore/litmus/tally.ts';
import { tokenOf } from '../../explore/replay.ts';
import type { Ending } from '../../explore/result.ts';
import type { Setting } from '../../explore/setting.ts';
import { STRATEGIES } from '../../explore/strategies/catalogue.ts';
import { Subject } from '../../explore/subject.ts';
import { formatChance } from '../../numbers.ts';
import { nextTurn, sha256 } from '../../platform.ts';

export interface Search {
  readonly setting: Setting;
  readonly strategy: string;
  readonly schedules: number;
  /** Of the first schedule; each further one has the next. */
  readonly seed: number;
}

/** What goes wrong in one way, and the first schedule in which it does. */
export interface FoundFailure {
  readonly setting: Setting;
  readonly ending: Ending;
  readonly message: string;
  /** Schedules that it was met in. */
  count: number;
  /** How many schedules were run until it was met first. */
  readonly after: number;
  readonly token: string;
}

export interface Counted {
  readonly schedules: number;
  readonly different: number;
  /** The chance that a further one behaves in yet another way; '' where none was drawn. */
  readonly unseen: string;
  readonly overlapping: number;
  readonly lines: readonly { readonly is: string; readonly text: string; readonly count: number }[];
  /** Each kind once, in the order in which they were met. */
  readonly failures: readonly FoundFailure[];
}

export interface Explored extends Counted {
  /** Of the steps of all of its schedules, in their order. */
  readonly digest: string;
}

const unseen = ({ behaviours }: Tally): string =>
  behaviours.unseen === undefined ? '' : formatChance(behaviours.unseen);

/** Schedules between two turns of the event loop. */
const BATCH = 20;

/**
 * As many schedules as are asked for, or as there are. `told` is called now and then; where it
 * returns false the search ends with what there is.
 */
export async function explored(
  path: string,
  litmus: Litmus,
  { setting, strategy, schedules, seed }: Search,
  told: (counted: Counted) => boolean = () => true,
): Promise<Explored> {
  const subject = new Subject(path, litmus, setting);
  const chosen = STRATEGIES[strategy]!();
  const tally = new Tally(litmus);
  const digest = sha256();
  const failures = new Map<string, FoundFailure>();
  const counted = (): Counted => ({
    schedules: tally.schedules,
    different: tally.behaviours.distinct,
    unseen: unseen(tally),
    overlapping: tally.overlapping,
    lines: tally.lines.map(({ is, text, count }) => ({ is, text, count })),
    failures: [...failures.values()],
  });
  for (let n = 0; n < schedules; n++) {
    const result = subject.run(chosen, seed + n);
    // It finds out at the beginning of a run.
    if (chosen.exhausted) break;
    tally.add(subject, result, !chosen.isListed);
    digest.update(result.run.digest);
    const { ending, kind, message } = result;
    const known = failures.get(kind);
    if (known !== undefined) known.count++;
    else if (ending !== 'ok') {
      const token = tokenOf(subject, result);
      failures.set(kind, { setting, ending, message, count: 1, after: n + 1, token });
    }
    if (n % BATCH !== BATCH - 1) continue;
    await nextTurn();
    if (!told(counted())) break;
  }
  return { ...counted(), digest: digest.hex().slice(0, 16) };
}
