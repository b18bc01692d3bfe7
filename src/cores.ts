/**
 * The affinity of threads. Threads of which one runs at a time are faster on a single core: waking
 * a thread on another core takes an interrupt there, and three times as long. And comparisons must
 * run on the same core. Node cannot set the affinity on Linux; `taskset`, of util-linux, can for
 * any thread.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * The cores that the calling thread may be on, as Linux lists them: `0-2,5`. Undefined elsewhere.
 */
export function allowedCores(): string | undefined {
  try {
    const status = readFileSync('/proc/thread-self/status', 'utf8');
    return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * From now on the calling thread, and the threads and processes that it starts, run on one of its
 * cores only: see pickCore. Where that cannot be, on any as before. Returns what ends it for the
 * calling thread.
 */
export function stayOnOne(number: number): () => void {
  const before = allowedCores();
  if (before === undefined) return () => {};
  stayOn(pickCore(before, number));
  return () => void stayOn(before);
}

/** One of the listed cores, round robin by number. */
export function pickCore(list: string, number: number): string {
  const cores = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
  });
  return String(cores[number % cores.length]!);
}

/** Run on `cores` only, a list as above. False where there is no `taskset`, or it may not. */
export function stayOn(cores: string): boolean {
  try {
    const thread = basename(readlinkSync('/proc/thread-self'));
    execFileSync('taskset', ['-p', '-c', cores, thread], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
