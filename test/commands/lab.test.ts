/** `umbra lab`: the page it writes, and the engine in a browser, compared with Node's. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Litmus, parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { type Setting, settingsOf } from '../../src/explore/setting.ts';
import { workloads } from '../../src/guest/workloads/catalogue.ts';
import { type Explored, explored } from '../../src/lab/engine/exploring.ts';
import { runMachine } from '../../src/lab/engine/running.ts';
import { filesBelow, serveLab } from '../../src/lab/site.ts';
import { hardToUse, hasBrowser, launchBrowser } from '../browser.ts';
import { HAS_RUN, hostile, MARKUP } from '../markup.ts';
import { scratch } from '../scratch.ts';
import { interrupted, umbra } from './umbra.ts';

const folder = scratch('lab');
const site = join(folder, 'site');
const built = await umbra('lab', '--build', site);
const files = filesBelow(site);
const serving = await serveLab(files, 0);
afterAll(() => serving.close());

const tests = JSON.parse(String(files.get('tests.json'))) as { name: string; text: string }[];
const textOf = (name: string): string => tests.find((one) => one.name === name)!.text;
const litmusOf = (name: string): Litmus => parseLitmus(textOf(name), 'test.yaml');

describe('the written folder', () => {
  test('has the page, its workers, the tests that come with umbra, and the headers', () => {
    expect(built).toMatchObject({ code: 0, stderr: '' });
    expect(built.stdout).toMatch(/site: \d+ files/);
    expect(tests.length).toBeGreaterThan(50);
    expect(textOf('R2-cleared-entry-comes-back')).toBe(
      readFileSync('litmus/1-fault/R2-cleared-entry-comes-back.yaml', 'utf8'),
    );
    const headers = String(files.get('_headers'));
    expect(headers).toContain('Cross-Origin-Opener-Policy: same-origin');
    expect(headers).toContain('Cross-Origin-Embedder-Policy: require-corp');
    expect(headers).toContain("default-src 'none'");
  });

  test('shows the source in stories, built from whichever folder', () => {
    const args = [resolve('src/main.ts'), 'lab', '--build', 'elsewhere'];
    expect(spawnSync(process.execPath, args, { cwd: folder })).toMatchObject({ status: 0 });
    const [, map] = [...filesBelow(join(folder, 'elsewhere'))].find(([name]) =>
      /\.map$/.test(name),
    )!;
    const { sources, sourcesContent } = JSON.parse(String(map)) as Record<string, string[]>;
    const fault = sources!.indexOf('../../src/paging/fault.ts');
    expect(sourcesContent![fault]).toBe(readFileSync('src/paging/fault.ts', 'utf8'));
  });

  test('loads nothing from other servers', () => {
    expect(String(files.get('index.html'))).not.toMatch(/https?:/);
  });

  test('is reported where it cannot be written', async () => {
    const { code, stderr } = await umbra('lab', '--build', '/dev/null/site');
    expect(code).toBe(2);
    expect(stderr).toContain('give --build a folder to be made');
  });
});

describe('the server', () => {
  const ask = (path: string, host: string) =>
    new Promise<{ status: number; headers: Record<string, unknown> }>((resolve) => {
      get(new URL(path, serving.url), { headers: { host } }, (response) => {
        response.resume();
        resolve({ status: response.statusCode!, headers: response.headers });
      });
    });

  test('is for this machine only, isolated, and with a policy', async () => {
    expect(serving.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { status, headers } = await ask('/', 'localhost');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(await ask('/', 'elsewhere.example')).toMatchObject({ status: 403 });
  });

  test("serves only the page's files", async () => {
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/src/main.ts']) {
      expect(await ask(path, 'localhost')).toMatchObject({ status: 404 });
    }
  });

  test('runs until Ctrl-C, at the address it prints', async () => {
    const { code, stdout } = await interrupted(/Ctrl-C ends it/, 'lab');
    expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\//);
    expect(code).toBe(0);
  });
});

describe.runIf(hasBrowser)('a browser', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const foreign: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('request', (request) => {
      if (!request.url().startsWith(serving.url)) foreign.push(request.url());
    });
    await page.goto(serving.url);
  });
  afterAll(() => browser?.close());

  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const field = (name: string) => page.getByLabel(name, { exact: true });
  const run = async (workload: string, size: number): Promise<void> => {
    await field('Workload').selectOption(workload);
    // The workload's own comes with the next frame.
    await expect
      .poll(() => field('Size').inputValue())
      .toBe(String(workloads[workload]!.size * 100));
    await field('Size').fill(String(size));
    await field('Size').blur();
    await button('Run').click();
  };
  const BREAKS =
    /^Step \d+ of \d+: CPU 0, tryDemandPage .* writes guest pte of 0x00400000 in A: none →/;
  const LOOKS = [['dark', 390] as const, ['light', 1280] as const];
  const topOf = (selector: string): Promise<number> =>
    page.evaluate(`document.querySelector('${selector}').getBoundingClientRect().top`);
  const verdict = () => page.locator('.results .verdict');
  const open = async (name: string): Promise<void> => {
    await page.goto(`${serving.url}#/litmus/${name}`);
    await expect.poll(() => field('Comes with umbra').inputValue()).toBe(name);
  };
  /** Returns the verdict. */
  const explore = async (schedules: number, seed = 1): Promise<string> => {
    await field('Schedules in each setting').fill(String(schedules));
    await field('Seed').fill(String(seed));
    await field('Seed').blur();
    const before = (await verdict().count()) > 0 ? await verdict().textContent() : '';
    await button('Explore').click();
    const said = async (): Promise<string> => (await verdict().textContent()) ?? '';
    const isNew = async (): Promise<boolean> => {
      const now = await said();
      return /schedules?,/.test(now) && now !== before;
    };
    await expect.poll(isNew, { timeout: 100_000 }).toBe(true);
    return said();
  };

  const ALIKE: readonly (readonly [name: string, seed: number, Partial<Setting>])[] = [
    ['R2-cleared-entry-comes-back', 1, { defects: ['R2'] }],
    ['R2-dirty-erased', 77, { defects: [] }],
    ['R12-same-top-level-twice', 3, { defects: ['R12'] }],
    ['store-buffering', 5, { defects: [], memory: 'tso' }],
    ['four-cpus', 9, { defects: ['R10'], discipline: 'pgdir-lock' }],
  ];

  test.each(ALIKE)("runs %s to Node's digest", async (name, seed, given) => {
    const { defects = [], memory = 'sc', discipline = '' } = given;
    await open(name);
    const aimed = litmusOf(name).defect;
    const off = aimed !== undefined && !defects.includes(aimed) ? [aimed] : [];
    for (const id of [...off, ...defects.filter((one) => one !== aimed)]) {
      const one = page.getByRole('checkbox', { name: new RegExp(`^${id} `) });
      if (!(await one.isVisible())) await page.getByText(/^All (others|defects)/).click();
      await one.click();
    }
    await field('Memory model').selectOption(memory);
    await field('Discipline').selectOption(discipline);
    await explore(30, seed);
    await page.getByText('By setting').click();
    const shown = await page.locator('.results details tbody tr').evaluateAll((rows) =>
      rows.map((row) => {
        const cells = [...row.children].map((cell) => cell.textContent!.trim());
        return [...cells.slice(0, 3), ...cells.slice(-2)];
      }),
    );
    const counts = await page.locator('.outcomes .n').allTextContents();
    const litmus = litmusOf(name);
    const settings = settingsOf(litmus, { ...given, memory });
    const here: Explored[] = [];
    for (const setting of settings) {
      const search = { setting, strategy: 'portfolio', schedules: 30, seed };
      here.push(await explored('test.yaml', litmus, search));
    }
    expect(shown).toEqual(
      here.map(({ schedules, failures, digest }, i) => {
        const wrong = failures.reduce((sum, { count }) => sum + count, 0);
        const { discipline: by, paging } = settings[i]!;
        return [by, paging, `${schedules}`, `${wrong}`, digest];
      }),
    );
    const sums = litmus.outcomes.map((_, i) =>
      here.reduce((sum, { lines }) => sum + lines[i]!.count, 0),
    );
    expect(counts.slice(1, 1 + sums.length).map((text) => text.trim())).toEqual(sums.map(String));
    await field('Memory model').selectOption('sc');
    await field('Discipline').selectOption('');
  });

  test('a lesson: R2 is found, stepped through, and mended', async () => {
    await open('R2-cleared-entry-comes-back');
    expect(await page.getByRole('checkbox', { name: /^R2 / }).isChecked()).toBe(true);
    expect(await explore(150)).toMatch(/^\d+ went wrong of \d+ schedules, /);
    await page
      .getByRole('button', { name: /^Step through it/ })
      .first()
      .click();
    await expect
      .poll(() => page.locator('.place').textContent(), { timeout: 100_000 })
      .toContain('from here on: not A 0x00400000 is none');
    await expect.poll(() => page.locator('.place').textContent()).toContain('src/paging/fault.ts');
    // All of it is in view, from its flags on.
    await expect.poll(() => topOf('.flags button')).toBeGreaterThanOrEqual(0);
    expect(await topOf('.flags button')).toBeLessThan(60);
    // The keyboard focus is there already.
    await page.keyboard.press('b');
    await expect.poll(() => page.locator('.place output').textContent()).toMatch(BREAKS);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.locator('.place output').textContent()).not.toMatch(BREAKS);
    for (const [colorScheme, width] of LOOKS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      expect(await hardToUse(page), `${colorScheme}, ${width} pixels wide`).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
    await page.getByRole('checkbox', { name: /^R2 / }).click();
    expect(await explore(50)).toMatch(/^Nothing wrong in 300 schedules, \d+ of them different, /);
    expect(await page.locator('.failures').count()).toBe(0);
  });

  test("reports mistakes while typing, in their place, by the commands' parser", async () => {
    await open('R2-dirty-erased');
    const editor = page.getByRole('textbox', { name: 'The test, as YAML' });
    await editor.click();
    await page.keyboard.press('Control+Home');
    await page.keyboard.type('nam: twice\n');
    const mistakes = page.locator('.mistakes');
    await expect.poll(() => mistakes.textContent()).toContain('Line 1, column 1');
    let expected = '';
    try {
      parseLitmus(`nam: twice\n${textOf('R2-dirty-erased')}`, 'test.yaml');
    } catch (error) {
      expected = (error as Error).message.replace(/^test\.yaml:1:1: /, '');
    }
    expect(expected).not.toBe('');
    expect(await mistakes.textContent()).toContain(expected);
    expect(await button('Explore').isDisabled()).toBe(true);
    await page.keyboard.press('Control+End');
    await button(/^Line 1/).click();
    expect(await page.evaluate('document.activeElement.className')).toContain('cm-content');
    await button('As it came').click();
    await expect.poll(() => mistakes.textContent()).toContain('No mistakes');
  });

  test('shows a test that is markup as text', async () => {
    await open('R2-cleared-entry-comes-back');
    await page.getByRole('textbox', { name: 'The test, as YAML' }).click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(hostile(textOf('R2-cleared-entry-comes-back')));
    expect(await page.locator('.about').textContent()).toContain(MARKUP);
    expect(await explore(50)).toMatch(/^\d+ went wrong of /);
    expect(await page.locator('.failures').textContent()).toContain(MARKUP);
    await page
      .getByRole('button', { name: /^Step through it/ })
      .first()
      .click();
    const place = page.locator('.place');
    await expect.poll(() => place.textContent(), { timeout: 100_000 }).toContain('here it breaks');
    expect(await page.evaluate(HAS_RUN)).toBe(false);
    await button('As it came').click();
  });

  test('is used by keys alone', async () => {
    await open('R1-two-faults-one-entry');
    await field('Schedules in each setting').fill('20');
    await field('Seed').focus();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Explore');
    await page.keyboard.press('Enter');
    await expect.poll(() => verdict().textContent()).toMatch(/schedules, /);
    const editor = page.getByRole('textbox', { name: 'The test, as YAML' });
    await editor.focus();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).not.toContain('cm-content');
  });

  test('runs a machine on several workers and shows its tables meanwhile', async () => {
    await page.goto(`${serving.url}#/machine`);
    await run('false-sharing', 40);
    const said = page.locator('.verdict');
    await expect.poll(() => said.textContent(), { timeout: 100_000 }).toMatch(/^After [\d.]+ s: /);
    const alone = await runMachine(
      {
        ...{ workload: 'false-sharing', size: 40, seed: 1, cpus: 2, vcpus: 2, paging: 'pae' },
        ...{ policy: 'round-robin', slice: 500, discipline: 'lock-free', defects: [] },
      },
      () => true,
    );
    expect(alone.violations).toEqual([]);
    expect(await said.textContent()).toContain('the guest ended by itself');
    expect(await said.textContent()).toContain(`Digest of user memory ${alone.memory}`);
  });

  test('shows a long run while it lasts, and stops it', async () => {
    await run('mmap-churn', 4000);
    await expect.poll(() => page.locator('.sheet').count()).toBeGreaterThan(3);
    await expect.poll(() => page.locator('.chart path').count()).toBeGreaterThan(0);
    await button('Stop').click();
    const said = page.locator('.verdict');
    await expect.poll(() => said.textContent()).toMatch(/: stopped; isolation/);
  });

  describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
    test.each(['litmus/R2-cleared-entry-comes-back', 'machine'])(
      'passes the accessibility checks in %s',
      async (room) => {
        await page.emulateMedia({ colorScheme });
        await page.goto(`${serving.url}#/${room}`);
        await button(/^(Explore|Run)$/).waitFor();
        expect(await hardToUse(page)).toEqual([]);
      },
    );
  });

  test("fits a phone's screen", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const room of ['litmus/four-cpus', 'machine']) {
      await page.goto(`${serving.url}#/${room}`);
      await button(/^(Explore|Run)$/).waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
  });

  test('makes no outside request and logs no errors', () => {
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
