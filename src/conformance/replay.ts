/**
 * Replays a vector file on the paging code, one operation after the other in one thread, and
 * compares results and changes with those of the C code.
 */

import { isDeepStrictEqual } from 'node:util';
import type { DisciplineName } from '../../shared/discipline.ts';
import { lgwriteWord } from '../../shared/guest-memory.ts';
import type { Host } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { assemble, type GuestShape } from '../assembly.ts';
import { HostOops } from '../errors.ts';
import { errorCodeOf, isFault, Right } from '../hardware/access.ts';
import {
  frameOf,
  type Gva,
  gpfnOf,
  pageOffset,
  toGpa,
  toGpfn,
  toGva,
  wordInFrame,
} from '../hardware/address.ts';
import { Entry } from '../hardware/entry.ts';
import { Mmu } from '../mmu/tlb.ts';
import { hex } from '../numbers.ts';
import { demandPage } from '../paging/fault.ts';
import { guestPa, guestPagetableClearAll, guestPagetableFlushUser } from '../paging/flush.ts';
import { pinPage, pinStackPages } from '../paging/pin.ts';
import { guestSetPgd, guestSetPmd, guestSetPte } from '../paging/set.ts';
import { freeGuestPagetable, initGuestPagetable, pageTableGuestDataInit } from '../paging/setup.ts';
import { guestNewPagetable } from '../paging/switch.ts';
import { mapSwitcherInGuest } from '../paging/switcher.ts';
import { MachineState, type State } from './state.ts';
import type { OperationName, VectorFile, VectorHeader, VectorOperation } from './vector-file.ts';

/** The first place where a file and the code disagree. */
export interface Difference {
  readonly path: string;
  readonly line: number;
  /** Number of the operation, the first being 1. */
  readonly operation: number;
  readonly text: string;
  /** Lines of the file that the code did not produce, and the other way round. */
  readonly expected: readonly string[];
  readonly found: readonly string[];
  /** Lines of the state before the operation that have to do with it. */
  readonly around: readonly string[];
}

export interface Replayed {
  readonly path: string;
  readonly operations: number;
  readonly difference: Difference | undefined;
}

export function replayVectorFile(file: VectorFile): Replayed {
  const machine = new ScriptedMachine(file.header);
  const state = new MachineState(machine.host);
  let before = state.look();
  for (const [i, operation] of file.operations.entries()) {
    const outcome = machine.apply(operation);
    const after = state.look();
    const sides = compare(operation, outcome, before, after);
    if (sides.expected.length > 0 || sides.found.length > 0) {
      return {
        path: file.path,
        operations: i + 1,
        difference: {
          path: file.path,
          line: operation.line,
          operation: i + 1,
          text: operation.text,
          ...sides,
          around: around(before, operation),
        },
      };
    }
    before = after;
  }
  return { path: file.path, operations: file.operations.length, difference: undefined };
}

interface Outcome {
  readonly returns?: unknown;
  readonly oops?: string;
}

interface Sides {
  readonly expected: readonly string[];
  readonly found: readonly string[];
}

/** The differences side by side, in lines. */
function compare(operation: VectorOperation, outcome: Outcome, before: State, after: State): Sides {
  const expected: string[] = [];
  const found: string[] = [];
  if (operation.oops !== outcome.oops) {
    expected.push(`oops ${operation.oops ?? 'none'}`);
    found.push(`oops ${outcome.oops ?? 'none'}`);
  }
  // A host that died left no state worth comparing.
  if (operation.oops !== undefined) return { expected, found };
  if (operation.returns !== undefined && !isDeepStrictEqual(operation.returns, outcome.returns)) {
    expected.push(`returns ${JSON.stringify(operation.returns)}`);
    found.push(`returns ${JSON.stringify(outcome.returns)}`);
  }
  const side = (sign: string, file: readonly string[], changed: Set<string>) => {
    for (const line of file) if (!changed.delete(line)) expected.push(`${sign} ${line}`);
    for (const line of [...changed].sort()) found.push(`${sign} ${line}`);
  };
  const { added, removed } = changes(before, after);
  side('+', operation.add, added);
  side('-', operation.del, removed);
  return { expected, found };
}

/** Lines that only one of two states has. */
function changes(before: State, after: State): { added: Set<string>; removed: Set<string> } {
  const removed = new Set([...before].filter((part) => !after.has(part)).flat());
  const added = new Set<string>();
  for (const part of after) {
    if (before.has(part)) continue;
    for (const line of part) if (!removed.delete(line)) added.add(line);
  }
  return { added, removed };
}

/** The vCPUs, the pgdirs, and whatever names an address of the operation's. */
function around(before: State, operation: VectorOperation): string[] {
  const { vaddr } = operation.fields;
  const page = vaddr === undefined ? '-' : (Number(vaddr) >>> 12).toString(16).padStart(5, '0');
  return [...before]
    .flat()
    .filter((line) => /^(cpu|pgdir|tables|dead) /.test(line) || line.includes(` ${page}000 `))
    .sort();
}

export const VMA: Readonly<Record<string, Vma>> = {
  rw: Vma.ReadWrite,
  ro: Vma.ReadOnly,
  cow: Vma.CopyOnWrite,
  none: Vma.None,
};

export const RIGHT: Readonly<Record<string, Right>> = {
  'read supervisor': Right.SupervisorRead,
  'read user': Right.UserRead,
  'write supervisor': Right.SupervisorWrite,
  'write user': Right.UserWrite,
  'fetch supervisor': Right.SupervisorFetch,
  'fetch user': Right.UserFetch,
};

/** Room for page tables and for frames that outlive their place in the Launcher's map. */
const SPARE_FRAMES = 4096;

/** A machine that runs nothing by itself: operations are applied to it from outside. */
export class ScriptedMachine {
  readonly host: Host;
  readonly #mmu: Mmu;
  #random = 0;

  /** As written, which the recordings are of, or repaired. */
  constructor(header: VectorHeader, discipline: DisciplineName = 'as-written') {
    const { hostCpus, switcherAddr, pae, nx, pfnLimit: pages, vcpus } = header;
    const guest: GuestShape = { paging: pae ? 'pae' : 'nonpae', nx, pages, vcpus };
    const frames = pages * 2 + SPARE_FRAMES;
    const shape = { hostCpus, switcherAddr, seed: 0, frames, discipline };
    this.host = assemble({ ...shape, guests: [guest] }, Vma.ReadWrite).host;
    this.host.prandomU32 = () => this.#random;
    this.#mmu = new Mmu(this.host, this.host.cpus[0]!);
  }

  apply({ op, fields }: VectorOperation): Outcome {
    const n = (name: string): number => fields[name] as number;
    try {
      const returns = this.#operations[op](n, fields);
      return returns === undefined ? {} : { returns };
    } catch (error) {
      if (error instanceof HostOops) return { oops: error.kind };
      throw error;
    }
  }

  readonly #operations: Record<
    OperationName,
    (n: (name: string) => number, fields: VectorOperation['fields']) => unknown
  > = {
    setVma: (n, { state }) => {
      for (let i = 0; i < n('count'); i++) {
        this.#lg.map.set(toGpfn(n('first') + i), VMA[String(state)]!);
      }
    },
    guestWrite: (n) => lgwriteWord(this.#cpu(0), toGpa(n('gpa')), n('value')),
    initGuestPagetable: () => initGuestPagetable(this.#lg),
    pageTableGuestDataInit: (n) => this.#guestDataInit(n('kernelAddress')),
    guestSetStack: (n) => {
      const cpu = this.#cpu(n('cpu'));
      cpu.esp1 = toGva(n('esp1'));
      cpu.stackPages = n('pages');
      pinStackPages(cpu);
    },
    startCpu: (n) => {
      const first = this.#cpu(0);
      const cpu = this.#cpu(n('cpu'));
      cpu.cpuPgd = first.cpuPgd;
      cpu.linearPages = first.linearPages;
      cpu.esp1 = first.esp1;
    },
    demandPage: (n) => demandPage(this.#cpu(n('cpu')), toGva(n('vaddr')), n('errorCode')),
    access: (n, { access, mode }) =>
      this.#access(n('cpu'), toGva(n('vaddr')), RIGHT[`${access} ${mode}`]!),
    pinPage: (n) => pinPage(this.#cpu(n('cpu')), toGva(n('vaddr'))),
    guestSetPte: (n) =>
      guestSetPte(
        this.#cpu(n('cpu')),
        toGpa(n('gpgdir')),
        toGva(n('vaddr')),
        new Entry(n('low'), this.#lg.form.pae ? n('high') : 0),
      ),
    guestSetPgd: (n) => guestSetPgd(this.#cpu(0), toGpa(n('gpgdir')), n('index')),
    guestSetPmd: () => guestSetPmd(this.#cpu(0)),
    guestNewPagetable: (n) => {
      this.#random = n('random');
      guestNewPagetable(this.#cpu(n('cpu')), toGpa(n('gpgdir')));
    },
    guestPagetableFlushUser: (n) => guestPagetableFlushUser(this.#cpu(n('cpu'))),
    guestPagetableClearAll: (n) => guestPagetableClearAll(this.#cpu(n('cpu'))),
    mapSwitcherInGuest: (n) => mapSwitcherInGuest(this.#cpu(n('cpu')), n('hostCpu')),
    guestPa: (n) => hex(guestPa(this.#cpu(n('cpu')), toGva(n('vaddr')))),
    failAllocations: (n) => this.host.machine.failAllocationsAfter(n('after')),
    freeGuestPagetable: () => freeGuestPagetable(this.#lg),
  };

  get #lg() {
    return this.host.guests[0]!;
  }

  #cpu(id: number) {
    return this.#lg.cpus[id]!;
  }

  /** The processor's own view of a vCPU's shadow, from an empty TLB. */
  #access(id: number, vaddr: Gva, right: Right): unknown {
    const pgdir = this.#lg.pgdirs[this.#cpu(id).cpuPgd]!;
    this.#mmu.loadCr3(frameOf(pgdir.pgdir), this.#lg.form, this.#lg.nx);
    const translation = this.#mmu.translate(vaddr, right);
    return isFault(translation) ? { fault: errorCodeOf(translation) } : 'ok';
  }

  /**
   * In the vectors `lguest_data` lies outside guest memory, so a page is borrowed for it
   * while the function runs, and put back as it was.
   */
  #guestDataInit(kernelAddress: number): unknown {
    const lg = this.#lg;
    const cpu = this.#cpu(0);
    cpu.lguestData = toGpa((lg.pfnLimit - 1) * 4096);
    const { words } = this.host;
    const at = [
      LguestData.kernelAddress(cpu.lguestData),
      LguestData.reserveMem(cpu.lguestData),
    ].map((gpa) => wordInFrame(lg.map.frameForHost(gpfnOf(gpa), true), pageOffset(gpa)));
    const saved = at.map((word) => words.load(word));
    words.store(at[0]!, kernelAddress);
    pageTableGuestDataInit(cpu);
    const reserveMem = words.load(at[1]!);
    for (const [i, word] of at.entries()) words.store(word, saved[i]!);
    return hex(reserveMem);
  }
}
