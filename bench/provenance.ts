/** The origin of figures: the project, the machine, the runtime, and other load. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { allowedCores, stayOn } from '../src/cores.ts';
import type { Benchmark } from '../src/report/benchmark.ts';

const ROOT = new URL('..', import.meta.url);

export const describeMachine = (): Benchmark['machine'] => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  // Those that this process may use.
  cores: availableParallelism(),
  memory_bytes: totalmem(),
  platform: `${platform()} ${arch()}`,
  kernel: release(),
});

export function describeRuntime(): Benchmark['runtime'] {
  const compiler = said('cc', '--version')?.split('\n')[0];
  const { version: node, versions } = process;
  const cores = allowedCores();
  // It changes nothing, and says whether it could.
  const same_core = cores !== undefined && stayOn(cores);
  return { node, v8: versions.v8, ...(compiler !== undefined && { compiler }), same_core };
}

/** What a command says, if there is one and it succeeds. */
function said(command: string, ...given: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, given, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Measures the load of the cores from now on; call the result at the end. */
export function watchLoad(): () => Benchmark['load'] {
  const average_before = loadavg()[0]!;
  const before = ticks();
  const oursBefore = before && ownTicks();
  return () => {
    const load = { average_before, average_after: loadavg()[0]! };
    const after = ticks();
    if (before === undefined || after === undefined || oursBefore === undefined) return load;
    const all = after.all - before.all;
    const busy = after.busy - before.busy;
    return {
      ...load,
      others: Math.max(0, (busy - (ownTicks() - oursBefore)) / all),
      stolen: (after.stolen - before.stolen) / all,
    };
  };
}

/** Of this process, all its threads, and the processes that it started and that have ended. */
function ownTicks(): number {
  const text = readFileSync('/proc/self/stat', 'utf8');
  // After the command, which stands in brackets and may have anything in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

/** Time of all cores together, by the first line of /proc/stat; undefined where there is none. */
function ticks(): { all: number; busy: number; stolen: number } | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/stat', 'utf8');
  } catch {
    return undefined;
  }
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, stolen = 0] = text
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + soft;
  return { all: busy + idle + wait + stolen, busy, stolen };
}
