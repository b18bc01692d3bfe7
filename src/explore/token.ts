/**
 * A run as one line: the litmus test, the setting and the decisions, packed; with digests of its
 * steps, so that a diverging replay is detected where it diverges.
 */

import { z } from 'zod';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { ALL_DEFECTS } from '../defects.ts';
import { UserError } from '../errors.ts';
import { MEMORY_MODELS, MOST_STEPS_EVER } from './engine/run-mode.ts';
import { packed, unpacked } from './packed.ts';

/** Incremented whenever the same decisions may lead to another run. */
export const ENGINE_VERSION = 5;

const PREFIX = `umbra${ENGINE_VERSION}.`;

const numbers = z.array(z.int().min(0));

/** The bits of a word, see actors.ts. */
const MOST_ACTORS = 32;

/** Pairs of a number of steps and an actor. */
const turns = numbers.refine(
  (list) => list.length % 2 === 0 && list.every((n, i) => i % 2 === 0 || n < MOST_ACTORS),
);

const tokenSchema = z.strictObject({
  /** The litmus file, as it was given, or the name of a test that comes with umbra. */
  file: z.string(),
  /** Digest of the test's meaning, see src/explore/litmus/meaning.ts. */
  digest: z.string(),
  paging: z.enum(['nonpae', 'pae']),
  discipline: z.enum(DISCIPLINES),
  defects: z.array(z.enum(ALL_DEFECTS)),
  memory: z.enum(MEMORY_MODELS).optional(),
  /** An abridged run, as umbra verify makes them. */
  abridged: z.boolean().optional(),
  /** Stopped by a violation between two steps. */
  betweenSteps: z.boolean().optional(),
  /** For each column the operations that are kept, by their places in the file; absent for all. */
  kept: z.array(numbers).optional(),
  /** At which a run is cut short. */
  mostSteps: z.int().min(1).max(MOST_STEPS_EVER),
  /** Switches: steps since the switch before, and to which actor. */
  turns,
  drawn: numbers,
  steps: z.int().min(1),
  /** A hex digit of the digest after each step, or each second, third, … */
  digests: z.string(),
});

export type Token = z.infer<typeof tokenSchema>;

export const encodeToken = (token: Token): string => PREFIX + packed(JSON.stringify(token));

/** Throws UserError for what is no token, or one of another engine. */
export function decodeToken(text: string): Token {
  const version = /^umbra(\d+)\.(.+)$/s.exec(text.trim());
  if (version === null) {
    throw new UserError(
      `'${shortened(text)}' is no token: umbra explore prints them, and they begin with ${PREFIX}`,
    );
  }
  if (Number(version[1]) !== ENGINE_VERSION) {
    throw new UserError(
      `the token is of engine ${version[1]}, and this is engine ${ENGINE_VERSION}, for which the ` +
        'same decisions may mean another run: explore again',
    );
  }
  try {
    return tokenSchema.parse(JSON.parse(unpacked(version[2]!)));
  } catch {
    throw new UserError('the token is damaged: it must be given whole, as it was printed');
  }
}

const shortened = (text: string): string => (text.length > 30 ? `${text.slice(0, 30)}…` : text);
