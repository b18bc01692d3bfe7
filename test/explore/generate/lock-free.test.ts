/** Nothing goes wrong with any program of two operations: lock-free. */

import { allAreRight } from './whole.ts';

allAreRight('lock-free');
