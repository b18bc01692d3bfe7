/** The yardstick replays a trace as the machine does: the same accesses, the same data. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { replayInC } from '../../bench/native/trace.ts';
import { noYardstick } from '../../bench/native/yardstick.ts';
import { getUser } from '../../shared/guest-memory.ts';
import { RESULT } from '../../src/guest/kernel/layout.ts';
import { openProgram } from '../../src/guest/traces/reader.ts';
import { toGpa } from '../../src/hardware/address.ts';
import { statistics } from '../../src/report/run-report.ts';
import { Rig } from '../rig.ts';

const PAGES = 4096;
const QUANTUM = 20_000;

const tracePath = (name: string): string =>
  fileURLToPath(new URL(`../../scenarios/traces/${name}.umbra`, import.meta.url));

describe.skipIf(noYardstick() !== undefined)('a trace replayed in C', () => {
  test.each(['ls', 'sort', 'wc', 'pigz'])('%s has the same accesses and results', async (name) => {
    const program = openProgram(tracePath(name));
    const rig = new Rig({ program, pages: PAGES });
    rig.runRoundRobin(QUANTUM);
    program.close();
    const ours = statistics(rig, [0], [0]);
    const theirs = await replayInC(tracePath(name), PAGES);
    const ofPrograms = ours.accesses - ours.kernel_accesses - ours.switcher_accesses;
    expect(theirs.count).toBe(ofPrograms);
    expect(theirs.sum).toBe(getUser(rig.host.guests[0]!, toGpa(RESULT)));
  });
});
