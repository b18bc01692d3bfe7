/** Two host CPUs in one thread. */

import type { HostCpuView } from './scripted.ts';

/**
 * Whether `body`, on a host CPU, reaches a wait for another CPU: it is aborted there, since the
 * other runs in this same thread, and must be repeated from its beginning.
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
