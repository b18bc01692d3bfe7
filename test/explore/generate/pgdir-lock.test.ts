/** No program of two operations fails: pgdir-lock. */

import { allAreRight } from './whole.ts';

allAreRight('pgdir-lock');
