/**
 * Addresses of different spaces are different types, so that mixing them does not
 * compile. All are plain numbers at run time. Crossing from one space to another
 * happens only in the functions here and in the two walks (guest's and shadow).
 */

declare const space: unique symbol;
type In<Space extends string> = number & { readonly [space]: Space };

/** Guest-virtual byte address, 0 … 2^32 − 1. */
export type Gva = In<'guest-virtual'>;
/** Guest-physical byte address, 0 … 2^32 − 1. */
export type Gpa = In<'guest-physical'>;
/** Guest page number: what a guest's own page table entry holds. */
export type Gpfn = In<'guest page'>;
/** Host frame number: what a shadow page table entry holds. Frame 0 is never handed out. */
export type Pfn = In<'host frame'>;
/** A pointer into host memory, counted in 32-bit words. Word 0 is never an object. */
export type Ptr = In<'host word'>;

// A separate constant: an exported one is no constant to V8, even here.
const SHIFT = 12;
const SIZE = 1 << SHIFT;
const WORDS = SIZE >>> 2;

export const PAGE_SHIFT = SHIFT;
export const PAGE_SIZE = SIZE;
export const PAGE_WORDS = WORDS;

export const NULL = 0 as Ptr;
export const NO_FRAME = 0 as Pfn;

export const toGva = (address: number): Gva => (address >>> 0) as Gva;
export const toGpa = (address: number): Gpa => (address >>> 0) as Gpa;
export const toGpfn = (page: number): Gpfn => page as Gpfn;
export const toPfn = (frame: number): Pfn => frame as Pfn;
export const toPtr = (word: number): Ptr => word as Ptr;

/** The page an address lies in. */
export const gpfnOf = (gpa: Gpa): Gpfn => (gpa >>> SHIFT) as Gpfn;
export const pageOffset = (address: number): number => address & (SIZE - 1);
export const pageStart = (address: Gva): Gva => ((address & -SIZE) >>> 0) as Gva;

/**
 * The bits of an address as a signed number, for functions that only shift and mask it: V8 boxes a
 * number past 2^31 where it is an argument.
 */
export const bitsOf = (address: Gva): Gva => (address | 0) as Gva;

/** `__va(pfn << PAGE_SHIFT)`: the first word of a frame. */
export const frameStart = (pfn: Pfn): Ptr => (pfn << (SHIFT - 2)) as Ptr;
/** `virt_to_page`: the frame a word lies in. */
export const frameOf = (ptr: Ptr): Pfn => (ptr >>> (SHIFT - 2)) as Pfn;
/** The word at a byte offset into a frame. */
export const wordInFrame = (pfn: Pfn, offset: number): Ptr =>
  ((pfn << (SHIFT - 2)) | ((offset & (SIZE - 1)) >>> 2)) as Ptr;

/** Hexadecimal as the kernel's `%#lx` prints it. */
export const hex = (value: number): string => (value === 0 ? '0' : `0x${value.toString(16)}`);
