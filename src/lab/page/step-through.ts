/** A failure that is stepped through: made smaller first, then shown by the race player. */

import { html, nothing, type TemplateResult } from 'lit-html';
import { counted } from '../../numbers.ts';
import type { PlayerData } from '../../report/player/data.ts';
import { mountPlayer } from '../../report/player/mount.ts';

export class StepThrough {
  readonly #redraw: () => void;
  readonly #place = document.createElement('div');
  #said: string | undefined;

  constructor(redraw: () => void) {
    this.#redraw = redraw;
    this.#place.className = 'place';
  }

  /** `ask` is told how many schedules have been tried. */
  async open(ask: (told: (tries: number) => void) => Promise<PlayerData>): Promise<void> {
    this.#place.replaceChildren();
    this.#say('Making it smaller…');
    const data = await ask((tries) =>
      this.#say(`Making it smaller: ${counted(tries, 'schedule')} tried…`),
    );
    this.#say('');
    mountPlayer(this.#place, data);
    // Once what was said is gone from above it.
    requestAnimationFrame(() => {
      this.#place.scrollIntoView({ block: 'start' });
      this.#place.querySelector<HTMLElement>('input')?.focus({ preventScroll: true });
    });
  }

  close(): void {
    this.#said = undefined;
    this.#place.replaceChildren();
  }

  #say(text: string): void {
    this.#said = text;
    this.#redraw();
  }

  template(): TemplateResult | typeof nothing {
    if (this.#said === undefined) return nothing;
    return html`<section aria-labelledby="step-heading" class="stepping">
      <h2 id="step-heading">Step through it</h2>
      <p role="status" class="faint">${this.#said}</p>
      ${this.#place}</section>`;
  }
}
