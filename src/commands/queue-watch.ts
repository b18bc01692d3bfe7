/** `umbra queue watch`: a plan as it goes on, in the terminal and as a page. */

import { setTimeout as delay } from 'node:timers/promises';
import { counted } from '../numbers.ts';
import { again } from '../queue/again.ts';
import { livePlan, planPage, savedResults, titleOf } from '../queue/page.ts';
import type { Queue } from '../queue/queue.ts';
import { findPlan, shortId } from '../queue/results.ts';
import { type Snapshot, snapshotOf, statusLine } from '../queue/status.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import { output } from './json-output.ts';
import { columnsOf, fitLines, fitted } from './terminal.ts';
import { Watch, type WatchOptions } from './watch.ts';

const LOOK_MS = 1000;

/** Through a pipe a line says something new, or it is not there. */
const LINE_MS = 10_000;

/** Seconds after which a browser loads the page again. */
const REFRESH = 2;

const MOST_WORKERS = 8;
const MOST_FAILURES = 5;

interface Options extends WatchOptions {
  readonly html?: string;
}

export async function watch(
  queue: Queue,
  name: string | undefined,
  { html, ...options }: Options,
): Promise<void> {
  const write = output(html, { option: '--html', what: 'page' });
  const plan = await findPlan(queue, name);
  using interrupted = heedInterrupt();
  const view = process.stdout.isTTY ? new Screen() : new Lines();
  const { signal } = interrupted;
  await using page = await Watch.begin(titleOf(plan), options);
  let now: Snapshot | undefined;
  do {
    now = await again(() => snapshotOf(queue, plan.id, MOST_FAILURES), {
      signal,
      told: (lost) =>
        view.note(
          lost === undefined
            ? 'the database is there again'
            : `the database is lost (${lost.message})`,
        ),
    });
    if (now === undefined) break;
    const seen = now;
    page.shows(() => livePlan(seen));
    const isLast = now.plan.state !== 'open';
    view.show(now, isLast);
    if (html !== undefined) write(await planPage(queue, now, isLast ? undefined : REFRESH));
    if (isLast) break;
    await delay(LOOK_MS, undefined, { signal }).catch(() => {});
  } while (!signal.aborted);
  const isWatched = now !== undefined && page.url !== undefined;
  await page.end(isWatched ? await savedResults(queue, now!) : [], signal.aborted);
  const isBad = now !== undefined && (now.plan.failures > 0 || now.plan.buried > 0);
  process.exitCode = isBad ? ExitCode.Failed : ExitCode.Ok;
  if (signal.aborted) process.exitCode = ExitCode.Interrupted;
}

const headOf = ({ plan }: Snapshot): string =>
  `plan ${shortId(plan.id)}, ${plan.state}: ${plan.title}`;

/** Lines that are overwritten. */
class Screen {
  #lines = 0;
  #note = '';

  show(now: Snapshot): void {
    const columns = columnsOf(process.stdout) - 1;
    const { workers, failed, killers } = now;
    const lines = [
      headOf(now),
      bar(now, columns),
      fitted(statusLine(now), columns),
      ...workers
        .slice(0, MOST_WORKERS)
        .map(
          ({ host, pid, busy, jobs, units }) =>
            `  ${host} ${pid}: at ${busy} of ${jobs}, ${counted(units, 'unit')} done`,
        ),
      ...(workers.length > MOST_WORKERS ? [`  and ${workers.length - MOST_WORKERS} more`] : []),
      ...killers.map((line) => `FOUND: ${line}`),
      ...failed.map(({ place, says }) => `FAILED: unit ${place ?? '–'}: ${says ?? ''}`),
      ...(this.#note === '' ? [] : [this.#note]),
    ];
    this.#note = '';
    const up = this.#lines === 0 ? '' : `\x1b[${this.#lines}A`;
    const text = lines.map((line) => `${line.slice(0, columns)}\x1b[K\n`).join('');
    process.stdout.write(`${up}${text}\x1b[J`);
    this.#lines = lines.length;
  }

  note(text: string): void {
    this.#note = text;
  }
}

function bar({ plan: { done, units } }: Snapshot, columns: number): string {
  const width = Math.min(columns, 60);
  const full = units === 0 ? width : Math.floor((width * done) / units);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** For a pipe or a file: news, a line each. */
class Lines {
  #last = '';
  #next = 0;
  #seen = 0n;

  show(now: Snapshot, isLast: boolean): void {
    if (this.#last === '') say(headOf(now));
    for (const { seq, place, says } of now.failed.toReversed()) {
      if (BigInt(seq) <= this.#seen) continue;
      this.#seen = BigInt(seq);
      say(`FAILED: unit ${place ?? '–'}: ${says ?? ''}`);
    }
    const line = statusLine(now);
    if (line !== this.#last && (isLast || performance.now() >= this.#next)) {
      this.#next = performance.now() + LINE_MS;
      this.#last = line;
      say(line);
    }
    if (isLast) {
      for (const killer of now.killers) say(`FOUND: ${killer}`);
      say(now.plan.state);
    }
  }

  note(text: string): void {
    say(text);
  }
}

const say = (line: string): void => void process.stdout.write(fitLines(`${line}\n`));
