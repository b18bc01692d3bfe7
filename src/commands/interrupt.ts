/** Ctrl-C, and SIGTERM, as something that work asks about, rather than the end of the process. */

export interface Interruption extends Disposable {
  /** Aborted by either. */
  readonly signal: AbortSignal;
  readonly isInterrupted: () => boolean;
}

/**
 * Until it is disposed of (`using`), Ctrl-C or SIGTERM (timeout(1), batch systems) aborts its
 * signal; a second one ends the process.
 */
export function heedInterrupt(): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const letGo = (): void => {
    for (const name of SIGNALS) process.off(name, interrupt);
  };
  function interrupt(): void {
    controller.abort();
    letGo();
  }
  for (const name of SIGNALS) process.on(name, interrupt);
  return {
    signal,
    isInterrupted: () => signal.aborted,
    [Symbol.dispose]: letGo,
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
