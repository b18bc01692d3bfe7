/** `--watch`: a page on this machine that shows work as it goes on, and then its report. */

import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import type { LiveFailure, LivePage } from '../report/page/live-section.ts';
import type { Saved } from '../report/page/saved.ts';
import type { Response } from '../report/serve.ts';

export interface WatchOptions {
  /** A port; true: any that is free. */
  readonly watch?: number | true;
}

/**
 * A command's live state, on each call. The rest is known here: whether it is over, and the
 * failures that were reported one by one.
 */
export type LiveState = Omit<LivePage, 'title' | 'state' | 'failed'> & Partial<LivePage>;

const MOST_PORT = 65_535;
const MOST_FAILED = 50;
/** A page that polled within this time is open: pages poll each second, on a busy machine less. */
const PRESENT_MS = 15_000;
/** The browser's to ask for the report. */
const PATIENCE_MS = 8000;
const STEP_MS = 50;

function portOf(text: string): number | true {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= MOST_PORT) return port;
  if (text === 'true') return true;
  throw new InvalidArgumentError(`A port from 1 to ${MOST_PORT} is expected, or none.`);
}

export const WATCH_OPTION = [
  '--watch [port]',
  'show progress and failures on a page on 127.0.0.1, and the report at the end',
  portOf,
] as const;

/** Throws UserError for work that is done elsewhere. */
export function checkWatch({ watch, queue }: WatchOptions & { readonly queue?: string }): void {
  if (watch !== undefined && queue !== undefined) {
    throw new UserError(
      '--watch shows work that is done here: of a queue, umbra queue watch --watch does',
    );
  }
}

/** Work that is watched, or not: then nothing of this does anything. */
export class Watch {
  /** Where to look. */
  url: string | undefined;
  readonly #failed: LiveFailure[] = [];
  #report: string | undefined;
  #state = 'under way';
  #asked = Number.NEGATIVE_INFINITY;
  #taken = false;
  #pages: Pages | undefined;
  #look: () => LiveState = () => NOTHING_YET;
  readonly #title: string;
  #close = async (): Promise<void> => {};

  private constructor(title: string) {
    this.#title = title;
  }

  /**
   * Says on stderr where to look. `title`: the command. UserError for a port that cannot be had.
   */
  static async begin(title: string, { watch }: WatchOptions): Promise<Watch> {
    const watching = new Watch(title);
    if (watch === undefined) return watching;
    const pages = await pagesOfWatch();
    watching.#pages = pages;
    const { url, close } = await pages.serve({
      find: (path) => watching.#find(path),
      ...(watch !== true && { port: watch }),
    });
    watching.#close = close;
    watching.url = url;
    process.stderr.write(`umbra: watch it at ${url}\n`);
    return watching;
  }

  /** From now on that is how it is. */
  shows(look: () => LiveState): void {
    this.#look = look;
  }

  failed(failure: LiveFailure): void {
    this.#failed.unshift(failure);
    this.#failed.splice(MOST_FAILED);
  }

  /** The command has ended: open pages get the report, and then the server stops. */
  async end(saved: readonly Saved[], interrupted: boolean): Promise<void> {
    this.#state = interrupted ? 'interrupted' : 'done';
    const live = { name: this.#title, kind: 'live', live: this.#page() } as const;
    this.#report = this.#pages?.reportHtml([live, ...saved]);
    for (let waited = 0; waited < PATIENCE_MS && !this.#taken; waited += STEP_MS) {
      if (performance.now() - this.#asked > PRESENT_MS) break;
      await delay(STEP_MS);
    }
    await this.#close();
  }

  /** Without a report: something went wrong. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #page(): LivePage {
    return { title: this.#title, state: this.#state, failed: this.#failed, ...this.#look() };
  }

  #find(path: string): Response | undefined {
    const report = this.#report;
    const { html, liveHtml, liveNow } = this.#pages!;
    if (path === '/' && report !== undefined) {
      this.#taken = true;
      return html(report);
    }
    if (path === '/' || (path === '/now' && report === undefined)) {
      this.#asked = performance.now();
      return html(path === '/' ? liveHtml(this.#page()) : liveNow(this.#page()));
    }
    return undefined;
  }
}

/** Drawing code is loaded only for --watch. */
async function pagesOfWatch() {
  const [{ html, serve }, { liveHtml, liveNow }, { reportHtml }] = await Promise.all([
    import('../report/serve.ts'),
    import('../report/page/live.ts'),
    import('../report/page/report.ts'),
  ]);
  return { html, serve, liveHtml, liveNow, reportHtml };
}

type Pages = Awaited<ReturnType<typeof pagesOfWatch>>;

const NOTHING_YET: LiveState = {
  advance: { done: 0, unit: 'units', rate: undefined, eta: '–', failures: 0 },
  facts: [],
  tables: [],
};
