/**
 * Firefox for tests, if there is one: the one FIREFOX names, or the system's. Driven by WebDriver
 * BiDi directly, since Debian's is older than playwright-core requires.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SYSTEMS = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];
const installed = process.env['FIREFOX'] ?? SYSTEMS.find((path) => existsSync(path));

/** Without Firefox its tests are skipped, with a message. */
export const hasFirefox = installed !== undefined;
if (!hasFirefox) console.warn('there is no Firefox: its tests are skipped');

interface Answer {
  readonly type: 'success' | 'error' | 'event';
  readonly id?: number;
  readonly method?: string;
  readonly message?: string;
  readonly result?: unknown;
  readonly params?: { readonly level?: string; readonly text?: string };
}

/** One page of one browser. */
export class Firefox {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #next = 0;
  #context = '';
  /** As in `140.12.0`. */
  version = '';
  /** Errors of its console. */
  readonly complaints: string[] = [];

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#hear(JSON.parse(String(data))));
  }

  /** The caller closes it. `wide`, `high`: pixels. */
  static async launch(wide = 1280, high = 900): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), 'umbra-firefox-'));
    // Without requests of its own.
    const quiet = [
      'app.update.auto',
      'extensions.update.enabled',
      'network.captive-portal-service.enabled',
    ];
    writeFileSync(
      join(profile, 'user.js'),
      quiet.map((name) => `user_pref("${name}", false);\n`).join(''),
    );
    const child = spawn(
      installed!,
      ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } },
    );
    const socket = new WebSocket(`${await addressOf(child)}/session`);
    await once(socket, 'open');
    const firefox = new Firefox(child, profile, socket);
    const { capabilities } = await firefox.#ask<{
      readonly capabilities: { readonly browserVersion: string };
    }>('session.new', { capabilities: {} });
    firefox.version = capabilities.browserVersion;
    await firefox.#ask('session.subscribe', { events: ['log.entryAdded'] });
    const { contexts } = await firefox.#ask<{ readonly contexts: readonly { context: string }[] }>(
      'browsingContext.getTree',
      {},
    );
    firefox.#context = contexts[0]!.context;
    await firefox.resize(wide, high);
    return firefox;
  }

  #hear({ id, type, message, result, params }: Answer): void {
    if (type === 'event') {
      if (params?.level === 'error') this.complaints.push(params.text!);
      return;
    }
    const asked = this.#asked.get(id!);
    this.#asked.delete(id!);
    if (type === 'success') asked?.resolve(result);
    else asked?.reject(new Error(message));
  }

  #ask<T>(method: string, params: object): Promise<T> {
    const id = this.#next++;
    const answer = Promise.withResolvers<unknown>();
    this.#asked.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise as Promise<T>;
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#ask('browsingContext.setViewport', {
      context: this.#context,
      viewport: { width, height },
    });
  }

  async goTo(url: string): Promise<void> {
    await this.#ask('browsingContext.navigate', { context: this.#context, url, wait: 'complete' });
  }

  /** The value of an expression, or of its promise: any JSON value. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#ask<{
      readonly result?: { readonly value: string };
      readonly exceptionDetails?: { readonly text: string };
    }>('script.evaluate', {
      expression: `(async () => JSON.stringify([await (${expression})]))()`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (result === undefined) throw new Error(exceptionDetails?.text);
    return (JSON.parse(result.value) as [T])[0];
  }

  /** Keys one after the other, a name of KEYS or a letter each. */
  async press(...keys: readonly string[]): Promise<void> {
    const actions = keys.flatMap((key) =>
      ['keyDown', 'keyUp'].map((type) => ({ type, value: KEYS[key] ?? key })),
    );
    await this.#ask('input.performActions', {
      context: this.#context,
      actions: [{ type: 'key', id: 'keys', actions }],
    });
  }

  /** As PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.#ask<{ readonly data: string }>(
      'browsingContext.captureScreenshot',
      { context: this.#context },
    );
    return Buffer.from(data, 'base64');
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#socket.close();
    this.#child.kill();
    await gone;
    rmSync(this.#profile, { recursive: true });
  }
}

/** As WebDriver encodes them. */
const KEYS: Readonly<Record<string, string>> = {
  Tab: '\uE004',
  Enter: '\uE007',
  End: '\uE010',
  Home: '\uE011',
  ArrowLeft: '\uE012',
  ArrowRight: '\uE014',
};

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr!.on('data', (data: Buffer) => {
      said += data.toString();
      const [, address] = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Firefox ended: ${said}`)));
  });
}
