/** Workers that explore: settings side by side, each in one from its first schedule to its last. */

import { proxy, type Remote, wrap } from 'comlink';
import type { Explorer } from '../engine/explorer-worker.ts';
import type { Counted, Explored, Search } from '../engine/exploring.ts';

const MOST = 4;

const begin = (): Remote<Explorer> =>
  wrap<Explorer>(
    new Worker(new URL('../engine/explorer-worker.ts', import.meta.url), {
      type: 'module',
      name: 'explorer',
    }),
  );

export class Explorers {
  readonly #workers: Remote<Explorer>[] = [];
  #stopped = false;

  /** One for questions beside the work. */
  get first(): Remote<Explorer> {
    this.#workers[0] ??= begin();
    return this.#workers[0];
  }

  /**
   * `told`: called with the results of the search of that number. Searches that were stopped before
   * they began return nothing.
   */
  async explore(
    text: string,
    searches: readonly Search[],
    told: (search: number, counted: Counted) => void,
  ): Promise<(Explored | undefined)[]> {
    this.#stopped = false;
    const ended: (Explored | undefined)[] = searches.map(() => undefined);
    const wanted = [...searches.entries()];
    const work = async (worker: Remote<Explorer>): Promise<void> => {
      for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
        if (this.#stopped) return;
        const [i, search] = next;
        // Progress messages may arrive after the end.
        const listener = proxy((counted: Counted) => {
          if (ended[i] === undefined) told(i, counted);
        });
        ended[i] = await worker.explore(text, search, listener);
        told(i, ended[i]);
      }
    };
    const count = Math.min(MOST, navigator.hardwareConcurrency, searches.length);
    while (this.#workers.length < count) this.#workers.push(begin());
    await Promise.all(this.#workers.slice(0, count).map(work));
    return ended;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }
}
