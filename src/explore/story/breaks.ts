/**
 * The step where it broke: the first from which the final violation persists. The violation is
 * checked after every step, so this is the step itself and not a later one that notices it.
 */

import type { Host } from '../../../shared/host.ts';
import { Dead } from '../../../shared/lguest.ts';
import { wordOf } from '../../check/guest-tables.ts';
import { toGpa } from '../../hardware/address.ts';
import { readSaved } from '../../host/switcher.ts';
import type { Condition, Term } from '../litmus/conditions.ts';
import { brokenIn } from '../litmus/duty.ts';
import { judge } from '../litmus/judge.ts';
import type { Litmus, Outcome } from '../litmus/litmus.ts';
import { RegisterOf } from '../litmus/software.ts';
import type { Result } from '../result.ts';

/** Checks the machine after each step, and returns the breaking step at the end. */
export interface BreakWatch {
  look(step: number, host: Host): void;
  /** After the run. undefined when no single step can be named. */
  found(host: Host): Break | undefined;
}

export interface Break {
  readonly step: number;
  readonly text: string;
  /** Later steps do not matter. Not so for an invariant, which may be broken for a moment in every
   * run: the step that should have restored it comes later. */
  readonly isFinal: boolean;
}

export function watchFor(result: Result, litmus: Litmus): BreakWatch {
  const { ending, message, outcome, run } = result;
  if (run.verdict === 'broken') return invariantBroken(litmus);
  switch (ending) {
    case 'ok':
      return { look: () => {}, found: () => undefined };
    case 'killed':
      return whileTrue(
        ({ guests }) => guests[0]!.dead !== Dead.Alive,
        `the guest dies: ${message}`,
      );
    case 'oops':
      return atTheEnd(`the host dies: ${message}`);
    case 'deadlock':
      return atTheEnd('the last step before the deadlock');
    case 'livelock':
      return { look: () => {}, found: () => undefined };
    case 'violation':
      break;
  }
  const declared = outcome === undefined ? undefined : litmus.outcomes[outcome];
  if (declared?.is === 'allowed' || declared?.is === 'interesting') return invariantBroken(litmus);
  return outcomeReached(declared, litmus);
}

const atTheEnd = (text: string): BreakWatch => {
  let last = -1;
  return {
    look: (step) => {
      last = step;
    },
    found: () => (last < 0 ? undefined : { step: last, text, isFinal: true }),
  };
};

/** The first step of the last period in which it holds. */
function whileTrue(isSo: (host: Host) => boolean, text: string): BreakWatch {
  let since = -1;
  return {
    look(step, host) {
      if (!isSo(host)) since = -1;
      else if (since < 0) since = step;
    },
    // It held before the first step: no step has caused it.
    found: () => (since <= 0 ? undefined : { step: since, text, isFinal: true }),
  };
}

function invariantBroken(litmus: Litmus): BreakWatch {
  const since = new Map<string, number>();
  return {
    look(step, host) {
      const broken = new Set(brokenIn(litmus, host).byHost.map(({ text }) => text));
      for (const text of since.keys()) if (!broken.has(text)) since.delete(text);
      for (const text of broken) if (!since.has(text)) since.set(text, step);
    },
    found(host) {
      const [first] = brokenIn(litmus, host).byHost;
      const step = first && since.get(first.text);
      return step === undefined ? undefined : { step, text: first!.text, isFinal: false };
    },
  };
}

const conditionHolds = (litmus: Litmus, when: Condition, host: Host): boolean =>
  judge({ ...litmus, outcomes: [{ when, text: '', is: 'allowed', because: '' }] }, host).outcome ===
  0;

/**
 * For a forbidden outcome that did not hold from the beginning: the step from which it holds. For
 * one that did (such as "all that is not allowed"): the step at which a part of the nearest allowed
 * outcome got its wrong value, or a part of its own got its value.
 */
function outcomeReached(declared: Outcome | undefined, litmus: Litmus): BreakWatch {
  const allowed = litmus.outcomes.filter(({ is }) => is === 'allowed' || is === 'interesting');
  const parts = allowed.map(({ when }) =>
    partsOf(when, ['and']).map((part) => changesOf(litmus, part)),
  );
  const own = declared === undefined ? [] : partsOf(declared.when, ['and', 'or']);
  const ownParts = own.map((part) => changesOf(litmus, part));
  const text = declared === undefined ? 'an outcome that is not declared' : `${declared.text}`;
  let since = -1;
  return {
    look(step, host) {
      // Dying: neither alive nor dead.
      if (host.guests[0]!.dead === Dead.Dying) return;
      for (const part of [...parts.flat(), ...ownParts]) part.look(step, host);
      if (declared === undefined || !conditionHolds(litmus, declared.when, host)) since = -1;
      else if (since < 0) since = step;
    },
    found(host) {
      if (since > 0) return { step: since, text: `from here on: ${text}`, isFinal: true };
      const wrong = parts.map((all) => all.filter((part) => !part.holds(host)));
      const nearest = wrong.toSorted((a, b) => a.length - b.length)[0] ?? [];
      const first = firstChanged(nearest) ?? firstChanged(ownParts.filter((p) => p.holds(host)));
      const reason = 'what is not allowed gets its value here';
      return first && { step: first.changed(), text: reason, isFinal: true };
    },
  };
}

/** The parts that these join. */
function partsOf(condition: Condition, by: readonly ('and' | 'or')[]): Condition[] {
  const { kind } = condition;
  if ((kind !== 'and' && kind !== 'or') || !by.includes(kind)) return [condition];
  return [...partsOf(condition.left, by), ...partsOf(condition.right, by)];
}

type Changes = ReturnType<typeof changesOf>;

const firstChanged = (parts: readonly Changes[]): Changes | undefined =>
  parts.filter(({ changed }) => changed() >= 0).toSorted((a, b) => a.changed() - b.changed())[0];

/** When the values of a condition changed last. */
function changesOf(litmus: Litmus, condition: Condition) {
  let changed = -1;
  let last: string | undefined;
  return {
    look(step: number, host: Host): void {
      const now = fingerprint(litmus, condition, host);
      if (last !== undefined && now !== last) changed = step;
      last = now;
    },
    changed: () => changed,
    holds: (host: Host) => conditionHolds(litmus, condition, host),
  };
}

function fingerprint(litmus: Litmus, condition: Condition, host: Host): string {
  switch (condition.kind) {
    case 'equal':
      return [condition.left, condition.right].map((term) => termNow(term, host)).join();
    case 'not':
      return fingerprint(litmus, condition.of, host);
    case 'and':
    case 'or':
      return [condition.left, condition.right]
        .map((part) => fingerprint(litmus, part, host))
        .join();
    default:
      return `${conditionHolds(litmus, condition, host)}`;
  }
}

function termNow(term: Term, { guests: [lg] }: Host): number {
  if (term.kind === 'register') return readSaved(lg!.cpus[term.vcpu]!, RegisterOf[term.name]);
  if (term.kind === 'word') return wordOf(lg!, toGpa(term.page * 4096 + term.index * 4));
  return 0;
}
