/** What the code as written is not held to needs to know whether this is it. */

import type { Lguest } from '../../shared/lguest.ts';

/** No discipline, and all defects on. */
export const isAsWritten = ({ discipline, defects }: Lguest): boolean =>
  discipline === 'as-written' && Object.values(defects).every((on) => on);
