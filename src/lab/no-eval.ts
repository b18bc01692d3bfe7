/**
 * To be imported before anything that makes schemas: zod tries then whether code may be made of texts,
 * which the page's policy lets nobody do.
 */

import { config } from 'zod';

config({ jitless: true });
