/** What the suite prints: the machine, then a line for each result. */

import { arch, availableParallelism, cpus, loadavg, platform } from 'node:os';
import type { Result } from './pair.ts';
import type { Summary } from './statistics.ts';

export interface MachineDescription {
  readonly cpu: string;
  /** Those that this process may use. */
  readonly cores: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
}

export const describeMachine = (): MachineDescription => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  platform: `${platform()} ${arch()}`,
  node: process.version,
  v8: process.versions.v8,
});

/** Over one minute: how many wanted to run. */
export const loadAverage = (): number => loadavg()[0]!;

const WIDTHS = { name: 56, unit: 16, value: 22, baseline: 10 };

/** The machine, and what the columns are. */
export const heading = (machine: MachineDescription, load: number): string =>
  `${machine.cpu} · ${machine.cores} cores · ${machine.platform} · Node ${machine.node} · ` +
  `load ${load.toFixed(2)}\n` +
  'Medians; in brackets where they lie with 95 %. Ratios are of batches taken in turns.\n\n' +
  'line'.padEnd(WIDTHS.name) +
  'unit'.padEnd(WIDTHS.unit) +
  'measured'.padEnd(WIDTHS.value) +
  'baseline'.padEnd(WIDTHS.baseline) +
  'ratio';

export function formatResult(result: Result): string {
  const { name, unit, value, baseline, ratio, native_ratio: native } = result;
  const inMillions = unit === 'accesses/s' || unit === 'operations/s';
  const scaled = inMillions ? millions : few;
  return (
    name.padEnd(WIDTHS.name) +
    (inMillions ? `M ${unit}` : unit).padEnd(WIDTHS.unit) +
    interval(value, scaled).padEnd(WIDTHS.value) +
    scaled(baseline.median).padEnd(WIDTHS.baseline) +
    `${interval(ratio, few)} to ${result.baseline_name}` +
    (native === undefined ? '' : `; ${interval(native, few)} to C`)
  );
}

const interval = ({ median, low, high }: Summary, text: (n: number) => string): string =>
  `${text(median)} [${text(low)}, ${text(high)}]`;

/** Three figures, or all before the point. */
const few = (n: number): string => (n < 100 ? n.toPrecision(3) : n.toFixed(0));
const millions = (perSecond: number): string => (perSecond / 1e6).toPrecision(3);
