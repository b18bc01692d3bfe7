/**
 * A schedule to step through: its story, each step in words, and the machine after each. The text
 * of the source is a parameter, so that it works in a browser, too.
 */

import { VIEWS } from '../../report/inspection.ts';
import type {
  MarkData,
  PlaceData,
  PlayerData,
  StepData,
  TrackData,
} from '../../report/player/data.ts';
import { MachineLog } from '../../report/player/machine-log.ts';
import { momentOf } from '../inspect.ts';
import type { Result } from '../result.ts';
import type { Subject } from '../subject.ts';
import { type Access, keysOf } from './blame.ts';
import { type ToldRun, tellSteps } from './tell.ts';

export interface Playing {
  /** A passing run of the same test, shown beside it. */
  readonly passing?: Result | undefined;
  /** The story has each step, not only those that matter. */
  readonly all?: boolean | undefined;
  /** Tokens for `umbra replay`: of the run itself, and of the passing one. */
  readonly tokens?: readonly (string | undefined)[];
  /** The text of a file of the source, by its name from the root of the project. */
  readonly sourceOf: (file: string) => string | undefined;
}

/** `result`: of `subject`, which is replayed, as is `passing`. */
export function playerOf(
  subject: Subject,
  result: Result,
  { passing, all, tokens = [], sourceOf }: Playing,
): PlayerData {
  const beside = passing && trackOf(subject, passing, { all }, tokens[1]);
  const track = trackOf(subject, result, { passing, all }, tokens[0]);
  const tracks = beside === undefined ? [track.data] : [track.data, beside.data];
  const files = new Set(tracks.flatMap(({ places }) => places.map(([, , file]) => file)));
  return {
    schema_version: 1,
    tracks: tracks as [TrackData, TrackData?],
    ...(beside && compared(track.accesses, beside.accesses)),
    sources: Object.fromEntries(
      Array.from(files, (file) => [file, sourceOf(file)] as const).filter(
        (one): one is [string, string] => one[0] !== '' && one[1] !== undefined,
      ),
    ),
  };
}

/** Where two runs diverge, and which accesses of the first the second makes, too. */
function compared(
  here: readonly Access[],
  there: readonly Access[],
): Required<Pick<PlayerData, 'parting' | 'twins'>> {
  const isSame = (step: Access, i: number): boolean => {
    const other = there[i];
    return other?.cpu === step.cpu && other.kind === step.kind && other.at === step.at;
  };
  const parting = here.findIndex((step, i) => !isSame(step, i));
  const numbers = new Map(keysOf(there).map((key, i) => [key, i]));
  return {
    parting: parting < 0 ? here.length : parting,
    twins: keysOf(here).map((key) => numbers.get(key) ?? -1),
  };
}

function trackOf(
  subject: Subject,
  result: Result,
  telling: Pick<Playing, 'passing' | 'all'>,
  token: string | undefined,
): { readonly data: TrackData; readonly accesses: ToldRun['accesses'] } {
  const log = new MachineLog();
  const run = tellSteps(subject, result, {
    ...telling,
    listener: (host, stores, places) =>
      log.add(momentOf(subject, host, stores, places, { views: VIEWS })),
  });
  const texts = new Numbered<string>((text) => text);
  const places = new Numbered<PlaceData>((place) => place.join('\n'));
  const steps = run.accesses.map((step): StepData => {
    const { part, name, does, place, before, after, locks } = run.told(step);
    const { file, line } = step.where;
    return [
      ...([step.hostCpu, step.vcpu, places.number([part, name, file, line])] as const),
      ...([texts.number(does), texts.number(place), texts.number(before)] as const),
      after === undefined ? -1 : texts.number(after),
      locks.length === 0 ? -1 : texts.number(locks.join(', ')),
    ];
  });
  const marks = run.marks.map(({ step, kind, text }): MarkData => [step, kind, texts.number(text)]);
  return {
    accesses: run.accesses,
    data: {
      story: run.story,
      ...(token !== undefined && { token }),
      texts: texts.all,
      places: places.all,
      steps,
      marks,
      machine: log.data,
    },
  };
}

/** A table of repeated values, by number. */
class Numbered<T> {
  readonly all: T[] = [];
  readonly #keyOf: (one: T) => string;
  readonly #numbers = new Map<string, number>();

  constructor(keyOf: (one: T) => string) {
    this.#keyOf = keyOf;
  }

  number(one: T): number {
    const key = this.#keyOf(one);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.all.push(one) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}
