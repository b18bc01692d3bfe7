/** umbra as a library: from the sources, and as the published package. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLitmus } from '../src/explore/litmus/litmus.ts';
import { settingsOf } from '../src/explore/setting.ts';
import { bootMachine, type Scenario, UserError } from '../src/index.ts';
import { explored } from '../src/lab/engine/exploring.ts';
import { filesBelow } from '../src/lab/site.ts';
import { hasBrowser, launchBrowser } from './browser.ts';
import { scratch } from './scratch.ts';

const folder = scratch('library');

const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const touch: Scenario = { cpus: 2, guests: [{ program: { builtin: 'touch' } }] };

test('a machine is booted, run and reported', async () => {
  const machine = await bootMachine(touch);
  expect(machine.counts.entries).toBe(0);
  const report = await machine.run({ sampleEveryMs: 20 });
  expect(report).toMatchObject({ ending: { kind: 'done' }, violations: [] });
  expect(report.configuration).toMatchObject({ host_cpus: 2, discipline: 'as-written', seed: 1 });
  expect(report.total.faults_fixed).toBeGreaterThan(0);
  expect(machine.counts.entries).toBe(report.total.entries);
});

test('invalid run options are refused, and the machine can be run after that', async () => {
  await using machine = await bootMachine(touch);
  const wrong = { sampleEveryMs: 0, patience: 5 } as never;
  await expect(machine.run(wrong)).rejects.toThrow(
    /sampleEveryMs: found 0, expected a number above 0\n.*patience/s,
  );
  await expect(machine.run({ patienceMs: 0 })).rejects.toThrow(UserError);
  expect((await machine.run()).violations).toEqual([]);
});

test('a scenario that comes with umbra has a name, and one that expects its end is no error', async () => {
  const machine = await bootMachine('out-of-memory');
  const report = await machine.run();
  expect(report.guests.map(({ ending }) => ending)).toContain('killed');
});

test('a signal ends the run early', async () => {
  const machine = await bootMachine({
    ...touch,
    guests: [{ program: { trace: 'scenarios/traces/pigz.umbra' } }],
  });
  const report = await machine.run({ signal: AbortSignal.abort() });
  expect(report.ending.kind).toBe('interrupted');
});

test('a second run is refused, during the first and after it', async () => {
  const machine = await bootMachine(touch);
  const first = machine.run();
  await expect(machine.run()).rejects.toThrow('a machine is run once');
  expect((await first).ending.kind).toBe('done');
  await expect(machine.run()).rejects.toThrow('a machine is run once');
  await machine.close();
});

test('a closed machine does not run, and may be closed again', async () => {
  const machine = await bootMachine(touch);
  await machine.close();
  await machine.close();
  await expect(machine.run()).rejects.toThrow('this machine is closed');
});

test('closing a running machine ends its run early, with its results so far', async () => {
  const machine = await bootMachine({
    ...touch,
    guests: [{ program: { trace: 'scenarios/traces/pigz.umbra' } }],
  });
  const report = machine.run();
  await machine[Symbol.asyncDispose]();
  expect((await report).ending.kind).toBe('interrupted');
  expect((await report).violations).toEqual([]);
});

/** Ends by itself only if no worker is left. */
const PROGRAMS = {
  'closed.js': `import { bootMachine } from 'umbra';
const machine = await bootMachine({ guests: [{ program: { builtin: 'touch' } }] });
await machine.close();
console.log('closed');`,
  'disposed.js': `import { bootMachine } from 'umbra';
{
  await using machine = await bootMachine({ guests: [{ program: { builtin: 'touch' } }] });
  console.log(machine.counts.entries);
}
console.log('closed');`,
};

const TYPES = `import { type BootOptions, bootMachine, explore, type MachineEvent, type SteppedMachine, stepMachine, type Scenario, type Shared, type Steps, UserError, type Word, type World, type WorldExploration, world } from 'umbra';
const good: Scenario = { policy: 'random', discipline: 'lock-free', guests: [{ program: { workload: 'cow-storm' } }] };
// @ts-expect-error: there is no such workload
const workload: Scenario = { guests: [{ program: { workload: 'cow-strom' } }] };
// @ts-expect-error: there is no such policy
const policy: Scenario = { policy: 'radnom', guests: [] };
// @ts-expect-error: there is no such discipline
const discipline: Scenario = { discipline: 'guest', guests: [] };
// @ts-expect-error: there is no such program
const builtin: Scenario = { guests: [{ program: { builtin: 'tuoch' } }] };
const options: BootOptions = { folder: '.' };
const ours: World = world('ours', (shared: Shared) => {
  const word: Word = shared.word('word');
  const thread = function* (): Steps {
    const found: number = yield word.load();
    yield word.store(found + 1);
    // @ts-expect-error: a thread yields steps only
    yield 1;
  };
  return { threads: { thread } };
});
const { failure }: WorldExploration = await explore(ours, { strategy: 'surw' });
// @ts-expect-error: there is no such strategy
await explore('R6-no-shootdown', { strategy: 'pct-9' });
// @ts-expect-error: there is no such strategy for worlds
await explore(ours, { strategy: 'sweep' });
using stepped: SteppedMachine = stepMachine(good, options);
const events: readonly MachineEvent[] = stepped.step(0)?.events ?? [];
// @ts-expect-error: there is no such view
const sections = stepped.inspect(['cpu']);
// @ts-expect-error: nor that one, here
stepped.inspect(['stores']);
const machine = await bootMachine(good, options);
const report = await machine.run();
const known: 'random' | 'pinned' | 'round-robin' | 'sticky' | 'work-stealing' | 'ping-pong' | \`replay:\${string}\` = report.configuration.policy;
const mistake: Error = new UserError('a mistake');
console.log(events, sections, workload, policy, discipline, builtin, known, mistake, failure);
`;

test('mistakes are reported all at once, each with its place', async () => {
  const wrong = { cpu: 2, guests: [{ program: { builtin: 'tuoch' }, vcpus: 9 }] };
  const mistake = (await bootMachine(wrong as unknown as Scenario).catch(
    (error) => error,
  )) as Error;
  expect(mistake).toBeInstanceOf(UserError);
  expect(mistake.name).toBe('UserError');
  const said = mistake.message.split('\n').toSorted();
  expect(said).toHaveLength(3);
  expect(said[0]).toMatch(/^cpu: found an unknown field cpu, expected .*; did you mean cpus\?$/);
  expect(said[1]).toMatch(/^guests\[0\]\.program\.builtin: found "tuoch", expected .*touch/);
  expect(said[2]).toBe('guests[0].vcpus: found 9, expected a whole number from 1 to 8');
});

test("the package installs into an empty folder, where the docs' example and the command run", () => {
  const run = (command: string, ...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  const packed = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    encoding: 'utf8',
  });
  expect({ status: packed.status, stderr: packed.status === 0 ? '' : packed.stderr }).toEqual({
    status: 0,
    stderr: '',
  });
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  run('npm', 'install', ...quiet, `./${packed.stdout.trim().split('\n').at(-1)}`);
  // A thread loads one file of the package, not 133.
  const hostCpu = join(folder, 'node_modules/umbra/dist/workers/host-cpu.js');
  expect(readFileSync(hostCpu, 'utf8').match(/^import .* from "[./].*/gm)).toBeNull();
  const page = readFileSync('docs/library.md', 'utf8');
  const [example, explored, ownWorld, inSteps] = Array.from(
    page.matchAll(/```js\n([\s\S]*?)```/g),
    ([, it]) => it!,
  );
  writeFileSync(join(folder, 'example.js'), example!);
  expect(run(process.execPath, 'example.js')).toMatch(/^done [1-9]\d* \d+\n$/);
  writeFileSync(join(folder, 'explored.js'), explored!);
  expect(run(process.execPath, 'explored.js')).toMatch(
    /^\d+ oops fault in the Switcher .*\n2 when the switch from CPU \d comes .*\n$/,
  );
  writeFileSync(join(folder, 'world.js'), ownWorld!);
  expect(run(process.execPath, 'world.js')).toBe(
    'counted to 1 1 a: count.load() -> 0; b: count.load() -> 0; b: count.store(1) -> 0; ' +
      "a: count.store(1) -> 1\n4 true [ 'ok 2', 'violation 2' ]\n",
  );
  writeFileSync(join(folder, 'steps.js'), inSteps!);
  expect(run(process.execPath, 'steps.js')).toMatch(
    /^host CPU 0\n( {2}guest 0 vCPU 0: .*\n)*.*is in the shadow.*\n(.*\n)*host CPU 1 3\n\d+ 1 0\n$/,
  );
  const main = 'node_modules/umbra/bin/umbra.cjs';
  expect(run(process.execPath, main, 'start', '--cpus', '2')).toContain('came back');
  for (const [name, program] of Object.entries(PROGRAMS)) {
    writeFileSync(join(folder, name), program);
    expect(run(process.execPath, name)).toMatch(/^(0\n)?closed\n$/);
  }
  const typed = ['typed.ts', 'names.ts'];
  writeFileSync(join(folder, 'typed.ts'), example!);
  for (const [i, [, code]] of Array.from(page.matchAll(/```ts\n([\s\S]*?)```/g)).entries()) {
    typed.push(`docs-${i}.ts`);
    writeFileSync(join(folder, `docs-${i}.ts`), code!);
  }
  symlinkSync(join(process.cwd(), 'node_modules/vitest'), join(folder, 'node_modules/vitest'));
  writeFileSync(join(folder, 'names.ts'), TYPES);
  const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024'];
  run(
    process.execPath,
    tsc,
    ...strict,
    '--types',
    'node',
    '--typeRoots',
    join(process.cwd(), 'node_modules/@types'),
    ...['--lib', 'es2024,esnext.disposable', ...typed],
  );
}, 600_000);

/** The result of the first test on a lab's page, explored in a browser, in all its settings. */
async function digestsAt(url: string, count: number): Promise<string[]> {
  const browser = await launchBrowser();
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByLabel('Schedules in each setting').fill('20');
  await page.getByLabel('Seed').focus();
  await page.getByRole('button', { name: 'Explore' }).click();
  const digests = page.locator('.results details tbody code:not(:empty)');
  await expect.poll(() => digests.count()).toBe(count);
  const shown = await digests.allTextContents();
  await browser.close();
  return shown;
}

test("once installed, its lab is written and served, and a browser runs it to Node's digests", async () => {
  const bin = join(folder, 'node_modules/umbra/bin/umbra.cjs');
  const site = join(folder, 'site');
  const written = spawnSync(process.execPath, [bin, 'lab', '--build', site], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(written).toMatchObject({ status: 0, stderr: '' });
  const files = filesBelow(site);
  expect([...files.keys()].filter((name) => name.endsWith('.map'))).toHaveLength(1);
  const bytes = [...files.values()].reduce((sum, body) => sum + body.length, 0);
  expect(bytes).toBeLessThan(5 << 20);
  const lab = spawn(process.execPath, [bin, 'lab'], { cwd: folder });
  const ended = once(lab, 'exit');
  const [data] = await once(lab.stdout, 'data');
  const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(String(data))!;
  for (const [name, body] of files) {
    if (name === '_headers') continue;
    expect(await (await fetch(url + name)).text(), name).toBe(String(body));
  }
  const litmus = parseLitmus(readFileSync(R2, 'utf8'), 'test.yaml');
  const here: string[] = [];
  for (const setting of settingsOf(litmus, { defects: ['R2'] })) {
    const search = { setting, strategy: 'portfolio', schedules: 20, seed: 1 };
    here.push((await explored('test.yaml', litmus, search)).digest);
  }
  expect(hasBrowser ? await digestsAt(url, here.length) : here).toEqual(here);
  lab.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
}, 120_000);

test('once installed, it finds its tests by name, keeps failures, and has its docs', () => {
  const bin = join(folder, 'node_modules/umbra/bin/umbra.cjs');
  const { UMBRA_STATE: _, ...env } = process.env;
  const umbra = (...args: readonly string[]) => {
    const options = { cwd: folder, encoding: 'utf8', env, maxBuffer: 1 << 28 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], options);
    return { code: status, stdout, stderr };
  };
  expect(umbra('litmus').stdout).toMatch(/^ {2}R6-no-shootdown +\w/m);
  expect(umbra('litmus', 'R6-no-shootdown', '--runs', '2')).toMatchObject({ code: 0, stderr: '' });
  const found = umbra('explore', 'R10-one-pgdir-two-cpus', '--defects', 'R10');
  expect(found).toMatchObject({ code: 4, stderr: '' });
  expect(found.stdout).toContain('on 2 threads it takes the same steps');
  expect(umbra('replay', '--last', '--story', '--against')).toMatchObject({ code: 4, stderr: '' });
  expect(umbra('conformance', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(umbra('start', 'ls', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  for (const page of ['README.md', 'CHANGELOG.md', 'docs/litmus.md', 'litmus/schema.json']) {
    expect(existsSync(join(folder, 'node_modules/umbra', page)), page).toBe(true);
  }
  const manifest = JSON.parse(
    readFileSync(join(folder, 'node_modules/umbra/package.json'), 'utf8'),
  );
  expect(manifest).toMatchObject({ repository: { type: 'git' }, license: 'GPL-2.0-or-later' });
  expect(manifest.keywords).toContain('lguest');
});

test('an older Node is refused with a message that names the required version', () => {
  const old = join(folder, 'old.cjs');
  const versions = "{ ...process.versions, node: '20.19.0' }";
  writeFileSync(old, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['-r', old, 'bin/umbra.cjs', '--version'],
    { encoding: 'utf8' },
  );
  expect(stderr).toMatch(
    /^umbra: this is Node 20\.19\.0 \(.*\), and umbra takes Node 24 or later;/,
  );
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  // And Node 8 can parse the file: it has no newer syntax.
  const code = readFileSync('bin/umbra.cjs', 'utf8');
  expect(code).not.toMatch(/\?\.|\?\?|\bawait\b|^import .* from/m);
});
