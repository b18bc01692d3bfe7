/**
 * Retries while the connection to the database is lost, so that finished work is not lost with it.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { isPassing } from './database.ts';

const FIRST_MS = 100;
const MOST_MS = 3000;

export interface Patience {
  /** Ends it: what comes then is thrown. */
  readonly signal: AbortSignal;
  /** Told when the way is lost, and `undefined` when it is there again; once each. */
  readonly told: (lost: Error | undefined) => void;
}

/** Throws errors other than of the connection, and any error once the signal is given. */
export async function again<T>(work: () => Promise<T>, { signal, told }: Patience): Promise<T> {
  for (let wait = FIRST_MS, isLost = false; ; wait = Math.min(2 * wait, MOST_MS)) {
    try {
      const result = await work();
      if (isLost) told(undefined);
      return result;
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error;
      if (!isLost) told(error as Error);
      isLost = true;
      await delay(wait, undefined, { signal }).catch(() => {});
    }
  }
}
