/** Runs in a report's page: its reader moves the timeline by keys, buttons and pointer. */

import { type TimelineData, timelineSvg, timeText } from './timeline-view.ts';

/** The least that is shown: 2 µs. */
const LEAST = 20;
const BY_KEY: Readonly<Record<string, string>> = {
  ArrowLeft: 'earlier',
  ArrowRight: 'later',
  '+': 'in',
  '=': 'in',
  ArrowUp: 'in',
  '-': 'out',
  ArrowDown: 'out',
  Home: 'all',
};

function attach(root: HTMLElement): void {
  const data = JSON.parse(root.querySelector('script')!.textContent!) as TimelineData;
  const view = root.querySelector<HTMLElement>('.view')!;
  const said = root.querySelector('output')!;
  let [from, to] = [0, data.span];
  let queued = false;

  const show = (start: number, length: number): void => {
    const span = Math.min(Math.max(length, LEAST), data.span);
    from = Math.min(Math.max(start, 0), data.span - span);
    to = from + span;
    said.textContent = `${timeText(Math.round(from))} to ${timeText(Math.round(to))}`;
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      view.innerHTML = timelineSvg(data, from, to);
    });
  };
  const zoom = (times: number, at = (from + to) / 2): void =>
    show(at - (at - from) * times, (to - from) * times);
  const moves: Readonly<Record<string, () => void>> = {
    earlier: () => show(from - (to - from) / 4, to - from),
    later: () => show(from + (to - from) / 4, to - from),
    in: () => zoom(1 / 2),
    out: () => zoom(2),
    all: () => show(0, data.span),
  };

  for (const button of root.querySelectorAll<HTMLButtonElement>('button')) {
    button.addEventListener('click', () => moves[button.value]?.());
  }
  root.querySelector<HTMLElement>('.controls')!.hidden = false;
  view.addEventListener('keydown', (event) => {
    const move = moves[BY_KEY[event.key] ?? ''];
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  });
  /** Time for each pixel of the page. */
  const perPixel = (): number => (to - from) / (view.clientWidth * PLOT_SHARE);
  view.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const left =
        event.clientX - view.getBoundingClientRect().right + view.clientWidth * PLOT_SHARE;
      zoom(event.deltaY > 0 ? 1.25 : 0.8, from + Math.max(0, left) * perPixel());
    },
    { passive: false },
  );
  view.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    view.setPointerCapture(event.pointerId);
    const [startX, startFrom] = [event.clientX, from];
    const drag = ({ clientX }: PointerEvent): void =>
      show(startFrom - (clientX - startX) * perPixel(), to - from);
    view.addEventListener('pointermove', drag);
    view.addEventListener(
      'lostpointercapture',
      () => view.removeEventListener('pointermove', drag),
      {
        once: true,
      },
    );
  });
}

/** What of the picture's width is behind the names; see timeline-view.ts. */
const PLOT_SHARE = 0.87;

for (const root of document.querySelectorAll<HTMLElement>('.timeline')) attach(root);
