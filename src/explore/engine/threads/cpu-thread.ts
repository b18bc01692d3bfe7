/** A host CPU under control in a thread of its own. */

import { MAIN_THREAD } from '../../../../shared/host.ts';
import { Words } from '../../../../shared/words.ts';
import { joinMachine } from '../../../assembly.ts';
import { toPtr } from '../../../hardware/address.ts';
import { STRATEGIES } from '../../strategies/catalogue.ts';
import { Recorded } from '../../strategies/recorded.ts';
import type { Strategy } from '../../strategies/strategy.ts';
import { ControlState } from '../control-state.ts';
import { ControlledCpu } from '../controlled-cpu.ts';
import { type End, endOf } from '../run.ts';
import { Task } from '../task.ts';
import { Trace } from '../trace.ts';
import type { Chosen, CpuThreadApi, CpuThreadBoot, LoadFrom } from './cpu-thread-api.ts';
import { OVER, ThreadController } from './thread-controller.ts';

export class CpuThread<Told> implements CpuThreadApi<Told> {
  readonly #loadFrom: LoadFrom<Told>;
  #cpu: ControlledCpu | undefined;
  #controller: ThreadController | undefined;
  #mostSteps = 0;

  constructor(loadFrom: LoadFrom<Told>) {
    this.#loadFrom = loadFrom;
  }

  boot(boot: CpuThreadBoot<Told>): void {
    const { shared, index, told, state, mostSteps, mode, coreEach } = boot;
    const host = joinMachine(shared, MAIN_THREAD);
    const words = new Words(state, toPtr(0));
    const trace = new Trace(boot.versions, host.words.plain.length);
    const control = new ControlState(words.plain, host.cpus.length, mostSteps, trace);
    const controller = new ThreadController(control, words, coreEach, host, mode, boot.touched);
    for (const { index: number } of host.cpus)
      controller.tasks.push(new Task(controller, number, host));
    const { software, scheduling } = this.#loadFrom(told, mode);
    this.#cpu = new ControlledCpu(shared, controller.tasks[index]!, software, scheduling);
    this.#controller = controller;
    this.#mostSteps = mostSteps;
  }

  /** This thread's view; each thread makes its own over the same state. */
  get controller(): ThreadController {
    return this.#controller!;
  }

  play(chosen: Chosen): End | undefined {
    const { controller } = this;
    const strategy = strategyOf(chosen);
    controller.sleep(this.#cpu!.task.index);
    while (controller.state.run !== 0) {
      const end = this.takePart(strategy);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  /** One run, until control comes here for another one. Returns the error that ended it. */
  takePart(strategy: Strategy): End | undefined {
    const { controller } = this;
    const cpu = this.#cpu!;
    const { task } = cpu;
    try {
      task.begin();
      controller.join(strategy, controller.state.seed, this.#mostSteps);
      controller.receive();
      while (!task.finished) cpu.goOn();
      const { oops } = controller;
      if (oops !== undefined) controller.state.failed = task.index;
      if (controller.isOver) controller.end();
      else controller.give(controller.decide());
      controller.sleep(task.index);
      return oops && endOf(oops);
    } catch (error) {
      if (error === OVER) return undefined;
      controller.state.failed = task.index;
      controller.end();
      return endOf(error);
    }
  }
}

export const strategyOf = (chosen: Chosen): Strategy =>
  typeof chosen === 'string' ? STRATEGIES[chosen]!() : new Recorded(chosen);
