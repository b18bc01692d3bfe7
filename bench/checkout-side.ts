/** A side of a line, of the checkout that is named, ready to be measured in this process. */

import { setTimeout } from 'node:timers/promises';
import type { Answers } from './checkout.ts';
import { partsOf } from './checkout.ts';
import { WatchedSide } from './measure.ts';
import type { Batch, Side } from './pair.ts';
import { type LineData, makeReady, namedLine } from './ready-side.ts';
import { LASTING_MS, ownMs, warmUpAlone } from './warm-up.ts';

/** Of what one thread does no more counts than it had of the processor: others took the rest. */
class OwnTime implements Side {
  readonly name: string;
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
    this.name = side.name;
  }

  async batch(): Promise<Batch> {
    const before = ownMs();
    const { count, ns } = await this.#side.batch();
    // Linux books it when a thread goes to sleep, of one that goes on by ticks of milliseconds.
    // The first timer may be over before the loop looks, since that knows of no time passed.
    for (let i = 0; i < 2; i++) await setTimeout(1);
    return { count, ns: Math.min(ns, (ownMs() - before) * 1e6) };
  }
}

const [, , root, data] = process.argv as [string, string, string, string];
const named = JSON.parse(data) as LineData;
const line = await namedLine(named, await partsOf(root));
const made = line.measured();
await makeReady(made, line, named.pair);
if (line.lasting && !line.threads) await warmUpAlone(made, LASTING_MS.oneThread);
const isAlone = !line.threads && (line.rounds === undefined || line.lasting);
const side = new WatchedSide(isAlone ? new OwnTime(made) : made);
process.on('message', async (what: keyof Answers) => process.send!((await side[what]()) ?? null));
process.send!('ready');
