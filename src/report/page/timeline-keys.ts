/**
 * Runs in a report's page: moves the timeline by keys, buttons, pointer and touch, shows placement,
 * measures, and searches.
 */

import {
  countedIn,
  gutterOf,
  type Look,
  nowIn,
  overviewSvg,
  type TimelineData,
  type Told,
  timelineSvg,
  timeText,
  toldIn,
} from './timeline-view.ts';

/** The least that is shown: 2 µs. */
const LEAST = 20;
/** Pixels that a finger may move in a tap. */
const TAP = 6;
/** Pixels at least, and at most, that it is drawn for. */
const NARROWEST = 320;
const WIDEST = 1000;
const BY_KEY: Readonly<Record<string, string>> = {
  ArrowLeft: 'earlier',
  ArrowRight: 'later',
  '+': 'in',
  '=': 'in',
  ArrowUp: 'in',
  '-': 'out',
  ArrowDown: 'out',
  Home: 'all',
  ',': 'stepBack',
  '.': 'stepOn',
  m: 'measure',
  M: 'measure',
  Enter: 'selected',
  Escape: 'letGo',
};

class Timeline {
  readonly #data: TimelineData;
  readonly #view: HTMLElement;
  readonly #overview: HTMLElement;
  readonly #range: HTMLElement;
  readonly #said: HTMLElement;
  readonly #search: HTMLInputElement;
  #from = 0;
  #to: number;
  #cursor: number | undefined;
  #selection: readonly [number, number] | undefined;
  #queued = false;
  #told: readonly Told[] | undefined;

  constructor(root: HTMLElement) {
    this.#data = JSON.parse(root.querySelector('script')!.textContent!) as TimelineData;
    this.#view = root.querySelector<HTMLElement>('.view')!;
    this.#overview = root.querySelector<HTMLElement>('.overview')!;
    this.#range = root.querySelector('output')!;
    this.#said = root.querySelector<HTMLElement>('.said')!;
    this.#search = root.querySelector('input')!;
    this.#to = this.#data.span;
    for (const button of root.querySelectorAll<HTMLButtonElement>('button')) {
      button.addEventListener('click', () => this.#moves[button.value]?.());
    }
    root.querySelector<HTMLElement>('.controls')!.hidden = false;
    this.#listenToKeys();
    this.#listenToPointers();
    this.#listenToOverview();
    new ResizeObserver(() => this.#draw()).observe(this.#view);
  }

  readonly #moves: Readonly<Record<string, () => void>> = {
    earlier: () => this.#show(this.#from - this.#length / 4, this.#length),
    later: () => this.#show(this.#from + this.#length / 4, this.#length),
    in: () => this.#zoom(1 / 2),
    out: () => this.#zoom(2),
    all: () => this.#show(0, this.#data.span),
    stepBack: () => this.#stepTo(-1),
    stepOn: () => this.#stepTo(1),
    before: () => this.#find(-1),
    next: () => this.#find(1),
    measure: () => {
      const at = this.#cursor ?? (this.#from + this.#to) / 2;
      this.#cursor = at;
      this.#select([at, at]);
    },
    selected: () => {
      if (this.#selection === undefined) return;
      const [a, b] = this.#selection;
      this.#show(Math.min(a, b), Math.abs(b - a));
    },
    letGo: () => {
      this.#selection = undefined;
      this.#cursor = undefined;
      this.#said.textContent = '';
      this.#draw();
    },
  };

  get #length(): number {
    return this.#to - this.#from;
  }

  get #look(): Look {
    const width = Math.min(WIDEST, Math.max(NARROWEST, Math.round(this.#view.clientWidth)));
    return {
      from: this.#from,
      to: this.#to,
      width,
      cursor: this.#cursor,
      selection: this.#selection,
    };
  }

  #show(start: number, length: number): void {
    const { span } = this.#data;
    const shown = Math.min(Math.max(length, LEAST), span);
    this.#from = Math.min(Math.max(start, 0), span - shown);
    this.#to = this.#from + shown;
    this.#range.textContent =
      `${timeText(Math.round(this.#from))} to ` + `${timeText(Math.round(this.#to))}`;
    this.#draw();
  }

  #draw(): void {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      const look = this.#look;
      this.#view.innerHTML = timelineSvg(this.#data, look);
      this.#overview.innerHTML = overviewSvg(this.#data, look);
    });
  }

  #zoom(times: number, at = this.#cursor ?? (this.#from + this.#to) / 2): void {
    const middle = at >= this.#from && at <= this.#to ? at : (this.#from + this.#to) / 2;
    this.#show(middle - (middle - this.#from) * times, this.#length * times);
  }

  #goTo({ at, what }: Told, place = ''): void {
    this.#pointAt(at, `${what}. `, place);
    if (at < this.#from || at > this.#to) this.#show(at - this.#length / 2, this.#length);
  }

  /** Move the cursor there, with the end of the measured interval. */
  #pointAt(at: number, what = '', place = ''): void {
    this.#cursor = at;
    if (this.#selection !== undefined) this.#selection = [this.#selection[0], at];
    this.#draw();
    const measured =
      this.#selection === undefined ? '' : ` Measured: ${countedIn(this.#data, this.#selection)}.`;
    const when = timeText(Math.round(at));
    this.#said.textContent = `${place}${when}: ${what}${nowIn(this.#data, at)}.${measured}`;
  }

  #select(selection: readonly [number, number]): void {
    this.#selection = selection;
    this.#said.textContent = `Measured: ${countedIn(this.#data, selection)}.`;
    this.#draw();
  }

  get #all(): readonly Told[] {
    this.#told ??= toldIn(this.#data);
    return this.#told;
  }

  #stepTo(way: 1 | -1): void {
    const at = this.#cursor ?? (way === 1 ? this.#from - 1 : this.#to + 1);
    const next =
      way === 1 ? this.#all.find((one) => one.at > at) : this.#all.findLast((one) => one.at < at);
    if (next !== undefined) this.#goTo(next);
  }

  /** The next that has all of the words. */
  #find(way: 1 | -1): void {
    const words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.#all.filter(({ what }) => {
      const text = what.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    if (words.length === 0 || found.length === 0) {
      this.#said.textContent = words.length === 0 ? 'What should be found?' : 'Nothing was found.';
      return;
    }
    const at = this.#cursor ?? (way === 1 ? -1 : Number.POSITIVE_INFINITY);
    const next =
      way === 1 ? found.findIndex((one) => one.at > at) : found.findLastIndex((one) => one.at < at);
    const index = next >= 0 ? next : way === 1 ? 0 : found.length - 1;
    this.#goTo(found[index]!, `${index + 1} of ${found.length}: `);
  }

  #listenToKeys(): void {
    this.#view.addEventListener('keydown', (event) => {
      const move = this.#moves[BY_KEY[event.key] ?? ''];
      if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      move();
    });
    this.#search.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#find(event.shiftKey ? -1 : 1);
    });
  }

  /** The time at a place of the page. */
  #timeAt(clientX: number): number {
    const { left, width } = this.#view.querySelector('svg')!.getBoundingClientRect();
    const look = this.#look;
    const gutter = (gutterOf(look.width) / look.width) * width;
    const share = (clientX - left - gutter) / (width - gutter);
    return this.#from + Math.min(1, Math.max(0, share)) * this.#length;
  }

  #listenToPointers(): void {
    const view = this.#view;
    view.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#timeAt(event.clientX));
      },
      { passive: false },
    );
    const down = new Map<number, number>();
    let start: { readonly at: number; readonly x: number; readonly selects: boolean } | undefined;
    let isTap = false;
    const spread = (): number => Math.abs([...down.values()].reduce((a, b) => a - b));
    const begin = (x: number, selects: boolean): void => {
      start = { at: this.#timeAt(x), x, selects };
    };
    view.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      view.setPointerCapture(event.pointerId);
      down.set(event.pointerId, event.clientX);
      isTap = down.size === 1;
      begin(event.clientX, event.shiftKey);
    });
    view.addEventListener('pointermove', (event) => {
      const { pointerId, clientX } = event;
      if (!down.has(pointerId)) {
        if (event.pointerType === 'mouse') this.#hover(clientX);
        return;
      }
      const before = down.size === 2 ? spread() : 0;
      down.set(pointerId, clientX);
      isTap &&= Math.abs(clientX - start!.x) <= TAP;
      if (isTap) return;
      if (down.size === 2) {
        const [a, b] = [...down.values()] as [number, number];
        this.#zoom(before / Math.max(1, spread()), this.#timeAt((a + b) / 2));
      } else if (start?.selects) {
        this.#select([start.at, this.#timeAt(clientX)]);
      } else if (start !== undefined) {
        this.#show(this.#from + start.at - this.#timeAt(clientX), this.#length);
      }
    });
    for (const end of ['pointerup', 'pointercancel'] as const) {
      view.addEventListener(end, ({ pointerId, clientX }) => {
        down.delete(pointerId);
        if (isTap && end === 'pointerup') this.#pointAt(this.#timeAt(clientX));
        isTap = false;
        // The finger that stays goes on from where it is.
        for (const x of down.values()) begin(x, false);
      });
    }
  }

  #hover(clientX: number): void {
    const at = this.#timeAt(clientX);
    this.#cursor = at;
    this.#draw();
    if (this.#selection !== undefined) return;
    this.#said.textContent = `${timeText(Math.round(at))}: ${nowIn(this.#data, at)}`;
  }

  /** Centre the view where the strip is clicked. */
  #listenToOverview(): void {
    const strip = this.#overview;
    const move = (clientX: number): void => {
      const { left, width } = strip.querySelector('svg')!.getBoundingClientRect();
      const look = this.#look;
      const gutter = (gutterOf(look.width) / look.width) * width;
      const share = (clientX - left - gutter) / (width - gutter);
      this.#show(share * this.#data.span - this.#length / 2, this.#length);
    };
    strip.addEventListener('pointerdown', (event) => {
      strip.setPointerCapture(event.pointerId);
      move(event.clientX);
    });
    strip.addEventListener('pointermove', (event) => {
      if (strip.hasPointerCapture(event.pointerId)) move(event.clientX);
    });
  }
}

for (const root of document.querySelectorAll<HTMLElement>('.timeline')) new Timeline(root);
