/** Bars for a terminal: full up to the lower end of each interval, shaded up to the upper. */

import { withSpread } from './study-cells.ts';
import type { Samples } from './study-result.ts';

export interface Bar {
  readonly name: string;
  readonly samples: Samples;
}

const LEAST_WIDTH = 10;
const MOST_WIDTH = 60;
/** Eighths of a column. */
const PARTS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A line each, from zero; `columns`: how wide they may be. */
export function barsText(bars: readonly Bar[], columns: number): string {
  const figures = bars.map(({ samples }) => withSpread(samples));
  const name = Math.max(...bars.map((bar) => bar.name.length));
  const room = columns - name - Math.max(...figures.map(({ length }) => length)) - 5;
  const width = Math.min(Math.max(room, LEAST_WIDTH), MOST_WIDTH);
  const most = Math.max(...bars.map(({ samples: { high, median } }) => high ?? median));
  const scale = (value: number): number => (most > 0 ? (value / most) * width : 0);
  return bars
    .map(({ name: own, samples: { median, low = median, high = median } }, i) => {
      const full = scale(low);
      const solid = '█'.repeat(Math.floor(full));
      const shaded = '░'.repeat(Math.max(0, Math.round(scale(high)) - Math.ceil(full)));
      const bar = `${solid}${PARTS[Math.floor((full % 1) * 8)]}${shaded}`.padEnd(width);
      return ` ${own.padEnd(name)}  ${bar}  ${figures[i]}\n`;
    })
    .join('');
}
