/** A worker that boots and runs a machine, whose host CPUs are workers of it, and tells of it. */

import { expose } from 'comlink';
import { config } from 'zod';
import { type Ended, type Moment, runMachine, type Wanted } from './running.ts';

// The page's policy lets nobody make code of texts.
config({ jitless: true });

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
