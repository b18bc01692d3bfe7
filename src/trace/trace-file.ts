/** A trace on disk: whole, or not at all. */

import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { PbfWriter } from 'pbf';
import type { Host } from '../../shared/host.ts';
import { describeTracks, writeItem } from './perfetto.ts';
import type { TraceRecorder } from './recorder.ts';
import { type Category, Timeline, type Vcpu } from './timeline.ts';

/** Bytes that are written at a time. */
const CHUNK = 1 << 20;

interface Traced {
  readonly host: Host;
  /** Their programs' names. */
  readonly guests: readonly string[];
  /** Stopped. */
  readonly recorder: TraceRecorder;
  readonly wants: (category: Category) => boolean;
}

/** Write what was recorded to a file, which is replaced if it is there. Throws what the file system says. */
export function writeTrace(path: string, { host, guests, recorder, wants }: Traced): void {
  const vcpus = host.vcpus.map(
    ({ id, lg }): Vcpu => ({ id, guest: lg.index, name: `${guests[lg.index]} vCPU ${id}` }),
  );
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w');
  try {
    writeSync(file, describeTracks(host.cpus.length, vcpus, guests));
    const timeline = new Timeline(host.cpus.length, vcpus, wants);
    let pbf = new PbfWriter();
    for (const item of timeline.items(recorder.events())) {
      writeItem(item, pbf);
      if (pbf.pos < CHUNK) continue;
      writeSync(file, pbf.finish());
      pbf = new PbfWriter();
    }
    writeSync(file, pbf.finish());
    closeSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
