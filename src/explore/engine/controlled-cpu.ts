/** A host CPU whose every access of shared memory goes through the controller. */

import type { Events } from '../../../shared/events.ts';
import type { SharedMachine } from '../../../shared/host.ts';
import { joinMachine } from '../../assembly.ts';
import { HostCpuLoop } from '../../host/host-cpu-loop.ts';
import { GuestRunner, type SoftwareFor } from '../../host/run-guest.ts';
import { Scheduler, type Scheduling } from '../../host/scheduler.ts';
import { AbridgedWords } from './abridged-words.ts';
import { ControlledWords } from './controlled-words.ts';
import { LEAVE, type Task } from './task.ts';

export class ControlledCpu {
  readonly task: Task;
  /** The events that it records, again at each replay of a piece. */
  readonly events: Events;
  readonly #loop: HostCpuLoop;

  constructor(shared: SharedMachine, task: Task, softwareFor: SoftwareFor, scheduling: Scheduling) {
    this.task = task;
    const Leaf = task.controller.abridged ? AbridgedWords : ControlledWords;
    const view = joinMachine(shared, task.index, (memory, at) => new Leaf(memory, at, task));
    this.events = view.events;
    const { asides } = task;
    view.prandomU32 = () =>
      asides.isAgain ? asides.again() >>> 0 : asides.keep(task.controller.draw());
    const scheduler = new Scheduler(view, scheduling);
    const cpu = view.cpus[task.index]!;
    const runner = new GuestRunner(
      view,
      cpu,
      softwareFor,
      (lg) => {
        if (lg.hasWoken || !task.controller.abridged) scheduler.unparkSiblings(lg);
      },
      // A piece is one operation of the guest's.
      1,
    );
    this.#loop = new HostCpuLoop(view, cpu, runner, scheduler);
  }

  /** Run from the beginning of its piece until it has finished, or unwinds a piece. */
  goOn(): void {
    const { task } = this;
    task.rewind();
    try {
      while (this.#loop.step()) {
        task.commit();
        task.controller.pieceDone();
      }
      // In an abridged run its buffered stores still drain at any time.
      if (!task.controller.abridged) task.controller.flush(task);
      task.finished = true;
    } catch (error) {
      if (error === LEAVE) return;
      task.controller.failed(task, error);
    }
  }
}
