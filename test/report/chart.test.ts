/** Charts of studies draw the measured figures. */

import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { chartFile, chartSvg, chartTable, shadedText } from '../../src/report/chart.ts';
import type { ChartSpec, Point } from '../../src/report/study-result.ts';

const FACTORS = {
  cpus: { title: 'host CPUs', unit: '1' },
  lock: { title: 'lock <of>', unit: '' },
};
const MEASURES = { wait: { title: 'wait', unit: 'ns', description: 'for a lock' } };

const point = (levels: Point['levels'], median: number): Point => ({
  experiment: 'waits',
  levels,
  measures: { wait: { median, low: median / 2, high: median * 2, samples: Array(6).fill(median) } },
});

const points = ['none', "guest's & all"].flatMap((lock, i) =>
  [1, 2, 4].map((cpus) => point({ cpus, lock }, 10 ** (i + 1) * cpus)),
);
const study = { factors: FACTORS, measures: MEASURES, points };
const chart: ChartSpec = {
  id: 'waits',
  title: 'Waits & <CPUs>',
  experiment: 'waits',
  kind: 'line',
  x: 'cpus',
  y: 'wait',
  series: 'lock',
  x_scale: 'log',
  y_scale: 'log',
};

/** The element, as a browser parses it. */
const drawn = (spec: ChartSpec, of: Parameters<typeof chartSvg>[1] = study) =>
  parseHTML(`<html><body>${chartSvg(spec, of)}</body></html>`).document.querySelector('svg')!;

const textsIn = (svg: ReturnType<typeof drawn>, selector: string): string[] =>
  [...svg.querySelectorAll(selector)].map(({ textContent }) => textContent ?? '');

/** Vertical positions of elements with a tooltip, by the tooltip. */
function heights(svg: ReturnType<typeof drawn>): Map<string, number> {
  const titled = [...svg.querySelectorAll('g title')].map(({ textContent, parentNode }) => {
    const mark = parentNode as unknown as { getAttribute(name: string): string | null };
    const moved = /,([\d.]+)\)/.exec(mark.getAttribute('transform') ?? '')?.[1];
    const y = moved ?? mark.getAttribute('cy') ?? mark.getAttribute('y');
    return [textContent!.split(/, [\d.]+ to /)[0]!, Number(y)] as const;
  });
  return new Map(titled);
}

describe.each(['line', 'bar'] as const)('a chart of kind %s', (kind) => {
  const svg = drawn({ ...chart, kind, y_scale: 'linear' });

  test('shows each point once, higher for a larger figure', () => {
    const found = heights(svg);
    expect(found.size).toBe(points.length);
    expect(found.get('none, 1: 10.0')).toBeGreaterThan(found.get("guest's & all, 1: 100")!);
    expect(found.get("guest's & all, 2: 200")).toBeGreaterThan(found.get("guest's & all, 4: 400")!);
    expect(svg.outerHTML).not.toMatch(/NaN|undefined/);
  });

  test('names its axes, its series and itself', () => {
    const texts = textsIn(svg, 'text');
    for (const text of ['host CPUs', 'wait, ns', 'none', "guest's & all", '1', '2', '4']) {
      expect(texts).toContain(text);
    }
    expect(svg.getAttribute('role')).toBe('img');
    expect(textsIn(svg, 'svg > title, svg > desc')).toEqual([
      'Waits & <CPUs>',
      "wait, ns by host CPUs, for each lock <of>: none, guest's & all.",
    ]);
  });
});

test('on a logarithmic axis each level has its name, wherever it lies', () => {
  const levels = [500, 2_000, 8_000, 32_000];
  const many = levels.map((cpus) => point({ cpus, lock: 'none' }, cpus));
  const texts = textsIn(drawn(chart, { ...study, points: many }), 'text');
  expect(levels.map(String).filter((level) => !texts.includes(level))).toEqual([]);
});

test('on a logarithmic axis an interval that reaches zero is drawn, and a point at zero is not', () => {
  const zero = { ...point({ cpus: 8, lock: 'none' }, 0) };
  const low = point({ cpus: 4, lock: 'none' }, 100);
  low.measures['wait']!.low = -5;
  const svg = drawn(chart, { ...study, points: [point({ cpus: 1, lock: 'none' }, 10), low, zero] });
  expect(svg.outerHTML).not.toMatch(/NaN|Infinity/);
  expect(heights(svg).size).toBe(2);
});

test('a file has its own colours for dark and light, and is XML', () => {
  const file = chartFile(chart, study);
  expect(file).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /);
  expect(file).toContain('prefers-color-scheme: dark');
  for (const [, name] of file.matchAll(/var\((--[\w-]+)\)/g)) expect(file).toContain(`${name}:`);
  expect(file.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/);
});

test('the table beside a chart has a row for each point, with its interval', () => {
  const { head, rows } = chartTable(chart, study);
  expect(head).toEqual(['host CPUs', 'lock <of>', 'wait, ns', 'Where, with 95 %']);
  expect(rows).toHaveLength(points.length);
  expect(rows[0]).toEqual(['1', 'none', '10.0', '5.00 to 20.0']);
});

test('points that a logarithmic axis cannot show are named, and in the table', () => {
  const none = { ...point({ cpus: 8, lock: 'none' }, 0), experiment: 'waits' };
  const [first] = points;
  const wide = { ...first!, measures: { wait: { median: 10, low: -5, high: 20, samples: [10] } } };
  const of = { ...study, points: [wide, ...points.slice(1), none] };
  const svg = drawn(chart, of);
  expect(heights(svg).size).toBe(points.length);
  expect(svg.textContent).toContain('A point at 0, which a logarithmic axis has no place for');
  expect(svg.outerHTML).not.toMatch(/NaN|undefined/);
  const { rows } = chartTable(chart, of);
  expect(rows).toHaveLength(points.length + 1);
  expect(rows[0]!.at(-1)).toBe('-5.00 to 20.0');
  const onlyNone = drawn(chart, { ...study, points: [none] });
  expect(onlyNone.getAttribute('viewBox')).not.toContain('NaN');
});

test('a chart that would draw two points at one place is refused', () => {
  const { series: _, ...without } = chart;
  expect(() => chartSvg(without, study)).toThrow('chart waits: waits has no cpus, or two points');
});

test.each(['line', 'bar'] as const)('a %s chart of too few seeds has no intervals', (kind) => {
  const few = points.map((one) => ({
    ...one,
    measures: { wait: { median: one.measures['wait']!.median, samples: [1, 2, 3] } },
  }));
  const of = { ...study, points: few };
  expect(chartTable(chart, of).rows.map((row) => row.at(-1))).toEqual(few.map(() => '–'));
  expect(shadedText(chart, of)).toBe('');
  expect(shadedText(chart, study)).toBe(' What is shaded lies within 95 %.');
  const [svg, sure] = [of, study].map((from) => drawn({ ...chart, kind, y_scale: 'linear' }, from));
  expect(svg!.outerHTML).not.toMatch(/NaN|undefined/);
  expect([...heights(svg!).keys()]).toContain('none, 1: 10.0');
  const [without, withRules] = [svg!, sure!].map((it) => it.querySelectorAll('line').length);
  expect(withRules! - without!).toBe(points.length);
});

test('a point that is the same for all seeds says so, and has no range', () => {
  const measures = { wait: { median: 7, low: 7, high: 7, samples: Array(6).fill(7) } };
  const of = { ...study, points: [{ ...points[0]!, measures }] };
  expect(chartTable(chart, of).rows).toEqual([['1', 'none', '7.00', 'all the same']]);
  expect(shadedText(chart, of)).toBe('');
});
