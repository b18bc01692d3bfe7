/**
 * How the events of a file are to be read: what trace-cmd.dat.v6(5) says stands in front, and
 * perf.data has as its section of tracing data. All numbers are little-endian.
 */

import { KERNEL_EVENT_KINDS } from './events.ts';
import { type TracedVcpu, taskOf } from './tell.ts';

/** Of the ring buffer, and what a file is laid out by. */
export const PAGE_BYTES = 4096;
/** In front of a page's events: the time, and how many bytes of it are used. */
export const PAGE_HEADER_BYTES = 16;

const HEADER_PAGE =
  '\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n' +
  '\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n' +
  '\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n' +
  '\tfield: char ' +
  `data;\toffset:${PAGE_HEADER_BYTES};\tsize:${PAGE_BYTES - PAGE_HEADER_BYTES};\tsigned:1;\n`;

const HEADER_EVENT =
  '# compressed entry header\n' +
  '\ttype_len    :    5 bits\n' +
  '\ttime_delta  :   27 bits\n' +
  '\tarray       :   32 bits\n\n' +
  '\tpadding     : type == 29\n' +
  '\ttime_extend : type == 30\n' +
  '\ttime_stamp : type == 31\n' +
  '\tdata max type_len  == 28\n';

export function u32(n: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
}

export function u64(n: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
}

/** `version`: of trace-cmd's file, or as perf counts them. */
export function tracingData(version: '6' | '0.6', vcpus: readonly TracedVcpu[]): Uint8Array {
  const kinds = Object.values(KERNEL_EVENT_KINDS);
  const systems = Map.groupBy(kinds, ({ system }) => system);
  const names = vcpus.map(taskOf).map(({ pid, comm }) => `${pid} ${comm}\n`);
  const nothing = u32(0);
  return Buffer.concat([
    Buffer.from(`\x17\x08Dtracing${version}\0\0\x08`, 'latin1'),
    u32(PAGE_BYTES),
    ...[Buffer.from('header_page\0'), ...sized(HEADER_PAGE)],
    ...[Buffer.from('header_event\0'), ...sized(HEADER_EVENT)],
    // Events of ftrace's own tracers, of which there are none.
    nothing,
    u32(systems.size),
    ...[...systems].flatMap(([system, events]) => [
      Buffer.from(`${system}\0`),
      u32(events.length),
      ...events.flatMap(({ format }) => sized(format)),
    ]),
    // Addresses of functions, and formats of trace_printk.
    nothing,
    nothing,
    ...sized(names.join('')),
  ]);
}

const sized = (text: string): Uint8Array[] => [u64(Buffer.byteLength(text)), Buffer.from(text)];
