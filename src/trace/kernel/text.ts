/** Events of the kernel's own as text of ftrace, a line at a time and without its end. */

import { KERNEL_EVENT_KINDS } from './events.ts';
import { type Told, type TracedVcpu, taskOf } from './tell.ts';

const HEADER = [
  '# tracer: nop',
  '#',
  '#                                _-----=> irqs-off/BH-disabled',
  '#                               / _----=> need-resched',
  '#                              | / _---=> hardirq/softirq',
  '#                              || / _--=> preempt-depth',
  '#                              ||| / _-=> migrate-disable',
  '#                              |||| /     delay',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
];

export function* ftraceLines(
  events: Iterable<Told>,
  vcpus: readonly TracedVcpu[],
): Generator<string> {
  yield* HEADER;
  for (const vcpu of vcpus) {
    const { comm, pid } = taskOf(vcpu);
    yield `# ${comm}-${pid}: ${vcpu.name}`;
  }
  for (const event of events) yield lineOf(event);
}

function lineOf(event: Told): string {
  const { hostCpu, at } = event;
  if ('lost' in event) return `CPU:${hostCpu} [LOST ${event.lost} EVENTS]`;
  const { by, name, values } = event;
  const task = `${by.comm.padStart(16)}-${String(by.pid).padEnd(7)}`;
  const seconds = String(Math.floor(at / 1e9)).padStart(5);
  const fraction = String(Math.floor(at % 1e9)).padStart(9, '0');
  const words = KERNEL_EVENT_KINDS[name].words(values);
  const cpu = String(hostCpu).padStart(3, '0');
  return `${task} [${cpu}] ..... ${seconds}.${fraction}: ${name}: ${words}`.trimEnd();
}
