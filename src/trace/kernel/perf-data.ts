/**
 * A file as perf record writes it of tracepoints (perf.data-file-format.txt and perf_event.h of the
 * kernel's tools). All numbers are little-endian.
 */

import { KERNEL_EVENT_KINDS, type KernelEventKind } from './events.ts';
import { type Told, type TracedVcpu, taskOf } from './tell.ts';
import { tracingData, u32, u64 } from './tracing-data.ts';

/** perf_event_attr as it was at first, which is all that a tracepoint needs. */
const ATTR_BYTES = 64;
/** And where its identifiers are. */
const SECTION_BYTES = 16;
const HEADER_BYTES = 104;

const TRACEPOINT = 2;

/** Fields of each sample: address, task, time, CPU, period, the raw event, its id. */
const SAMPLE_TYPE = 0x1 | 0x2 | 0x4 | 0x80 | 0x100 | 0x400 | 0x1_0000;
/** Records that are not samples end with task, time, CPU and id. */
const SAMPLE_ID_ALL = 1 << 18;

const RECORD = { lost: 2, comm: 3, sample: 9 } as const;
/** Sections behind the data, by their bits. */
const FEATURE = { tracingData: 1, hostCpus: 7, cpuid: 9 } as const;
/** By this perf kvm takes the exits to be VMX's. */
const CPUID = 'Exits as Intel has them\0';

type Event = Exclude<Told, { lost: number }>;

/** Parts of the file, each with its place: what stands in front is known last. */
export function* perfData(
  events: Iterable<Told>,
  hostCpus: number,
  vcpus: readonly TracedVcpu[],
): Generator<{ readonly at: number; readonly bytes: Uint8Array }> {
  const kinds = Object.values(KERNEL_EVENT_KINDS);
  const ids = HEADER_BYTES;
  const attrs = ids + 8 * kinds.length;
  const data = attrs + (ATTR_BYTES + SECTION_BYTES) * kinds.length;
  let end = data;
  const next = (bytes: Uint8Array) => {
    const at = end;
    end += bytes.length;
    return { at, bytes };
  };
  for (const task of vcpus.map(taskOf)) {
    const name = Buffer.alloc(16);
    name.write(task.comm);
    yield next(
      record(RECORD.comm, u32(task.tgid), u32(task.pid), name, sampleId(task, 0, 0, kinds[0]!)),
    );
  }
  for (const event of events) yield next('lost' in event ? lost(event, kinds[0]!) : sample(event));
  const behind = end;
  end += Object.keys(FEATURE).length * SECTION_BYTES;
  const tracing = next(tracingData('0.6', vcpus));
  const cpus = next(Buffer.concat([u32(hostCpus), u32(hostCpus)]));
  const cpuid = next(Buffer.concat([u32(CPUID.length), Buffer.from(CPUID)]));
  const features = [tracing, cpus, cpuid];
  const sections = features.flatMap(({ at, bytes }) => [u64(at), u64(bytes.length)]);
  yield { at: behind, bytes: Buffer.concat(sections) };
  yield* features;
  const bytes = Buffer.concat([
    Buffer.from('PERFILE2'),
    ...[u64(HEADER_BYTES), u64(ATTR_BYTES + SECTION_BYTES)],
    ...[u64(attrs), u64(data - attrs)],
    ...[u64(data), u64(behind - data)],
    ...[u64(0), u64(0)],
    ...[
      u64(Object.values(FEATURE).reduce((bits, bit) => bits | (1 << bit), 0)),
      u64(0),
      u64(0),
      u64(0),
    ],
    ...kinds.map(({ id }) => u64(id)),
    ...kinds.flatMap(({ id }, i) => [
      ...[u32(TRACEPOINT), u32(ATTR_BYTES), u64(id), u64(1), u64(SAMPLE_TYPE)],
      ...[u64(0), u64(SAMPLE_ID_ALL), u64(0), u64(0)],
      ...[u64(ids + 8 * i), u64(8)],
    ]),
  ]);
  yield { at: 0, bytes };
}

function sample({ hostCpu, at, by, name, values }: Event): Uint8Array {
  const kind = KERNEL_EVENT_KINDS[name];
  // With its length in front it fills whole 64-bit words.
  const raw = Buffer.alloc(Math.ceil((kind.size + 4) / 8) * 8);
  raw.writeUInt32LE(raw.length - 4);
  kind.encode(new DataView(raw.buffer, raw.byteOffset), 4, by.pid, values);
  return record(
    RECORD.sample,
    u64(kind.id),
    u64(0),
    ...[u32(by.tgid), u32(by.pid)],
    u64(at),
    ...[u32(hostCpu), u32(0)],
    u64(1),
    raw,
  );
}

function lost(
  { hostCpu, at, lost: many }: Exclude<Told, Event>,
  kind: KernelEventKind,
): Uint8Array {
  const nobody = { tgid: 0, pid: 0 };
  return record(RECORD.lost, u64(kind.id), u64(many), sampleId(nobody, at, hostCpu, kind));
}

function sampleId(
  { tgid, pid }: { readonly tgid: number; readonly pid: number },
  at: number,
  hostCpu: number,
  { id }: KernelEventKind,
): Uint8Array {
  return Buffer.concat([u32(tgid), u32(pid), u64(at), u32(hostCpu), u32(0), u64(id)]);
}

/** Kind, and its length in the upper half of the second word. */
function record(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(kind), u32(length * 2 ** 16), ...parts]);
}
