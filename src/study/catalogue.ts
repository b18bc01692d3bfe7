/** The studies by name. */

import { claims } from './claims/claims.ts';
import { migration } from './migration.ts';
import { shootdown } from './shootdown/shootdown.ts';
import { strategies } from './strategies/strategies.ts';
import type { Study } from './study.ts';

export const STUDIES: Readonly<Record<string, Study>> = Object.fromEntries(
  [migration, shootdown, claims, strategies].map((study) => [study.name, study]),
);
