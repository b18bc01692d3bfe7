/** A side of a line, of the checkout that is named, ready to be measured in this process. */

import type { Answers } from './checkout.ts';
import { partsOf } from './checkout.ts';
import { WatchedSide } from './measure.ts';
import { type LineData, makeReady, namedLine } from './ready-side.ts';

const [, , root, data] = process.argv as [string, string, string, string];
const named = JSON.parse(data) as LineData;
const line = await namedLine(named, await partsOf(root));
const measured = line.measured();
await makeReady(measured, line, named.pair);
const side = new WatchedSide(measured);
process.on('message', async (what: keyof Answers) => process.send!((await side[what]()) ?? null));
process.send!('ready');
