/** `umbra inspect`: the machine at a step, and its differences from another step. */

import { describe, expect, test } from 'vitest';
import { shell, spaced, umbra } from './umbra.ts';

const TEST = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';

/**
 * A shrunk schedule in which the host writes back an entry that the guest cleared; and its story.
 */
async function schedule(paging: string) {
  const setting = ['--defects', 'R2', '--paging', paging, '--discipline', 'lock-free'];
  const { stdout } = await umbra('explore', TEST, ...setting, '--json', '-');
  const { found } = JSON.parse(stdout) as {
    found: { failure?: { shrunk: { token: string } } }[];
  };
  const { token } = found.at(-1)!.failure!.shrunk;
  const told = JSON.parse((await umbra('replay', token, '--story', '--json', '-')).stdout) as {
    story: { findings: { kind: string; text: string }[] };
  };
  const stepOf = (kind: string): number =>
    Number(/step (\d+)/.exec(told.story.findings.find((one) => one.kind === kind)!.text)![1]);
  return { token, breaks: stepOf('break'), cleared: stepOf('pair') };
}

const inspected = (...args: readonly string[]) => umbra('inspect', ...args);

describe.each(['nonpae', 'pae'])('with %s', async (paging) => {
  const { token, breaks, cleared } = await schedule(paging);
  const entry = /^ +0x00400000 → page 0x20, PRESENT RW USER/m;

  test("the guest's entry is gone after it was cleared, and back where the story breaks", async () => {
    const tables = async (step: number): Promise<string> =>
      (await inspected(token, '--step', `${step}`, '--show', 'tables')).stdout.split(
        'own tables',
      )[1]!;
    expect(await tables(cleared - 1)).toMatch(entry);
    expect(await tables(cleared)).not.toMatch(entry);
    expect(await tables(breaks)).toMatch(entry);
  });

  test('a difference has that entry alone in the tables', async () => {
    const { code, stdout } = await inspected(
      ...[token, '--step', `${breaks - 1}`, '--diff', `${breaks}`, '--show', 'tables'],
    );
    expect(code).toBe(0);
    const changed = stdout.split('\n').filter((line) => /^[-+] {2}/.test(line));
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatch(/^\+ +0x00400000 → page 0x20, PRESENT RW USER ACCESSED$/);
    const same = await inspected(token, '--step', '5', '--diff', '5');
    expect(same.stdout).toContain('nothing has changed');
  });

  test('shows the shadow, TLBs, pgdirs, Switcher and counts at the end, as data too', async () => {
    const { stdout } = await inspected(
      token,
      '--show',
      'cpus,guests,pgdirs,tables,switcher,frames',
    );
    for (const text of [
      /^host CPU 1$/m,
      /^ {2}TLB, \d+ entries$/m,
      /^guest 0\n {2}powered off: end, (nonpae|pae), lock-free$/m,
      /^ {2}shadows guest top level 0x[0-9a-f]{8} in frame \d+$/m,
      /^ +0x[0-9a-f]{8} → table in frame \d+ \(PageTable of guest 0\), PRESENT/m,
      /with 1 reference, PRESENT/,
      /… \d+ more like it$/m,
      /^guest 0 vCPU 1, its Switcher table\n {2}frame \d+, with the pages of host CPU 1$/m,
      /^ {2}frame \d+ \(page 0x[0-9a-f]+ of guest 0\): its owner and 1 reference$/m,
    ]) {
      expect(stdout).toMatch(text);
    }
    const data = JSON.parse((await inspected(token, '--json', '-')).stdout) as {
      sections: { title: string; view: string; lines: { key: string; text: string }[] }[];
    };
    expect(new Set(data.sections.map(({ view }) => view))).toEqual(
      new Set(['cpus', 'guests', 'pgdirs', 'tables', 'switcher']),
    );
    expect(data.sections.every(({ lines }) => lines.every(({ key }) => key !== ''))).toBe(true);
  });

  test('shows one pgdir alone if asked to', async () => {
    const titles = async (pgdir: string): Promise<string[]> =>
      (await inspected(token, '--pgdir', pgdir, '--show', 'pgdirs')).stdout.match(
        /^guest 0, pgdir \d+$/gm,
      ) ?? [];
    expect(await titles('1')).toEqual(['guest 0, pgdir 1']);
    expect(await titles('3')).toEqual([]);
    const none = await inspected(token, '--pgdir', '9');
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('its pgdirs are 0 to 3');
  });

  test('a reader that closes the pipe early is no error', () => {
    expect(shell(`umbra inspect ${token} | head -1`)).toMatchObject({ code: 0, stderr: '' });
  });

  test("events are numbered, and the schedule's length is the limit", async () => {
    const third = (await inspected(token, '--event', '3')).stdout;
    expect(third).toMatch(
      /^after step \d+, of host CPU \d in \w+ \(src\/.*\); [345] events so far$/m,
    );
    for (const [option, at] of [
      ['--step', '99999'],
      ['--event', '9999'],
      ['--diff', '99999'],
    ] as const) {
      const { code, stderr } = await inspected(token, option, at);
      expect(stderr).toMatch(
        /there is no (step|event) 9999+ in this schedule: its (steps are 0|events are 1) to \d\d/,
      );
      expect(code).toBe(2);
    }
  });
});

test.each([
  [['umbra5.nonsense'], /token/],
  [['x', '--step', '1', '--event', '2'], /cannot be used with/],
  [['x', '--show', 'tabels'], /did you mean tables\?/],
] as const)('refuses %j with a message', async (args, said) => {
  const { code, stderr } = await inspected(...args);
  expect(spaced(stderr)).toMatch(said);
  expect(code).toBe(2);
});
