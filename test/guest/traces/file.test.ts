import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import { BLOCK_OPS, type Program } from '../../../src/guest/program.ts';
import { StreamBuilder } from '../../../src/guest/traces/builder.ts';
import { openProgram } from '../../../src/guest/traces/reader.ts';
import { TraceWriter, writeProgram } from '../../../src/guest/traces/writer.ts';
import { anyOperations, inDirectory, operations, programOf, streamOf } from './helpers.ts';

function long(blocks: number): Program {
  const builder = new StreamBuilder();
  for (let i = 0; i < blocks * BLOCK_OPS - 7; i++) builder.load(0x10000 + 8 * i);
  return programOf(builder.build());
}

test('a program reads back as written', async () => {
  await inDirectory((directory) => {
    const path = join(directory, 'p.umbra');
    fc.assert(
      fc.property(anyOperations, anyOperations, fc.option(fc.nat()), (one, two, brk) => {
        const base = programOf(streamOf(one), streamOf(two));
        const process = { ...base.processes[0]!, ...(brk === null ? {} : { brk }) };
        writeProgram({ name: 'two', processes: [process, base.processes[0]!] }, path);
        const read = openProgram(path);
        expect(read.name).toBe('two');
        expect(read.processes.length).toBe(2);
        const [first] = read.processes;
        expect({ ...first, threads: [] }).toEqual({ ...process, threads: [] });
        expect(first!.threads.map(operations)).toEqual([one, two]);
        read.close();
      }),
      { numRuns: 40 },
    );
  });
});

test('blocks are read in any order, and again after they left the cache', async () => {
  await inDirectory((directory) => {
    const path = join(directory, 'p.umbra');
    const program = long(9);
    writeProgram(program, path);
    const read = openProgram(path);
    const stream = read.processes[0]!.threads[0]!;
    for (const b of [8, 0, 3, 3, 7, 1, 5, 8, 0, 2]) {
      expect(stream.block(b)).toEqual(program.processes[0]!.threads[0]!.block(b));
    }
    expect(stream.block(2)).toBe(stream.block(2));
    expect(() => stream.block(9)).toThrow('has no block 9');
    read.close();
    expect(() => stream.block(4)).toThrow('closed');
  });
});

test('the same program gives the same bytes', async () => {
  await inDirectory((directory) => {
    writeProgram(long(2), join(directory, 'a'));
    writeProgram(long(2), join(directory, 'b'));
    expect(readFileSync(join(directory, 'a'))).toEqual(readFileSync(join(directory, 'b')));
  });
});

test('any damaged byte is detected', async () => {
  await inDirectory((directory) => {
    const path = join(directory, 'p.umbra');
    writeProgram(programOf(streamOf([[1, 0x1000, 4]]), long(1).processes[0]!.threads[0]!), path);
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= flip;
        writeFileSync(path, bytes);
        expect(() => {
          const read = openProgram(path);
          try {
            for (const thread of read.processes[0]!.threads) operations(thread);
          } finally {
            read.close();
          }
        }).toThrow(UserError);
      }),
      { numRuns: 300 },
    );
  });
});

test('a file cut short anywhere is refused when it is opened', async () => {
  await inDirectory((directory) => {
    const path = join(directory, 'p.umbra');
    writeProgram(long(2), path);
    for (let size = readFileSync(path).length - 1; size >= 0; size -= 13) {
      truncateSync(path, size);
      expect(() => openProgram(path)).toThrow(UserError);
    }
  });
});

test('each kind of invalid file has its own remedy', async () => {
  await inDirectory((directory) => {
    const path = join(directory, 'p.umbra');
    expect(() => openProgram(path)).toThrow(/p\.umbra cannot be opened: ENOENT.*import lackey/);
    expect(() => openProgram(directory)).toThrow(/not a file/);
    writeFileSync(path, 'I  04000000,3\n');
    expect(() => openProgram(path)).toThrow(/not a trace file of umbra.*umbra import lackey/);
    writeProgram(long(1), path);
    const bytes = readFileSync(path);
    bytes[8] = 9;
    writeFileSync(path, bytes);
    expect(() => openProgram(path)).toThrow(/version 9; this umbra reads version 2.*Import/);
  });
});

test('an aborted trace leaves no file behind', async () => {
  await inDirectory((directory) => {
    const writer = new TraceWriter(join(directory, 'p.umbra'));
    writer.stream().access(1, 0x1000, 4);
    expect(readdirSync(directory).length).toBe(1);
    writer.abort();
    expect(readdirSync(directory)).toEqual([]);
    expect(() => new TraceWriter(join(directory, 'none', 'p.umbra'))).toThrow(UserError);
  });
});
