/** The story of a schedule: the run is replayed and told (src/report/story.ts). */

import type { Host } from '../../../shared/host.ts';
import { settingInShort } from '../../report/litmus-setting.ts';
import type { Finding, Flag, Line, Story, Told } from '../../report/story.ts';
import { Access as Kind, onlyReads } from '../engine/access.ts';
import { sourceLine } from '../engine/source.ts';
import type { Result } from '../result.ts';
import type { Subject } from '../subject.ts';
import { type Access, changes, type Pair, pairToBlame } from './blame.ts';
import { type BreakWatch, watchFor } from './breaks.ts';
import { frees, isBuffered, stepsToTell } from './fold.ts';
import { type Marked, marksOf } from './marks.ts';
import { type Noted, type Place, Places } from './places.ts';
import { type Recording, recordRun, type Stores } from './recording.ts';
import { valueText } from './values.ts';

export interface Telling {
  /** A passing run of the same test, for comparison. */
  readonly passing?: Result | undefined;
  /** Each step, not only those that matter. */
  readonly all?: boolean | undefined;
  /** Called with each step of the told run. */
  readonly listener?: Watcher | undefined;
}

/** As a StepListener, with the names of words that are known by then. */
type Watcher = (host: Host, stores: Stores, places: Places) => void;

/** `result`: of `subject`, which is replayed. */
export const tellStory = (subject: Subject, result: Result, telling: Telling = {}): Story =>
  tellSteps(subject, result, telling).story;

export interface ToldRun {
  readonly story: Story;
  readonly accesses: readonly Access[];
  /** Any of the steps, in words. */
  told(step: Access): Told;
  /** All marks between the steps. */
  readonly marks: readonly Marked[];
}

/** The story, and its sources. */
export function tellSteps(
  subject: Subject,
  result: Result,
  { passing, all = false, listener }: Telling = {},
): ToldRun {
  // First, so that the machine is left in the final state of the told run.
  const beside = passing && record(subject, passing).accesses;
  const told = record(subject, result, listener);
  const { accesses, broke } = told;
  const bad = result.ending !== 'ok';
  const pair = bad ? pairToBlame(accesses, broke?.step ?? accesses.length, beside) : undefined;
  const flags = flagsOf(broke?.step, pair);
  const until = broke?.isFinal && !all ? broke.step : Number.POSITIVE_INFINITY;
  const shown = all ? accesses : stepsToTell(accesses, flags, until);
  const { litmus, setting } = subject;
  const columns = subject.board.host.cpus.map(({ index }) => `CPU ${index}`);
  const marks = marksOf(litmus, accesses);
  const story: Story = {
    title: litmus.name,
    about: litmus.about,
    setting: settingInShort(setting),
    ending: bad ? `${result.ending}: ${result.message}` : 'it passes',
    good: !bad,
    steps: accesses.length,
    told: shown.length,
    turns: result.run.decisions.turns.length / 2,
    columns,
    lines: linesOf(
      columns,
      shown,
      marks.filter(({ step }) => step <= until),
      (step) => told.told(step, flags),
    ),
    findings: findingsOf(subject, told, pair, result),
  };
  return { story, accesses, told: (step) => told.told(step, flags), marks };
}

interface RecordedStory {
  readonly recording: Recording;
  readonly accesses: readonly Access[];
  readonly broke: ReturnType<BreakWatch['found']>;
  told(step: Access, flags: ReadonlyMap<number, readonly Flag[]>): Told;
}

/** The steps of a replayed run, and where it breaks. */
export const accessesOf = (
  subject: Subject,
  result: Result,
): Pick<RecordedStory, 'accesses' | 'broke'> => record(subject, result);

function record(subject: Subject, result: Result, listener?: Watcher): RecordedStory {
  const { host } = subject.board;
  const watch = watchFor(result, subject.litmus);
  const notes: Noted[] = [];
  let places: Places | undefined;
  const recording = recordRun(subject, result.run.decisions, (step, _, stores) => {
    places ??= new Places(host, subject.litmus);
    notes.push(places.note(step));
    watch.look(step.number, host);
    listener?.(host, stores, places);
  });
  const names = new Map<number, string>();
  for (const at of new Set(recording.steps.flatMap(({ locks }) => locks))) {
    names.set(at, places!.describe(at).name);
  }
  const { pae } = host.guests[0]!.form;
  const accesses = recording.steps.map((step, i) => ({
    ...step,
    place: notes[i]!.place,
    frameName: notes[i]!.frameName,
  }));
  return {
    recording,
    accesses,
    broke: watch.found(host),
    told: (step, flags) => {
      const [before, after] = notes[step.number]!.target.map(
        (life) => life && places!.frameName(life),
      );
      return toldOf(step, {
        before: valueText(step.place.kind, readBy(step), step.before[1], pae, before),
        after: valueText(step.place.kind, writtenBy(step), step.after[1], pae, after),
        locks: step.locks.map((at) => names.get(at)!),
        flags: flags.get(step.number) ?? [],
      });
    },
  };
}

function toldOf(
  step: Access,
  { before, after, locks, flags }: Pick<Told, 'before' | 'locks' | 'flags'> & { after: string },
): Told {
  const { part, name, file, line } = step.where;
  return {
    kind: 'step',
    column: step.hostCpu,
    step: step.number,
    part,
    name,
    locks,
    flags,
    does: verbOf(step),
    place: placeName(step),
    before: hasNoValue(step) ? '' : before,
    after: hasNoValue(step) || !(changes(step) || isBuffered(step)) ? undefined : after,
    source: file === '' ? '' : `${file}:${line}`,
    code: sourceLine(step.where),
  };
}

/** Of many words at once, or of none at all. */
const VALUELESS: ReadonlySet<Kind> = new Set([Kind.Fill, Kind.Copy, Kind.Evict, Kind.Move]);

const hasNoValue = ({ kind }: Access): boolean => VALUELESS.has(kind);

/** The value before, as its reader sees it: its own store buffer first. */
const readBy = ({ kind, result, before }: Access): number =>
  kind === Kind.Read || kind === Kind.Load ? result : before[0];

const writtenBy = (step: Access): number => (isBuffered(step) ? step.value : step.after[0]);

function placeName({ kind, place, frameName, hostCpu, value }: Access): string {
  if (kind === Kind.Move) return `CPU ${hostCpu}: its vCPU is to continue on CPU ${value}`;
  return kind === Kind.Fill || kind === Kind.Copy ? frameName : place.name;
}

function verbOf(step: Access): string {
  if (step.kind === Kind.Drain) return 'the store reaches';
  if (step.kind === Kind.Evict) return 'an entry goes from the';
  if (step.kind === Kind.Move) return 'an interrupt on';
  if (isBuffered(step)) return 'stores, as yet in its buffer,';
  if (frees(step)) return 'frees';
  if (onlyReads(step.kind)) return 'reads';
  if (step.kind === Kind.Fill) return 'clears';
  if (step.kind === Kind.Copy) return 'copies to';
  if (changes(step)) return 'writes';
  if (step.place.kind === 'lock') return 'waits for';
  return step.kind === Kind.CompareExchange ? 'fails to change' : 'writes the same to';
}

function flagsOf(breaks: number | undefined, pair: Pair | undefined): Map<number, Flag[]> {
  const flags = new Map<number, Flag[]>();
  const flag = (step: number, what: Flag): void =>
    void flags.set(step, [...(flags.get(step) ?? []), what]);
  if (breaks !== undefined) flag(breaks, 'break');
  if (pair !== undefined) flag(pair.first.number, 'first');
  if (pair !== undefined) flag(pair.second.number, 'second');
  return flags;
}

/** A switch is told where the next line is another CPU's. */
function linesOf(
  columns: readonly string[],
  shown: readonly Access[],
  marks: readonly Marked[],
  told: (step: Access) => Told,
): Line[] {
  const lines: Line[] = [];
  let column = -1;
  const add = (line: Line): void => {
    if (line.column !== column && column >= 0) {
      const text = `switch to ${columns[line.column]!}`;
      lines.push({ kind: 'turn', column: line.column, text });
    }
    column = line.column;
    lines.push(line);
  };
  let next = 0;
  const addMarks = (until: number): void => {
    for (; next < marks.length && marks[next]!.step <= until; next++) {
      const { kind, column: of, text } = marks[next]!;
      add({ kind, column: of, text });
    }
  };
  for (const step of shown) {
    addMarks(step.number);
    add(told(step));
  }
  addMarks(Number.POSITIVE_INFINITY);
  return lines;
}

function findingsOf(
  subject: Subject,
  { accesses, broke, told }: RecordedStory,
  pair: Pair | undefined,
  { ending }: Result,
): Finding[] {
  const findings: Finding[] = [];
  const sentence = (step: Access): string => {
    const { name, does, place, before, after, source } = told(step, new Map());
    const what = after === undefined ? before : `${before} -> ${after}`;
    const where = source === '' ? 'by itself' : `in ${name} (${source})`;
    const whose = `step ${step.number}, CPU ${step.hostCpu} ${where}`;
    return `${whose} ${does} ${place}${what && `: ${what}`}`;
  };
  if (broke !== undefined) {
    const text = `It breaks at ${sentence(accesses[broke.step]!)}; ${broke.text}.`;
    findings.push({ kind: 'break', text });
  }
  if (pair !== undefined) {
    const first = `To blame: ${sentence(pair.first)}; then ${sentence(pair.second)}.`;
    findings.push({ kind: 'pair', text: `${first} ${WHY[pair.how]}` });
  }
  if (ending === 'deadlock' || ending === 'livelock') {
    findings.push({ kind: 'waits', text: waits(subject, accesses) });
  }
  return findings;
}

const WHY: Readonly<Record<Pair['how'], string>> = {
  'other order': 'In the schedule that passes, the second comes before the first.',
  'not there': 'In the schedule that passes, the two do not meet.',
  guess: 'This is a guess: no schedule that passes was given to compare with (--against).',
};

/** What each unfinished CPU waits for. */
function waits({ board }: Subject, accesses: readonly Access[]): string {
  const names = new Map(accesses.map(({ at, place }) => [at as number, place.name]));
  const texts = board.controller.tasks.flatMap(({ index, finished, waitsFor }) => {
    if (finished) return [];
    const last = accesses.findLast(({ hostCpu }) => hostCpu === index);
    const where = last === undefined ? '' : ` in ${last.where.name} (${sourceOf(last)})`;
    if (waitsFor === 0) return [`CPU ${index} goes on${where}`];
    const word: Pick<Place, 'name'> = { name: names.get(waitsFor) ?? 'a word' };
    return [`CPU ${index} waits for ${word.name} to change${where}`];
  });
  return `At the end: ${texts.join('; ')}.`;
}

const sourceOf = ({ where: { file, line } }: Access): string => `${file}:${line}`;
