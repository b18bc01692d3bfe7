/** Whether a machine runs the code as written, which is exempt from some checks. */

import type { Lguest } from '../../shared/lguest.ts';

/** No discipline, and all defects on. */
export const isAsWritten = ({ discipline, defects }: Lguest): boolean =>
  discipline === 'as-written' && Object.values(defects).every((on) => on);
