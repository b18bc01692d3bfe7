/** Workloads that change mappings, those of a process or the kernel's own. */

import type { ProcessImage } from '../program.ts';
import { AREA_PAGES, imageOf, Thread, together } from './thread.ts';
import type { Shape } from './workload.ts';

/** Map, write, protect and unmap parts of the thread's own region. */
export function churn(thread: Thread): void {
  const { draw } = thread;
  const first = draw.below(4);
  const pages = 4 + draw.below(AREA_PAGES - first - 4);
  thread.map(first, pages);
  for (const page of draw.order(pages)) thread.changeArea(first + page);
  const part = first + draw.below(pages);
  const length = 1 + draw.below(first + pages - part);
  thread.protect(part, length, false).readArea(part).readArea(first);
  if (draw.below(2) === 0) thread.protect(part, length, true).changeArea(part);
  if (draw.below(3) > 0) thread.unmap(part, length);
}

/** Pages become free, go to the host, and come back or are made do without. */
export function balloon(thread: Thread): void {
  const { draw } = thread;
  const pages = 4 + draw.below(4);
  thread.map(0, pages);
  for (let page = 0; page < pages; page++) thread.changeArea(page);
  thread.unmap(0, pages).inflate(1 + draw.below(pages));
  thread.touch(draw.below(8)).deflate(1 + draw.below(pages));
}

/** Map, write, and move mappings to and fro; the old place is reused at once. */
export function move(thread: Thread): void {
  const { draw } = thread;
  const half = AREA_PAGES / 2;
  const pages = 2 + draw.below(half - 2);
  thread.map(0, pages);
  for (const page of draw.order(pages)) thread.changeArea(page);
  thread.move(0, pages, half).map(0, pages).changeArea(draw.below(pages));
  for (const page of draw.order(pages)) thread.changeArea(half + page);
  thread.move(half, pages, 0).readArea(draw.below(pages)).changeArea(draw.below(pages));
}

/** Threads move their regions, while others read and write next to them. */
export function mremapChurn({ draw, size, threads }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) {
      move(thread);
      thread.touch(round).count();
    }
  };
  return [imageOf('move', ...together(draw, threads, work))];
}

/** Kernel threads map and unmap, each at addresses of its own, while processes come and go. */
export function kernelThreads({ draw, size }: Shape): ProcessImage[] {
  const kids = 3;
  const parent = new Thread(draw, 0);
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) {
      balloon(thread);
      thread.schedule().change(round).call();
    }
  };
  for (let kid = 1; kid <= kids; kid++) parent.fork(kid);
  work(parent);
  parent.wait(kids);
  const children = Array.from({ length: kids }, (_, i) => {
    const child = new Thread(draw, i + 1);
    work(child);
    return imageOf('child', child.end());
  });
  return [imageOf('parent', parent.end()), ...children];
}

/** Several threads change neighbouring regions of one process, below one last-level table. */
export function mmapChurn({ draw, size, threads }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) {
      churn(thread);
      thread.touch(round).count();
    }
  };
  return [imageOf('churn', ...together(draw, threads, work))];
}

/** Kernel mappings go and come while others run, and the frames behind them. */
export function kernelChurn({ draw, size, threads }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) {
      balloon(thread);
      for (let n = 0; n < 8; n++) thread.fetch().change(draw.below(16)).count();
    }
  };
  return [imageOf('balloon', ...together(draw, threads, work))];
}
