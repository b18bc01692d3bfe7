/** Pages under attack: requests from other origins, other host names, and text that is markup. */

import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesBelow } from '../../src/lab/site.ts';
import { html, type Serving, serve } from '../../src/report/serve.ts';
import { hasBrowser, launchBrowser } from '../browser.ts';
import { HAS_RUN, hostile, MARKUP } from '../markup.ts';
import { scratch } from '../scratch.ts';
import { umbra } from './umbra.ts';

const folder = scratch('hostile');
const at = (...path: readonly string[]): string => join(folder, ...path);

const R2 = hostile(readFileSync('litmus/1-fault/R2-cleared-entry-comes-back.yaml', 'utf8'));

test('a link within the page’s folder is not followed', () => {
  writeFileSync(at('secret'), 'a secret');
  const site = mkdtempSync(at('site-'));
  writeFileSync(join(site, 'index.html'), 'a page');
  symlinkSync(at('secret'), join(site, 'secret.js'));
  symlinkSync(folder, join(site, 'above'));
  expect([...filesBelow(site).keys()]).toEqual(['index.html']);
});

describe.runIf(hasBrowser)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
  }, 60_000);
  afterAll(() => browser?.close());

  /** None of MARKUP has become markup: it is there as text. */
  const isText = async (page: Page): Promise<void> => {
    expect(await page.evaluate('document.documentElement.textContent')).toContain(MARKUP);
    expect(await page.evaluate(HAS_RUN)).toBe(false);
  };

  describe('a server on loopback', () => {
    let site: Serving;
    let found = 0;
    beforeAll(async () => {
      const find = () => {
        found++;
        return html('<title>ours</title><p>a secret');
      };
      site = await serve({ find });
    });
    afterAll(() => site.close());

    test('refuses another host name that resolves to it', async () => {
      const page = await browser.newPage();
      const answer = await page.goto(site.url.replace('127.0.0.1', 'evil.example'));
      expect(answer!.status()).toBe(403);
      expect(await page.content()).not.toContain('a secret');
      await page.close();
    });

    test('is neither read nor changed by a page of another origin', async () => {
      const evil = createServer((_, response) => {
        response.setHeader('Content-Type', 'text/html');
        response.end(`<iframe src="${site.url}"></iframe><img src="${site.url}">
<script src="${site.url}"></script><link rel="stylesheet" href="${site.url}">`);
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => evil.once('listening', resolve));
      const page = await browser.newPage();
      const { port } = evil.address() as AddressInfo;
      found = 0;
      for (const host of ['127.0.0.1', 'evil.example']) {
        await page.goto(`http://${host}:${port}/`, { waitUntil: 'load' });
        const tried = (await page.evaluate(`(async () => {
          const said = (given) => fetch('${site.url}', given).then((answer) => answer.text())
            .catch(({ name }) => name);
          const body = 'a'.repeat(1 << 20);
          return [await said({}), await said({ method: 'POST', body }),
            await said({ mode: 'no-cors' }), document.documentElement.textContent];
        })()`)) as string[];
        expect(tried.slice(0, 2)).toEqual(['TypeError', 'TypeError']);
        expect(tried.join('\n')).not.toContain('a secret');
      }
      expect(found).toBe(0);
      await page.goto(site.url);
      expect(await page.title()).toBe('ours');
      await page.close();
      evil.close();
    });
  });

  test('a test that is markup is shown as text: its story, its player, its counts', async () => {
    writeFileSync(at('hostile.yaml'), R2);
    const given = [at('hostile.yaml'), '--defects', 'R2', '--seed', '1'];
    await umbra('explore', ...given, '--html', at('player.html'));
    const page = await browser.newPage();
    await page.goto(pathToFileURL(at('player.html')).href);
    await page.locator('.player').waitFor();
    await page.keyboard.press('b');
    await isText(page);
    await page.close();
  });

  test('a machine whose guest is named so is reported by that name', async () => {
    const name = JSON.stringify(MARKUP);
    const machine = `name: ${name}\nguests: [{name: ${name}, program: {builtin: touch}}]\n`;
    writeFileSync(at('machine.yaml'), machine);
    expect(await umbra('run', at('machine.yaml'), '-q', '--out', at('run'))).toMatchObject({
      code: 0,
      stderr: '',
    });
    await umbra('report', at('run'), '-o', at('report.html'));
    const page = await browser.newPage();
    await page.goto(pathToFileURL(at('report.html')).href);
    await isText(page);
    await page.locator('.view').press('+');
    await page.getByRole('searchbox').fill('fault');
    await page.getByRole('searchbox').press('Enter');
    await expect.poll(() => page.locator('.said').textContent()).toContain(MARKUP);
    await isText(page);
    await page.close();
  });
});
