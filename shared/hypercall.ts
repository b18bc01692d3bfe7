/** LHCALL_*: the number a guest puts into eax. */
export const Hypercall = {
  FlushAsync: 0,
  LguestInit: 1,
  Shutdown: 2,
  NewPgtable: 4,
  FlushTlb: 5,
  LoadIdtEntry: 6,
  SetStack: 7,
  Ts: 8,
  SetClockevent: 9,
  Halt: 10,
  SetPmd: 13,
  SetPte: 14,
  SetPgd: 15,
  LoadTls: 16,
  Notify: 17,
  LoadGdtEntry: 18,
  SendInterrupts: 19,
  /** Ours, since lguest had one vCPU: start vCPU a at eip b with stack c. */
  StartCpu: 20,
  /** Ours: interrupt 1 for vCPU a. */
  SendIpi: 21,
  /** Direct paging: the entry at guest-physical address a becomes the one of halves b and c. */
  MmuUpdate: 22,
  /** Direct paging: pin page a as a top-level table, and unpin it. */
  PinTable: 23,
  UnpinTable: 24,
} as const;

/** The second argument of SHUTDOWN; anything else is a crash. */
export const SHUTDOWN_POWEROFF = 1;
