/**
 * A process that does one unit of a queue and ends: one that may have killed the worker it ran in.
 */

import type { LoneEnd, LoneUnit } from '../src/queue/crew.ts';

process.once('message', async (message) => {
  const { file, name, task } = message as LoneUnit;
  const end = await run(file, name, task);
  process.send!(end, () => process.exit(0));
});

async function run(file: string, name: string, task: unknown): Promise<LoneEnd> {
  try {
    const functions = (await import(file)) as Record<string, (task: unknown) => unknown>;
    return { result: await functions[name]!(task) };
  } catch (error) {
    return { error: String((error as Error)?.message ?? error) };
  }
}
