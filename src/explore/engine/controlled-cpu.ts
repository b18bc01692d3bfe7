/** A host CPU whose every access of shared memory the turn knows of. */

import type { Events } from '../../../shared/events.ts';
import type { SharedMachine } from '../../../shared/host.ts';
import { joinMachine } from '../../assembly.ts';
import { HostCpuLoop } from '../../host/host-cpu-loop.ts';
import { GuestRunner, type SoftwareFor } from '../../host/run-guest.ts';
import { Scheduler, type Scheduling } from '../../host/scheduler.ts';
import { LEAVE, type Task } from './task.ts';
import { TurnWords } from './turn-words.ts';

export class ControlledCpu {
  readonly task: Task;
  /** What it records, each time that its piece is done again once more. */
  readonly events: Events;
  readonly #loop: HostCpuLoop;

  constructor(shared: SharedMachine, task: Task, softwareFor: SoftwareFor, scheduling: Scheduling) {
    this.task = task;
    const view = joinMachine(shared, task.index, (memory, at) => new TurnWords(memory, at, task));
    this.events = view.events;
    const { asides } = task;
    view.prandomU32 = () => (asides.isAgain ? asides.again() >>> 0 : asides.keep(task.turn.draw()));
    const scheduler = new Scheduler(view, scheduling);
    const cpu = view.cpus[task.index]!;
    const runner = new GuestRunner(
      view,
      cpu,
      softwareFor,
      (lg) => scheduler.unparkSiblings(lg),
      // A piece of work is one operation of the guest's.
      1,
    );
    this.#loop = new HostCpuLoop(view, cpu, runner, scheduler);
  }

  /** From the beginning of its piece of work until it has nothing to do any more, or leaves one. */
  goOn(): void {
    const { task } = this;
    task.rewind();
    try {
      while (this.#loop.step()) {
        task.commit();
        task.turn.pieceDone();
      }
      // In an abridged run what waits in its buffer still comes to memory at any time.
      if (!task.turn.abridged || task.turn.hasEnded) task.turn.flush(task);
      task.finished = true;
    } catch (error) {
      if (error === LEAVE) return;
      task.turn.failed(task, error);
    }
  }
}
