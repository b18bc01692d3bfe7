/** The report of one run or of several, as one HTML file. */

import { benchmarkSection } from './benchmark-section.ts';
import { campaignSection } from './campaign-section.ts';
import { comparisonSection } from './comparison-section.ts';
import { escaped } from './escaped.ts';
import { explained } from './glossary.ts';
import { htmlPage } from './html.ts';
import { liveSection } from './live-section.ts';
import { machineSection } from './machine-section.ts';
import { facts, type Section } from './parts.ts';
import type { Folder, Saved } from './saved.ts';
import { carriedScript } from './script.ts';
import { studySection } from './study-section.ts';
import { STYLE } from './style.ts';
import { tablesSection } from './tables-section.ts';

/** In the given order. `refresh`: seconds until the page reloads. */
export function reportHtml(saved: readonly Saved[], refresh?: number): string {
  const sections = sectionsOf(saved);
  const title =
    saved.length === 1 ? `${sections[0]!.title}: a report of umbra` : 'Runs of umbra, a report';
  const hasTimeline = saved.some((one) => one.kind === 'machine' && one.machine.happened);
  const links = sections.map(({ id, title }) => `<li><a href="#${id}">${escaped(title)}</a></li>`);
  return htmlPage({
    title,
    style: STYLE,
    ...(hasTimeline && { script: carriedScript('page/timeline-keys') }),
    ...(refresh !== undefined && { refresh }),
    body: `<a class="skip" href="#content">To the content</a>
<header><h1>A report of umbra</h1>
${sections.length > 1 ? `<nav aria-label="Sections"><ol>${links.join('')}</ol></nav>` : ''}</header>
<main id="content">
${explained(sections.map((section) => sectionHtml(section, sections.length > MOST_OPEN)).join('\n'))}
</main>
<footer><p>Made by umbra, an SMP laboratory for shadow page tables. This file needs nothing from elsewhere.</p></footer>`,
  });
}

/** With more, each run is behind its heading; what compares them is not. */
const MOST_OPEN = 4;

function sectionHtml({ id, title, html, isRun }: PageSection, folds: boolean): string {
  const content =
    folds && isRun
      ? `<details><summary>Show ${escaped(title)}</summary>\n${html}\n</details>`
      : html;
  return (
    `<section id="${id}" aria-labelledby="${id}-title">\n<h2 ` +
    `id="${id}-title">${escaped(title)}</h2>\n${content}\n</section>`
  );
}

interface PageSection extends Section {
  readonly isRun: boolean;
}

function sectionsOf(saved: readonly Saved[]): PageSection[] {
  const machines = saved.flatMap((one) => (one.kind === 'machine' ? [one.machine] : []));
  const comparison: PageSection[] =
    machines.length < 2
      ? []
      : [
          {
            id: 'compared',
            title: 'Runs compared',
            html: comparisonSection(machines),
            isRun: false,
          },
        ];
  return [
    ...comparison,
    ...saved.map((one, i) => ({
      id: `run-${i + 1}`,
      title: titleOf(one),
      isRun: true,
      html: `${sectionOf(one)}\n${one.folder === undefined ? '' : provenance(one.folder)}`,
    })),
  ];
}

const titleOf = (saved: Saved): string =>
  saved.kind === 'study'
    ? saved.study.title
    : saved.kind === 'live'
      ? saved.name
      : `${saved.name}, umbra ${commandOf(saved)}`;

const commandOf = ({ kind, folder }: Saved): string =>
  folder?.command ?? (kind === 'machine' ? 'run' : kind);

function sectionOf(saved: Saved): string {
  switch (saved.kind) {
    case 'machine':
      return machineSection(saved.machine);
    case 'study':
      return studySection(saved.study);
    case 'benchmark':
      return benchmarkSection(saved.benchmark);
    case 'campaign':
      return campaignSection(saved.campaign);
    case 'live':
      return liveSection(saved.live);
    case 'tables':
      return tablesSection(saved.tables);
  }
}

/** How it was run, when and where. */
function provenance({ command, options, sources, environment, started, ...run }: Folder): string {
  const given = Object.entries(options).map(([name, value]) => {
    const source = sources[name] ?? 'default';
    return [
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      `${text(value)} (${source})`,
    ] as const;
  });
  return `<details class="provenance"><summary>How it was run</summary>
<h3>Given to umbra ${escaped(command)}</h3>
${facts([['arguments', run.arguments.join(' ') || 'none'], ...given])}
<h3>When and where</h3>
${facts([
  ['started', started],
  ['took', `${run.seconds.toFixed(1)} s`],
  ...Object.entries(environment).map(
    ([name, value]) => [name.replaceAll('_', ' '), String(value)] as const,
  ),
])}
</details>`;
}

/** Of an option, as it can be given. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const { least, most } = (value ?? {}) as { readonly least?: unknown; readonly most?: unknown };
  if (typeof least !== 'number') return JSON.stringify(value) ?? '';
  return least === most ? `${least}` : `${least}..${most}`;
}
