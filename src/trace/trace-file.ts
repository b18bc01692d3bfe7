/** A trace on disk: whole, or not at all. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { PbfWriter } from 'pbf';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { wholeFile } from '../whole-file.ts';
import { FtraceText } from './ftrace.ts';
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

/** Whether a file is to be text of ftrace, by its name; else it is Perfetto's. */
export const isFtrace = (path: string): boolean => path.endsWith('.txt');

/** Write what was recorded to a file, which is replaced if it is there. Throws what the file system says. */
export function writeTrace(path: string, traced: Traced): void {
  const whole = wholeFile(path);
  const file = openSync(whole.path, 'w');
  try {
    for (const part of (isFtrace(path) ? ftraceParts : perfettoParts)(traced))
      writeSync(file, part);
    closeSync(file);
    whole.keep();
  } catch (error) {
    whole.discard();
    throw error;
  }
}

function vcpusOf({ host, guests }: Traced): (Vcpu & { readonly lg: Lguest })[] {
  return host.vcpus.map(({ id, lg }) => ({
    id,
    lg,
    guest: lg.index,
    name: `${guests[lg.index]} vCPU ${id}`,
  }));
}

function* perfettoParts(traced: Traced): Generator<Uint8Array> {
  const { host, guests, recorder, wants } = traced;
  const vcpus = vcpusOf(traced);
  yield describeTracks(host.cpus.length, vcpus, guests);
  const timeline = new Timeline(host.cpus.length, vcpus, wants);
  let pbf = new PbfWriter();
  for (const item of timeline.items(recorder.events())) {
    writeItem(item, pbf);
    if (pbf.pos < CHUNK) continue;
    yield pbf.finish();
    pbf = new PbfWriter();
  }
  yield pbf.finish();
}

function* ftraceParts(traced: Traced): Generator<Uint8Array> {
  const { host, recorder, wants } = traced;
  const vcpus = vcpusOf(traced).map(({ lg, ...vcpu }) => ({
    ...vcpu,
    virtualization: lg.isShadow
      ? ('shadow' as const)
      : lg.isNested
        ? ('nested' as const)
        : ('direct' as const),
  }));
  const text = new FtraceText(host.cpus.length, vcpus, wants);
  let lines = '';
  for (const line of text.lines(recorder.events())) {
    lines += `${line}\n`;
    if (lines.length < CHUNK) continue;
    yield Buffer.from(lines);
    lines = '';
  }
  yield Buffer.from(lines);
}
