/** docs/costs.md agrees with the code and a scenario's fields. TELL=1 rewrites its tables. */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PRESET_NAMES, PRESETS, type PresetName } from '../../src/cost/presets.ts';
import { EVENT_IDS, EVENTS } from '../../src/cost/table.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { costsOf } from '../../src/scenario/spec.ts';

const FILE = 'docs/costs.md';
const text = readFileSync(FILE, 'utf8');

const row = (...cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const count = (n: number): string => n.toLocaleString('en-US');

const eventTable = (): string =>
  [
    ...['| event | what | how often |', '|---|---|---|'],
    ...EVENT_IDS.map((id) => row(`\`${id}\``, EVENTS[id].title, EVENTS[id].counted)),
  ].join('\n');

function presetTable(name: PresetName): string {
  const { title, year, entries } = PRESETS[name];
  return [
    `**\`${name}\`**: ${title}, ${year}`,
    '',
    ...['| event | cycles | range | basis | source |', '|---|--:|--:|---|---|'],
    ...EVENT_IDS.map((id) => {
      const { cycles, low, high, basis, source } = entries[id];
      return row(`\`${id}\``, count(cycles), `${count(low)} – ${count(high)}`, basis, source);
    }),
  ].join('\n');
}

const TABLES: Readonly<Record<string, string>> = {
  events: eventTable(),
  ...Object.fromEntries(PRESET_NAMES.map((name) => [name, presetTable(name)])),
};

test.each(Object.keys(TABLES))('the table of %s', (name) => {
  if (process.env['TELL']) {
    const whole = readFileSync(FILE, 'utf8');
    const place = new RegExp(`<!-- ${name} -->\n(?:\n[\\s\\S]*?<!-- end -->\n)?`);
    const block = `<!-- ${name} -->\n\n${TABLES[name]}\n\n<!-- end -->\n`;
    writeFileSync(
      FILE,
      whole.replace(place, () => block),
    );
    return;
  }
  expect(text).toContain(`<!-- ${name} -->\n\n${TABLES[name]}\n\n<!-- end -->`);
});

test("its costs are a scenario's", () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(text)![1]!;
  const file = parseScenario(`${yaml}guests: [{program: {builtin: touch}}]\n`, 'some.yaml');
  const { preset, cycles, overridden } = costsOf(file);
  expect({ preset, overridden }).toEqual({
    preset: 'core2',
    overridden: ['cr3_load', 'migration'],
  });
  expect(cycles).toMatchObject({ cr3_load: 500, migration: 50_000 });
  expect(costsOf(file, 'haswell').overridden).toEqual([]);
});
