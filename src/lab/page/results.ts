/** Live results of schedules: verdict, outcomes, settings, failures. */

import { html, nothing, type TemplateResult } from 'lit-html';
import { counted, grouped } from '../../numbers.ts';
import type { Counted, Explored, FoundFailure, Search } from '../engine/exploring.ts';

export interface Exploration {
  readonly searches: readonly Search[];
  /** Of each search; undefined where it has not begun. */
  readonly counted: (Counted | Explored | undefined)[];
  state: 'running' | 'done' | 'stopped';
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const begun = ({ counted: all }: Exploration): Counted[] => all.filter((one) => one !== undefined);

export const failuresOf = (exploration: Exploration): FoundFailure[] =>
  begun(exploration).flatMap(({ failures }) => failures);

export function progressOf(exploration: Exploration): TemplateResult {
  const done = sum(begun(exploration).map(({ schedules }) => schedules));
  const all = sum(exploration.searches.map(({ schedules }) => schedules));
  return html`<progress max=${all} value=${done} aria-label="Schedules"></progress>
    <span>${grouped(done)} of ${grouped(all)}</span>`;
}

/** In a sentence, with what was searched. */
export function verdictOf(exploration: Exploration): string {
  const all = begun(exploration);
  const schedules = counted(sum(all.map((one) => one.schedules)), 'schedule');
  const different = grouped(sum(all.map((one) => one.different)));
  const wrong = sum(failuresOf(exploration).map(({ count }) => count));
  const { strategy, seed } = exploration.searches[0]!;
  const rest = exploration.state === 'stopped' ? ', when it was stopped' : '';
  const found = wrong === 0 ? 'Nothing wrong in' : `${grouped(wrong)} went wrong of`;
  return (
    `${found} ${schedules}, ${different} of them different, by ${strategy} from seed ${seed} ` +
    `in ${counted(all.length, 'setting')}${rest}.`
  );
}

export function outcomesTable(exploration: Exploration): TemplateResult {
  const lines = new Map<string, { is: string; text: string; count: number }>();
  for (const { is, text, count } of begun(exploration).flatMap((one) => one.lines)) {
    const key = `${is} ${text}`;
    const line = lines.get(key) ?? { is, text, count: 0 };
    lines.set(key, { ...line, count: line.count + count });
  }
  const most = Math.max(1, ...Array.from(lines.values(), ({ count }) => count));
  return html`<table class="outcomes"><caption>Outcomes, as they are declared</caption>
    <thead><tr><th scope="col">Is</th><th scope="col">When</th>
      <th scope="col" class="n">Schedules</th></tr></thead>
    <tbody>${Array.from(lines.values(), ({ is, text, count }) => {
      const isBad = count > 0 && !['allowed', 'interesting', 'left to guest'].includes(is);
      return html`<tr class=${isBad ? 'wrong' : ''}><td><span class="badge">${is}</span></td>
        <td><code>${text}</code></td>
        <td class="n">${grouped(count)}<meter min="0" max=${most} value=${count}
          aria-hidden="true"></meter></td></tr>`;
    })}</tbody></table>`;
}

export function settingsTable({ searches, counted: all }: Exploration): TemplateResult {
  const rows = searches.flatMap(({ setting }, i) => {
    const one = all[i];
    return one === undefined ? [] : [{ setting, one }];
  });
  return html`<details><summary>By setting</summary>
    <div class="wide" tabindex="0" role="group" aria-label="By setting"><table>
    <thead><tr><th scope="col">Discipline</th><th scope="col">Paging</th>
      <th scope="col" class="n">Schedules</th>
      <th scope="col" class="n">Different</th><th scope="col">Chance of a new one</th>
      <th scope="col" class="n">Went wrong</th><th scope="col">Digest of all steps</th></tr></thead>
    <tbody>${rows.map(
      ({
        setting,
        one,
      }) => html`<tr><th scope="row">${setting.discipline}</th><td>${setting.paging}</td>
        <td class="n">${grouped(one.schedules)}</td><td class="n">${grouped(one.different)}</td>
        <td>${one.unseen === '' ? 'none was drawn' : one.unseen}</td>
        <td class="n">${grouped(sum(one.failures.map(({ count }) => count)))}</td>
        <td><code>${'digest' in one ? one.digest : nothing}</code></td></tr>`,
    )}</tbody></table></div></details>`;
}

/** Those that went wrong in the same way, whatever the setting, stand together. */
export function failureList(
  failures: readonly FoundFailure[],
  step: (failure: FoundFailure) => void,
): TemplateResult | typeof nothing {
  if (failures.length === 0) return nothing;
  const kinds = Map.groupBy(failures, ({ ending, message }) => `${ending}: ${message}`);
  return html`<h3>What went wrong</h3>
    <ul class="failures">${Array.from(kinds, ([said, ofKind]) => {
      return html`<li><p>${said}</p><ul>${ofKind.map((failure) => failureItem(failure, step))}</ul>
        </li>`;
    })}</ul>`;
}

function failureItem(failure: FoundFailure, step: (failure: FoundFailure) => void): TemplateResult {
  const { setting, count, after } = failure;
  const where = `${setting.discipline}, ${setting.paging}`;
  return html`<li><span>${where} <small>${counted(count, 'schedule')}, the first
    is number ${grouped(after)}</small></span>
    <button type="button" aria-label=${`Step through it: ${where}`}
      @click=${() => step(failure)}>Step through it</button></li>`;
}
