/** A trace on disk: whole, or not at all. */

import { closeSync, openSync, writeSync } from 'node:fs';
import { PbfWriter } from 'pbf';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { wholeFile } from '../files.ts';
import { perfData } from './kernel/perf-data.ts';
import { type Told, type TracedVcpu, told } from './kernel/tell.ts';
import { ftraceLines } from './kernel/text.ts';
import { traceDat } from './kernel/trace-dat.ts';
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

/** Formats of traces by file name extension, and their viewers; any other is Perfetto's. */
const FORMS = [
  { ends: '.txt', opens: 'text of ftrace', parts: ftraceParts },
  { ends: '.dat', opens: 'trace-cmd report and KernelShark open it', parts: traceDatParts },
  { ends: '.data', opens: 'perf opens it', parts: perfDataParts },
  { ends: '', opens: 'ui.perfetto.dev opens it', parts: perfettoParts },
] as const;

const formOf = (path: string) => FORMS.find(({ ends }) => path.endsWith(ends))!;

/** The viewer for a trace of this name. */
export const opensTrace = (path: string): string => formOf(path).opens;

/**
 * Bytes, and where they are in the file; behind the last, as a pipe has it, if that is not said.
 */
interface Part {
  readonly at?: number;
  readonly bytes: Uint8Array;
}

/** The same in fewer parts. */
function* chunksOf(parts: Iterable<Part>): Generator<{ at: number | null; bytes: Uint8Array }> {
  let pending: Uint8Array[] = [];
  let from: number | null = null;
  let length = 0;
  for (const { at, bytes } of parts) {
    const isNext = at === undefined || at === (from ?? 0) + length;
    if (!isNext || length >= CHUNK) {
      yield { at: from, bytes: Buffer.concat(pending) };
      pending = [];
      length = 0;
    }
    if (pending.length === 0) from = at ?? null;
    pending.push(bytes);
    length += bytes.length;
  }
  yield { at: from, bytes: Buffer.concat(pending) };
}

/**
 * Write what was recorded to a file, which is replaced if it is there. Throws what the file system
 * says.
 */
export function writeTrace(path: string, traced: Traced): void {
  const whole = wholeFile(path);
  const file = openSync(whole.path, 'w');
  try {
    for (const { at, bytes } of chunksOf(formOf(path).parts(traced)))
      writeSync(file, bytes, 0, bytes.length, at);
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

function* perfettoParts(traced: Traced): Generator<Part> {
  const { host, guests, recorder, wants } = traced;
  const vcpus = vcpusOf(traced);
  yield { bytes: describeTracks(host.cpus.length, vcpus, guests) };
  const timeline = new Timeline(host.cpus.length, vcpus, wants);
  let pbf = new PbfWriter();
  for (const item of timeline.items(recorder.events())) {
    writeItem(item, pbf);
    if (pbf.pos < CHUNK) continue;
    yield { bytes: pbf.finish() };
    pbf = new PbfWriter();
  }
  yield { bytes: pbf.finish() };
}

function* ftraceParts(traced: Traced): Generator<Part> {
  const { events, vcpus } = kernelEvents(traced);
  for (const line of ftraceLines(events(), vcpus)) yield { bytes: Buffer.from(`${line}\n`) };
}

function traceDatParts(traced: Traced): Generator<Part> {
  const { events, vcpus } = kernelEvents(traced);
  return traceDat(events, traced.host.cpus.length, vcpus);
}

function perfDataParts(traced: Traced): Generator<Part> {
  const { events, vcpus } = kernelEvents(traced);
  return perfData(events(), traced.host.cpus.length, vcpus);
}

/** The run in events of the kernel's own, as often as one asks. */
function kernelEvents(traced: Traced) {
  const { host, recorder, wants } = traced;
  const vcpus = vcpusOf(traced).map(
    ({ lg, ...vcpu }): TracedVcpu => ({
      ...vcpu,
      virtualization: lg.isShadow ? 'shadow' : lg.isNested ? 'nested' : 'direct',
    }),
  );
  const events = (): Generator<Told> => told(recorder.events(), host.cpus.length, vcpus, wants);
  return { events, vcpus };
}
