/**
 * What the engine asks of a browser: this stands in the place of src/platform.ts in what the lab's
 * page loads, with the same exports.
 */

import { originalPositionFor, sourceContentFor, TraceMap } from '@jridgewell/trace-mapping';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Endpoint } from 'comlink';
import { Inflate, deflateRaw as packed } from 'pako';
import type { Frame, Hash, OpenFile, Thread } from '../../platform.ts';

/** The one kind of thread that a machine begins. */
export function startThread(name: string, title: string): Thread {
  if (name !== 'host-cpu') throw new Error(`there is no worker ${name} in a browser`);
  const worker = new Worker(new URL('../../../workers/host-cpu.ts', import.meta.url), {
    type: 'module',
    name: title,
  });
  const ended = new Promise<string>((resolve) => {
    worker.addEventListener('error', ({ message }) => resolve(message));
  });
  return {
    endpoint: worker,
    ended,
    terminate: async () => worker.terminate(),
    ref: () => {},
    unref: () => {},
  };
}

export const threadEndpoint = (): Endpoint => globalThis as unknown as Endpoint;

const turns = new MessageChannel();
const waiting: (() => void)[] = [];
turns.port1.onmessage = () => waiting.shift()!();

export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve);
    turns.port2.postMessage(undefined);
  });

export function letGo(_timer: unknown): void {}

/** Each worker has an origin of its own. */
export const monotonicMs = (): number => performance.timeOrigin + performance.now();

export function sha256(): Hash {
  const hash = nobleSha256.create();
  const made: Hash = {
    update(data) {
      hash.update(typeof data === 'string' ? new TextEncoder().encode(data) : data);
      return made;
    },
    hex: () => bytesToHex(hash.digest()),
  };
  return made;
}

export const toBase64url = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

export const fromBase64url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));

export const deflateRaw = (bytes: Uint8Array): Uint8Array => packed(bytes, { level: 9 });

export function inflateRaw(packed: Uint8Array): {
  readonly bytes: Uint8Array;
  readonly read: number;
} {
  const inflate = new Inflate({ raw: true });
  inflate.push(packed, true);
  if (inflate.err !== 0 || inflate.result === undefined) throw new Error('not packed');
  return { bytes: inflate.result as Uint8Array, read: inflate['strm'].total_in };
}

export const inflateRawTo = (packed: Uint8Array, _length: number): Uint8Array =>
  inflateRaw(packed).bytes;

const NO_FILES = 'in a browser there are no trace files';

export const crc32 = (_bytes: Uint8Array): number => {
  throw new Error(NO_FILES);
};

export const openFile = (_path: string): OpenFile => {
  throw new Error(NO_FILES);
};

export function holdsBytes(memory: ArrayBufferLike, from: number, due: Uint8Array): boolean {
  const found = new Uint32Array(memory, from, due.length / 4);
  const wanted = new Uint32Array(due.buffer, due.byteOffset, due.length / 4);
  for (let i = 0; i < wanted.length; i++) if (found[i] !== wanted[i]) return false;
  return true;
}

/** Of this worker's file; without it nothing is known of where in the source a call is. */
let map: TraceMap | undefined;

/** Before anything is asked of the source. */
export async function loadSources(): Promise<void> {
  map ??= new TraceMap(await (await fetch(`${location.href}.map`)).text());
}

export const framesOf = (stack: string): Frame[] =>
  stack.split('\n').flatMap((line) => frameOf(line) ?? []);

/** Chromium has `    at name (url:line:column)`, Firefox `name@url:line:column`. */
function frameOf(text: string): Frame | undefined {
  const match =
    /^\s*at (?:async )?(?:(.*) \()?(\S+):(\d+):(\d+)\)?$/.exec(text) ??
    /^(.*?)@(\S+):(\d+):(\d+)$/.exec(text);
  if (match === null || map === undefined) return undefined;
  const [, called = '', url, line, column] = match;
  if (url !== location.href) return undefined;
  const at = originalPositionFor(map, { line: Number(line), column: Number(column) - 1 });
  if (at.source === null) return undefined;
  // Where two files have functions of one name, the bundle numbers them.
  const name = called
    .replace(/ \[as .*\]$/, '')
    .replace(/^(get |set )?.*?([#\w]+)(\$\d+)?$/, '$1$2');
  return {
    name: /anonymous/.test(name) ? '' : name.replace('#', ''),
    file: fileOf(at.source),
    line: at.line,
  };
}

/** From the root of the project: maps say where a file is from where they are. */
const fileOf = (source: string): string =>
  /(?:^|\/)((?:src|shared|workers)\/.*)$/.exec(source)?.[1] ?? source;

export function sourceOf(file: string): string | undefined {
  const source = map?.sources.find((one) => one !== null && fileOf(one) === file);
  return source ? (sourceContentFor(map!, source) ?? undefined) : undefined;
}
