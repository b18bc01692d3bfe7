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
} as const;
