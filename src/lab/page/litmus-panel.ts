/** Litmus tests: choose or edit one, choose the code, explore, and show the results. */

import { proxy } from 'comlink';
import { html, nothing, type TemplateResult } from 'lit-html';
import { DISCIPLINES, type DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../defects.ts';
import type { Setting } from '../../explore/setting.ts';
import { STRATEGIES } from '../../explore/strategies/catalogue.ts';
import type { PagingName } from '../../hardware/entry.ts';
import type { FoundFailure } from '../engine/exploring.ts';
import { defectSwitches, field, number, plain, select, toggled } from './choices.ts';
import { Editor } from './editor.ts';
import { Explorers } from './explorers.ts';
import type { Mistake } from './mistakes.ts';
import {
  type Exploration,
  failureList,
  failuresOf,
  outcomesTable,
  progressOf,
  settingsTable,
  verdictOf,
} from './results.ts';
import { StepThrough } from './step-through.ts';

export interface BuiltIn {
  readonly name: string;
  /** Of the paging code. */
  readonly part: string;
  readonly text: string;
}

interface Choice {
  readonly discipline: '' | DisciplineName;
  readonly paging: '' | PagingName;
  readonly memory: 'sc' | 'tso';
  readonly strategy: string;
  readonly schedules: number;
  readonly seed: number;
}

const EVERY = 'each that the test is for';

const placeOf = ({ line, column }: Mistake): string => `Line ${line}, column ${column}`;

export class LitmusPanel {
  readonly #tests: readonly BuiltIn[];
  readonly #redraw: () => void;
  readonly #editor: Editor;
  readonly #explorers = new Explorers();
  readonly #stepThrough: StepThrough;
  #chosen: BuiltIn;
  #defects: ReadonlySet<DefectId> = new Set();
  #choice: Choice = {
    discipline: '',
    paging: '',
    memory: 'sc',
    strategy: 'portfolio',
    schedules: 1000,
    seed: 1,
  };
  #exploration: Exploration | undefined;

  constructor(tests: readonly BuiltIn[], name: string, redraw: () => void) {
    this.#tests = tests;
    this.#redraw = redraw;
    this.#chosen = this.#named(name);
    this.#editor = new Editor(this.#chosen.text, redraw);
    this.#stepThrough = new StepThrough(redraw);
    this.#aim();
  }

  /** That is in the editor, or was before it was changed. */
  get chosen(): string {
    return this.#chosen.name;
  }

  choose(name: string): void {
    if (name === this.#chosen.name) return;
    this.#chosen = this.#named(name);
    this.#editor.text = this.#chosen.text;
    this.#exploration = undefined;
    this.#stepThrough.close();
    this.#aim();
    this.#redraw();
  }

  #named(name: string): BuiltIn {
    return this.#tests.find((test) => test.name === name) ?? this.#tests[0]!;
  }

  /** A test that is aimed at a defect is there to find it. */
  #aim(): void {
    const { defect } = this.#editor.checked.litmus ?? {};
    this.#defects = new Set(defect === undefined ? [] : [defect]);
  }

  #set(change: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...change };
    this.#redraw();
  }

  async #explore(): Promise<void> {
    const { discipline, paging, memory, strategy, schedules, seed } = this.#choice;
    const { text } = this.#editor;
    this.#stepThrough.close();
    const given: Partial<Setting> = {
      ...(discipline !== '' && { discipline }),
      ...(paging !== '' && { paging }),
      memory,
      defects: [...this.#defects],
    };
    const settings = await this.#explorers.first.settings(text, given);
    const searches = settings.map((setting) => ({ setting, strategy, schedules, seed }));
    const exploration: Exploration = {
      searches,
      counted: searches.map(() => undefined),
      state: 'running',
    };
    this.#exploration = exploration;
    this.#redraw();
    await this.#explorers.explore(text, searches, (i, counted) => {
      exploration.counted[i] = counted;
      this.#redraw();
    });
    if (exploration.state === 'running') exploration.state = 'done';
    this.#redraw();
  }

  #stop(): void {
    this.#exploration!.state = 'stopped';
    void this.#explorers.stop();
  }

  #step({ token }: FoundFailure): void {
    const { text } = this.#editor;
    void this.#stepThrough.open((told) => this.#explorers.first.player(text, token, proxy(told)));
  }

  template(): TemplateResult {
    return html`<div class="columns">
      <section aria-labelledby="test-heading">${this.#testTemplate()}</section>
      <section aria-labelledby="run-heading">${this.#runTemplate()}</section>
    </div>
    ${this.#resultTemplate()}
    ${this.#stepThrough.template()}`;
  }

  #testTemplate(): TemplateResult {
    const { litmus, mistakes } = this.#editor.checked;
    const isChanged = this.#editor.text !== this.#chosen.text;
    return html`<h2 id="test-heading">The test</h2>
      ${field('Comes with umbra', (id) => this.#chooser(id))}
      <p class="about">${
        litmus === undefined ? nothing : html`<b>${litmus.name}.</b> ${litmus.about}`
      }</p>
      ${this.#editor.element}
      <div class="row">
        <button type="button" ?disabled=${!isChanged} @click=${() => {
          this.#editor.text = this.#chosen.text;
          this.#aim();
        }}>As it came</button>
        <button type="button" @click=${() => this.#download()}>Download</button>
      </div>
      <div class="mistakes" role="status">${
        mistakes.length === 0
          ? html`<p class="faint">No mistakes in the test.</p>`
          : html`<ul>${mistakes.map(
              (mistake) => html`<li><button type="button" class="link"
                @click=${() => this.#editor.goTo(mistake)}>${placeOf(mistake)}</button>: ${mistake.message}</li>`,
            )}</ul>`
      }</div>`;
  }

  #chooser(id: string): TemplateResult {
    const parts = Map.groupBy(this.#tests, ({ part }) => part);
    const option = ({ name }: BuiltIn): TemplateResult =>
      html`<option value=${name} ?selected=${name === this.#chosen.name}>${name}</option>`;
    return html`<select id=${id} @change=${({ target }: Event) => {
      location.hash = `#/litmus/${(target as HTMLSelectElement).value}`;
    }}>${Array.from(
      parts,
      ([part, tests]) => html`<optgroup label=${part}>${tests.map(option)}</optgroup>`,
    )}</select>`;
  }

  #runTemplate(): TemplateResult {
    const { discipline, paging, memory, strategy, schedules, seed } = this.#choice;
    const { litmus } = this.#editor.checked;
    const isRunning = this.#exploration?.state === 'running';
    const aimed = litmus?.defect;
    const every = { value: '', text: EVERY };
    return html`<h2 id="run-heading">What runs</h2>
      ${defectSwitches(this.#defects, aimed === undefined ? [] : [aimed], (id) => {
        this.#defects = toggled(this.#defects, id);
        this.#redraw();
      })}
      <div class="fields">
        ${select('Discipline', discipline, [every, ...plain(DISCIPLINES)], (value) =>
          this.#set({ discipline: value as Choice['discipline'] }),
        )}
        ${select('Page tables', paging, [every, ...plain(['nonpae', 'pae'])], (value) =>
          this.#set({ paging: value as Choice['paging'] }),
        )}
        ${select(
          'Memory model',
          memory,
          [
            { value: 'sc', text: 'sc: sequentially consistent' },
            { value: 'tso', text: 'tso: with store buffers' },
          ],
          (value) => this.#set({ memory: value as Choice['memory'] }),
        )}
        ${select('Strategy', strategy, plain(Object.keys(STRATEGIES)), (value) =>
          this.#set({ strategy: value }),
        )}
        ${number('Schedules in each setting', schedules, [1, 1_000_000], (value) =>
          this.#set({ schedules: value }),
        )}
        ${number('Seed', seed, [0, 4_294_967_295], (value) => this.#set({ seed: value }))}
      </div>
      <div class="row">
        <button type="button" class="main" ?disabled=${litmus === undefined || isRunning}
          @click=${() => this.#explore()}>Explore</button>
        <button type="button" ?disabled=${!isRunning} @click=${() => this.#stop()}>Stop</button>
        ${isRunning ? progressOf(this.#exploration!) : nothing}
      </div>`;
  }

  #resultTemplate(): TemplateResult | typeof nothing {
    const exploration = this.#exploration;
    if (exploration === undefined) return nothing;
    const failures = failuresOf(exploration);
    const isOver = exploration.state !== 'running';
    const said = isOver ? verdictOf(exploration) : 'Exploring…';
    const tone = failures.length > 0 ? 'bad' : isOver ? 'good' : '';
    return html`<section aria-labelledby="result-heading" class="results">
      <h2 id="result-heading">What came of it</h2>
      <p class="verdict ${tone}" role="status">${said}</p>
      <div class="columns">
        <div class="wide">${outcomesTable(exploration)}</div>
        <div>${failureList(failures, (failure) => this.#step(failure))}</div>
      </div>
      ${settingsTable(exploration)}
    </section>`;
  }

  #download(): void {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([this.#editor.text], { type: 'text/yaml' }));
    link.download = `${this.#chosen.name}.yaml`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}
