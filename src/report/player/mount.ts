/** The race player: a schedule to step through, forward and back, by key, click and pointer. */

import { cpuHtml } from './cpu-view.ts';
import type { PlayerData } from './data.ts';
import { ACTION_BY_KEY, frameHtml } from './frame.ts';
import { flagsHtml, longest } from './lanes.ts';
import { machineHtml } from './machine-view.ts';
import { Track } from './track.ts';

export interface Player {
  /** Go to a step; out of range it is the first or the last. */
  goTo(step: number): void;
  readonly step: number;
}

/** Replace an element's content by a player. It needs PLAYER_STYLE of style.ts. */
export function mountPlayer(element: HTMLElement, data: PlayerData): Player {
  return new Mounted(element, data);
}

class Mounted implements Player {
  readonly #data: PlayerData;
  readonly #tracks: readonly Track[];
  readonly #root: HTMLElement;
  readonly #range: HTMLInputElement;
  /** Of each schedule: from its steps to those of the other. */
  readonly #twins: readonly ReadonlyMap<number, number>[];
  /** The schedule that is shown, by its number. */
  #which = 0;
  #step = 0;
  #queued = false;

  constructor(element: HTMLElement, data: PlayerData) {
    this.#data = data;
    this.#tracks = data.tracks.flatMap((track) => (track === undefined ? [] : [new Track(track)]));
    const twins = (data.twins ?? []).flatMap((twin, step) =>
      twin < 0 ? [] : [[step, twin] as const],
    );
    this.#twins = [new Map(twins), new Map(twins.map(([step, twin]) => [twin, step] as const))];
    element.innerHTML = frameHtml(this.#tracks, data);
    this.#root = element.querySelector<HTMLElement>('.player')!;
    this.#range = this.#root.querySelector('input')!;
    this.#listen();
    this.#select(0, this.#track.told[0] ?? 0);
  }

  get step(): number {
    return this.#step;
  }

  get #track(): Track {
    return this.#tracks[this.#which]!;
  }

  goTo(step: number): void {
    this.#step = Math.min(Math.max(step, 0), this.#track.length - 1);
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      this.#show();
    });
  }

  #part(selector: string): HTMLElement {
    return this.#root.querySelector<HTMLElement>(selector)!;
  }

  #listen(): void {
    const root = this.#root;
    root.addEventListener('click', ({ target }) => {
      const clicked = target as Element;
      const button = clicked.closest<HTMLButtonElement>('button[value]');
      const told = clicked.closest<HTMLElement>('[data-step]');
      const tale = clicked.closest<HTMLElement>('.tale');
      if (button?.value === 'copy') void this.#copy(tale!);
      else if (button !== null) this.#act(button.value);
      else if (told !== null) {
        this.#select(Number(tale?.dataset['which'] ?? this.#which), Number(told.dataset['step']));
      }
    });
    root.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const action = ACTION_BY_KEY[event.shiftKey && key.length > 1 ? `Shift+${key}` : key];
      if (action === undefined) return;
      event.preventDefault();
      this.#act(action);
    });
    this.#range.addEventListener('input', () => this.goTo(this.#range.valueAsNumber));
  }

  #act(action: string): void {
    const { told, length } = this.#track;
    const step = this.#step;
    switch (action) {
      case 'first':
        return this.goTo(0);
      case 'last':
        return this.goTo(length - 1);
      case 'back':
        return this.goTo(step - 1);
      case 'on':
        return this.goTo(step + 1);
      case 'story-back':
        return this.goTo(told.findLast((one) => one < step) ?? 0);
      case 'story-on':
        return this.goTo(told.find((one) => one > step) ?? length - 1);
      case 'break':
        return this.#select(0, this.#tracks[0]!.flags.get('break') ?? length - 1);
      case 'other':
        if (this.#tracks.length > 1) this.#select(1 - this.#which, this.#twinUpTo(step));
    }
  }

  /** Of a step of the schedule that is shown the same access in the other, if it comes there. */
  #twin(step: number): number | undefined {
    return this.#twins[this.#which]!.get(step);
  }

  /** How far the other has come: of this step, or the last before it that the other takes, too. */
  #twinUpTo(step: number): number {
    let last = step;
    while (last > 0 && this.#twin(last) === undefined) last--;
    return this.#twin(last) ?? 0;
  }

  /** Show one of the schedules, at a step. */
  #select(which: number, step: number): void {
    this.#which = which;
    const { length } = this.#track;
    const steps = longest(this.#tracks);
    this.#root.dataset['which'] = String(which);
    this.#range.max = String(length - 1);
    this.#range.style.setProperty('--share', String(length / steps));
    this.#part('.flags').innerHTML = flagsHtml(this.#track, steps);
    this.goTo(step);
  }

  async #copy(tale: HTMLElement): Promise<void> {
    const token = tale.querySelector('.token')!;
    const said = tale.querySelector('.copied')!;
    try {
      await navigator.clipboard.writeText(token.textContent!);
      said.textContent = 'It is copied.';
    } catch {
      getSelection()?.selectAllChildren(token);
      said.textContent = 'It is selected: copy it with Ctrl and C.';
    }
  }

  #show(): void {
    const [track, at] = [this.#track, this.#step];
    this.#range.value = String(at);
    this.#range.setAttribute('aria-valuetext', `step ${at} of ${track.length - 1}`);
    this.#part('output').textContent = sentenceOf(track, at);
    this.#part('.beside').textContent = this.#besideText(at);
    const { columns } = track.data.story;
    this.#part('.cpus').innerHTML = columns
      .map((_, cpu) => cpuHtml(track, cpu, at, this.#data.sources))
      .join('');
    this.#part('.machine').innerHTML = machineHtml(track, at);
    this.#reveal(this.#part('.machine'), '.changed', this.#part('.when').offsetHeight);
    for (const [which, tale] of this.#root.querySelectorAll<HTMLElement>('.tale').entries()) {
      this.#pointOut(tale, which);
    }
  }

  /** The line of a story up to which things have come. */
  #pointOut(tale: HTMLElement, which: number): void {
    for (const row of tale.querySelectorAll('[aria-current]')) row.removeAttribute('aria-current');
    const at = which === this.#which ? this.#step : this.#twinUpTo(this.#step);
    const told = this.#tracks[which]!.told.findLast((one) => one <= at);
    tale.querySelector(`tr[data-step="${told}"]`)?.setAttribute('aria-current', 'step');
    this.#reveal(tale, 'tr[aria-current]', tale.querySelector('thead')!.clientHeight);
  }

  #besideText(at: number): string {
    const { parting } = this.#data;
    if (parting === undefined) return '';
    const other = this.#which === 0 ? 'the schedule that passes' : 'the schedule that goes wrong';
    if (at < parting) return `The same in ${other}: they part at step ${parting}.`;
    const twin = this.#twin(at);
    if (twin === undefined) return `In ${other} this access is not made.`;
    const there = this.#tracks[1 - this.#which]!.step(twin);
    return `In ${other} this is step ${twin}${withValues(there)}.`;
  }

  /** Scroll a pane, where it scrolls by itself, so that the first such thing in it is seen. */
  #reveal(pane: HTMLElement, selector: string, head: number): void {
    const found = pane.querySelector<HTMLElement>(selector);
    if (found === null || pane.scrollHeight <= pane.clientHeight) return;
    const [outer, inner] = [pane.getBoundingClientRect(), found.getBoundingClientRect()];
    const [above, below] = [inner.top - outer.top - head, inner.bottom - outer.bottom];
    if (above < 0 || inner.height > outer.height - head) pane.scrollTop += above - 8;
    else if (below > 0) pane.scrollTop += below + 8;
  }
}

type Values = Pick<ReturnType<Track['step']>, 'before' | 'after'>;

const withValues = ({ before, after }: Values): string => {
  const text = after === undefined ? before : `${before} → ${after}`;
  return text && `: ${text}`;
};

function sentenceOf(track: Track, at: number): string {
  const step = track.step(at);
  const { hostCpu, name, file, line, does, place } = step;
  const where = file === '' ? 'its hardware' : `${name} (${file}:${line})`;
  const of = `Step ${at} of ${track.length - 1}`;
  return `${of}: CPU ${hostCpu}, ${where}, ${does} ${place}${withValues(step)}.`;
}
