/** Where the guest kernel can be entered: index of each entry point in its text. */

export const EntryPoint = {
  Boot: 0,
  PageFault: 1,
  SystemCall: 2,
  TimerInterrupt: 3,
  ReturnFromFork: 4,
} as const;
