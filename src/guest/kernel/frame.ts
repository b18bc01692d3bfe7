/** The registers of interrupted code, as they lie on the kernel stack (the kernel's pt_regs). */

/** Index of each word of a frame, upwards from ebp. */
export const Frame = {
  gs: 0,
  fs: 1,
  ebp: 2,
  edi: 3,
  esi: 4,
  edx: 5,
  ecx: 6,
  ebx: 7,
  eax: 8,
  errorCode: 9,
  eip: 10,
  cs: 11,
  eflags: 12,
  esp: 13,
  ss: 14,
} as const;

export const FRAME_WORDS = 15;
