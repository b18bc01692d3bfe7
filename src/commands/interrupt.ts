/** Ctrl-C as something that work asks about, rather than the end of the process. */

export interface Interruption extends Disposable {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly isInterrupted: () => boolean;
}

/** Until it is disposed of (`using`), Ctrl-C aborts its signal; a second one ends the process. */
export function heedInterrupt(): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  return {
    signal,
    isInterrupted: () => signal.aborted,
    [Symbol.dispose]: () => process.off('SIGINT', interrupt),
  };
}
