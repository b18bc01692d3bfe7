/**
 * The timeline as a Perfetto trace: protobuf packets of TrackDescriptor and TrackEvent, which
 * ui.perfetto.dev and trace_processor open. Numbers are those of the fields in
 * protos/perfetto/trace of the Perfetto project.
 */

import { PbfWriter } from 'pbf';
import { COUNTERS, type Item, type Lane, type Vcpu } from './timeline.ts';

const Trace = { packet: 1 } as const;
const Packet = {
  timestamp: 8,
  sequenceId: 10,
  trackEvent: 11,
  sequenceFlags: 13,
  trackDescriptor: 60,
} as const;
const Track = { uuid: 1, name: 2, process: 3, thread: 4, parentUuid: 5, counter: 8 } as const;
const Process = { pid: 1, name: 6 } as const;
const Thread = { pid: 1, tid: 2, name: 5 } as const;
const Event = {
  debugAnnotations: 4,
  type: 9,
  trackUuid: 11,
  categories: 22,
  name: 23,
  counterValue: 30,
  flowIds: 47,
  terminatingFlowIds: 48,
} as const;
const Annotation = { intValue: 4, stringValue: 6, name: 10 } as const;
const TYPES = { begin: 1, end: 2, instant: 3, counter: 4 } as const;
const FIXED64 = 1;

/** All packets are of one sequence, whose state begins with the host's track. */
const SEQUENCE = 1;
const CLEARED = 1;

const HOST_PID = 1;
const guestPid = (guest: number): number => 100 + guest;

/** Track numbers; processes are tracks, too. */
const uuidOf = (lane: Lane): number => {
  if (lane.of === 'host CPU') return 1000 + lane.number;
  if (lane.of === 'vCPU') return 1_000_000 + lane.number;
  return 10 + COUNTERS.indexOf(lane.name);
};

/** The beginning of a trace: what lanes there are. */
export function describeTracks(
  hostCpus: number,
  vcpus: readonly Vcpu[],
  guests: readonly string[],
): Uint8Array {
  const pbf = new PbfWriter();
  const track = (uuid: number, body: Body): void =>
    message(pbf, Trace.packet, (packet) => {
      packet.writeVarintField(Packet.sequenceId, SEQUENCE);
      if (uuid === HOST_PID) packet.writeVarintField(Packet.sequenceFlags, CLEARED);
      message(packet, Packet.trackDescriptor, (descriptor) => {
        descriptor.writeVarintField(Track.uuid, uuid);
        body(descriptor);
      });
    });
  const process = (pid: number, name: string): void =>
    track(pid, (descriptor) =>
      message(descriptor, Track.process, (fields) => {
        fields.writeVarintField(Process.pid, pid);
        fields.writeStringField(Process.name, name);
      }),
    );
  const thread = (lane: Lane, pid: number, name: string): void =>
    track(uuidOf(lane), (descriptor) =>
      message(descriptor, Track.thread, (fields) => {
        fields.writeVarintField(Thread.pid, pid);
        fields.writeVarintField(Thread.tid, uuidOf(lane));
        fields.writeStringField(Thread.name, name);
      }),
    );
  process(HOST_PID, 'host');
  for (let number = 0; number < hostCpus; number++) {
    thread({ of: 'host CPU', number }, HOST_PID, `host CPU ${number}`);
  }
  for (const name of COUNTERS) {
    track(uuidOf({ of: 'counter', name }), (descriptor) => {
      descriptor.writeStringField(Track.name, name);
      descriptor.writeVarintField(Track.parentUuid, HOST_PID);
      message(descriptor, Track.counter, () => {});
    });
  }
  for (const [guest, name] of guests.entries()) process(guestPid(guest), `guest ${name}`);
  for (const [number, { guest, id }] of vcpus.entries()) {
    thread({ of: 'vCPU', number }, guestPid(guest), `vCPU ${id}`);
  }
  return pbf.finish();
}

type Body = (pbf: PbfWriter) => void;

const message = (pbf: PbfWriter, field: number, body: Body): void =>
  pbf.writeMessage(field, (write: Body, inner) => write(inner), body);

/** One item, as a packet behind others. */
export function writeItem(item: Item, pbf: PbfWriter): void {
  pbf.writeMessage(Trace.packet, writePacket, item);
}

function writePacket(item: Item, pbf: PbfWriter): void {
  pbf.writeVarintField(Packet.timestamp, Math.round(item.at));
  pbf.writeVarintField(Packet.sequenceId, SEQUENCE);
  pbf.writeMessage(Packet.trackEvent, writeEvent, item);
}

function writeEvent(item: Item, pbf: PbfWriter): void {
  const { lane, type, name, category, notes = {}, flow, ends, value } = item;
  for (const [key, note] of Object.entries(notes)) {
    pbf.writeMessage(Event.debugAnnotations, writeAnnotation, { key, note });
  }
  pbf.writeVarintField(Event.type, TYPES[type]);
  pbf.writeVarintField(Event.trackUuid, uuidOf(lane));
  if (type === 'counter') pbf.writeVarintField(Event.counterValue, value!);
  if (type === 'begin' || type === 'instant') {
    pbf.writeStringField(Event.categories, category!);
    pbf.writeStringField(Event.name, name!);
  }
  if (flow !== undefined) writeFixed64(Event.flowIds, flow, pbf);
  if (ends !== undefined) writeFixed64(Event.terminatingFlowIds, ends, pbf);
}

function writeAnnotation(
  { key, note }: { readonly key: string; readonly note: string | number },
  pbf: PbfWriter,
): void {
  if (typeof note === 'string') pbf.writeStringField(Annotation.stringValue, note);
  else pbf.writeVarintField(Annotation.intValue, note);
  pbf.writeStringField(Annotation.name, key);
}

function writeFixed64(field: number, value: number, pbf: PbfWriter): void {
  pbf.writeTag(field, FIXED64);
  pbf.writeFixed64(value);
}
