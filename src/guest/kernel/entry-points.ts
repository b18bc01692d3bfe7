/** Where the guest kernel can be entered: index of each entry point in its text. */

export const EntryPoint = {
  Boot: 0,
  PageFault: 1,
  SystemCall: 2,
  TimerInterrupt: 3,
  ReturnFromFork: 4,
  /** From another vCPU: see ipiInterrupt. */
  IpiInterrupt: 5,
  Idle: 6,
  StartSecondary: 7,
  /** As ReturnFromFork, of a child that goes on in the copied memory. */
  ReturnToCopy: 8,
  /** The same of one that first makes that copy. */
  CopyParent: 9,
  KernelThread: 10,
} as const;

/** An entry point is 16 bytes: at the start the registers are still to be saved. */
export const ENTRY_BYTES = 16;
export const BODY = 8;
