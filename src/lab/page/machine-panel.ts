/** A machine that runs free: faults, migrations and tables as it goes. */

import { axisX, axisY, lineY, plot, ruleY } from '@observablehq/plot';
import { proxy, type Remote, wrap } from 'comlink';
import { html, nothing, type TemplateResult } from 'lit-html';
import { DISCIPLINES, type DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../defects.ts';
import { workloads } from '../../guest/workloads/catalogue.ts';
import type { PagingName } from '../../hardware/entry.ts';
import { type PolicyName, policies } from '../../host/policy.ts';
import { grouped } from '../../numbers.ts';
import type { MachineRoom } from '../engine/machine-worker.ts';
import type { Counts, Ended, Moment, Wanted } from '../engine/running.ts';
import { defectSwitches, number, plain, select, toggled } from './choices.ts';
import { sectionsTemplate } from './tables.ts';

/** As many moments are drawn. */
const MOST_MOMENTS = 240;

const TITLES: Readonly<Record<keyof Counts, string>> = {
  accesses: 'Accesses',
  walks: 'Walks',
  faults: 'Faults',
  migrations: 'Migrations',
  shootdowns: 'Shootdowns',
};

/** Nothing is counted yet. */
const BOOTED: Pick<Moment, 'seconds' | 'cpus'> = { seconds: 0, cpus: [] };

/** 0, 500, 1.5K, 2M. */
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact' }).format;

const KINDS = Object.keys(TITLES) as (keyof Counts)[];

export class MachinePanel {
  readonly #redraw: () => void;
  #room: Remote<MachineRoom> | undefined;
  #wanted: Wanted = {
    workload: 'mmap-churn',
    size: 400,
    seed: 1,
    cpus: 2,
    vcpus: 2,
    paging: 'pae',
    policy: 'round-robin',
    slice: 500,
    discipline: 'lock-free',
    defects: [],
  };
  #defects: ReadonlySet<DefectId> = new Set();
  #drawn: keyof Counts = 'faults';
  #moments: Moment[] = [];
  #ended: Ended | undefined;
  #mistake = '';
  #isRunning = false;

  constructor(redraw: () => void) {
    this.#redraw = redraw;
  }

  #set(change: Partial<Wanted>): void {
    this.#wanted = { ...this.#wanted, ...change };
    this.#redraw();
  }

  async #run(): Promise<void> {
    this.#room ??= wrap<MachineRoom>(
      new Worker(new URL('../engine/machine-worker.ts', import.meta.url), {
        type: 'module',
        name: 'machine',
      }),
    );
    this.#moments = [];
    this.#ended = undefined;
    this.#mistake = '';
    this.#isRunning = true;
    this.#redraw();
    const told = (moment: Moment): void => {
      if (this.#moments.length === MOST_MOMENTS) this.#moments.shift();
      this.#moments.push(moment);
      this.#redraw();
    };
    try {
      const wanted = { ...this.#wanted, defects: [...this.#defects] };
      this.#ended = await this.#room.run(wanted, proxy(told));
    } catch (error) {
      this.#mistake = (error as Error).message;
    }
    this.#isRunning = false;
    this.#redraw();
  }

  template(): TemplateResult {
    return html`<div class="columns">
      <section aria-labelledby="machine-heading">${this.#formTemplate()}</section>
      <section aria-labelledby="live-heading">${this.#liveTemplate()}</section>
    </div>${this.#tablesTemplate()}`;
  }

  #formTemplate(): TemplateResult {
    const { workload, size, seed, cpus, vcpus, paging, policy, slice, discipline } = this.#wanted;
    const described = Object.entries(policies).map(([value, { description }]) => ({
      value,
      text: `${value}: ${description}`,
    }));
    return html`<h2 id="machine-heading">The machine</h2>
      ${select('Workload', workload, plain(Object.keys(workloads)), (value) =>
        this.#set({ workload: value, size: workloads[value]!.size * 100 }),
      )}
      <p class="about">${workloads[workload]!.aim}</p>
      <div class="fields">
        ${number('Host CPUs', cpus, [1, 8], (value) => this.#set({ cpus: value }))}
        ${number('vCPUs', vcpus, [1, 8], (value) => this.#set({ vcpus: value }))}
        ${number('Size', size, [1, 10_000], (value) => this.#set({ size: value }))}
        ${number('Time slice, operations', slice, [1, 1_000_000], (value) =>
          this.#set({ slice: value }),
        )}
        ${select(
          'Discipline',
          discipline,
          plain(['as-written', ...DISCIPLINES.filter((name) => name !== 'as-written')]),
          (value) => this.#set({ discipline: value as DisciplineName }),
        )}
        ${select('Page tables', paging, plain(['nonpae', 'pae']), (value) =>
          this.#set({ paging: value as PagingName }),
        )}
        ${number('Seed', seed, [0, 4_294_967_295], (value) => this.#set({ seed: value }))}
      </div>
      ${select('Policy of the scheduler', policy, described, (value) =>
        this.#set({ policy: value as PolicyName }),
      )}
      ${defectSwitches(this.#defects, [], (id) => {
        this.#defects = toggled(this.#defects, id);
        this.#redraw();
      })}
      <div class="row">
        <button type="button" class="main" ?disabled=${this.#isRunning}
          @click=${() => this.#run()}>Run</button>
        <button type="button" ?disabled=${!this.#isRunning}
          @click=${() => this.#room!.stop()}>Stop</button>
      </div>`;
  }

  #liveTemplate(): TemplateResult {
    const cpus = this.#ended?.cpus ?? this.#moments.at(-1)?.cpus ?? [];
    return html`<h2 id="live-heading">As it goes</h2>
      <p class="verdict ${this.#tone}" role="status">${this.#said}</p>
      ${
        this.#ended === undefined || this.#ended.violations.length === 0
          ? nothing
          : html`<ul>${this.#ended.violations.map(
              (text) => html`<li class="bad">${text}</li>`,
            )}</ul>`
      }
      <div class="row">${select(
        'Drawn, of each CPU',
        this.#drawn,
        KINDS.map((value) => ({ value, text: `${TITLES[value]} a second` })),
        (value) => {
          this.#drawn = value as keyof Counts;
          this.#redraw();
        },
      )}</div>
      <figure class="chart">${this.#chart()}</figure>
      <div class="wide" tabindex="0" role="group" aria-label="Counts"><table>
        <caption>Counted so far</caption>
        <thead><tr><th scope="col">Host CPU</th>${KINDS.map(
          (kind) => html`<th scope="col" class="n">${TITLES[kind]}</th>`,
        )}</tr></thead>
        <tbody>${cpus.map(
          (counts, cpu) =>
            html`<tr><th scope="row"><i class="key"
              style="--of: var(--series-${cpu})"></i>${cpu}</th>${KINDS.map(
                (kind) => html`<td class="n">${grouped(counts[kind])}</td>`,
              )}</tr>`,
        )}</tbody></table></div>`;
  }

  get #tone(): string {
    if (this.#mistake !== '') return 'bad';
    if (this.#ended === undefined) return '';
    const { ending, interrupted, violations } = this.#ended;
    const isGood =
      violations.length === 0 && (interrupted || ending === 'the guest ended by itself');
    return isGood ? 'good' : 'bad';
  }

  get #said(): string {
    if (this.#mistake !== '') return this.#mistake;
    if (this.#ended !== undefined) {
      const { ending, violations, seconds, memory } = this.#ended;
      const books =
        violations.length > 0
          ? `; broken: ${grouped(violations.length)}`
          : '; isolation and every reference count hold';
      return `After ${seconds.toFixed(1)} s: ${ending}${books}. Digest of user memory ${memory}.`;
    }
    if (!this.#isRunning) return 'Run it: each host CPU is a worker of this browser.';
    return this.#moments.length === 0 ? 'Booting…' : 'Running…';
  }

  #chart(): SVGSVGElement | HTMLElement | typeof nothing {
    // What comes before the first look is most of what fills a shadow.
    const isWhole = this.#moments.length < MOST_MOMENTS;
    const befores = isWhole ? [BOOTED, ...this.#moments] : this.#moments;
    const rates = this.#moments.slice(isWhole ? 0 : 1).flatMap(({ seconds, cpus }, i) => {
      const before = befores[i]!;
      const took = seconds - before.seconds;
      return cpus.map((counts, cpu) => ({
        seconds,
        cpu,
        rate: (counts[this.#drawn] - (before.cpus[cpu]?.[this.#drawn] ?? 0)) / took,
      }));
    });
    if (rates.length === 0) return nothing;
    const chart = plot({
      // Letters stay as large on a telephone.
      width: Math.max(280, Math.min(620, innerWidth - 32)),
      height: 220,
      marginLeft: 60,
      style: { color: 'var(--ink)', fontSize: '12px' },
      ariaLabel: `${TITLES[this.#drawn]} a second of each host CPU`,
      y: { zero: true, nice: true },
      marks: [
        ruleY([0], { stroke: 'var(--line)' }),
        axisX({ label: 'seconds' }),
        axisY({ label: `${TITLES[this.#drawn].toLowerCase()} a second`, tickFormat: COMPACT }),
        lineY(rates, {
          x: 'seconds',
          y: 'rate',
          z: 'cpu',
          stroke: ({ cpu }: { readonly cpu: number }) => `var(--series-${cpu % 8})`,
          strokeWidth: 2,
        }),
      ],
    });
    // Screen readers skip the contents of an image.
    for (const group of chart.querySelectorAll('g')) group.removeAttribute('aria-label');
    return chart;
  }

  #tablesTemplate(): TemplateResult | typeof nothing {
    const now = this.#moments.at(-1);
    if (now === undefined) return nothing;
    return html`<section aria-labelledby="tables-heading" class="results">
      <h2 id="tables-heading">TLBs and tables at ${now.seconds.toFixed(1)} s</h2>
      <p class="faint">All CPUs stood still for it, between two operations. What has changed since
        the look before is marked.</p>
      ${sectionsTemplate(now.sections, this.#moments.at(-2)?.sections ?? [])}</section>`;
  }
}
