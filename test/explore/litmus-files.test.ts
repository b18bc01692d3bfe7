/** The litmus files that come with umbra: each ends as declared, and each defect has its story. */

import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkNothingLeft } from '../../src/check/references.ts';
import { DEFECTS, type DefectId, SCHEDULE_DEFECTS } from '../../src/defects.ts';
import { HostOops } from '../../src/errors.ts';
import { brokenIn } from '../../src/explore/litmus/duty.ts';
import { judge } from '../../src/explore/litmus/judge.ts';
import type { Litmus } from '../../src/explore/litmus/litmus.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { close } from '../../src/host/launcher.ts';
import { drawn, LITMUS_FILES, type Order, roundRobin, runLitmus } from './litmus-rig.ts';

const FILES = LITMUS_FILES.map((path) => ({ path, litmus: readLitmus(path) }));

const settings = ({ paging, disciplines }: Litmus) =>
  paging.flatMap((form) => disciplines.map((discipline) => ({ paging: form, discipline })));

test('there is a folder for each of the seven parts', () => {
  const folders = LITMUS_FILES.map((path) => path.split('/')[1]);
  expect([...new Set(folders)]).toEqual([
    ...['1-fault', '2-pin', '3-set', '4-switch', '5-flush', '6-switcher', '7-setup'],
  ]);
});

test('every defect of several vCPUs has a test, in a file named after it', () => {
  const aimedAt = new Set(FILES.flatMap(({ litmus }) => litmus.defect ?? []));
  expect(SCHEDULE_DEFECTS.filter((id) => !aimedAt.has(id))).toEqual([]);
  for (const { path, litmus } of FILES) {
    const named = /^([A-Z]\d+)-/.exec(basename(path))?.[1];
    expect(named, path).toBe(litmus.defect);
  }
});

describe.each(FILES)('$path', ({ litmus }) => {
  test.each(settings(litmus))('holds: $paging, $discipline', (setting) => {
    for (const [seed, order] of [roundRobin, drawn(1), drawn(2)].entries()) {
      const host = runLitmus(litmus, { ...setting, defects: [], seed: seed + 1 }, order);
      const { is, because } = judge(litmus, host);
      const [lg] = host.guests;
      expect(['allowed', 'interesting'], `${because}: ${lg!.reason}`).toContain(is);
      expect(brokenIn(litmus, host).byHost).toEqual([]);
      close(host, lg!);
      expect(checkNothingLeft(host)).toEqual([]);
    }
  });
});

/** Defects that show when one CPU acts between two whole steps of another. */
const SEEN_BETWEEN_STEPS: readonly DefectId[] = [
  ...(['R6', 'R7', 'R8', 'R9', 'R10', 'R11', 'R14', 'R15', 'R16'] as const),
];

const ORDERS: readonly Order[] = [
  roundRobin,
  ...Array.from({ length: 60 }, (_, i) => drawn(i + 1)),
];

describe.each(SEEN_BETWEEN_STEPS)('%s', (id) => {
  const aimed = FILES.filter(({ litmus }) => litmus.defect === id);

  test.each(['nonpae', 'pae'] as const)(`${DEFECTS[id].title}: the guest notices, %s`, (paging) => {
    const fitting = aimed.filter(({ litmus }) => litmus.paging.includes(paging));
    const bad = fitting.some(({ litmus }) =>
      ORDERS.some((order) => {
        const discipline = litmus.disciplines[0]!;
        return goesWrong(litmus, () =>
          runLitmus(litmus, { paging, discipline, defects: [id] }, order),
        );
      }),
    );
    expect(bad).toBe(true);
  });
});

function goesWrong(litmus: Litmus, run: () => ReturnType<typeof runLitmus>): boolean {
  try {
    return judge(litmus, run()).is === 'forbidden';
  } catch (error) {
    if (error instanceof HostOops) return true;
    throw error;
  }
}
