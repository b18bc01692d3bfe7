/**
 * Import before anything that makes schemas: zod then probes for eval, which the page's policy
 * forbids.
 */

import { config } from 'zod';

config({ jitless: true });
