/** A failure that is stepped through: made smaller first, then shown by the race player. */

import { html, nothing, type TemplateResult } from 'lit-html';
import { grouped } from '../../numbers.ts';

export class StepThrough {
  readonly #redraw: () => void;
  readonly #place = document.createElement('div');
  #said: string | undefined;

  constructor(redraw: () => void) {
    this.#redraw = redraw;
    this.#place.className = 'place';
  }

  /** `ask` is told how many schedules have been tried. */
  async open(ask: (told: (tries: number) => void) => Promise<string>): Promise<void> {
    this.#place.replaceChildren();
    this.#say('Making it smaller…');
    const data = await ask((tries) =>
      this.#say(`Making it smaller: ${grouped(tries)} schedules tried…`),
    );
    this.#say('');
    const story = document.createElement('pre');
    story.textContent = data;
    this.#place.append(story);
    this.#place.scrollIntoView({ block: 'start' });
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
