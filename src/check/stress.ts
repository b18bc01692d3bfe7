/**
 * A run drawn from a seed: guests, vCPUs, host CPUs, paging forms, policies, time slices
 * and the number of cached page tables, all at random; and what it must end with. The
 * programs are those whose outcome does not depend on who comes first, so each guest's
 * memory must be what a single vCPU on a single host CPU leaves.
 */

import { toPtr } from '../../shared/address.ts';
import { ALL_DEFECTS } from '../../shared/defects.ts';
import { prandomU32, seedRandom } from '../../shared/random.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import { POLICIES } from '../host/policy.ts';
import { type GuestSpec, Machine, type MachineSpec } from '../machine.ts';
import { type CheckedRun, runChecked } from './checked-run.ts';

const PROGRAMS = ['touch', 'fork', 'churn', 'parallel'] as const;

/** Enough for any of them on eight vCPUs. */
const GUEST_PAGES = 1024;

export interface StressRun {
  readonly seed: number;
  readonly spec: MachineSpec;
  readonly run: CheckedRun;
  readonly machine: Machine;
  /** What is wrong with it, in words; empty when nothing is. */
  readonly faults: readonly string[];
}

/** Draw a machine, run it, and hold it to what it must end with. */
export async function stress(seed: number, started?: (m: Machine) => void): Promise<StressRun> {
  const spec = drawMachine(seed);
  const machine = await Machine.boot(spec);
  started?.(machine);
  const run = await runChecked(machine);
  const faults = [...run.violations];
  if (run.ending.kind !== 'interrupted') {
    if (run.ending.kind !== 'done') faults.push(`${run.ending.kind}: ${run.ending.message}`);
    for (const guest of run.guests) faults.push(...(await wrongEnd(guest)));
  }
  return { seed, spec, run, machine, faults };
}

async function wrongEnd(guest: CheckedRun['guests'][number]): Promise<string[]> {
  if (guest.reason !== 'Power down') return [`${guest.name} ended with "${guest.reason}"`];
  const expected = await alone(guest.name);
  if (guest.memory.user === expected) return [];
  return [`${guest.name} left memory ${guest.memory.user}, and alone it leaves ${expected}`];
}

const references = new Map<string, Promise<string>>();

/** What a program leaves on one vCPU and one host CPU. */
function alone(name: string): Promise<string> {
  const known = references.get(name);
  if (known !== undefined) return known;
  const quantum = { least: 5000, most: 5000 };
  const guests = [guestOf(name, 'nonpae', 1, 4)];
  const reference = Machine.boot({ hostCpus: 1, guests, policy: 'pinned', quantum, seed: 0 })
    .then(runChecked)
    .then((run) => run.guests[0]!.memory.user);
  references.set(name, reference);
  return reference;
}

const guestOf = (
  name: string,
  paging: GuestSpec['paging'],
  vcpus: number,
  pgdirs: number,
): GuestSpec => ({
  ...{ name, paging, vcpus, pgdirs, pages: GUEST_PAGES },
  program: { kind: 'builtin', name },
});

/** The machine that a seed stands for. */
export function drawMachine(seed: number): MachineSpec {
  const state = toPtr(4);
  const words = new Words(makeMemory(16), toPtr(2));
  seedRandom(words, state, seed, 0);
  const below = (n: number): number => prandomU32(words, state) % n;
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  // As written, one vCPU to a guest is all that the code is made for.
  const discipline = below(4) === 0 ? 'as-written' : 'guest-lock';
  const least = pick([1, 10, 100, 1000]);
  return {
    seed,
    hostCpus: 1 + below(4),
    policy: pick(POLICIES),
    quantum: { least, most: least * pick([1, 4, 16]) },
    discipline,
    defects: discipline === 'as-written' ? pick([ALL_DEFECTS, []]) : [],
    guests: Array.from({ length: 1 + below(2) }, () =>
      guestOf(
        pick(PROGRAMS),
        pick(['nonpae', 'pae']),
        discipline === 'as-written' ? 1 : pick([1, 2, 4, 8]),
        pick([2, 4, 8]),
      ),
    ),
  };
}
