/** A trace file, read by a decoder that is independent of the writer. */

import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

export interface DecodedEvent {
  readonly at: number;
  readonly type: 'TYPE_SLICE_BEGIN' | 'TYPE_SLICE_END' | 'TYPE_INSTANT' | 'TYPE_COUNTER';
  /** Name of the track, after that of its process. */
  readonly track: string;
  readonly name?: string;
  readonly category?: string;
  readonly value?: number;
  readonly flows: readonly number[];
  readonly ends: readonly number[];
  readonly notes: Readonly<Record<string, unknown>>;
}

interface Packet {
  readonly timestamp?: number;
  readonly track_event?: {
    readonly type: DecodedEvent['type'];
    readonly track_uuid: number;
    readonly name?: string;
    readonly categories?: readonly string[];
    readonly counter_value?: number;
    readonly flow_ids?: readonly number[];
    readonly terminating_flow_ids?: readonly number[];
    readonly debug_annotations?: readonly {
      readonly name: string;
      readonly int_value?: number;
      readonly string_value?: string;
    }[];
  };
  readonly track_descriptor?: {
    readonly uuid: number;
    readonly name?: string;
    readonly process?: { readonly pid: number; readonly process_name: string };
    readonly thread?: { readonly pid: number; readonly thread_name: string };
  };
}

/** Its events in the order of their times, equal times in the order of the file, as in a viewer. */
export function decodeTrace(path: string): { tracks: string[]; events: DecodedEvent[] } {
  const root = new protobuf.Root().loadSync('test/trace/perfetto.proto', { keepCase: true });
  root.resolveAll();
  const type = root.lookupType('Trace');
  const { packet } = type.toObject(type.decode(readFileSync(path)), {
    longs: Number,
    enums: String,
  }) as { packet: Packet[] };
  const processes = new Map<number, string>();
  const tracks = new Map<number, string>();
  for (const { track_descriptor: track } of packet) {
    if (track === undefined) continue;
    if (track.process) processes.set(track.process.pid, track.process.process_name);
    const { thread } = track;
    const name = thread ? `${processes.get(thread.pid)}: ${thread.thread_name}` : track.name;
    tracks.set(track.uuid, name ?? track.process!.process_name);
  }
  const events = packet.flatMap(({ timestamp, track_event: event }): DecodedEvent[] => {
    if (event === undefined) return [];
    const notes = (event.debug_annotations ?? []).map(
      ({ name, int_value, string_value }) => [name, int_value ?? string_value] as const,
    );
    return [
      {
        at: timestamp!,
        type: event.type,
        track: tracks.get(event.track_uuid)!,
        ...(event.name !== undefined && { name: event.name }),
        ...(event.categories && { category: event.categories[0]! }),
        ...(event.counter_value !== undefined && { value: event.counter_value }),
        flows: event.flow_ids ?? [],
        ends: event.terminating_flow_ids ?? [],
        notes: Object.fromEntries(notes),
      },
    ];
  });
  return { tracks: [...tracks.values()], events: events.toSorted((a, b) => a.at - b.at) };
}
