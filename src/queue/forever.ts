/**
 * Continuous mode: rounds without end. A standing plan is a campaign that continues with further
 * seeds; a round runs one of them, drawn by weight, on its next seeds, with a canary: a mutant that
 * must be caught, or the round is a failure, since a search that finds nothing may be blind. A new
 * version first replays earlier failures.
 *
 * Finished rounds are summed up and removed; failing schedules are kept.
 */

import { type DefectId, SCHEDULE_DEFECTS } from '../defects.ts';
import { UserError } from '../errors.ts';
import { type Plan, unitsOf, warmUpOf } from '../explore/campaign/plan.ts';
import { textsOfTests } from '../explore/litmus/texts.ts';
import type { MutantRuns } from '../explore/mutants/mutants.ts';
import { mutantTasks } from '../explore/mutants/mutants.ts';
import { decodeToken } from '../explore/token.ts';
import { counted } from '../numbers.ts';
import type { Sql } from './database.ts';
import { type AgainResult, unpacked } from './kinds.ts';
import {
  enqueue,
  type PlanFile,
  planId,
  purgePlan,
  type QueuedPlan,
  type QueuedUnit,
} from './plan.ts';
import type { Queue } from './queue.ts';
import { buriedUnits } from './results.ts';
import { roundText } from './rounds.ts';

/** Rounds that are open at a time: while the last units of one are at work others are begun. */
const MOST_OPEN = 3;

/** A round whose maker was killed before its units were there is made again after that. */
const MAKING = "interval '30 seconds'";

const LOCK = 0x756d6273;

/** Of a canary, at most. */
const CANARY_RUNS = 200;

export interface Standing {
  readonly title: string;
  /** Its seed is that of the first round. */
  readonly plan: Plan;
  readonly files: readonly PlanFile[];
  readonly weight: number;
}

/** A campaign for rounds to come; given again, with its new weight. Returns its id. */
export async function stand({ database }: Queue, one: Standing): Promise<string> {
  const { title, plan, files, weight } = one;
  const id = planId({ kind: 'standing', title, plan, files });
  await database.transaction(async (sql) => {
    await sql.query(
      `INSERT INTO umbra.plan
         (id, kind, title, engine, plan, units, weight, until_failure, state, next_seed)
       VALUES ($1, 'standing', $2, $3, $4, 0, $5, false, 'standing', $6)
       ON CONFLICT (id) DO UPDATE SET weight = excluded.weight, state = 'standing', ended = NULL`,
      [id, title, plan.engine, JSON.stringify(plan), weight, plan.seed],
    );
    for (const { path, digest, text } of files) {
      await sql.query('INSERT INTO umbra.file VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
        ...[id, path, digest, text],
      ]);
    }
  });
  return id;
}

export interface Rounds {
  readonly queue: Queue;
  /** What tells versions of umbra apart. */
  readonly version: string;
  readonly canary: DefectId;
  /** Schedules in which it must be. */
  readonly canaryRuns?: number;
  /** Rounds to be made here; without end if undefined. */
  readonly most?: number | undefined;
  readonly say: (line: string) => void;
}

/** A round, as it was decided. */
interface Made {
  readonly plan: QueuedPlan;
  readonly units: readonly QueuedUnit[];
}

export class RoundMaker {
  readonly #rounds: Rounds;
  #made = 0;
  /** Rounds that were closed here, and went wrong. */
  failed = 0;

  /** Throws UserError for a canary that is none. */
  constructor(rounds: Rounds) {
    this.#rounds = rounds;
    if (SCHEDULE_DEFECTS.includes(rounds.canary)) return;
    throw new UserError(
      `--canary: found ${rounds.canary}, expected one of ${SCHEDULE_DEFECTS.join(', ')}`,
    );
  }

  /** Close rounds that are over, and begin another. Returns whether there is more to do. */
  async more(): Promise<boolean> {
    const { queue, most = Number.POSITIVE_INFINITY } = this.#rounds;
    await this.close();
    const unmade = await this.#unmade();
    if (unmade !== undefined) return this.#send(unmade);
    if (this.#made >= most) return false;
    const round = await queue.database.transaction((sql) => this.#decide(sql));
    if (round === undefined) return false;
    this.#made++;
    return this.#send(round);
  }

  async close(): Promise<void> {
    const { queue, say } = this.#rounds;
    const { rows } = await queue.database.query<{ round: number }>(
      `SELECT round FROM umbra.round r WHERE ended IS NULL
         AND EXISTS (SELECT 1 FROM umbra.plan p WHERE p.round = r.round)
         AND NOT EXISTS (SELECT 1 FROM umbra.plan p WHERE p.round = r.round AND p.state = 'open')
       ORDER BY round`,
    );
    for (const { round } of rows) {
      const told = await queue.database.transaction((sql) => closed(sql, queue, round));
      if (told === undefined) continue;
      if (told.isBad) this.failed++;
      say(told.text);
      const plans = await queue.database.query<{ id: string }>(
        'SELECT id FROM umbra.plan WHERE round = $1',
        [round],
      );
      for (const { id } of plans.rows) await purgePlan(queue, id);
    }
  }

  /** Decided, but not sent: the deciding process was killed. */
  async #unmade(): Promise<number | undefined> {
    const { rows } = await this.#rounds.queue.database.query<{ round: number }>(
      `SELECT round FROM umbra.round r WHERE ended IS NULL AND began < now() - ${MAKING}
         AND (SELECT count(*) FROM umbra.plan p WHERE p.round = r.round)
           < json_array_length(plans::json)
       LIMIT 1`,
    );
    return rows[0]?.round;
  }

  async #send(round: number): Promise<boolean> {
    const { queue } = this.#rounds;
    const { rows } = await queue.database.query<{ plans: string }>(
      'SELECT plans FROM umbra.round WHERE round = $1',
      [round],
    );
    for (const { plan, units } of JSON.parse(rows[0]!.plans) as readonly Made[]) {
      await enqueue(queue, plan, units);
    }
    return true;
  }

  /** Which round is next, and of what; undefined where there is none to be. */
  async #decide(sql: Sql): Promise<number | undefined> {
    const { version, say } = this.#rounds;
    await sql.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    const { rows: open } = await sql.query<{ n: number; last: number }>(
      `SELECT count(*) FILTER (WHERE ended IS NULL)::int AS n, coalesce(max(round), 0)::int AS last
       FROM umbra.round`,
    );
    if (open[0]!.n >= MOST_OPEN) return undefined;
    const { rows } = await sql.query<StandingRow>(
      `SELECT id, title, plan, next_seed FROM umbra.plan WHERE state = 'standing'
       ORDER BY (rounds + 1) / weight, created, id LIMIT 1`,
    );
    const [standing] = rows;
    if (standing === undefined) {
      say('there is no standing plan: umbra campaign … --queue … --forever makes one');
      return undefined;
    }
    const round = open[0]!.last + 1;
    const template = JSON.parse(standing.plan) as Plan;
    const plan: Plan = { ...template, seed: Number(standing.next_seed) };
    await sql.query(
      'UPDATE umbra.plan SET next_seed = next_seed + $2, rounds = rounds + 1 WHERE id = $1',
      [standing.id, plan.runs],
    );
    const title = `${standing.title} --seed ${plan.seed}`;
    const files = await sql.query<PlanFile>(
      'SELECT path, digest, text FROM umbra.file WHERE plan = $1',
      [standing.id],
    );
    const plans: Made[] = [
      ...(await this.#again(sql, round)),
      this.#canary(round),
      { plan: { kind: 'campaign', title, plan, files: files.rows, round }, units: unitsIn(plan) },
    ];
    await sql.query(
      'INSERT INTO umbra.round (round, title, version, plans) VALUES ($1, $2, $3, $4)',
      [...[round, title, version, JSON.stringify(plans)]],
    );
    return round;
  }

  /** Earlier failures that this version has not replayed yet: they come first. */
  async #again(sql: Sql, round: number): Promise<Made[]> {
    const { version } = this.#rounds;
    const { rows } = await sql.query<{ token: string; text: string }>(
      'UPDATE umbra.token SET checked = $1 WHERE checked <> $1 RETURNING token, text',
      [version],
    );
    if (rows.length === 0) return [];
    const plan = { version, tokens: rows.map(({ token }) => token) };
    const title = `umbra replay of ${counted(rows.length, 'schedule')} that went wrong`;
    return [
      {
        plan: { kind: 'again', title, plan, files: [], round, weight: 1e6 },
        units: rows.map((task, place) => ({ place, task })),
      },
    ];
  }

  #canary(round: number): Made {
    const { canary, canaryRuns = CANARY_RUNS } = this.#rounds;
    const asked = { strategies: ['portfolio'], seed: round, runs: canaryRuns, given: null };
    const [task] = mutantTasks([canary], asked);
    return {
      plan: {
        kind: 'canary',
        title: `canary ${canary}`,
        plan: { canary, round },
        round,
        weight: 1e3,
        files: textsOfTests([task!.path]),
      },
      units: [{ place: 0, task }],
    };
  }
}

interface StandingRow {
  readonly id: string;
  readonly title: string;
  readonly plan: string;
  readonly next_seed: string;
}

export const unitsIn = (plan: Plan): QueuedUnit[] =>
  unitsOf(plan).map((unit) => {
    const { path, digest, setting } = plan.subjects[unit.subject]!;
    return {
      place: unit.id,
      task: { path, digest, setting, work: { ...unit, warmUp: warmUpOf(unit) } },
    };
  });

interface Closed {
  readonly isBad: boolean;
  readonly text: string;
}

/**
 * A round is over: added up, its schedules that went wrong kept. Undefined if another has done
 * that.
 */
async function closed(sql: Sql, queue: Queue, round: number): Promise<Closed | undefined> {
  await sql.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
  const { rows: own } = await sql.query<{ title: string; version: string }>(
    'SELECT title, version FROM umbra.round WHERE round = $1 AND ended IS NULL',
    [round],
  );
  if (own[0] === undefined) return undefined;
  const { title, version } = own[0];
  const { rows: units } = await sql.query<UnitRow>(
    `SELECT p.id AS plan, p.kind, u.says, u.token, u.result
     FROM umbra.unit u JOIN umbra.plan p ON p.id = u.plan
     WHERE p.round = $1 AND (p.kind <> 'campaign' OR u.failures > 0)`,
    [round],
  );
  const { rows: sums } = await sql.query<{ schedules: string; failures: number }>(
    `SELECT coalesce(sum(u.size), 0) AS schedules, coalesce(sum(u.failures), 0)::int AS failures
     FROM umbra.unit u JOIN umbra.plan p ON p.id = u.plan
     WHERE p.round = $1 AND p.kind = 'campaign'`,
    [round],
  );
  const notes: string[] = [];
  for (const unit of units) {
    if (unit.kind === 'canary') notes.push(canaryNote(unpacked(unit.result) as MutantRuns));
    else if (unit.kind === 'campaign' && unit.token !== null)
      await keepToken(sql, unit, round, version);
  }
  const isAlive = notes.some((note) => note.startsWith('canary caught'));
  if (!isAlive && notes.length === 0) notes.push(NOT_CAUGHT);
  notes.push(...(await noteAgain(sql, round)));
  const { rows: plans } = await sql.query<{ id: string }>(
    'SELECT id FROM umbra.plan WHERE round = $1',
    [round],
  );
  const killers: string[] = [];
  for (const { id } of plans) killers.push(...(await buriedUnits(queue, id)));
  notes.push(...killers.map((line) => `FOUND: ${line}`));
  const { schedules, failures } = sums[0]!;
  await sql.query(
    'UPDATE umbra.round SET ended = now(), schedules = $2, failures = $3, notes = $4 WHERE ' +
      'round = $1',
    [round, schedules, failures, notes],
  );
  const isBad = !isAlive || failures > 0 || killers.length > 0;
  return {
    isBad,
    text: roundText({ round, title, schedules: Number(schedules), failures, notes, isBad }),
  };
}

interface UnitRow {
  readonly plan: string;
  readonly kind: string;
  readonly says: string | null;
  readonly token: string | null;
  readonly result: Buffer;
}

const NOT_CAUGHT = 'THE CANARY WAS NOT CAUGHT: this search finds nothing, whatever there is';

const canaryNote = ({ first }: MutantRuns): string =>
  first === undefined ? NOT_CAUGHT : `canary caught by schedule ${first.after}`;

async function keepToken(
  sql: Sql,
  { plan, token, says }: UnitRow,
  round: number,
  version: string,
): Promise<void> {
  await sql.query(
    `INSERT INTO umbra.token (token, text, says, round, checked, still)
     SELECT $1, text, $3, $4, $5, $3 FROM umbra.file WHERE plan = $2 AND path = $6
     ON CONFLICT DO NOTHING`,
    [token, plan, says ?? '', round, version, decodeToken(token!).file],
  );
}

/** Results of replayed schedules. */
async function noteAgain(sql: Sql, round: number): Promise<string[]> {
  const { rows } = await sql.query<{ place: number; tokens: string; result: Buffer }>(
    `SELECT u.place, p.plan AS tokens, u.result
     FROM umbra.unit u JOIN umbra.plan p ON p.id = u.plan
     WHERE p.round = $1 AND p.kind = 'again' ORDER BY u.place`,
    [round],
  );
  const ends = { still: 0, passes: 0, lost: 0 };
  for (const { place, tokens, result } of rows) {
    const token = (JSON.parse(tokens) as { tokens: string[] }).tokens[place]!;
    const { still } = unpacked(result) as AgainResult;
    await sql.query('UPDATE umbra.token SET still = $2 WHERE token = $1', [token, still]);
    if (still === 'passes') ends.passes++;
    else if (still.startsWith('cannot')) ends.lost++;
    else ends.still++;
  }
  if (rows.length === 0) return [];
  return [
    `of ${rows.length} old failures ${ends.still} still go wrong, ${ends.passes} pass, ` +
      `${ends.lost} cannot be done again`,
  ];
}
