/** A host CPU at a step: its last access, and the source around it. */

import { escaped } from '../page/escaped.ts';
import { partText } from '../story.ts';
import type { PlayerData } from './data.ts';
import { cpuColour } from './lanes.ts';
import { changeHtml } from './story-table.ts';
import type { StepView, Track } from './track.ts';

/** Lines of the source above the one of the step, and below. */
const AROUND = 3;

type Sources = PlayerData['sources'];

/** `at`: the current step, which may be another CPU's. */
export function cpuHtml(track: Track, cpu: number, at: number, sources: Sources): string {
  const last = track.lastOf(cpu, at);
  const step = last === undefined ? undefined : track.step(last);
  const isNow = last === at;
  const name = track.data.story.columns[cpu]!;
  const when = isNow ? 'takes this step' : last === undefined ? 'not begun' : `since step ${last}`;
  const vcpu = step?.vcpu ?? -1;
  const who = vcpu < 0 ? '' : track.operationOf(vcpu, at) || `vCPU ${vcpu}`;
  return `<article class="cpu${isNow ? ' now' : ''}" style="--cpu:${cpuColour(cpu)}">
<h2>${escaped(name)} <b>${escaped(who)}</b> <small>${when}</small></h2>
${step === undefined ? sourceHtml('', 0) : stepHtml(track, step, sources)}
</article>`;
}

function stepHtml(track: Track, step: StepView, sources: Sources): string {
  const { number, part, name, file, line, does, place, before, after, locks } = step;
  const change = changeHtml(before, after);
  const where = file === '' ? '' : `: <b>${escaped(name)}</b>, ${escaped(file)}:${line}`;
  return [
    `<p class="where">${escaped(partText(part))}${where}</p>`,
    sourceHtml(sources[file] ?? '', line),
    '<div class="done">',
    `<p>${escaped(does)} <b>${escaped(place)}</b></p>`,
    ...(change === '' ? [] : [`<p>${change}</p>`]),
    ...(locks === '' ? [] : [`<p class="faint">holding ${escaped(locks)}</p>`]),
    ...track.marksBefore(number).map((text) => `<p class="faint">${escaped(text)}</p>`),
    '</div>',
  ].join('\n');
}

/** Without the indentation that all of it has. */
function sourceHtml(text: string, line: number): string {
  const all = text.split('\n');
  const from = Math.max(0, line - 1 - AROUND);
  const lines = text === '' ? [] : all.slice(from, line + AROUND);
  const indent = Math.min(...lines.filter((one) => one.trim() !== '').map(indentOf));
  const rows = lines.map((one, i) => {
    const number = from + i + 1;
    const tag = number === line ? 'mark' : 'span';
    return `<${tag}><i>${number}</i>${escaped(one.slice(indent)) || ' '}</${tag}>`;
  });
  const label = text === '' ? 'no source' : `source around line ${line}`;
  const focusable = `tabindex="0" role="group" aria-label="${label}"`;
  return `<pre class="source" ${focusable}>${rows.join('')}</pre>`;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
