/** `npm run bench` as a user runs it; the figures themselves are not asserted. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBenchmark } from '../../src/report/benchmark.ts';
import { hasTerminal, umbra } from '../commands/umbra.ts';
import { madeBenchmark, madeLine } from '../report/synthetic.ts';
import { scratch } from '../scratch.ts';

const folder = scratch('bench');

function bench(...args: readonly string[]) {
  const given = ['bench/main.ts', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

const LINE = 'TLB hit, load';
/** The other lines of 'TLB hit'. */
const ONLY_HERE = ['TLB hit, store'];

test('a line is measured in isolates, and the file holds every sample', () => {
  const path = join(folder, 'one.json');
  const { code, stdout, stderr } = bench('--filter', LINE, '--isolates', '2', '--json', path);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^MMU\n {2}TLB hit, load .* ns .* to the same words, untranslated$/m);
  const { lines, growth, memory } = readBenchmark(path);
  expect({ names: lines.map(({ name }) => name), growth, memory }).toEqual({
    names: [LINE],
    growth: [],
    memory: undefined,
  });
  const [{ samples, value, warm_up }] = lines as [(typeof lines)[number]];
  expect(samples.map((of) => of.value.length === of.pace.length)).toEqual([true, true]);
  expect(value.samples).toBe(samples.flatMap((of) => of.value).length);
  expect(warm_up).toHaveLength(2);
});

const earlier = join(folder, 'earlier.json');
const later = join(folder, 'later.json');
const of = (middle: number, seed: number) => madeBenchmark([madeLine({ middle, seed })]);
writeFileSync(earlier, JSON.stringify(of(100, 1)));
writeFileSync(later, JSON.stringify(of(200, 2)));

test('shows an earlier file again and compares it with another', () => {
  const { code, stdout } = bench('--from', later, '--baseline', earlier);
  expect(stdout).toMatch(/^ {4}slower: (1\.9|2\.0)\d \[.*\] times as long as then, by pace$/m);
  expect(stdout).toMatch(/^1 slower, 0 faster/m);
  expect(code).toBe(1);
  expect(bench('--from', earlier, '--baseline', later).code).toBe(0);
});

test('writes tables between the marks of a page and keeps the rest of it', () => {
  const page = join(folder, 'page.md');
  expect(bench('--from', earlier, '--markdown', page).code).toBe(0);
  const figures = readFileSync(page, 'utf8');
  expect(figures).toMatch(/^\| a line \| 1\d\d \[.*\] ns \| {2}\| .* \| less \|$/m);
  writeFileSync(page, `# Title\n\n${figures.replace('a line', 'an old line')}\nThe end.\n`);
  expect(bench('--from', earlier, '--markdown', page).code).toBe(0);
  expect(readFileSync(page, 'utf8')).toBe(`# Title\n\n${figures}\nThe end.\n`);
});

test('measures another checkout in turns: its code, in its folder, on its threads', async () => {
  const there = join(folder, 'there');
  mkdirSync(join(there, 'bench'), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(there, name), text);
  write('package.json', '{ "version": "0.0.1", "type": "module" }');
  write('ns.txt', '1');
  write(
    'bench/worker.ts',
    "import { parentPort as port } from 'node:worker_threads'; port.on('message', () => port.postMessage(1));",
  );
  write(
    'bench/parts.ts',
    `import { once } from 'node:events';
    import { readFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    const measured = () => {
      const ns: number = Number(readFileSync('ns.txt', 'utf8'));
      const worker = new Worker(new URL('./worker.ts', import.meta.url));
      const batch = async () => {
        worker.postMessage('');
        return { count: 1e-6 * (await once(worker, 'message'))[0], ns };
      };
      return { name: 'there', batch };
    };
    export const PARTS = { MMU: async () => [{ name: '${LINE}', unit: 'ns', measured }] };`,
  );
  const path = join(folder, 'in-turns.json');
  const given = ['--filter', 'TLB hit', '--isolates', '2', '--against', there, '--json', path];
  const { code, stdout, stderr } = bench(...given);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ {4}faster: 0\.00\S* \[.*\] times as long as there, in turns$/m);
  const { against, lines } = readBenchmark(path);
  expect(against).toEqual({ version: '0.0.1', only_here: ONLY_HERE });
  expect(lines.map(({ name, baseline }) => [name, baseline.median])).toEqual([[LINE, 1e6]]);
  const again = await umbra('compare', path);
  expect(again.stdout).toMatch(
    /^ TLB hit, load .* 1000000 ns .* 0\.00\S* +\[.*\] +turns +faster *$/m,
  );
  expect(again.stdout).toMatch(/^Only after: TLB hit, store/m);
  expect(bench('--from', path).stdout).toMatch(/times as long as there, in turns/);
});

test('a line that fails is reported, the others are measured, and the exit code is 1', () => {
  const there = join(folder, 'failing');
  mkdirSync(join(there, 'bench'), { recursive: true });
  writeFileSync(join(there, 'package.json'), '{ "version": "0.0.1", "type": "module" }');
  writeFileSync(
    join(there, 'bench/parts.ts'),
    `const measured = () => ({ name: 'there', batch: () => ({ count: 1, ns: 1e9 }) });
    const failing = () => { process.exit(3); };
    export const PARTS = { MMU: async () => [
      { name: '${LINE}', unit: 'ns', measured: failing },
      { name: '${ONLY_HERE[0]}', unit: 'ns', measured },
    ] };`,
  );
  const path = join(folder, 'failing.json');
  const given = ['--filter', 'TLB hit', '--isolates', '2', '--against', there, '--json', path];
  const { code, stdout } = bench(...given);
  const { lines, failed } = readBenchmark(path);
  expect(lines.map(({ name }) => name)).toEqual(ONLY_HERE);
  expect(failed).toEqual([{ name: LINE, reason: `'${LINE}' of ${there} ended: 3` }]);
  const told = `${LINE}: could not be measured: ${failed[0]!.reason}`;
  expect(stdout).toContain(told);
  expect(code).toBe(1);
  const markdown = join(folder, 'failing.md');
  expect(bench('--from', path, '--markdown', markdown)).toMatchObject({
    stdout: expect.stringContaining(told),
  });
  expect(readFileSync(markdown, 'utf8')).toContain(failed[0]!.reason);
});

const without = join(folder, 'without.md');
writeFileSync(without, '# No place\n');
const broken = join(folder, 'broken');
mkdirSync(join(broken, 'bench'), { recursive: true });
writeFileSync(join(broken, 'bench/parts.ts'), "import 'gone';");

test.each([
  [
    ['--filter', 'nothing like it'],
    /^bench: nothing has 'nothing like it' in its name; there are\n/,
  ],
  [['--against', folder], /--against .*: no checkout of umbra is there \(no bench\/parts\.ts\)\n/],
  [['--against', broken], /its benchmark cannot be loaded \(was npm ci run there\?\): .*gone/],
  [['--against', '.', '--filter', 'growth'], /it has none of the lines that are to be measured/],
  [['--against', '.', '--from', earlier], /cannot be used with option '--from/],
  [['--isolates', '1'], /A whole number of at least 2 is expected/],
  [['--baseline', without], /found text that is not JSON [\s\S]* expected what npm run bench/],
  [['--from', earlier, '--markdown', without], /found a file with no place for the tables/],
  [['--json', '-', '--markdown', '-'], /ask for stdout/],
])('refuses %j with a message', (args, words) => {
  const { code, stderr } = bench(...args);
  expect(stderr).toMatch(words);
  expect(code).toBe(2);
});

test.skipIf(!hasTerminal)('writes what was measured on Ctrl-C', async () => {
  const path = join(folder, 'interrupted.json');
  const command = `exec ${process.execPath} bench/main.ts --filter MMU --json ${path}`;
  const child = spawn('script', ['-qec', command, '/dev/null']);
  let said = '';
  let done = false;
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (done || !/TLB hit, load .* untranslated/.test(said)) return;
    done = true;
    child.stdin.write('\x03');
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(130);
  expect(said).toMatch(/Interrupted: these are the figures so far/);
  const { interrupted, lines } = readBenchmark(path);
  expect(interrupted).toBe(true);
  expect(lines[0]!.name).toBe(LINE);
});
