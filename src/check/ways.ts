/** The parts of the checks that depend on how a guest is virtualized. */

import type { Lguest } from '../../shared/lguest.ts';
import type { Virtualization } from '../../shared/virtualization.ts';
import type { Gva } from '../hardware/address.ts';
import { directTables } from './direct.ts';
import { type Inside, type Translation, translateFrom } from './host-cpus.ts';
import { nestedTable, translateNested } from './nested.ts';
import { type Shadow, shadowOf } from './shadow.ts';

interface Way {
  /** The tables by which the host translates the guest's addresses. */
  tables(lg: Lguest): Shadow;
  /** The translation of an address on a CPU that is inside. */
  translate(inside: Inside, va: Gva): Translation | undefined;
  /**
   * The processor enters the guest by itself, and walks its tables, of which the host is not told.
   */
  readonly byHardware: boolean;
}

const byCr3: Way['translate'] = ({ cpu, vcpu }, va) => translateFrom(vcpu.lg.host, cpu, va);

const WAYS: Readonly<Record<Virtualization, Way>> = {
  shadow: { tables: shadowOf, translate: byCr3, byHardware: false },
  direct: { tables: directTables, translate: byCr3, byHardware: false },
  nested: {
    tables: nestedTable,
    translate: ({ vcpu }, va) => translateNested(vcpu, va),
    byHardware: true,
  },
};

export const wayOf = ({ virtualization }: Lguest): Way => WAYS[virtualization];
