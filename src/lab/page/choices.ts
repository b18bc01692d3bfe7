/** The choice of code, defects and schedules, and its controls. */

import { html, nothing, type TemplateResult } from 'lit-html';
import { ALL_DEFECTS, DEFECT_CLASSES, DEFECTS, type DefectId } from '../../defects.ts';

export interface Option {
  readonly value: string;
  readonly text: string;
}

export const plain = (values: readonly string[]): Option[] =>
  values.map((value) => ({ value, text: value }));

/** A label and what it names. */
export const field = (label: string, control: (id: string) => TemplateResult): TemplateResult => {
  const id = `field-${label.toLowerCase().replaceAll(/\W+/g, '-')}`;
  return html`<div class="field"><label for=${id}>${label}</label>${control(id)}</div>`;
};

export const select = (
  label: string,
  chosen: string,
  options: readonly Option[],
  choose: (value: string) => void,
): TemplateResult =>
  field(
    label,
    (id) => html`<select id=${id}
      @change=${({ target }: Event) => choose((target as HTMLSelectElement).value)}>
      ${options.map(
        ({ value, text }) =>
          html`<option value=${value} ?selected=${value === chosen}>${text}</option>`,
      )}</select>`,
  );

/** A whole number; another one is not taken. */
export const number = (
  label: string,
  value: number,
  [least, most]: readonly [number, number],
  choose: (value: number) => void,
): TemplateResult =>
  field(
    label,
    (id) => html`<input id=${id} type="number" min=${least} max=${most} step="1" required
      .value=${String(value)} @change=${({ target }: Event) => {
        const input = target as HTMLInputElement;
        if (input.reportValidity()) choose(input.valueAsNumber);
      }}>`,
  );

/** `first`: those that stand before the others; `toggle`: one was switched. */
export function defectSwitches(
  on: ReadonlySet<DefectId>,
  first: readonly DefectId[],
  toggle: (id: DefectId) => void,
): TemplateResult {
  const others = ALL_DEFECTS.filter((id) => !first.includes(id));
  const hidden = others.filter((id) => on.has(id)).length;
  const all = Object.entries(DEFECT_CLASSES).map(
    ([letter, title]) => html`<h3>${title}</h3>
      ${others.filter((id) => id.startsWith(letter)).map((id) => defectSwitch(id, on, toggle))}`,
  );
  return html`<fieldset class="defects"><legend>Defects that are switched on</legend>
    ${first.map((id) => defectSwitch(id, on, toggle))}
    <details><summary>${first.length > 0 ? 'All others' : 'All defects'}${
      hidden > 0 ? `, ${hidden} of them on` : nothing
    }</summary>${all}</details>
  </fieldset>`;
}

function defectSwitch(
  id: DefectId,
  on: ReadonlySet<DefectId>,
  toggle: (id: DefectId) => void,
): TemplateResult {
  const { title, where, consequence } = DEFECTS[id];
  const isOn = on.has(id);
  return html`<label class="switch"><input type="checkbox" .checked=${isOn}
      @change=${() => toggle(id)}>
    <span><b>${id}</b> ${title}${
      isOn ? html`<small>${where}: ${consequence}</small>` : nothing
    }</span></label>`;
}

export function toggled(on: ReadonlySet<DefectId>, id: DefectId): Set<DefectId> {
  const next = new Set(on);
  if (!next.delete(id)) next.add(id);
  return next;
}
