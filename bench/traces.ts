/** Traces: decoded, and replayed by a guest on a single host CPU in this very thread. */

import { BLOCK_OPS, type OperationBlock } from '../src/guest/program.ts';
import { BlockDecoder } from '../src/guest/traces/decode.ts';
import { BlockEncoder } from '../src/guest/traces/encode.ts';
import { openProgram } from '../src/guest/traces/reader.ts';
import { statistics } from '../src/report/run-report.ts';
import { TraceRecorder, tapFor } from '../src/trace/recorder.ts';
import { Rig } from '../test/rig.ts';
import { nativeTrace } from './native/trace.ts';
import { type Line, repeated, type Side, timed } from './pair.ts';
import { GUEST_PAGES, tracePath } from './trace-path.ts';

const copyOf = ({ count, ops, calls }: OperationBlock): OperationBlock => ({
  count,
  ops: ops.slice(),
  calls: calls.slice(),
});

/** Blocks of the longest stream of pigz, as they are. */
function blocks(most: number): OperationBlock[] {
  const program = openProgram(tracePath('pigz'));
  const streams = program.processes.flatMap((process) => process.threads);
  const longest = streams.reduce((a, b) => (a.length > b.length ? a : b));
  const count = Math.min(most, Math.floor(longest.length / BLOCK_OPS));
  const found = Array.from({ length: count }, (_, i) => copyOf(longest.block(i)));
  program.close();
  return found;
}

const decode: Line = {
  name: 'trace decode',
  unit: 'operations/s',
  measured: () => {
    const encoder = new BlockEncoder();
    const encoded = blocks(16).map((block) => encoder.encode(block).slice());
    const decoder = new BlockDecoder();
    let i = 0;
    return repeated('decoded', () => decoder.decode(encoded[i++ % encoded.length]!).count);
  },
  baseline: () => {
    const originals = blocks(16);
    let i = 0;
    return repeated('copied', () => originals[i++ % originals.length]!.ops.slice().length / 2);
  },
};

/** Read every operation of a trace: file, inflate, decode. */
const reading = (name: string): Side => ({
  name: 'reading the trace, operations/s',
  batch: () => {
    const program = openProgram(tracePath(name));
    const batch = timed(() => {
      let count = 0;
      for (const stream of program.processes.flatMap((process) => process.threads)) {
        for (let i = 0; i * BLOCK_OPS < stream.length; i++) count += stream.block(i).count;
      }
      return count;
    });
    program.close();
    return batch;
  },
});

/** `begin` is told of each machine before it runs, and what it returns is called after. */
const replayed = (name: string, begin?: (rig: Rig) => () => void): Side => ({
  name,
  batch: () => {
    const program = openProgram(tracePath('pigz'));
    const rig = new Rig({ program, pages: GUEST_PAGES });
    const end = begin?.(rig);
    const batch = timed(() => {
      rig.runRoundRobin(QUANTUM, Number.POSITIVE_INFINITY);
      return statistics(rig, [0], [0]).accesses;
    });
    end?.();
    program.close();
    return batch;
  },
});

const replay: Line = {
  name: 'pigz replayed in one thread',
  unit: 'accesses/s',
  rounds: 9,
  lasting: true,
  goal: { of: 'native', most: 1.5 },
  measured: () => replayed('replayed'),
  baseline: () => reading('pigz'),
  native: () => nativeTrace(tracePath('pigz'), GUEST_PAGES),
};

/** With what `--trace` has a host CPU do; writing the file comes after the run. */
const traced: Line = {
  name: 'pigz replayed and traced',
  unit: 'accesses/s',
  rounds: 9,
  lasting: true,
  measured: () =>
    replayed('traced', ({ cpus: [cpu] }) => {
      const recorder = new TraceRecorder(1);
      cpu!.host.events.tap = tapFor(recorder.ports[0]!);
      return () => recorder.stop();
    }),
  baseline: () => replayed('not traced'),
};

/** Operations of a time slice. */
const QUANTUM = 20_000;

export const traceLines: readonly Line[] = [decode, replay, traced];
