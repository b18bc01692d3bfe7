/** The tail of what took long: the figures below which so many of a hundred lie. */

import { quantile } from 'd3-array';
import type { Measure } from '../report/study-result.ts';
import type { Measures } from './study.ts';

const TAIL = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999 } as const;

const NAMES = { p50: 'median', p90: '90 %', p99: '99 %', p999: '99.9 %' } as const;

type Quantile = keyof typeof TAIL;

const QUANTILES = Object.keys(TAIL) as readonly Quantile[];

/** `prefix`_p50 and so on; 0 where there is nothing. */
export const tailOf = (prefix: string, values: readonly number[]): Measures =>
  Object.fromEntries(
    QUANTILES.map((name) => [`${prefix}_${name}`, quantile(values, TAIL[name]) ?? 0]),
  );

export const tailMeasures = (prefix: string, title: string, unit: string, description: string) =>
  Object.fromEntries(
    QUANTILES.map((name): [string, Measure] => [
      `${prefix}_${name}`,
      { title: `${title}, ${NAMES[name]}`, unit, description: `${description}: ${NAMES[name]}` },
    ]),
  );
