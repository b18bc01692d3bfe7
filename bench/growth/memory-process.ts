/** A process with one machine in it, for measuring how much memory it takes. */

import { Machine } from '../../src/machine.ts';
import { specOf } from './spec.ts';

const LOOK_MS = 20;

const machine = await Machine.boot(specOf(JSON.parse(process.argv[2]!)));
// A page that was never written takes nothing.
const { plain } = machine.host.words;
for (let at = 0; at < plain.length; at += 1024) plain[at] = plain[at]!;
let most = process.memoryUsage().rss;
const timer = setInterval(() => {
  most = Math.max(most, process.memoryUsage().rss);
}, LOOK_MS);
await machine.run();
clearInterval(timer);
process.send!(most);
process.disconnect();
