/** An ordinary guest on a board, for the engine's own tests. */

import { toGva } from '../../shared/address.ts';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { makeMachine } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { layOut } from '../../shared/layout.ts';
import { Board } from '../../src/explore/engine/board.ts';
import type { MemoryModel } from '../../src/explore/engine/turn.ts';
import { GuestSoftware, guestMachine } from '../../src/guest/software.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { launch } from '../../src/host/launcher.ts';

export interface BoardSpec {
  readonly paging: PagingName;
  readonly discipline: DisciplineName;
  readonly cpus?: number;
  readonly vcpus?: number;
  readonly mostSteps?: number;
  readonly memory?: MemoryModel;
}

const MOST_STEPS = 1_000_000;

/** A process and a copy of it write pages that they share. */
export function guestBoard({ paging, discipline, cpus = 2, vcpus = 2, ...run }: BoardSpec): Board {
  const program = makeWorkload({ name: 'cow-storm', seed: 1, size: 1, threads: 2 });
  const nx = paging === 'pae';
  const guest = { paging, nx, pages: 512, vcpus, pgdirs: 4, defects: [], discipline };
  const config = { hostCpus: cpus, switcherAddr: toGva(0xffc0_0000), frames: 2048, seed: 1 };
  const { shared, host } = makeMachine(layOut({ ...config, guests: [guest] }), Vma.CopyOnWrite);
  launch(host.guests[0]!);
  return new Board(
    shared,
    host,
    (processor, lg) => new GuestSoftware(processor, guestMachine(lg, program), lg.counters),
    { policy: 'random', quantum: { least: 20, most: 200 }, hotplug: [] },
    { mostSteps: MOST_STEPS, ...run },
  );
}
