/**
 * What the engine asks of what it runs on: Node here. In a browser another module of the same
 * exports stands in this one's place (src/lab/engine/platform.ts), and so nothing else that runs
 * there imports anything of Node (test/house.test.ts).
 */

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import type { Endpoint } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { workerUrl } from './worker-url.ts';

export interface Thread {
  /** Its side of comlink's calls. */
  readonly endpoint: Endpoint;
  /** Resolves with why, when it ends. */
  readonly ended: Promise<string>;
  /** Whatever it is doing. */
  terminate(): Promise<unknown>;
  /** While it is idle it keeps no process alive. */
  ref(): void;
  unref(): void;
}

/** `name`: of the file in workers/, without its ending; `title`: for people. */
export function startThread(name: string, title: string): Thread {
  const worker = new Worker(workerUrl(name), { name: title });
  const ended = new Promise<string>((resolve) => {
    worker.once('error', (error: Error) => resolve(error.stack ?? String(error)));
    worker.once('exit', (code) => resolve(`its worker thread ended with exit code ${code}`));
  });
  return {
    endpoint: nodeEndpoint(worker),
    ended,
    terminate: () => worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}

/** Within such a thread: the other side. */
export const threadEndpoint = (): Endpoint => nodeEndpoint(parentPort!);

/** Let other events come first. */
export const nextTurn = (): Promise<void> => setImmediate();

/** A timer that keeps no process alive. */
export function letGo(timer: ReturnType<typeof setTimeout>): void {
  timer.unref();
}

/** Milliseconds of the system's monotonic clock, whose zero is the same in all threads. */
export function monotonicMs(): number {
  const [seconds, ns] = process.hrtime();
  return seconds * 1e3 + ns / 1e6;
}

export interface Hash {
  update(data: string | Uint8Array): Hash;
  hex(): string;
}

export function sha256(): Hash {
  const hash = createHash('sha256');
  const made: Hash = {
    update(data) {
      hash.update(data);
      return made;
    },
    hex: () => hash.digest('hex'),
  };
  return made;
}

export const toBase64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** What is no base64url in it is left out. */
export const fromBase64url = (text: string): Uint8Array => Buffer.from(text, 'base64url');

export const deflateRaw = (bytes: Uint8Array): Uint8Array =>
  zlib.deflateRawSync(bytes, { level: 9 });

/** `read`: how many bytes the packed ones take. Throws for what is not packed. */
export function inflateRaw(packed: Uint8Array): {
  readonly bytes: Uint8Array;
  readonly read: number;
} {
  const { buffer, engine } = zlib.inflateRawSync(packed, { info: true }) as unknown as Inflated;
  return { bytes: buffer, read: engine.bytesWritten };
}

/** What `info: true` gives, of which Node's types know nothing. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** At once, rather than in pieces that are put together; at most so many bytes. */
export const inflateRawTo = (packed: Uint8Array, length: number): Uint8Array =>
  zlib.inflateRawSync(packed, {
    maxOutputLength: Math.max(1, length),
    chunkSize: Math.max(64, length + 1),
  });

export const crc32 = (bytes: Uint8Array): number => zlib.crc32(bytes);

const views = new WeakMap<ArrayBufferLike, Buffer>();

/** Whether memory holds `due` from byte `from` on; one call, as of thousands of frames. */
export function holdsBytes(memory: ArrayBufferLike, from: number, due: Uint8Array): boolean {
  const view = views.get(memory) ?? Buffer.from(memory);
  views.set(memory, view);
  return view.compare(due, 0, due.length, from, from + due.length) === 0;
}

/** A file that is read here and there. */
export interface OpenFile {
  /** Bytes, when it was opened; undefined for what is no file. */
  readonly size: number | undefined;
  /** Fewer than asked for at its end only. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** Throws the system's error. */
export function openFile(path: string): OpenFile {
  const fd = openSync(path, 'r');
  const stat = fstatSync(fd);
  return {
    size: stat.isFile() ? stat.size : undefined,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      let done = 0;
      while (done < length) {
        const got = readSync(fd, bytes, done, length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
      return bytes.subarray(0, done);
    },
    close: () => closeSync(fd),
  };
}

/** A call on a stack, as the source has it. */
export interface Frame {
  /** '' for a function without a name. */
  readonly name: string;
  /** From the root of the project. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The project's own on an error's stack, the innermost first. */
export const framesOf = (stack: string): Frame[] =>
  stack.split('\n').flatMap((line) => frameOf(line) ?? []);

/** Source or build: the folder above src. */
const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** `    at Scheduler.next (file:///…/src/host/scheduler.ts:91:13)`, and with less in it. */
function frameOf(text: string): Frame | undefined {
  const match = /^\s*at (?:async )?(?:(.*) \()?(?:file:\/\/)?([^()]+):(\d+):(\d+)\)?$/.exec(text);
  if (match === null) return undefined;
  const [, called = '', path, line, column] = match;
  const decoded = decodeURI(path!);
  if (!decoded.startsWith(ROOT)) return undefined;
  const name = called.replace(/ \[as .*\]$/, '').replace(/^(get |set )?.*?([#\w]+)$/, '$1$2');
  const file = decoded.slice(ROOT.length);
  const place = file.endsWith('.js') ? mapped(file, Number(line), Number(column)) : undefined;
  return {
    name: /anonymous/.test(name) ? '' : name.replace('#', ''),
    ...(place ?? { file: file.replace(/\.js$/, '.ts'), line: Number(line) }),
  };
}

const maps = new Map<string, SourceMap | undefined>();

/** Of a build, by the map beside it. */
function mapped(file: string, line: number, column: number): Omit<Frame, 'name'> | undefined {
  if (!maps.has(file)) maps.set(file, readMap(file));
  const origin = maps.get(file)?.findOrigin(line, column);
  if (origin === undefined || !('lineNumber' in origin)) return undefined;
  return { file: file.replace(/\.js$/, '.ts'), line: origin.lineNumber };
}

function readMap(file: string): SourceMap | undefined {
  const text = textIn(`${file}.map`);
  return text === undefined ? undefined : new SourceMap(JSON.parse(text));
}

/** A file of the source; undefined where it is not at hand. A build holds it in its maps. */
export function sourceOf(file: string): string | undefined {
  const map = textIn(`${file.replace(/\.ts$/, '.js')}.map`);
  if (map === undefined) return textIn(file);
  return (JSON.parse(map) as { sourcesContent?: string[] }).sourcesContent?.[0];
}

function textIn(file: string): string | undefined {
  try {
    return readFileSync(ROOT + file, 'utf8');
  } catch {
    return undefined;
  }
}
