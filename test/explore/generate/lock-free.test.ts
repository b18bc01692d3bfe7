/** No program of two operations fails: lock-free. */

import { allAreRight } from './whole.ts';

allAreRight('lock-free');
