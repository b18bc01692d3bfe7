/**
 * The type of each page of a guest with direct paging, so that no page has two at once
 * (page_info.type_info of Xen): mapped writable, or a page table of one level. A page without a
 * type may get either, and keeps it until its last use of that type ends.
 */

import type { Lguest } from '../../shared/lguest.ts';
import type { Gpfn, Ptr } from '../hardware/address.ts';
import { toPtr } from '../hardware/address.ts';

/** One word a page: uses << 4 | pinned | type. */
const TYPE = 7;
const PINNED = 8;
const USE = 16;

const NONE = 0;
export const WRITABLE = 1;

/** The type of a page table; level 1 is the last. */
export const tableType = (level: number): number => WRITABLE + level;

/** The level of a table of this type; 0 or less for none. */
export const levelOf = (type: number): number => type - WRITABLE;

export const typeOf = (lg: Lguest, page: Gpfn): number => lg.words.load(at(lg, page)) & TYPE;

/** Its count of uses. */
export const usesOf = (lg: Lguest, page: Gpfn): number => (lg.words.load(at(lg, page)) / USE) | 0;

export const isPinned = (lg: Lguest, page: Gpfn): boolean =>
  (lg.words.load(at(lg, page)) & PINNED) !== 0;

export function setPinned(lg: Lguest, page: Gpfn, pinned: boolean): void {
  if (pinned) lg.words.or(at(lg, page), PINNED);
  else lg.words.and(at(lg, page), ~PINNED);
}

/** One more use as `type`; false, and nothing is changed, while it is used as another. */
export function addUse(lg: Lguest, page: Gpfn, type: number): boolean {
  const now = typeOf(lg, page);
  if (now !== NONE && now !== type) return false;
  lg.words.add(at(lg, page), now === NONE ? USE + type : USE);
  return true;
}

/** One use fewer; true if that was the last, and the page may become something else. */
export function removeUse(lg: Lguest, page: Gpfn): boolean {
  const left = lg.words.add(at(lg, page), -USE) - USE;
  if (left >= USE) return false;
  lg.words.store(at(lg, page), NONE);
  return true;
}

/** When the guest is taken down. */
export const forgetUses = (lg: Lguest, page: Gpfn): void => lg.words.store(at(lg, page), NONE);

const at = (lg: Lguest, page: Gpfn): Ptr => toPtr(lg.pageTypes + page);
