/**
 * A worker: takes units of any plan, does them in its pool, and settles them. The main thread beats
 * for all of its claims while the pool computes; so a unit may take as long as it takes.
 */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type AcceptedPlan, acceptPlan } from './accept.ts';
import { again } from './again.ts';
import { beat, type Heard } from './beat.ts';
import {
  bury,
  type Claim,
  claim,
  countDeath,
  type Done,
  giveBack,
  isKiller,
  keepAlive,
  settle,
  settleAtLast,
} from './claims.ts';
import { Crew } from './crew.ts';
import { isPassing } from './database.ts';
import { KINDS, type Kind, Split, unpacked } from './kinds.ts';
import { jobQueue, type Queue } from './queue.ts';

export interface Work {
  readonly queue: Queue;
  /** Units at a time. */
  readonly jobs: number;
  /** The version of umbra, for status displays. */
  readonly version: string;
  /** Stay where there is nothing to do, for what will come. */
  readonly stay: boolean;
  /** End it: running units are released. */
  readonly signal: AbortSignal;
  /** Messages for people, a line each. */
  readonly say: (line: string) => void;
  /**
   * Called when nothing is there to take, before it is found that nothing is left. True: there is
   * more.
   */
  readonly more?: () => Promise<boolean>;
  /** Besides KINDS, for tests. */
  readonly kinds?: Readonly<Record<string, Kind>>;
}

export interface Worked {
  readonly units: number;
  readonly failures: number;
}

/** The interval of heartbeats, by which workers are seen and see waiting units. */
const BEAT_MS = 2000;

/** The interval of an idle worker while others are busy: one may split a unit. */
const EAGER_MS = 1200;

interface Running {
  readonly claim: Claim;
  readonly kind: Kind;
  /** For a unit that splits. */
  readonly wanted: Uint32Array;
  readonly since: number;
}

export async function work(options: Work): Promise<Worked> {
  const worker = new Worker(options);
  try {
    return await worker.run();
  } finally {
    await worker.end();
  }
}

class Worker {
  readonly #options: Work;
  readonly #id = randomUUID();
  readonly #crew: Crew;
  readonly #kinds: Readonly<Record<string, Kind>>;
  readonly #plans = new Map<string, AcceptedPlan | undefined>();
  /** Units taken of each plan, for shares by weight. */
  readonly #taken = new Map<string, number>();
  /** Claimed, and not begun. */
  readonly #waiting: Claim[] = [];
  readonly #running = new Map<string, Running>();
  readonly #done: Done[] = [];
  readonly #totals = { units: 0, failures: 0 };
  #settling: Promise<void> | undefined;
  #failed: unknown;
  #isOver = false;
  #wake = (): void => {};
  #beaten = Number.NEGATIVE_INFINITY;
  #heard: Heard = { ready: [], left: 0, hungry: 0, lapsed: [] };

  constructor(options: Work) {
    this.#options = options;
    this.#crew = new Crew(options.jobs);
    this.#kinds = { ...KINDS, ...options.kinds };
  }

  async run(): Promise<Worked> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#wake();
    signal.addEventListener('abort', onAbort);
    const timer = setInterval(() => this.#wake(), EAGER_MS / 2);
    try {
      await this.#serve().catch((error: unknown) => {
        // Stopped while the database is lost: claims lapse by themselves.
        if (!signal.aborted || !isPassing(error)) throw error;
      });
      await this.#settleAll();
      return { ...this.#totals };
    } finally {
      clearInterval(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Until the signal is given, or nothing is left. */
  async #serve(): Promise<void> {
    const { signal, stay, more } = this.#options;
    let isIdle = false;
    let wasDry = false;
    while (!signal.aborted) {
      if (this.#failed !== undefined) throw this.#failed;
      const isDry = this.#isDry;
      const every = isIdle && this.#isDry && this.#heard.left > 0 ? EAGER_MS : BEAT_MS;
      const isTime = performance.now() - this.#beaten >= every - 50;
      if (isTime || (isDry && !wasDry) || (!isIdle && this.#wants > 0)) {
        if (isTime || isDry) await this.#beat();
        isIdle = !(await this.#take());
        this.#begin();
        if (isIdle && (await more?.())) {
          isIdle = false;
          this.#beaten = Number.NEGATIVE_INFINITY;
        }
        if (isIdle && isDry && !stay && this.#heard.left === 0) break;
      }
      wasDry = isDry;
      if (isIdle || this.#wants === 0) await this.#woken();
    }
  }

  /** Until something has changed, or it is time to beat. */
  #woken(): Promise<void> {
    return new Promise((wake) => {
      this.#wake = wake;
      if (this.#options.signal.aborted || this.#failed !== undefined) wake();
    });
  }

  /** Release what is not done, and leave nothing running. */
  async end(): Promise<void> {
    const { queue } = this.#options;
    this.#isOver = true;
    await this.#crew.destroy();
    const claims = [...this.#waiting, ...[...this.#running.values()].map((one) => one.claim)];
    try {
      if (claims.length > 0) await giveBack(queue, claims);
      await queue.database.query(
        'UPDATE umbra.worker SET stopped = now(), busy = 0 WHERE id = $1',
        [this.#id],
      );
    } catch {
      // The claims lapse by themselves.
    }
  }

  /**
   * How many more units to claim: as many in reserve as are running, so that no thread is idle, but
   * none in reserve while other workers are idle. Claiming few at a time costs more.
   */
  get #wants(): number {
    const { jobs } = this.#options;
    const most = this.#heard.hungry > 0 ? jobs : 2 * jobs;
    const wants = most - this.#waiting.length - this.#running.size;
    return wants >= Math.ceil((most - jobs) / 2) ? Math.max(wants, 0) : 0;
  }

  /** Nothing is at work or on its way. */
  get #isDry(): boolean {
    return (
      this.#waiting.length + this.#running.size + this.#done.length === 0 &&
      this.#settling === undefined
    );
  }

  get #refused(): string[] {
    return [...this.#plans].flatMap(([id, plan]) => (plan === undefined ? [id] : []));
  }

  #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { signal, say } = this.#options;
    return again(work, {
      signal,
      told: (lost) =>
        say(
          lost === undefined
            ? 'the database is there again'
            : `the database is lost (${lost.message}); what is done is kept, and tried again`,
        ),
    });
  }

  async #beat(): Promise<void> {
    const { queue, jobs, version } = this.#options;
    this.#beaten = performance.now();
    this.#heard = await this.#patiently(async () => {
      const claims = [...this.#waiting, ...[...this.#running.values()].map((one) => one.claim)];
      if (claims.length > 0) await keepAlive(queue, claims);
      return beat(queue, {
        id: this.#id,
        host: hostname(),
        pid: process.pid,
        version,
        jobs,
        busy: this.#running.size,
        units: this.#totals.units,
        refused: this.#refused,
      });
    });
    const { lapsed, hungry, ready } = this.#heard;
    if (lapsed.length > 0) void this.#supervise(lapsed);
    if (hungry > 0 && ready.length === 0) await this.#share(hungry);
  }

  /** Others have nothing to do, and nothing waits for them. */
  async #share(hungry: number): Promise<void> {
    const [longest] = [...this.#running.values()].toSorted((a, b) => a.since - b.since);
    if (longest === undefined || performance.now() - longest.since < BEAT_MS) return;
    if (longest.kind.splits) longest.wanted[0] = hungry;
    const waiting = this.#waiting.splice(0);
    if (waiting.length > 0) await this.#patiently(() => giveBack(this.#options.queue, waiting));
  }

  /** Returns whether there may be more. */
  async #take(): Promise<boolean> {
    let took = 0;
    for (const { id } of this.#inTurn(this.#heard.ready)) {
      const wants = this.#wants;
      if (wants === 0) break;
      if ((await this.#accepted(id)) === undefined) continue;
      const claims = await this.#patiently(() => claim(this.#options.queue, id, wants));
      this.#taken.set(id, (this.#taken.get(id) ?? 0) + claims.length);
      this.#waiting.push(...claims);
      took += claims.length;
    }
    return took > 0 || this.#wants === 0;
  }

  /** Those first that have had the least of their weight. */
  #inTurn(ready: readonly { readonly id: string; readonly weight: number }[]) {
    const had = ({ id, weight }: (typeof ready)[number]): number =>
      (this.#taken.get(id) ?? 0) / weight;
    return ready.toSorted((a, b) => had(a) - had(b) || b.weight - a.weight);
  }

  async #accepted(id: string): Promise<AcceptedPlan | undefined> {
    if (this.#plans.has(id)) return this.#plans.get(id);
    const plan = await this.#patiently(() => acceptPlan(this.#options.queue, id, this.#kinds));
    this.#plans.set(id, 'refused' in plan ? undefined : plan);
    if ('refused' in plan) this.#options.say(`units are left to others: ${plan.refused}`);
    return this.#plans.get(id);
  }

  /** Release expired claims; done by one worker for all. */
  async #supervise(lapsed: readonly string[]): Promise<void> {
    for (const plan of lapsed)
      await this.#options.queue.boss.supervise(jobQueue(plan)).catch(() => {});
  }

  #begin(): void {
    while (this.#running.size < this.#options.jobs && this.#waiting.length > 0) {
      const next = this.#waiting.shift()!;
      void this.#do(next).catch((error: unknown) => {
        this.#failed ??= error;
        this.#wake();
      });
    }
  }

  async #do(one: Claim): Promise<void> {
    const plan = this.#plans.get(one.plan)!;
    const { kind } = plan;
    const wanted = new Uint32Array(new SharedArrayBuffer(4));
    const since = performance.now();
    this.#running.set(one.id, { claim: one, kind, wanted, since });
    if (!(await this.#isGivenUp(one))) {
      const task = plan.withTexts(unpacked(one.task));
      const end = await this.#ended(one, kind, kind.splits ? { task, wanted } : task);
      if (this.#isOver) return;
      const seconds = (performance.now() - since) / 1000;
      if (end instanceof Error) await this.#died(one, end);
      else this.#done.push({ claim: one, kind, result: end, seconds });
    }
    this.#running.delete(one.id);
    this.#begin();
    this.#settle();
    this.#wake();
  }

  /** Its result, or its error. */
  async #ended({ vanished }: Claim, kind: Kind, given: unknown): Promise<unknown> {
    try {
      const crew = this.#crew;
      const result = await (vanished ? crew.runAlone(kind, given) : crew.run(kind, given));
      return kind.splits ? asSplit(result as SplitEnd) : result;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** A worker was lost with it before: counted, and one too many buries it. */
  async #isGivenUp(one: Claim): Promise<boolean> {
    if (!one.vanished) return false;
    const { queue } = this.#options;
    const deaths = await this.#patiently(() =>
      countDeath(queue, one, 'a worker was not heard of any more while it did it', false),
    );
    if (!isKiller(deaths)) return false;
    await this.#bury(one);
    return true;
  }

  async #died(one: Claim, { message }: Error): Promise<void> {
    const { queue, say } = this.#options;
    const deaths = await this.#patiently(() => countDeath(queue, one, message, true));
    if (isKiller(deaths)) return this.#bury(one);
    say(`a unit ended badly, and is tried once more: ${message}`);
    await this.#patiently(() => giveBack(queue, [one]));
  }

  async #bury(one: Claim): Promise<void> {
    const { queue, say } = this.#options;
    await this.#patiently(() => bury(queue, one));
    const { title } = this.#plans.get(one.plan)!;
    say(
      `FOUND: unit ${one.place ?? one.id} of ${title} has killed who worked at it twice, and ` +
        `is not tried any more`,
    );
  }

  /** Results that arrive during one transaction go together into the next. */
  #settle(): void {
    if (this.#settling !== undefined || this.#done.length === 0) return;
    const some = this.#done.splice(0);
    this.#settling = this.#patiently(() => settle(this.#options.queue, some, this.#id))
      .then(() => {
        this.#totals.units += some.length;
        for (const { kind, result, claim: one } of some) {
          const told = kind.tell((result instanceof Split ? result.result : result) as never);
          this.#totals.failures += told.failures;
          if (told.failures > 0) {
            const { title } = this.#plans.get(one.plan)!;
            this.#options.say(`FAILED: ${title}: ${told.says ?? `${told.failures} failures`}`);
          }
        }
      })
      .catch((error: unknown) => {
        this.#done.unshift(...some);
        this.#failed ??= error;
      })
      .finally(() => {
        this.#settling = undefined;
        if (this.#failed === undefined) this.#settle();
        this.#wake();
      });
  }

  /** Results survive the worker's end, unless the database stays unreachable. */
  async #settleAll(): Promise<void> {
    const { queue } = this.#options;
    await this.#settling;
    const some = this.#done.splice(0);
    if (some.length === 0) return;
    await settleAtLast(queue, some, this.#id);
    this.#totals.units += some.length;
  }
}

interface SplitEnd {
  readonly result: unknown;
  readonly rest?: readonly unknown[];
}

const asSplit = ({ result, rest = [] }: SplitEnd): unknown =>
  rest.length > 0 ? new Split(result, rest) : result;
