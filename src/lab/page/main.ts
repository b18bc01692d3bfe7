/** The page. */
import { wrap, proxy } from 'comlink';
import type { Explorer } from '../engine/explorer-worker.ts';
const worker = new Worker(new URL('../engine/explorer-worker.ts', import.meta.url), { type: 'module' });
(globalThis as any).explorer = wrap<Explorer>(worker);
(globalThis as any).proxy = proxy;
