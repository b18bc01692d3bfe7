/** An ordinary guest on a board, for tests of the engine. */

import type { DisciplineName } from '../../shared/discipline.ts';
import { assemble } from '../../src/assembly.ts';
import { Board } from '../../src/explore/engine/board.ts';
import type { MemoryModel } from '../../src/explore/engine/run-mode.ts';
import { softwareOf } from '../../src/guest/software.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import type { PagingName } from '../../src/hardware/entry.ts';
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

/** A process and its fork write pages that they share. */
export function guestBoard({ paging, discipline, cpus = 2, vcpus = 2, ...run }: BoardSpec): Board {
  const program = makeWorkload({ name: 'cow-storm', seed: 1, size: 1, threads: 2 });
  const { shared, host } = assemble({
    hostCpus: cpus,
    frames: 2048,
    seed: 1,
    discipline,
    defects: [],
    guests: [{ paging, pages: 512, vcpus }],
  });
  launch(host.guests[0]!);
  return new Board(
    shared,
    host,
    softwareOf([program]),
    { policy: 'random', quantum: { least: 20, most: 200 }, hotplug: [] },
    { mostSteps: MOST_STEPS, ...run },
  );
}
