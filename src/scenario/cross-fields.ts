/** Mistakes that only several fields of a scenario make together, or the files it names. */

import { assemble, framesFor, layoutOf, SWITCHER_ADDR } from '../assembly.ts';
import { UserError } from '../errors.ts';
import { tooMuchMemory } from '../guest/room.ts';
import { openProgram } from '../guest/traces/reader.ts';
import { hotplugMistakes } from '../host/hotplug.ts';
import { launch } from '../host/launcher.ts';
import { isReplay } from '../host/policy.ts';
import { type MachineSpec, misfits, schedulingOf } from '../machine.ts';
import { counted } from '../numbers.ts';
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

/** A machine that does not fit: its memory is too little, or its host CPUs or guests too many. */
function unfit(scenario: Scenario, folder: string): Mistake[] {
  const fits = (one: Scenario): string | undefined =>
    complaint(() => mustFit(specOf({ scenario: one, name: '', folder }, {})));
  const problem = fits(scenario);
  if (problem === undefined) return [];
  const { cpus, guests, host_memory: memory } = scenario;
  const [path, found] =
    memory !== undefined && fits({ ...scenario, host_memory: undefined }) === undefined
      ? ['host_memory', typeof memory === 'number' ? `${memory} MiB` : `${memory.frames} frames`]
      : fits({ ...scenario, cpus: 1 }) === undefined
        ? ['cpus', `${cpus} host CPUs`]
        : ['guests', counted(guests.length, 'guest')];
  return [{ path: [path], text: `found ${found}, expected a machine that fits: ${problem}` }];
}

/** Whether the guests boot in less memory than they may need is known only by booting them. */
function mustFit(spec: MachineSpec): void {
  if (spec.frames === undefined || spec.frames >= framesFor(spec)) return void layoutOf(spec);
  for (const lg of assemble(spec).host.guests) launch(lg);
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
