/** The race player: a schedule to step through, forward and back, by key, click and pointer. */

import { escaped } from '../page/escaped.ts';
import { cpuHtml } from './cpu-view.ts';
import type { PlayerData } from './data.ts';
import { flagsHtml, lanesSvg, longest } from './lanes.ts';
import { machineHtml } from './machine-view.ts';
import { findingsHtml, storyTable } from './story-table.ts';
import { Track } from './track.ts';

export interface Player {
  /** Go to a step; out of range it is the first or the last. */
  goTo(step: number): void;
  readonly step: number;
}

/** Put a player into an element, in place of what is there. It needs PLAYER_STYLE of style.ts. */
export function mountPlayer(element: HTMLElement, data: PlayerData): Player {
  return new Mounted(element, data);
}

const BUTTONS = [
  ['first', '|◀', 'First step (Home)'],
  ['story-back', '◀◀', 'Back in the story (Shift and ←)'],
  ['back', '◀', 'One step back (←)'],
  ['on', '▶', 'One step on (→)'],
  ['story-on', '▶▶', 'On in the story (Shift and →)'],
  ['last', '▶|', 'Last step (End)'],
  ['break', 'To the break', 'To where it breaks (B)'],
] as const;

const OTHER = ['other', 'Other schedule', 'To the other schedule (O)'] as const;

const KEYS: Readonly<Record<string, string>> = {
  ArrowLeft: 'back',
  ArrowRight: 'on',
  'Shift+ArrowLeft': 'story-back',
  'Shift+ArrowRight': 'story-on',
  Home: 'first',
  End: 'last',
  b: 'break',
  o: 'other',
};

class Mounted implements Player {
  readonly #data: PlayerData;
  readonly #tracks: readonly Track[];
  readonly #root: HTMLElement;
  #which = 0;
  #step = 0;
  #queued = false;

  constructor(element: HTMLElement, data: PlayerData) {
    this.#data = data;
    this.#tracks = data.tracks.flatMap((track) => (track === undefined ? [] : [new Track(track)]));
    element.innerHTML = this.#frame();
    this.#root = element.querySelector<HTMLElement>('.player')!;
    this.#listen();
    this.#tellTrack();
    this.goTo(this.#track.told[0] ?? 0);
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

  #frame(): string {
    const button = (value: string, sign: string, name: string): string =>
      `<button type="button" value="${value}" title="${name}" aria-label="${name}">` +
      `${sign}</button>`;
    const buttons = BUTTONS.map(([value, sign, name]) => button(value, sign, name));
    const other = this.#tracks.length > 1 ? button(...OTHER) : '';
    const controls = `role="group" aria-label="Step through the schedule"`;
    return `<div class="player" tabindex="-1">
<div class="bar">
<div class="lanes">${lanesSvg(this.#tracks, this.#data)}
<input type="range" min="0" step="1" aria-label="Step">
<div class="flags"></div></div>
<div class="controls" ${controls}>${buttons.join('')}${other}<span class="beside"></span></div>
<output aria-live="polite"></output>
</div>
<div class="cpus"></div>
<div class="panes">
<div class="pane tale" tabindex="0" role="group" aria-label="Story">
<div class="lines"></div><div class="end"></div></div>
<div class="pane machine" tabindex="0" role="group" aria-label="Machine"></div>
</div>
</div>`;
  }

  #listen(): void {
    const root = this.#root;
    root.addEventListener('click', ({ target }) => {
      const clicked = target as Element;
      const button = clicked.closest<HTMLButtonElement>('button[value]');
      if (button !== null) return this.#act(button.value);
      const told = clicked.closest<HTMLElement>('[data-step]');
      if (told !== null) this.goTo(Number(told.dataset['step']));
    });
    root.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const key = `${event.shiftKey ? 'Shift+' : ''}${event.key}`;
      const action = KEYS[key] ?? KEYS[key.toLowerCase()];
      if (action === undefined) return;
      event.preventDefault();
      this.#act(action);
    });
    this.#range.addEventListener('input', () => this.goTo(this.#range.valueAsNumber));
  }

  get #range(): HTMLInputElement {
    return this.#part('input') as HTMLInputElement;
  }

  #act(action: string): void {
    const { told, flags, length } = this.#track;
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
        return this.goTo(flags.get('break') ?? length - 1);
      case 'other':
        return this.#toOther();
      case 'copy':
        return void this.#copy();
    }
  }

  /** Of a step of the one that is shown the same access in the other, if it comes there. */
  #twin(step: number): number | undefined {
    const { twins } = this.#data;
    if (twins === undefined) return undefined;
    const twin = this.#which === 0 ? (twins[step] ?? -1) : twins.indexOf(step);
    return twin < 0 ? undefined : twin;
  }

  #toOther(): void {
    if (this.#tracks.length < 2) return;
    let step = this.#step;
    while (step > 0 && this.#twin(step) === undefined) step--;
    const twin = this.#twin(step) ?? 0;
    this.#which = 1 - this.#which;
    this.#tellTrack();
    this.goTo(twin);
  }

  async #copy(): Promise<void> {
    const said = this.#part('.copied');
    try {
      await navigator.clipboard.writeText(this.#track.data.token!);
      said.textContent = 'copied';
    } catch {
      getSelection()?.selectAllChildren(this.#part('.token'));
      said.textContent = 'selected: copy it with Ctrl+C';
    }
  }

  /** What is the same for all steps of a schedule. */
  #tellTrack(): void {
    const { length, data } = this.#track;
    const steps = longest(this.#tracks);
    this.#range.max = String(length - 1);
    this.#range.style.width = `${(100 * length) / steps}%`;
    this.#root.dataset['which'] = String(this.#which);
    this.#part('.flags').innerHTML = flagsHtml(this.#track, steps);
    this.#part('.lines').innerHTML = storyTable(data.story, this.#data.parting);
    this.#part('.end').innerHTML = endHtml(data);
  }

  #show(): void {
    const [track, at] = [this.#track, this.#step];
    const step = track.step(at);
    this.#range.value = String(at);
    this.#range.setAttribute('aria-valuetext', `step ${at} of ${track.length - 1}`);
    const where = step.file === '' ? 'hardware' : `${step.name} (${step.file}:${step.line})`;
    const what = step.after === undefined ? step.before : `${step.before} → ${step.after}`;
    this.#part('output').textContent =
      `Step ${at} of ${track.length - 1}: CPU ${step.hostCpu}, ${where} ${step.does} ` +
      `${step.place}${what && `: ${what}`}.`;
    this.#part('.beside').textContent = this.#besideText(at);
    this.#part('.cpus').innerHTML = track.data.story.columns
      .map((_, cpu) => cpuHtml(track, cpu, at, this.#data.sources))
      .join('');
    this.#part('.machine').innerHTML = machineHtml(track, at);
    this.#reveal('.machine', '.changed');
    for (const row of this.#root.querySelectorAll('tr[aria-current]')) {
      row.removeAttribute('aria-current');
    }
    const told = track.told.findLast((one) => one <= at);
    const row = this.#root.querySelector(`tr[data-step="${told}"]`);
    row?.setAttribute('aria-current', 'step');
    this.#reveal('.tale', 'tr[aria-current]');
  }

  #besideText(at: number): string {
    const { parting } = this.#data;
    if (parting === undefined) return '';
    const other = this.#which === 0 ? 'the schedule that passes' : 'the schedule that goes wrong';
    if (at < parting) return `The same in ${other}; they part at step ${parting}.`;
    const twin = this.#twin(at);
    if (twin === undefined) return `In ${other} this access does not come.`;
    return `In ${other} this access is step ${twin}.`;
  }

  /** Scroll a pane, where it scrolls by itself, so that the first such thing in it is seen. */
  #reveal(pane: string, selector: string): void {
    const around = this.#part(pane);
    const found = around.querySelector<HTMLElement>(selector);
    if (found === null || around.scrollHeight <= around.clientHeight) return;
    const [outer, inner] = [around.getBoundingClientRect(), found.getBoundingClientRect()];
    if (inner.top < outer.top + 40) around.scrollTop += inner.top - outer.top - 60;
    else if (inner.bottom > outer.bottom) around.scrollTop += inner.bottom - outer.bottom + 20;
  }
}

function endHtml({ story, token }: PlayerData['tracks'][0]): string {
  if (token === undefined) return findingsHtml(story);
  return `${findingsHtml(story)}<h2>The schedule</h2>
<p><button type="button" value="copy">Copy the token</button>
<span class="copied" role="status"></span></p>
<p><code class="token">${escaped(token)}</code></p>`;
}
