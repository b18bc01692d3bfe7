/** Mistakes that only several fields of a scenario make together, or the files it names. */

import { layoutOf, SWITCHER_ADDR } from '../assembly.ts';
import { UserError } from '../errors.ts';
import { tooMuchMemory } from '../guest/room.ts';
import { openProgram } from '../guest/traces/reader.ts';
import { hotplugMistakes } from '../host/hotplug.ts';
import { isReplay } from '../host/policy.ts';
import { misfits, schedulingOf } from '../machine.ts';
import type { Mistake } from '../yaml/mistakes.ts';
import type { Scenario } from './schema.ts';
import { guestsOf, specOf, tracePath } from './spec.ts';

export function crossFieldMistakes(scenario: Scenario, folder: string): Mistake[] {
  const { slice, hotplug, cpus, guests, policy } = scenario;
  const mistakes: Mistake[] = [];
  if (typeof slice !== 'number' && slice.least > slice.most) {
    const text = `found ${slice.least}, expected no more than most, which is ${slice.most}`;
    mistakes.push({ path: ['slice', 'least'], text });
  }
  if (isReplay(policy)) {
    const problem = complaint(() => schedulingOf(specOf({ scenario, name: '', folder }, {})));
    const text = `found ${JSON.stringify(policy)}, expected a placement of this machine: ${problem}`;
    if (problem !== undefined) mistakes.push({ path: ['policy'], text });
  }
  for (const { index, what } of hotplugMistakes(hotplug, cpus)) {
    const text = `found hotplug of CPU ${hotplug[index]!.cpu}, expected another plan: ${what}`;
    mistakes.push({ path: ['hotplug', index, 'cpu'], text });
  }
  for (const [i, guest] of guests.entries()) {
    const { program, virtualization } = guest;
    for (const [field, text] of misfits(guest)) {
      mistakes.push({ path: ['guests', i, field], text });
    }
    if (virtualization !== 'shadow' && guest.paging_policy !== undefined) {
      const text =
        'found a policy of shadow paging, expected none: this guest is virtualized by ' +
        `${virtualization} paging`;
      mistakes.push({ path: ['guests', i, 'paging_policy'], text });
    }
    if (!('trace' in program)) continue;
    const problem = complaint(() => openProgram(tracePath(program.trace, folder)).close());
    const text = `found ${JSON.stringify(program.trace)}, expected a trace file: ${problem}`;
    if (problem !== undefined) mistakes.push({ path: ['guests', i, 'program', 'trace'], text });
  }
  for (const [i, guest] of guests.entries()) {
    const problem = memoryMistake(guest, folder);
    if (problem !== undefined) mistakes.push({ path: ['guests', i, 'memory'], text: problem });
  }
  const reason = scenario.expect?.reason;
  if (reason !== undefined) {
    const problem = complaint(() => new RegExp(reason));
    const text = `found ${JSON.stringify(reason)}, expected a regular expression: ${problem}`;
    if (problem !== undefined) mistakes.push({ path: ['expect', 'reason'], text });
  }
  return [...mistakes, ...unfit(scenario, folder)];
}

function memoryMistake(guest: Scenario['guests'][number], folder: string): string | undefined {
  const [room] = guestsOf({ ...guest, count: 1 }, folder, {});
  const mistake = tooMuchMemory(room!, SWITCHER_ADDR);
  return mistake && `found ${mistake.found}, expected ${mistake.expected}`;
}

/** A machine that does not fit: for its host CPUs, or for its guests. */
function unfit(scenario: Scenario, folder: string): Mistake[] {
  const fits = (one: Scenario): string | undefined =>
    complaint(() => layoutOf(specOf({ scenario: one, name: '', folder }, {})));
  const problem = fits(scenario);
  if (problem === undefined) return [];
  const cpus = fits({ ...scenario, cpus: 1 }) === undefined;
  const found = cpus ? `${scenario.cpus} host CPUs` : `${scenario.guests.length} guests`;
  return [
    {
      path: cpus ? ['cpus'] : scenario.host_memory === undefined ? ['guests'] : ['host_memory'],
      text: `found ${found}, expected a machine that fits: ${problem}`,
    },
  ];
}

/** What it throws at the user, if it does. */
function complaint(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof UserError || error instanceof SyntaxError) return error.message;
    throw error;
  }
}
