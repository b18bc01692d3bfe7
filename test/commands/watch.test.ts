/** `--watch`: a page on loopback that shows the work in progress, and then its report. */

import { spawn } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Watch } from '../../src/commands/watch.ts';
import { hardToUse, hasBrowser, launchBrowser } from '../browser.ts';
import { spaced, umbra } from './umbra.ts';

const R7 = [
  'campaign',
  'R7-clear-all-repairs-one',
  '--defects',
  'R7',
  '--discipline',
  'guest-lock',
];

/** A running command, in a process of its own, once it has printed its address. */
async function begun(...args: readonly string[]) {
  const child = spawn(process.execPath, ['src/main.ts', ...args, '--watch']);
  const url = Promise.withResolvers<string>();
  let said = '';
  child.stdout.resume();
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
    const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
    if (found !== undefined) url.resolve(found);
  });
  const ended = new Promise<void>((resolve) =>
    child.on('close', () => {
      url.reject(new Error(`it ended without a page: ${said}`));
      resolve();
    }),
  );
  return { url: await url.promise, ended, interrupt: () => child.kill('SIGINT') };
}

describe.runIf(hasBrowser)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, 60_000);
  afterAll(() => browser?.close());

  // It waits until the page has been viewed; then Ctrl-C ends it, if it has not ended.
  test.each([
    ['campaign', [...R7, '--runs', '20000'], /umbra replay umbra\d/, /What each strategy did/],
    ['stress', ['stress', '--seconds', '1000'], /Checks passed/, /What was run/],
    [
      'verify',
      ['verify', 'R7-clear-all-repairs-one', '--seconds', '1000'],
      /Behaviours/,
      /Of some/,
    ],
    [
      'sweep',
      ['sweep', 'cow-storm', '--vary', 'slice=100,200', '--repeat', '500'],
      /slice=100[1-9]\d* of 500.*slice=200[1-9]\d* of 500/s,
      /Cycles by slice/,
    ],
  ] as const)('%s: progress, then the report in its place', async (_, args, during, after) => {
    const { url, ended, interrupt } = await begun(...args);
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    // While the test looks, the page gets no update: the report would replace it.
    let held = Promise.withResolvers<void>();
    held.resolve();
    await page.route('**/now', async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto(url);
    const main = page.locator('main');
    expect(await main.textContent()).toContain('under way');
    await expect.poll(() => main.textContent()).toMatch(during);
    held = Promise.withResolvers<void>();
    expect(await hardToUse(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    held.resolve();
    interrupt();
    await expect.poll(() => page.title(), { timeout: 90_000 }).toMatch(/report/i);
    expect(await main.textContent()).toMatch(after);
    expect(await main.textContent()).toMatch(/State\s*(interrupted|done)/);
    await ended;
    await expect(fetch(url)).rejects.toThrow();
    expect(complaints).toEqual([]);
    await page.close();
  });
});

test('a viewer gets the last state, and then the server ends', async () => {
  const watch = await Watch.begin('some work', { watch: true });
  const stateOf = async (): Promise<string> =>
    /<dt>State<\/dt><dd>([^<]*)/.exec(await (await fetch(watch.url!)).text())![1]!;
  expect(await stateOf()).toBe('under way');
  const ended = watch.end([], false);
  expect(await stateOf()).toBe('done');
  await ended;
  await expect(fetch(watch.url!)).rejects.toThrow();
});

test('without a viewer the command ends as usual', async () => {
  const { code, stderr } = await umbra(...R7, '--runs', '20', '-q', '--watch');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^umbra: watch it at http:\/\/127\.0\.0\.1:\d+\/$/m);
});

test.each([
  [['--watch', 'everywhere'], /A port from 1 to 65535 is expected/],
  [['--watch', '--queue', 'embedded'], /of a queue, umbra queue watch --watch does/],
])('refuses %j', async (args, message) => {
  const { code, stderr } = await umbra(...R7, ...args);
  expect(code).toBe(2);
  expect(spaced(stderr)).toMatch(message);
});
