/** Nothing goes wrong with any program of two operations: pgdir-lock. */

import { allAreRight } from './whole.ts';

allAreRight('pgdir-lock');
