/** The lab's page: litmus tests and machines, by the engine in this browser. */

import '../no-eval.ts';
import './style.css';
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { COLOURS } from '../../report/colours.ts';
import { PLAYER_STYLE } from '../../report/player/style.ts';
import { type BuiltIn, LitmusPanel } from './litmus-panel.ts';
import { MachinePanel } from './machine-panel.ts';

const FIRST = 'R2-cleared-entry-comes-back';

/** `#/machine`, or `#/litmus/NAME`; anything else is the first test. */
const placeOf = (hash: string): readonly [room: string, test: string] => {
  const [, room = 'litmus', test = FIRST] =
    /^#\/(litmus|machine)(?:\/([\w.-]+))?$/.exec(hash) ?? [];
  return [room, test];
};

const style = document.createElement('style');
style.textContent = COLOURS + PLAYER_STYLE;
document.head.prepend(style);

let queued = false;
const redraw = (): void => {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    render(page(), document.body);
  });
};

const tests = (await (await fetch('./tests.json')).json()) as readonly BuiltIn[];
const litmus = new LitmusPanel(tests, placeOf(location.hash)[1], redraw);
const machine = new MachinePanel(redraw);

addEventListener('hashchange', () => {
  const [room, test] = placeOf(location.hash);
  if (room === 'litmus') litmus.choose(test);
  redraw();
});

function page(): TemplateResult {
  const [room] = placeOf(location.hash);
  const link = (name: string, href: string, text: string): TemplateResult =>
    html`<a href=${href} aria-current=${room === name ? 'page' : nothing}>${text}</a>`;
  return html`<header><h1>umbra lab</h1>
      <nav aria-label="Rooms">${link('litmus', `#/litmus/${litmus.chosen}`, 'Litmus tests')}
        ${link('machine', '#/machine', 'A machine')}</nav></header>
    <main>${crossOriginIsolated ? nothing : notIsolated()}
      ${room === 'machine' ? machine.template() : litmus.template()}</main>
    <footer><p>The engine of umbra runs in this browser. The page reads nothing but its own files,
      and sends nothing to anybody.</p></footer>`;
}

const notIsolated = (): TemplateResult => html`<p class="verdict bad" role="alert">This browser does
  not let the page share memory between its workers, which the engine needs. Whoever serves it must
  send the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy:
  require-corp, by https or from localhost.</p>`;

addEventListener('resize', redraw);
redraw();
