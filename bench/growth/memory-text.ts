/** Memory use, for people. */

import { grouped, significant } from '../../src/numbers.ts';
import type { MemoryResult } from '../../src/report/benchmark.ts';

/** `a guest of 32 MiB: 33.0 MiB`, and the largest machines. */
export function formatMemory({ each, largest }: MemoryResult): string {
  return [
    ...each.map((one) => `  ${eachText(one)}\n`),
    ...largest.map((one) => `  ${largestText(one)}\n`),
  ].join('');
}

export function eachText({ what, shared, resident }: MemoryResult['each'][number]): string {
  const parts = [
    ...(shared > 0 ? [`${bytes(shared)} of shared memory`] : []),
    ...(resident > 0 ? [`${bytes(resident)} beside it`] : []),
  ];
  return `${what}: ${parts.join(' and ')}`;
}

export function largestText(one: MemoryResult['largest'][number]): string {
  const cpus = `${one.host_cpus} host CPU${one.host_cpus === 1 ? '' : 's'}`;
  const guests = one.guests === 1 ? 'a guest' : `${one.guests} guests`;
  const booted =
    one.booted === undefined ? '' : `; booted, and all of it written: ${bytes(one.booted)}`;
  return (
    `in ${bytes(one.budget)}: ${cpus} and ${guests} of ${one.guest_mib} MiB, ` +
    `${bytes(one.bytes)}, bound by ${one.bound_by}${booted}`
  );
}

/** Three figures and a binary unit; below a MiB all bytes. */
function bytes(n: number): string {
  if (n < 2 ** 20) return `${grouped(Math.round(n))} bytes`;
  const [size, unit] = n < 2 ** 30 ? [2 ** 20, 'MiB'] : [2 ** 30, 'GiB'];
  return `${significant(n / size)} ${unit}`;
}
