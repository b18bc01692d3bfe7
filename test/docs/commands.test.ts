/** Commands in docs that stand for themselves run, and come to a good end. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { umbra } from '../commands/umbra.ts';

describe.each(['shadow-paging', 'extending'])('docs/%s.md', (name) => {
  const text = readFileSync(`docs/${name}.md`, 'utf8');
  const commands = Array.from(
    text.matchAll(/^npm run -s umbra -- (.*)$/gm),
    ([, command]) => command!,
  );

  test('has some', () => {
    expect(commands.length).toBeGreaterThan(2);
  });

  test.each(commands)('umbra %s', (command) => {
    const { code, stderr } = umbra(...command.split(' '));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('its links lead somewhere', () => {
    const links = Array.from(text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g), ([, link]) => link!);
    for (const link of links) expect(() => readFileSync(`docs/${link}`)).not.toThrow();
  });
});
