/**
 * A cache for the checks of one moment: nothing changes between them, so a shadow is walked once
 * for all of them.
 */

import type { Lguest } from '../../shared/lguest.ts';
import type { Pfn } from '../hardware/address.ts';
import type { Shadow } from './shadow.ts';
import { wayOf } from './ways.ts';

export class Moment {
  /** Whether a frame is unchanged since its poison was last checked. */
  readonly isUnused: (pfn: Pfn) => boolean;
  readonly #shadows = new Map<Lguest, Shadow>();

  /** Without `isUnused` every free frame is checked. */
  constructor(isUnused: (pfn: Pfn) => boolean = () => false) {
    this.isUnused = isUnused;
  }

  shadow(lg: Lguest): Shadow {
    const walked = this.#shadows.get(lg) ?? wayOf(lg).tables(lg);
    this.#shadows.set(lg, walked);
    return walked;
  }
}
