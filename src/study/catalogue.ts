/** The studies by name. */

import { migration } from './migration.ts';
import type { Study } from './study.ts';

export const STUDIES: Readonly<Record<string, Study>> = Object.fromEntries(
  [migration].map((study) => [study.name, study]),
);
