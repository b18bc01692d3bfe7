/** No program of two operations fails: guest-lock. */

import { allAreRight } from './whole.ts';

allAreRight('guest-lock');
