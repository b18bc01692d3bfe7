/** A host CPU under control in a thread of its own. */

import { MAIN_THREAD } from '../../../../shared/host.ts';
import { Words } from '../../../../shared/words.ts';
import { joinMachine } from '../../../assembly.ts';
import { toPtr } from '../../../hardware/address.ts';
import { STRATEGIES } from '../../strategies/catalogue.ts';
import { Recorded } from '../../strategies/recorded.ts';
import type { Strategy } from '../../strategies/strategy.ts';
import { ControlledCpu } from '../controlled-cpu.ts';
import { type End, endOf } from '../run.ts';
import { Task } from '../task.ts';
import { Trace } from '../trace.ts';
import { TurnState } from '../turn-state.ts';
import { OVER, ThreadTurn } from './thread-turn.ts';
import type { Chosen, LoadFrom, TurnCpuApi, TurnCpuBoot } from './turn-cpu-api.ts';

export class TurnCpu<Told> implements TurnCpuApi<Told> {
  readonly #loadFrom: LoadFrom<Told>;
  #cpu: ControlledCpu | undefined;
  #turn: ThreadTurn | undefined;
  #mostSteps = 0;

  constructor(loadFrom: LoadFrom<Told>) {
    this.#loadFrom = loadFrom;
  }

  boot(boot: TurnCpuBoot<Told>): void {
    const { shared, index, told, state, mostSteps, mode, coreEach } = boot;
    const host = joinMachine(shared, MAIN_THREAD);
    const words = new Words(state, toPtr(0));
    const trace = new Trace(boot.versions, host.words.plain.length);
    const turnState = new TurnState(words.plain, host.cpus.length, mostSteps, trace);
    const turn = new ThreadTurn(turnState, words, coreEach, host, mode, boot.touched);
    for (const { index: number } of host.cpus) turn.tasks.push(new Task(turn, number, host));
    const { software, scheduling } = this.#loadFrom(told, mode);
    this.#cpu = new ControlledCpu(shared, turn.tasks[index]!, software, scheduling);
    this.#turn = turn;
    this.#mostSteps = mostSteps;
  }

  /** As this thread sees it; all of them make their own over the same state. */
  get turn(): ThreadTurn {
    return this.#turn!;
  }

  play(chosen: Chosen): End | undefined {
    const { turn } = this;
    const strategy = strategyOf(chosen);
    turn.sleep(this.#cpu!.task.index);
    while (turn.state.run !== 0) {
      const end = this.takePart(strategy);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  /** From when the turn has come here for a run until it comes for another; what error ended it. */
  takePart(strategy: Strategy): End | undefined {
    const { turn } = this;
    const cpu = this.#cpu!;
    const { task } = cpu;
    try {
      task.begin();
      turn.join(strategy, turn.state.seed, this.#mostSteps);
      turn.receive();
      while (!task.finished) cpu.goOn();
      const { oops } = turn;
      if (oops !== undefined) turn.state.failed = task.index;
      if (turn.isOver) turn.end();
      else turn.give(turn.decide());
      turn.sleep(task.index);
      return oops && endOf(oops);
    } catch (error) {
      if (error === OVER) return undefined;
      turn.state.failed = task.index;
      turn.end();
      return endOf(error);
    }
  }
}

export const strategyOf = (chosen: Chosen): Strategy =>
  typeof chosen === 'string' ? STRATEGIES[chosen]!() : new Recorded(chosen);
