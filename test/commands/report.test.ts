/** `umbra report`: one page of runs, as a program reads it and as a browser shows it. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHTML } from 'linkedom';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/report/run-report.ts';
import { hardToUse, hasBrowser, launchBrowser } from '../browser.ts';
import { scratch } from '../scratch.ts';
import { fingers, way } from '../touch.ts';
import { umbra } from './umbra.ts';

const folder = scratch('report');
const at = (...path: readonly string[]): string => join(folder, ...path);

const LS = 'scenarios/traces/ls.umbra';
const POLICY = ['--policy', 'ping-pong', '--cpus', '2', '-q'];
await umbra('start', LS, LS, ...POLICY, '--out', at('first'), '--json', at('second.json'));
await umbra('stress', '--runs', '1', '-q', '--out', at('stress'));
// More than half of all schedules show it.
const R7 = ['litmus/5-flush/R7-clear-all-repairs-one.yaml', '--defects', 'R7', '--runs', '50'];
await umbra('campaign', ...R7, '--discipline', 'guest-lock', '-q', '--json', at('campaign.json'));
await umbra('run', 'as-written-two-vcpus', '-q', '--out', at('died'));
const shown = [at('first'), at('second.json'), at('stress'), at('campaign.json'), at('died')];
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

test('has a section for each run, and one that compares runs of machines', () => {
  expect(texts('h2')).toEqual([
    'Runs compared',
    'first, umbra start',
    'second.json, umbra run',
    'stress, umbra stress',
    'campaign.json, umbra campaign',
    'died, umbra run',
  ]);
});

test('has the figures of the run', () => {
  const rows = texts('#run-1 tr').map((row) => row.replaceAll(/\s+/g, ' '));
  const of = (label: string): string[] => rows.filter((row) => row.startsWith(label));
  expect(of('walks').join()).toContain(n(report.total.walks));
  expect(texts('#run-1')[0]).toContain('every reference count adds up');
  expect(texts('#run-1 figcaption').join(' ')).toMatch(/: \d+ faults\./);
});

test("shows real time apart in each run's section, and does not compare it", () => {
  expect(texts('#run-1 p').join('\n')).toMatch(
    /^Real time of this machine, measured once; do not compare it with another run: [\d.]+ s after /m,
  );
  expect(texts('#compared')[0]).not.toMatch(/ s after |\/s\b|a second|seconds/);
  expect(texts('#run-1 table').join('\n')).not.toMatch(/a second|\/s\b/);
});

test('two runs side by side give no verdict', () => {
  expect(texts('#compared li')).toContain(
    'Not clear: first and second.json took the same. One run of each is too few: it takes 6 of each, ' +
      'with other seeds.',
  );
});

test('lists the failing schedules of a campaign', () => {
  expect(texts('#run-4 tbody tr').join('\n')).toMatch(
    /R7-clear-all.*guest-lock, \w+, with R7(oops|violation|killed): .+umbra replay umbra\d/,
  );
  const [bySetting] = texts('#run-4 table').filter((text) => text.startsWith('By test'));
  expect(bySetting).toMatch(/Chance of a new one.*\d % \(\d+–\d+\)/s);
  expect(texts('#run-4 p').join()).toContain('no share of all behaviours');
});

test('the timeline has every stretch, fault and migration of the run', () => {
  const data = JSON.parse(texts('#run-1 script')[0]!) as Record<string, unknown[][]>;
  const total = report.total;
  expect(data['runs']!.flat()).toHaveLength(total.entries);
  expect(data['faults']!.flat()).toHaveLength(total.faults_fixed + total.faults_passed_on);
  expect(data['migrations']).toHaveLength(total.migrations);
  expect(total.migrations).toBeGreaterThan(0);
});

test('migrations: a matrix, residency, and what follows a move', () => {
  const matrix = texts('#run-1 details table').find((text) => text.includes('to 0'))!;
  expect(matrix).toMatch(/host CPU 0\s*0\s*\d+/);
  const [residency] = texts('#run-1 .wide').filter((text) => text.startsWith('Residency'));
  expect(residency).toMatch(/ls vCPU 0\s*[1-9][\d.]* %\s*[1-9][\d.]* %/);
  // Another guest of the same name.
  expect(residency).toMatch(/ls \(2\) vCPU 0/);
  const [follows] = texts('#run-1 .wide').filter((text) => text.startsWith('What follows a move'));
  expect(follows).toMatch(/its slice was over/);
  expect(follows).toMatch(/Walks\s*[\d.]+k?\s*[\d.]+k?\s*(not clear|-?[\d.]+ )/);
});

test('a run that died has its cause first, and the place marked', () => {
  expect(texts('#run-5 p')[0]).toMatch(/^It died: the host died on CPU \d: /);
  const marks = texts('#run-5 .view .mark title');
  expect(marks).toEqual([expect.stringMatching(/^the host died on CPU \d: .*, at [\d.]+ .?s$/)]);
  expect(texts('#run-1 .mark')).toEqual([]);
});

test('explains terms where they first occur, and together at the end', () => {
  const terms = texts('#run-1 abbr').map((text) => text.toLowerCase());
  expect(terms).toEqual(expect.arrayContaining(['host cpus', 'migrations', 'vcpu']));
  expect(new Set(terms).size).toBe(terms.length);
  expect(document.querySelector('#run-1 abbr')!.getAttribute('title')).toMatch(/\w+ \w+/);
  expect(texts('.glossary dt')).toEqual(expect.arrayContaining(['host CPU', 'migration']));
});

test('many runs are folded under their headings, their comparison is not', () => {
  expect(texts('#run-1 > details > summary')[0]).toBe('Show first, umbra start');
  expect(document.querySelector('#compared > details')).toBeNull();
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

test('needs no other file', () => {
  const html = readFileSync(at('all.html'), 'utf8');
  expect(html).not.toMatch(/<link|<img|\bsrc=|url\((?!#)|@import|https?:(?!\/\/www\.w3\.org)/);
});

describe('reports what cannot be shown, with what was found and what was expected', () => {
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
    ['an older folder', [at('old')], /run\.json: found schema version 0, expected 1/],
    ['no JSON', [at('text.json')], /text\.json: found text that is not JSON/],
    [
      'a run without a counter',
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

  test('refuses a place that cannot be written', async () => {
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

  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url);
    await page.evaluate(
      'for (const one of document.querySelectorAll("section > details")) one.open = true',
    );
  }, 60_000);
  afterAll(() => browser?.close());

  test.each(['light', 'dark'] as const)(
    'passes the accessibility checks in %s',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      expect(await hardToUse(page)).toEqual([]);
    },
  );

  test('has a dark and a light form', async () => {
    const paper = async (colorScheme: 'light' | 'dark'): Promise<unknown> => {
      await page.emulateMedia({ colorScheme });
      return page.evaluate('getComputedStyle(document.body).backgroundColor');
    };
    expect([await paper('light'), await paper('dark')]).toEqual([
      'rgb(255, 255, 255)',
      'rgb(22, 25, 29)',
    ]);
  });

  test('has nested headings without gaps, and landmarks', async () => {
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

  test('keys move the timeline, and the position is announced', async () => {
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

  test('steps from event to event, measures and searches by keys alone', async () => {
    const view = page.locator('#run-1 .view');
    const said = page.locator('#run-1 .said');
    await view.press('Home');
    await view.press('.');
    const first = (await said.textContent())!;
    expect(first).toMatch(/^[\d.]+ .?s: (fault|wait|migration) .* CPU 0: /);
    await view.press('m');
    for (let i = 0; i < 20; i++) await view.press('.');
    expect(await said.textContent()).toMatch(/Measured: [\d.]+ .?s: [1-9]\d* faults, /);
    await expect.poll(() => view.locator('.selection').count()).toBe(1);
    const range = page.locator('#run-1 output');
    const whole = await range.textContent();
    await view.press('Enter');
    expect(await range.textContent()).not.toBe(whole);
    await view.press('Escape');
    await expect.poll(() => view.locator('.selection, .cursor').count()).toBe(0);
    const search = page.locator('#run-1 input');
    await search.fill('migration of ls vcpu 0');
    await search.press('Enter');
    expect(await said.textContent()).toMatch(
      /^1 of \d+: .*migration of ls( \(\d\))? vCPU 0 from host CPU/,
    );
    await search.press('Enter');
    expect(await said.textContent()).toMatch(/^2 of /);
    await search.fill('no such thing');
    await search.press('Enter');
    expect(await said.textContent()).toBe('Nothing was found.');
  });

  test('the strip scrolls the view, and pointing names the vCPU on a CPU', async () => {
    const view = page.locator('#run-1 .view');
    await view.press('Home');
    await view.press('+');
    const range = page.locator('#run-1 output');
    const strip = (await page.locator('#run-1 .overview').boundingBox())!;
    await page.mouse.click(strip.x + strip.width - 5, strip.y + 10);
    const end = (await range.textContent())!;
    await page.mouse.click(strip.x + strip.width * 0.2, strip.y + 10);
    expect(await range.textContent()).not.toBe(end);
    await view.hover();
    expect(await page.locator('#run-1 .said').textContent()).toMatch(
      /^[\d.]+ .?s: CPU 0: .*CPU 1:/,
    );
  });

  test('touch moves, zooms, points and measures', async () => {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    const telephone = await context.newPage();
    await telephone.goto(`${url}#run-1`);
    await telephone.locator('#run-1 > details > summary').tap();
    const view = telephone.locator('#run-1 .view');
    await view.scrollIntoViewIfNeeded();
    const { x, y, width } = (await view.boundingBox())!;
    const at = (share: number) => [x + 100 + (width - 120) * share, y + 60] as const;
    const range = () => telephone.locator('#run-1 output').textContent();
    const said = () => telephone.locator('#run-1 .said').textContent();
    await telephone.locator('#run-1').getByRole('button', { name: 'Whole run' }).tap();
    const whole = await range();
    // Two fingers apart, then one to the left, and then the two together again.
    await fingers(telephone, way(at(0.5), at(0.2)), way(at(0.6), at(0.9)));
    const part = await range();
    expect(part).not.toBe(whole);
    expect(await telephone.evaluate('visualViewport.scale')).toBe(1);
    await fingers(telephone, way(at(0.9), at(0.3)));
    expect(await range()).not.toBe(part);
    await fingers(telephone, way(at(0), at(0.45)), way(at(1), at(0.5)));
    expect(await range()).toBe(whole);
    // Taps: the cursor, and from there to another.
    await telephone.touchscreen.tap(...at(0.2));
    expect(await said()).toMatch(/^[\d.]+ .?s: CPU 0: .*, CPU 1: [^:]*\.$/);
    await telephone.locator('#run-1').getByRole('button', { name: 'Measure from here' }).tap();
    await telephone.touchscreen.tap(...at(0.8));
    expect(await said()).toMatch(/Measured: [\d.]+ .?s: [1-9]\d* faults, /);
    await telephone.locator('#run-1').getByRole('button', { name: 'Zoom to it' }).tap();
    expect(await range()).not.toBe(whole);
    await telephone.locator('#run-1').getByRole('button', { name: 'Let go' }).tap();
    expect(await said()).toBe('');
    // A finger moving down scrolls the page.
    const before = await telephone.evaluate<number>('scrollY');
    await fingers(telephone, way([x + 200, y + 100], [x + 200, y - 100], 20));
    await expect.poll(() => telephone.evaluate('scrollY')).toBeGreaterThan(before);
    await context.close();
  });

  test.each([390, 1280])(
    'at %d pixels nothing overflows, and pictures are legible',
    async (width) => {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      const sizes = (): Promise<number[]> =>
        page.locator('#run-1 svg text').evaluateAll((all) =>
          all
            .map((text) => text as unknown as { getBoundingClientRect(): { height: number } })
            .map((text) => text.getBoundingClientRect().height)
            .filter((height) => height > 0),
        );
      await expect.poll(async () => Math.min(...(await sizes()))).toBeGreaterThan(9);
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  );

  test('prints without the controls', async () => {
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.controls').first().isVisible()).toBe(false);
    expect(await page.locator('.view svg').first().isVisible()).toBe(true);
    await page.emulateMedia({ media: 'screen' });
    expect(await page.locator('.controls').first().isVisible()).toBe(true);
  });

  test('makes no outside request and logs no errors', () => {
    expect(requests).toEqual([url]);
    expect(complaints).toEqual([]);
  });
});
