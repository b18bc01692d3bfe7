/** The machine at a step: a card for each section, with the step's changes marked. */

import { escaped } from '../page/escaped.ts';
import type { MachineLine, Track } from './track.ts';

/** What stands first; the guest's own tables beside the shadow that is made of them. */
const ORDER = ['pgdirs', 'tables', 'cpus', 'stores', 'switcher', 'guests', 'frames'];

interface Card {
  readonly title: string;
  readonly view: string;
  readonly lines: readonly MachineLine[];
}

export function machineHtml(track: Track, step: number): string {
  const lines = track.machine(step);
  const changes = lines.filter(({ change, key }) => change !== undefined && key !== '').length;
  const { sections } = track.data.machine;
  const cards = Array.from(
    Map.groupBy(lines, ({ section }) => section),
    ([section, own]): Card => {
      const [title, view] = sections[section]!;
      return { title, view, lines: own };
    },
  ).toSorted((a, b) => rank(a) - rank(b));
  const said =
    changes === 0 ? 'nothing changes' : changes === 1 ? '1 change' : `${changes} changes`;
  return `<h2 class="when">Machine after step ${step}<small> · ${said}</small></h2>
<div class="cards">${cards.map(cardHtml).join('')}</div>`;
}

/** All of one pgdir together: its record, the guest's tables, the shadow. */
function rank({ title, view }: Card): number {
  const place = ORDER.indexOf(view) * 1000;
  if (view !== 'pgdirs' && view !== 'tables') return place;
  const pgdir = Number(/pgdir (\d+)/.exec(title)?.[1] ?? 0);
  const part = view === 'pgdirs' ? 0 : title.endsWith('own tables') ? 1 : 2;
  return pgdir * 10 + part;
}

function cardHtml({ title, view, lines }: Card): string {
  const isChanged = lines.some(({ change }) => change !== undefined);
  const own = lines.filter(({ key }) => key !== '');
  const name = title.replace(/^guest 0,? (?=.)/, '');
  const rows = own.length === 0 ? '<li class="faint">nothing</li>' : own.map(rowHtml).join('');
  const kind = `card ${view}-card${isChanged ? ' touched' : ''}`;
  return `<section class="${kind}"><h3>${escaped(name)}</h3><ul>${rows}</ul></section>`;
}

function rowHtml({ depth, text, change }: MachineLine): string {
  const indent = `style="--depth:${depth}"`;
  if (change === undefined) return `<li ${indent}>${lineHtml(text)}</li>`;
  if (change === 'new') return `<li ${indent} class="changed"><ins>${lineHtml(text)}</ins></li>`;
  if (change === 'gone') return `<li ${indent} class="changed"><del>${lineHtml(text)}</del></li>`;
  return (
    `<li ${indent} class="changed"><del>${lineHtml(change.from)}</del> ` +
    `<ins>${lineHtml(text)}</ins></li>`
  );
}

/** Shorter than in `umbra inspect`: there is one guest, and the table gives the context. */
function lineHtml(text: string): string {
  const short = text
    .replaceAll(' of guest 0)', ')')
    .replaceAll('guest 0 ', '')
    .replace(/^(.*table in frame \d+) \(PageTable\)/, '$1')
    .replace(/ \((\w+)\)/g, (_, kind: string) => ` (${KINDS[kind] ?? kind})`);
  const entry = /^(.*?, )((?:not present )?[A-Z ]+)$/.exec(short);
  if (entry === null) return escaped(short);
  const [, what, flags] = entry;
  const shown = flags!
    .replace('PRESENT ', '')
    .replace(/^PRESENT$/, 'present')
    .toLowerCase();
  return `${escaped(what!.replace(/, $/, ''))} <small>${escaped(shown)}</small>`;
}

const KINDS: Readonly<Record<string, string>> = {
  GuestPage: 'guest page',
  PageTable: 'page table',
  Regs: 'registers',
  Switcher: 'Switcher',
};
