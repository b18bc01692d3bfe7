/** The page of `umbra replay --html` in a browser: stepping through a schedule. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tokenOf } from '../../src/explore/replay.ts';
import type { PlayerData } from '../../src/report/player/data.ts';
import { Track } from '../../src/report/player/track.ts';
import { hardToUse, hasBrowser, launchBrowser } from '../browser.ts';
import { find, R2 } from '../explore/story/found.ts';
import { scratch } from '../scratch.ts';
import { fingers, way } from '../touch.ts';
import { umbra } from './umbra.ts';

const folder = scratch('player');
const file = join(folder, 'player.html');
const url = pathToFileURL(file).href;

const found = find(R2, 'R2', 'lock-free', 'nonpae');
const token = tokenOf(found.subject, found.failing);
const passing = tokenOf(found.subject, found.passing!);
const { code } = await umbra('replay', token, '--against', passing, '--html', file, '-q');
const html = readFileSync(file, 'utf8');
const [, json] = /<script type="application\/json">(.*?)<\/script>/s.exec(html)!;
const data = JSON.parse(json!) as PlayerData;
const track = new Track(data.tracks[0]);
const breaks = track.flags.get('break')!;

test('the page is one file that loads no other', () => {
  expect(code).toBe(1);
  expect(html).not.toMatch(/<link|<img|\bsrc=|\bhref=|@import|https?:/);
  expect(html.length).toBeLessThan(500_000);
  expect(data.tracks.map((one) => one!.token)).toEqual([token, passing]);
});

describe.runIf(hasBrowser)('a browser', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url);
  }, 60_000);
  afterAll(() => browser?.close());

  const said = (): Promise<string | null> => page.locator('output').textContent();
  /** Drawing follows the browser's frames. */
  const drawn = (): Promise<unknown> =>
    page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
  const press = async (key: string): Promise<number> => {
    await page.keyboard.press(key);
    await drawn();
    return stepNow();
  };
  const stepNow = async (): Promise<number> => Number(/Step (\d+) of/.exec((await said())!)![1]);
  const shown = (): Promise<string> =>
    page.evaluate(
      "document.querySelector('.cpus').innerHTML + document.querySelector('.machine').innerHTML",
    );

  beforeEach(async () => {
    await page.locator('input').focus();
    await press('Home');
  });

  test('begins in its story, with the keyboard focus on the lanes', async () => {
    await page.reload();
    await drawn();
    expect(await stepNow()).toBe(track.told[0]);
    expect(await page.evaluate('document.activeElement.type')).toBe('range');
  });

  test('begins at the step that its address names', async () => {
    const there = await browser.newPage();
    await there.goto(`${url}#step-${breaks}`);
    await expect.poll(() => there.locator('output').textContent()).toContain(`Step ${breaks} of`);
    await there.close();
  });

  test('steps forward and back to the same state', async () => {
    const states: string[] = [];
    for (let step = 0; step < 60; step++) {
      states.push(await shown());
      expect(await press('ArrowRight')).toBe(step + 1);
    }
    expect(new Set(states).size).toBe(60);
    for (let step = 59; step >= 0; step--) {
      expect(await press('ArrowLeft')).toBe(step);
      expect(await shown()).toBe(states[step]);
    }
    expect(await press('ArrowLeft')).toBe(0);
  });

  test('is moved by keys alone: first and last, along the story, to the break', async () => {
    expect(await press('End')).toBe(track.length - 1);
    expect(await press('ArrowRight')).toBe(track.length - 1);
    expect(await press('Home')).toBe(0);
    const along = [];
    for (const _ of track.told) along.push(await press('Shift+ArrowRight'));
    expect(along).toEqual(track.told);
    expect(await press('Shift+ArrowLeft')).toBe(track.told.at(-2));
    expect(await press('b')).toBe(breaks);
    expect(await press('PageDown')).toBeGreaterThan(0);
  });

  test('describes each step in a sentence for screen readers', async () => {
    await press('b');
    const { name, file: source, line, place } = track.step(breaks);
    expect(await said()).toBe(
      `Step ${breaks} of ${track.length - 1}: CPU 0, ${name} (${source}:${line}), writes ${place}: ` +
        'none → page 0x20 rw user accessed.',
    );
    expect(await page.locator('output').getAttribute('aria-live')).toBe('polite');
    expect(await page.locator('input').getAttribute('aria-valuetext')).toBe(
      `step ${breaks} of ${track.length - 1}`,
    );
  });

  test('Tab reaches every control, and the focus is visible', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 25; i++) {
      await page.keyboard.press('Tab');
      const [name, outline] = (await page.evaluate(`(() => {
        const at = document.activeElement;
        const name = at.ariaLabel ?? at.textContent;
        return [name, at === document.body ? '2px' : getComputedStyle(at).outlineWidth];
      })()`)) as [string, string];
      seen.add(name);
      expect(outline, name).toBe('2px');
    }
    for (const name of [
      'One step forward (→)',
      'To the break (B)',
      'Story',
      'Machine',
      'Copy the token',
    ]) {
      expect([...seen]).toContain(name);
    }
    expect([...seen].join()).toContain('to blame: the first of two');
    await page.getByRole('button', { name: 'One step forward' }).focus();
    expect(await press('Enter')).toBe(1);
  });

  test('marks what the step changed, with the old value', async () => {
    await press('b');
    const changed = page.locator('.machine .changed');
    const expected = track.machine(breaks).filter(({ change }) => change !== undefined);
    expect(await changed.count()).toBe(expected.length);
    expect(await changed.first().textContent()).toContain(
      '0x00400000 → page 0x20 rw user accessed',
    );
    expect(await page.locator('.cpu.now h2').textContent()).toContain('CPU 0 vCPU 0: load');
    expect(await page.locator('.cpu.now mark').textContent()).toContain('steps.writeBack');
    const isSeen = `(() => {
      const [pane, head, line] = ['.machine', '.when', '.changed'].map((one) => document.querySelector(one).getBoundingClientRect());
      return line.top >= head.bottom && line.bottom <= pane.bottom;
    })()`;
    expect(await page.evaluate(isSeen)).toBe(true);
  });

  test('moves to the step of a clicked line of the story', async () => {
    const step = track.told[1]!;
    await page.locator(`.tale[data-which="0"] tr[data-step="${step}"]`).click();
    await drawn();
    expect(await stepNow()).toBe(step);
    expect(
      await page.locator('.tale[data-which="0"] tr[aria-current]').getAttribute('data-step'),
    ).toBe(String(step));
    await page.locator('.flags button').last().click();
    await drawn();
    expect(await stepNow()).toBe(breaks);
  });

  test('moves by dragging along the lanes', async () => {
    const { x, y, width, height } = (await page.locator('input').boundingBox())!;
    const at = (share: number): number => x + 7 + (width - 14) * share;
    await page.mouse.move(at(0), y + height / 2);
    await page.mouse.down();
    for (const share of [0.2, 0.5, 0.8]) {
      await page.mouse.move(at(share), y + height / 2);
      await drawn();
      expect(Math.abs((await stepNow()) - share * (track.length - 1))).toBeLessThan(3);
    }
    await page.mouse.up();
  });

  test("moves by a finger's drag, and steps by taps", async () => {
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    const telephone = await context.newPage();
    await telephone.goto(url);
    const output = telephone.locator('output');
    await telephone.getByRole('button', { name: 'First step' }).tap();
    await expect.poll(() => output.textContent()).toContain('Step 0 of');
    await telephone.getByRole('button', { name: 'One step forward' }).tap();
    await expect.poll(() => output.textContent()).toContain('Step 1 of');
    const { x, y, width, height } = (await telephone.locator('input').boundingBox())!;
    const at = (share: number) => [x + 7 + (width - 14) * share, y + height / 2] as const;
    await fingers(telephone, way(at(0), at(0.5)));
    const step = async (): Promise<number> =>
      Number(/Step (\d+) of/.exec((await output.textContent())!)![1]);
    await expect.poll(step).toBeGreaterThan(track.length * 0.45);
    expect(await step()).toBeLessThan(track.length * 0.55);
    await telephone.getByRole('button', { name: 'To the break' }).tap();
    await expect.poll(step).toBe(breaks);
    await context.close();
  });

  test('shows the passing schedule, and where the two diverge', async () => {
    const beside = page.locator('.beside');
    expect(await beside.textContent()).toContain(`they part at step ${data.parting}.`);
    expect(await page.locator('.parting').first().textContent()).toContain(
      'here the two schedules part',
    );
    await press('b');
    expect(await press('o')).toBeLessThan(data.tracks[1]!.steps.length);
    expect(await page.locator('.player').getAttribute('data-which')).toBe('1');
    expect(await page.locator('.tale[data-which="1"]').isVisible()).toBe(true);
    expect(await page.locator('.tale[data-which="0"]').isVisible()).toBe(false);
    await press('o');
    expect(await page.locator('.player').getAttribute('data-which')).toBe('0');
    await page.setViewportSize({ width: 1700, height: 900 });
    expect(await page.locator('.tale:visible').count()).toBe(2);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  test('copies the token, or selects it where copying is not allowed', async () => {
    const tale = page.locator('.tale[data-which="0"]');
    const copy = tale.getByRole('button', { name: 'Copy the token' });
    await copy.click();
    await expect.poll(() => tale.locator('.copied').textContent()).toBe('It is copied.');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(token);
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await copy.click();
    await expect.poll(() => tale.locator('.copied').textContent()).toContain('copy it with Ctrl');
    expect(await page.evaluate('String(getSelection())')).toBe(token);
  });

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)(
    'passes the accessibility checks in %s, %i pixels wide',
    async (colorScheme, width) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await press('b');
      expect(await hardToUse(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      await page.setViewportSize({ width: 1280, height: 800 });
    },
  );

  test('prints as the story', async () => {
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.machine').isVisible()).toBe(false);
    expect(await page.locator('.story').first().isVisible()).toBe(true);
    await page.emulateMedia({ media: 'screen' });
  });

  test('shows the story without scripts', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(url);
    expect(await plain.locator('.story').textContent()).toContain('here it breaks');
    expect(await plain.locator('main').textContent()).toContain(`umbra replay ${token}`);
    await context.close();
  });

  test('makes no outside request and logs no errors', () => {
    expect(new Set(requests)).toEqual(new Set([url]));
    expect(complaints).toEqual([]);
  });
});
