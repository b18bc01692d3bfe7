/**
 * The report of a failed machine of umbra stress: its configuration, the failure, and how to repeat
 * it.
 */

import type { Fixed, StressRun } from '../check/stress.ts';
import { ALL_DEFECTS, type DefectId } from '../defects.ts';
import { counted } from '../numbers.ts';
import { reportViolation, violationText } from './violation.ts';

/** The same machine again. */
export const stressCommandFor = (seed: number, fixed: Fixed): string =>
  ['umbra stress', '--seed', seed, '--runs 1']
    .concat(
      Object.entries({
        ...fixed,
        ...(fixed.defects && { defects: defectsText(fixed.defects) }),
      }).map(([key, value]) => `--${key} ${value}`),
    )
    .join(' ');

/** As --defects takes it. */
function defectsText(on: readonly DefectId[]): string {
  if (on.length === 0) return 'none';
  return on.length === ALL_DEFECTS.length ? 'all' : on.join(',');
}

export function stressFailure(
  { seed, spec, faults, run, machine }: StressRun,
  command: string,
): string {
  const guests = spec.guests
    .map((g) => `${g.name} (${g.virtualization}, ${g.paging}, ${counted(g.vcpus ?? 1, 'vCPU')})`)
    .join(', ');
  const most = 5;
  const defects = defectsText(spec.defects ?? []);
  return [
    `seed ${seed}: ${guests} on ${counted(spec.hostCpus, 'host CPU')}, ${spec.discipline}, defects ` +
      `${defects}, ${spec.policy}`,
    ...faults.slice(0, most).map((fault) => `  ${fault}`),
    ...(faults.length > most ? [`  and ${faults.length - most} more`] : []),
    ...run.broken
      .slice(0, 1)
      .flatMap((first) => ['', violationText(reportViolation(machine.host, first, run.events))]),
    `  the same machine again: ${command}`,
    '',
  ].join('\n');
}
