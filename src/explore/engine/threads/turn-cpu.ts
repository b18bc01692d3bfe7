/** A host CPU under control in a thread of its own. */

import { toPtr } from '../../../../shared/address.ts';
import { Host, MAIN_THREAD } from '../../../../shared/host.ts';
import { Words } from '../../../../shared/words.ts';
import { keep } from '../../litmus/kept.ts';
import { readLitmus } from '../../litmus/litmus.ts';
import { LITMUS_SCHEDULING } from '../../litmus/scheduling.ts';
import { litmusSoftware } from '../../litmus/software.ts';
import { STRATEGIES } from '../../strategies/catalogue.ts';
import { Recorded } from '../../strategies/recorded.ts';
import type { Strategy } from '../../strategies/strategy.ts';
import { ControlledCpu } from '../controlled-cpu.ts';
import { type End, endOf, endOfGuests } from '../run.ts';
import { Task } from '../task.ts';
import { TurnState } from '../turn-state.ts';
import { OVER, ThreadTurn } from './thread-turn.ts';
import type { Chosen, TurnCpuApi, TurnCpuBoot } from './turn-cpu-api.ts';

export class TurnCpu implements TurnCpuApi {
  #boot: TurnCpuBoot | undefined;
  #host: Host | undefined;
  #turn: ThreadTurn | undefined;
  #cpu: ControlledCpu | undefined;

  boot(boot: TurnCpuBoot): void {
    const { shared, index, path, kept } = boot;
    this.#boot = boot;
    this.#host = new Host(shared, MAIN_THREAD);
    this.#turn = makeThreadTurn(this.#host, boot);
    const litmus = readLitmus(path);
    const software = litmusSoftware(kept === undefined ? litmus : keep(litmus, kept));
    const task = this.#turn.tasks[index]!;
    this.#cpu = new ControlledCpu(shared, task, software, LITMUS_SCHEDULING);
  }

  run(chosen: Chosen, seed: number): End | undefined {
    const turn = this.#turn!;
    const { task } = this.#cpu!;
    task.keepAll();
    turn.join(strategyOf(chosen), seed, this.#boot!.mostSteps);
    try {
      turn.take(task.index);
      while (!task.finished) this.#cpu!.goOn();
      if (!turn.isOver) {
        turn.give(turn.decide());
        return undefined;
      }
      turn.end();
      return endOfGuests(this.#host!);
    } catch (error) {
      if (error === OVER) return undefined;
      turn.end();
      return endOf(error);
    }
  }
}

/** The turn as one thread sees it; all of them make their own over the same state. */
export function makeThreadTurn(
  host: Host,
  { state, mostSteps, memory, touched }: Omit<TurnCpuBoot, 'shared' | 'index' | 'path' | 'kept'>,
): ThreadTurn {
  const cpus = host.cpus.length;
  const words = new Words(state, toPtr(0));
  const turn = new ThreadTurn(
    new TurnState(words.plain, cpus, mostSteps),
    words,
    host,
    memory,
    touched,
  );
  for (const { index } of host.cpus) {
    turn.tasks.push(new Task(turn, index, host));
  }
  return turn;
}

export const strategyOf = (chosen: Chosen): Strategy =>
  typeof chosen === 'string' ? STRATEGIES[chosen]!() : new Recorded(chosen);
