/** Two host CPUs in one thread. */

import type { HostCpuView } from './scripted.ts';

/**
 * Whether `body`, on a host CPU, comes to where it waits for another: it is left there, since the
 * other goes on in this same thread, and has to be done again from its beginning.
 */
export function hasToWait({ host: { words } }: HostCpuView, body: () => void): boolean {
  const waiting = new Error('it waits');
  words.wait = () => {
    throw waiting;
  };
  try {
    body();
    return false;
  } catch (error) {
    if (error === waiting) return true;
    throw error;
  } finally {
    Reflect.deleteProperty(words, 'wait');
  }
}
