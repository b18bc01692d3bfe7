/** Ctrl-C as something that work asks for, rather than the end of the process. */

/** Runs `body`, which ends early, with what there is, once `isInterrupted` says so. */
export async function heedingInterrupt<T>(
  body: (isInterrupted: () => boolean) => Promise<T>,
): Promise<T> {
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  process.once('SIGINT', interrupt);
  try {
    return await body(() => interrupted);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
