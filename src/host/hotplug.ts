/**
 * Host CPUs that go offline during a run and come back. When is a pure function of the number of
 * time slices that the machine has begun, so no clock is read.
 *
 * See docs/decisions/hotplug-by-count.md.
 */

import { UserError } from '../errors.ts';

/** One absence of a host CPU, in time slices of the whole machine. */
export interface Hotplug {
  readonly cpu: number;
  /** It goes offline once this many time slices have begun. */
  readonly after: number;
  /** It comes back when this many more have; by default never. */
  readonly for?: number | undefined;
}

const endOf = ({ after, for: slices = Number.POSITIVE_INFINITY }: Hotplug): number =>
  after + slices;

/** Whether a CPU may not run time slice `slice`. */
export const isOffline = (hotplug: readonly Hotplug[], cpu: number, slice: number): boolean =>
  hotplug.some((one) => one.cpu === cpu && one.after <= slice && slice < endOf(one));

/** Whether anything changes when time slice `slice` is the next one. */
export const changesAt = (hotplug: readonly Hotplug[], slice: number): boolean =>
  hotplug.some((one) => one.after === slice || endOf(one) === slice);

/** The mistake in each absence, in words; at least one CPU must always be online. */
export function hotplugMistakes(
  hotplug: readonly Hotplug[],
  hostCpus: number,
): { readonly index: number; readonly what: string }[] {
  return hotplug.flatMap(({ cpu, after }, index) => {
    if (cpu >= hostCpus) {
      const what = `there is no host CPU ${cpu} to take offline, they are 0 to ${hostCpus - 1}`;
      return [{ index, what }];
    }
    // The number of those that are offline only grows where one goes.
    for (let other = 0; other < hostCpus; other++) {
      if (!isOffline(hotplug, other, after)) return [];
    }
    return [{ index, what: `no host CPU is left online once ${after} time slices have begun` }];
  });
}

/** Throws UserError for the first mistake. */
export function checkHotplug(hotplug: readonly Hotplug[], hostCpus: number): void {
  const [mistake] = hotplugMistakes(hotplug, hostCpus);
  if (mistake !== undefined) throw new UserError(`hotplug: ${mistake.what}`);
}
