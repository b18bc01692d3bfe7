/** `umbra report`: one page of runs, as a program reads it and as a browser shows it. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { parseHTML } from 'linkedom';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/report/run-report.ts';
import { hasBrowser, launchBrowser } from '../browser.ts';
import { umbra } from './umbra.ts';

const folder = mkdtempSync(join(tmpdir(), 'umbra-report-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...path: readonly string[]): string => join(folder, ...path);

const LS = 'scenarios/traces/ls.umbra';
const POLICY = ['--policy', 'ping-pong', '--cpus', '2', '-q'];
await umbra('start', LS, LS, ...POLICY, '--out', at('first'), '--json', at('second.json'));
await umbra('stress', '--runs', '1', '-q', '--out', at('stress'));
// More than half of all schedules show it.
const R7 = ['litmus/5-flush/R7-clear-all-repairs-one.yaml', '--defects', 'R7', '--runs', '50'];
await umbra('campaign', ...R7, '--discipline', 'guest-lock', '-q', '--json', at('campaign.json'));
const shown = [at('first'), at('second.json'), at('stress'), at('campaign.json')];
const made = await umbra('report', ...shown, '-o', at('all.html'));

const { document } = parseHTML(readFileSync(at('all.html'), 'utf8'));
const texts = (selector: string): string[] =>
  [...document.querySelectorAll(selector)].map(({ textContent }) => textContent!.trim());
const report = JSON.parse(readFileSync(at('second.json'), 'utf8')) as RunReport;
const n = (value: number): string => value.toLocaleString('en-US');

test('is one file, and nothing else is written', () => {
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/all\.html: \d+ KiB/);
});

test('has a section for each run, and one that compares those of machines', () => {
  expect(texts('h2')).toEqual([
    'Runs compared',
    'first, umbra start',
    'second.json, umbra run',
    'stress, umbra stress',
    'campaign.json, umbra campaign',
  ]);
});

test('tells the figures of the run', () => {
  const rows = texts('#run-1 tr').map((row) => row.replaceAll(/\s+/g, ' '));
  const of = (label: string): string[] => rows.filter((row) => row.startsWith(label));
  expect(of('walks').join()).toContain(n(report.total.walks));
  expect(texts('#run-1')[0]).toContain('every reference count adds up');
  expect(texts('#run-1 figcaption').join(' ')).toMatch(/: \d+ faults\./);
});

test('real time stands apart in the section of each run, and is not compared', () => {
  expect(texts('#run-1 p').join('\n')).toMatch(
    /^Real time, of this machine just then, and not to be compared with another run: [\d.]+ s after /m,
  );
  expect(texts('#compared')[0]).not.toMatch(/ s after |\/s\b|a second|seconds/);
  expect(texts('#run-1 table').join('\n')).not.toMatch(/a second|\/s\b/);
});

test('two runs beside one another are no verdict', () => {
  expect(texts('#compared li')).toEqual([
    'Not clear: first and second.json took the same. One run of each is too few: it takes 6 of each, ' +
      'with other seeds.',
  ]);
});

test('tells the schedules of a campaign that went wrong', () => {
  expect(texts('#run-4 tbody tr').join('\n')).toMatch(
    /R7-clear-all.*guest-lock.*umbra replay umbra\d/,
  );
});

test('the timeline has every stretch, fault and migration of the run', () => {
  const data = JSON.parse(texts('#run-1 script')[0]!) as Record<string, unknown[][]>;
  const total = report.total;
  expect(data['runs']!.flat()).toHaveLength(total.entries);
  expect(data['faults']!.flat()).toHaveLength(total.faults_fixed + total.faults_passed_on);
  expect(data['migrations']).toHaveLength(total.migrations);
  expect(total.migrations).toBeGreaterThan(0);
});

test('each picture has a name, and its figures as a table', () => {
  const pictures = [...document.querySelectorAll('figure')];
  expect(pictures.length).toBeGreaterThan(5);
  for (const picture of pictures) {
    expect(picture.querySelector('svg[role=img] > title')?.textContent).toBeTruthy();
    expect(picture.querySelector('details table tbody tr')).toBeTruthy();
    expect(picture.outerHTML).not.toMatch(/NaN|undefined/);
  }
});

test('needs nothing from elsewhere', () => {
  const html = readFileSync(at('all.html'), 'utf8');
  expect(html).not.toMatch(/<link|<img|\bsrc=|url\((?!#)|@import|https?:(?!\/\/www\.w3\.org)/);
});

describe('what cannot be shown is said, with what was found and what was expected', () => {
  mkdirSync(at('empty'));
  mkdirSync(at('old'));
  writeFileSync(at('old', 'run.json'), '{"schema_version": 0}');
  writeFileSync(at('text.json'), 'no JSON');
  const { walks: _, ...less } = report.total;
  writeFileSync(at('less.json'), JSON.stringify({ ...report, total: less }));
  writeFileSync(at('other.json'), '{"schema_version": 1, "lines": 7}');

  test.each([
    ['nothing', [at('missing')], /missing is not there; expected is a folder that --out/],
    ['another folder', [at('empty')], /empty: found a folder without run\.json, expected/],
    ['an older one', [at('old')], /run\.json: found schema version 0, expected 1/],
    ['no JSON', [at('text.json')], /text\.json: found what is not JSON/],
    [
      'a run that counted less',
      [at('less.json')],
      /less\.json: found no walks, expected the report/,
    ],
    ['other JSON', [at('other.json')], /other\.json: found JSON of something else, expected/],
  ] as const)('%s', async (_, paths, message) => {
    const { code, stderr } = await umbra('report', ...paths, '-o', at('none.html'));
    expect(code).toBe(2);
    expect(stderr.replaceAll(/\n\s*/g, ' ')).toMatch(message);
    expect(existsSync(at('none.html'))).toBe(false);
  });

  test('a place that cannot be written', async () => {
    const { code, stderr } = await umbra('report', at('first'), '-o', at('nowhere', 'a.html'));
    expect(code).toBe(2);
    expect(stderr).toContain('give -o a file in a folder that exists');
  });
});

describe.runIf(hasBrowser)('a browser', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];
  const url = pathToFileURL(at('all.html')).href;
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url);
  }, 60_000);
  afterAll(() => browser?.close());

  test.each(['light', 'dark'] as const)('finds nothing hard to use in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe);
    const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`)).toEqual([]);
  });

  test('shows it in dark and in light', async () => {
    const paper = async (colorScheme: 'light' | 'dark'): Promise<unknown> => {
      await page.emulateMedia({ colorScheme });
      return page.evaluate('getComputedStyle(document.body).backgroundColor');
    };
    expect([await paper('light'), await paper('dark')]).toEqual([
      'rgb(255, 255, 255)',
      'rgb(22, 25, 29)',
    ]);
  });

  test('goes down from one heading to the next, and has its landmarks', async () => {
    const levels = await page
      .locator('h1, h2, h3')
      .evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.slice(1).entries()) {
      expect(level - levels[i]!).toBeLessThanOrEqual(1);
    }
    for (const name of ['banner', 'navigation', 'main', 'contentinfo'] as const) {
      expect(await page.getByRole(name).count()).toBe(1);
    }
  });

  test('moves the timeline by keys, and says where it is', async () => {
    const view = page.locator('.view').first();
    const said = page.locator('output').first();
    const press = async (key: string): Promise<string> => {
      await view.press(key);
      return (await said.textContent())!;
    };
    const whole = await press('Home');
    expect(whole).toMatch(/^0 µs to /);
    const before = await view.innerHTML();
    const half = await press('+');
    expect(half).not.toBe(whole);
    await expect.poll(() => view.innerHTML()).not.toBe(before);
    expect(await press('ArrowRight')).not.toBe(half);
    expect(await press('ArrowLeft')).toBe(half);
    expect(await press('-')).toBe(whole);
    await page.getByRole('button', { name: 'Zoom in' }).first().click();
    expect(await said.textContent()).toBe(half);
  });

  test('prints it without what moves it', async () => {
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.controls').first().isVisible()).toBe(false);
    expect(await page.locator('.view svg').first().isVisible()).toBe(true);
    await page.emulateMedia({ media: 'screen' });
    expect(await page.locator('.controls').first().isVisible()).toBe(true);
  });

  test('asked nobody for anything, and had nothing to complain of', () => {
    expect(requests).toEqual([url]);
    expect(complaints).toEqual([]);
  });
});
