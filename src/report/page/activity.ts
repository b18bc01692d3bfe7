/** The activity of the host CPUs in a report: time in guests, faults, waits and migrations. */

import { EventKind } from '../../../shared/events.ts';
import type { TracedEvent } from '../../trace/recorder.ts';

/** Nanoseconds since boot, both. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly hostCpu: number;
  /** Machine-wide number; −1 for none. */
  readonly vcpu: number;
}

export interface Fault extends Stretch {
  readonly address: number;
  /** It was the guest's own. */
  readonly passedOn: boolean;
}

/** From where and when a vCPU was last in its guest to where and when it went on. */
export interface Migration extends Stretch {
  readonly cameFrom: number;
}

export interface Activity {
  /** Of the first event and the last. */
  readonly from: number;
  readonly to: number;
  /** In a guest. */
  readonly runs: readonly Stretch[];
  readonly faults: readonly Fault[];
  /** Until another CPU had come out of the guest. */
  readonly waits: readonly Stretch[];
  readonly migrations: readonly Migration[];
  readonly lost: number;
}

/** `events`: in the order of their times. */
export function activityOf(events: readonly TracedEvent[], hostCpus: number): Activity {
  const [runs, faults, waits] = [[] as Stretch[], [] as Fault[], [] as Stretch[]];
  const migrations: Migration[] = [];
  const cpus = Array.from({ length: hostCpus }, (): Cpu => ({}));
  const left = new Map<number, number>();
  let lost = 0;
  const close = (hostCpu: number, to: number): void => {
    const { entered } = cpus[hostCpu]!;
    if (entered !== undefined) runs.push({ from: entered.at, to, hostCpu, vcpu: entered.vcpu });
  };
  for (const { hostCpu, at, kind, vcpu, a, lost: missing } of events) {
    if (missing > 0) {
      lost += missing;
      close(hostCpu, at);
      cpus[hostCpu] = {};
    }
    const cpu = cpus[hostCpu]!;
    switch (kind) {
      case EventKind.Entry:
        cpus[hostCpu] = { entered: { at, vcpu } };
        break;
      case EventKind.Exit:
        close(hostCpu, at);
        cpus[hostCpu] = { cameOutAt: at };
        left.set(vcpu, at);
        break;
      case EventKind.FaultFixed:
      case EventKind.FaultPassedOn: {
        const passedOn = kind === EventKind.FaultPassedOn;
        const from = cpu.cameOutAt;
        if (from !== undefined) faults.push({ from, to: at, hostCpu, vcpu, address: a, passedOn });
        break;
      }
      case EventKind.ShootdownSent:
        cpu.waitsSince = at;
        break;
      case EventKind.ShootdownDone:
        if (cpu.waitsSince !== undefined) {
          waits.push({ from: cpu.waitsSince, to: at, hostCpu, vcpu });
        }
        delete cpu.waitsSince;
        break;
      case EventKind.Migration:
        migrations.push({ from: left.get(vcpu) ?? at, to: at, hostCpu, vcpu, cameFrom: a });
    }
  }
  const to = events.at(-1)?.at ?? 0;
  for (const hostCpu of cpus.keys()) close(hostCpu, to);
  return { from: events[0]?.at ?? 0, to, runs, faults, waits, migrations, lost };
}

/** Activities in progress on a host CPU. */
interface Cpu {
  entered?: { readonly at: number; readonly vcpu: number };
  cameOutAt?: number;
  waitsSince?: number;
}
