/** Nothing goes wrong with any program of two operations: guest-lock. */

import { allAreRight } from './whole.ts';

allAreRight('guest-lock');
