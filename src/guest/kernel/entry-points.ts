/** Where the guest kernel can be entered: index of each entry point in its text. */

export const EntryPoint = {
  Boot: 0,
  PageFault: 1,
  SystemCall: 2,
  TimerInterrupt: 3,
  ReturnFromFork: 4,
  /** Another vCPU wants this one to look for work. */
  IpiInterrupt: 5,
  Idle: 6,
  StartSecondary: 7,
} as const;
