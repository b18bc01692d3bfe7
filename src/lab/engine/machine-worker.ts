/** A worker that boots and runs a machine, whose host CPUs are workers of it, and tells of it. */

import '../no-eval.ts';
import { expose } from 'comlink';
import { type Ended, type Moment, runMachine, type Wanted } from './running.ts';

export class MachineRoom {
  #stopped = false;

  run(wanted: Wanted, told: (moment: Moment) => void): Promise<Ended> {
    this.#stopped = false;
    return runMachine(wanted, (moment) => {
      told(moment);
      return !this.#stopped;
    });
  }

  stop(): void {
    this.#stopped = true;
  }
}

expose(new MachineRoom());
