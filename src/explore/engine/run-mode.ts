/** How runs under control are made. */

/** Whether a plain store is in memory at once, or waits in its CPU's store buffer. */
export const MEMORY_MODELS = ['sc', 'tso'] as const;

export type MemoryModel = (typeof MEMORY_MODELS)[number];

export interface RunMode {
  /** By default `sc`. */
  readonly memory?: MemoryModel | undefined;
  /** As umbra verify makes them (docs/decisions/abridged-runs.md); by default not. */
  readonly abridged?: boolean | undefined;
}

/** Steps of a run, at most: there is to be room for its switches in memory. */
export const MOST_STEPS_EVER = 10_000_000;
