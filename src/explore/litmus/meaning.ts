/** A digest of a litmus test's meaning: comments, names and reasons do not change it. */

import { sha256 } from '../../platform.ts';
import type { Litmus } from './litmus.ts';

/**
 * Of everything that a run of the test and its outcome depend on. Tokens hold it: changing the
 * representation of tests changes it, and must raise ENGINE_VERSION.
 */
export function digestOf(litmus: Litmus): string {
  const { name, about, defect, paging, disciplines, guestDuty, ...meant } = litmus;
  const vcpus = meant.vcpus.map(({ texts, ...column }) => column);
  const outcomes = meant.outcomes.map(({ text, because, ...outcome }) => outcome);
  // Those of most tests are older than the field.
  const duty = guestDuty.length > 0 ? { guestDuty } : {};
  const said = JSON.stringify({ ...meant, vcpus, outcomes, ...duty }, asJson);
  return sha256().update(said).hex().slice(0, 16);
}

function asJson(_: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  return value instanceof RegExp ? value.source : value;
}
