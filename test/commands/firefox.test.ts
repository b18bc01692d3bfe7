/** The lab in Firefox: the engine reaches Node's digests there and writes Node's stories. */

import { readFileSync } from 'node:fs';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedTests } from '../../src/explore/litmus/find-files.ts';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { replayToken, tokenOf } from '../../src/explore/replay.ts';
import { type Setting, settingsOf } from '../../src/explore/setting.ts';
import { shrink } from '../../src/explore/shrink/shrink.ts';
import { playerOf } from '../../src/explore/story/player.ts';
import { Subject } from '../../src/explore/subject.ts';
import { decodeToken } from '../../src/explore/token.ts';
import { explored } from '../../src/lab/engine/exploring.ts';
import { runMachine } from '../../src/lab/engine/running.ts';
import { labSite, serveLab } from '../../src/lab/site.ts';
import { sourceOf } from '../../src/platform.ts';
import { frameHtml } from '../../src/report/player/frame.ts';
import { Track } from '../../src/report/player/track.ts';
import type { Serving } from '../../src/report/serve.ts';
import { Firefox, hasFirefox } from '../firefox.ts';

const R2 = 'R2-cleared-entry-comes-back';

const textOf = (name: string): string =>
  readFileSync(shippedTests().find((one) => one.name === name)!.path, 'utf8');

const asText = (html: string, selector: string): string =>
  parseHTML(html).document.querySelector(selector)!.textContent!.replaceAll(/\s+/g, ' ');

describe.runIf(hasFirefox)('Firefox', () => {
  let serving: Serving;
  let firefox: Firefox;
  beforeAll(async () => {
    serving = await serveLab(await labSite(), 0);
    firefox = await Firefox.launch();
  }, 60_000);
  afterAll(async () => {
    await firefox?.close();
    await serving?.close();
  });

  const open = async (room: string): Promise<void> => {
    await firefox.goTo('about:blank');
    await firefox.goTo(`${serving.url}#/${room}`);
    await expect
      .poll(() => firefox.evaluate('document.querySelector("button.main") !== null'))
      .toBe(true);
  };
  /** Sets a field, with the event that typing causes. */
  const fill = (label: string, value: string): Promise<unknown> =>
    firefox.evaluate(`(() => {
      const label = [...document.querySelectorAll('label')].find((one) => one.textContent === ${JSON.stringify(label)});
      const field = document.getElementById(label.htmlFor);
      field.value = ${JSON.stringify(value)};
      field.dispatchEvent(new Event('change'));
    })()`);
  const click = (name: string): Promise<unknown> =>
    firefox.evaluate(
      `[...document.querySelectorAll('button')].find((one) => one.textContent === '${name}').click()`,
    );
  const text = (selector: string): Promise<string> =>
    firefox.evaluate(
      `(document.querySelector('${selector}')?.textContent ?? '').replaceAll(/\\s+/g, ' ')`,
    );

  test.each<readonly [name: string, given: Partial<Setting>]>([
    [R2, { defects: ['R2'], memory: 'sc' }],
    ['store-buffering', { defects: [], memory: 'tso' }],
  ])("runs %s to Node's digests", async (name, given) => {
    await open(`litmus/${name}`);
    await fill('Memory model', given.memory!);
    await fill('Schedules in each setting', '30');
    await click('Explore');
    await expect.poll(() => text('.results .verdict')).toMatch(/schedules, /);
    const litmus = parseLitmus(textOf(name), 'test.yaml');
    const search = { strategy: 'portfolio', schedules: 30, seed: 1 };
    const here = [];
    for (const setting of settingsOf(litmus, given)) {
      here.push((await explored('test.yaml', litmus, { ...search, setting })).digest);
    }
    const there = `[...document.querySelectorAll('.results tbody td:last-child code')].map((one) => one.textContent)`;
    expect((await firefox.evaluate<string[]>(there)).slice(-here.length)).toEqual(here);
  });

  test('shrinks a failure and explains it, with the source, as Node does', async () => {
    await open(`litmus/${R2}`);
    await fill('Discipline', 'lock-free');
    await fill('Page tables', 'nonpae');
    await fill('Schedules in each setting', '160');
    await click('Explore');
    await expect.poll(() => text('.results .verdict')).toMatch(/went wrong of 160 schedules, /);
    await click('Step through it');
    await expect.poll(() => text('.place')).toContain('here it breaks');
    const litmus = parseLitmus(textOf(R2), 'test.yaml');
    const [setting] = settingsOf(litmus, {
      defects: ['R2'],
      discipline: 'lock-free',
      paging: 'nonpae',
      memory: 'sc',
    });
    const search = { setting: setting!, strategy: 'portfolio', schedules: 160, seed: 1 };
    const { failures } = await explored('test.yaml', litmus, search);
    const found = new Subject('test.yaml', litmus, setting!);
    const { subject, result, passing } = await shrink(
      found,
      replayToken(found, decodeToken(failures[0]!.token)),
    );
    const tokens = [result, passing].map((one) => one && tokenOf(subject, one));
    const data = playerOf(subject, result, { passing, tokens, sourceOf });
    const tracks = data.tracks.map((track) => new Track(track!));
    for (const told of ['.story', '.tale ul']) {
      // Lines of the source come a little later.
      await expect.poll(() => text(`.place ${told}`)).toBe(asText(frameHtml(tracks, data), told));
    }
    // Compressed differently; the text is the same.
    const token = await firefox.evaluate<string>(
      'document.querySelector(".place .token").textContent',
    );
    expect(decodeToken(token)).toEqual(decodeToken(tokens[0]!));
    await firefox.press('b');
    const breaks = tracks[0]!.flags.get('break')!;
    await expect.poll(() => text('.place output')).toContain(`Step ${breaks} of`);
    const { file, line } = tracks[0]!.step(breaks);
    expect(await text('.place output')).toContain(`${file}:${line}`);
    expect(await text('.place .cpu.now mark')).toContain(
      data.sources[file]!.split('\n')[line - 1]!.trim(),
    );
    await firefox.press('ArrowLeft');
    await expect.poll(() => text('.place output')).toContain(`Step ${breaks - 1} of`);
  });

  test("runs a machine on several workers to Node's memory", async () => {
    await open('machine');
    await fill('Workload', 'false-sharing');
    await fill('Size', '40');
    await click('Run');
    await expect.poll(() => text('.verdict')).toMatch(/^After [\d.]+ s: /);
    const alone = await runMachine(
      {
        ...{ workload: 'false-sharing', size: 40, seed: 1, cpus: 2, vcpus: 2, paging: 'pae' },
        ...{ policy: 'round-robin', slice: 500, discipline: 'lock-free', defects: [] },
      },
      () => true,
    );
    expect(await text('.verdict')).toContain(`Digest of user memory ${alone.memory}`);
  });

  test("fits a phone's screen", async () => {
    await firefox.resize(390, 844);
    for (const room of [`litmus/${R2}`, 'machine']) {
      await open(room);
      const isWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
      expect(await firefox.evaluate(isWide)).toBe(false);
    }
  });

  test('logs no errors', () => {
    expect(firefox.complaints).toEqual([]);
  });
});
