/** Touch gestures on a page, by the DevTools protocol. */

import type { Page } from 'playwright-core';

type Point = readonly [x: number, y: number];

/** Moves each finger along its path, step by step together. The page's context must have touch. */
export async function fingers(page: Page, ...ways: readonly (readonly Point[])[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const most = Math.max(...ways.map(({ length }) => length));
  const pointsAt = (i: number) =>
    ways.map((way, id) => {
      const [x, y] = way[Math.min(i, way.length - 1)]!;
      return { x, y, id };
    });
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', i: number) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: type === 'touchEnd' ? [] : pointsAt(i),
    });
  await send('touchStart', 0);
  for (let i = 1; i < most; i++) await send('touchMove', i);
  await send('touchEnd', most);
  await session.detach();
}

/** From one place to another in some steps. */
export const way = ([x1, y1]: Point, [x2, y2]: Point, steps = 8): Point[] =>
  Array.from({ length: steps + 1 }, (_, i) => [
    x1 + ((x2 - x1) * i) / steps,
    y1 + ((y2 - y1) * i) / steps,
  ]);
