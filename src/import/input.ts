import { createReadStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { UserError } from '../errors.ts';
import { plainText } from './text.ts';

/** A trace to read: plain text, or gzipped as its first bytes say. */
export interface TraceInput {
  readonly path: string;
  /** Bytes in the file, for the progress. */
  readonly bytes: number;
  readonly gzipped: boolean;
}

/** What comes through a pipe, plain: it can be read but once. */
export const STDIN = '-';

/**
 * UserError if the file is missing, no file, packed by something but gzip, or empty: then what
 * `empty` makes of it.
 */
export async function examineInput(
  path: string,
  empty: (path: string) => UserError,
): Promise<TraceInput> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) {
      throw new UserError(
        `${path} is a directory. Name the files in it: \`umbra import lackey ${path}/* -o ` +
          `OUT.umbra\` takes them as the processes of one run, other formats have one file.`,
      );
    }
    if (!stat.isFile()) {
      throw new UserError(
        `${path} is not a regular file. Write the trace to a file first; umbra import ` +
          'memory reads a pipe, too, as -.',
      );
    }
    if (stat.size === 0) throw empty(path);
    const head = new Uint8Array(4);
    await file.read(head, 0, 4, 0);
    const packer = PACKERS.find(({ magic }) => magic.every((byte, i) => head[i] === byte));
    if (packer !== undefined && packer.name !== 'gzip') {
      throw new UserError(
        `${path} is packed with ${packer.name}, and only plain and gzipped traces are ` +
          `read. Unpack it first: ${packer.unpack} ${path}.`,
      );
    }
    return { path, bytes: stat.size, gzipped: packer !== undefined };
  } finally {
    await file.close();
  }
}

/**
 * The text of the trace in chunks; `progress` gets the bytes of the file read so
 * far. UserError if the file cannot be read or its gzip data ends early or is damaged.
 */
export const readInput = (
  input: TraceInput,
  progress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> => plainText(unpacked(input, progress));

/** A file says how much of it has been read. */
type Source = (NodeJS.ReadStream | ReadStream) & { readonly bytesRead?: number };

async function* unpacked(
  input: TraceInput,
  progress: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const { path } = input;
  const file: Source =
    path === STDIN ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  const stream = input.gzipped ? file.pipe(createGunzip({ chunkSize: 1 << 18 })) : file;
  // pipe() hands on data but no errors.
  if (stream !== file) file.on('error', (error: Error) => stream.destroy(error));
  let passed = 0;
  try {
    for await (const chunk of stream) {
      passed += (chunk as Uint8Array).length;
      progress(file.bytesRead ?? passed);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') {
      throw new UserError(
        `${path} is cut short: its gzip data ends before the end of the trace. Copy the ` +
          'file again from where it is whole, or make the trace again.',
      );
    }
    if (code?.startsWith('Z_')) {
      throw new UserError(
        `${path} is damaged: its gzip data cannot be unpacked ` +
          `(${(error as Error).message}). Copy the file again from where it is whole, or ` +
          'make the trace again.',
      );
    }
    if (code === undefined) throw error;
    throw unreadable(path, error);
  } finally {
    file.destroy();
    stream.destroy();
  }
}

function unreadable(path: string, error: unknown): UserError {
  return new UserError(
    `${path} cannot be read: ${(error as Error).message}. Give the paths of files that ` +
      'exist and that you may read.',
  );
}

const PACKERS = [
  { name: 'gzip', magic: [0x1f, 0x8b], unpack: 'gunzip' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58], unpack: 'unxz' },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: 'unzstd' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], unpack: 'bunzip2' },
];
