/**
 * The software of a litmus test's guest: the operations of a column, one after the other, in ring
 * 3, and a kernel of three handlers. Its whole state is in registers and guest memory: eip says
 * which column and how far, so a vCPU that gets another one's registers continues that one's
 * column. Within an operation, everything that can fault comes before anything is changed.
 */

import { Reg } from '../../../shared/host-cpu.ts';
import { Hypercall, SHUTDOWN_POWEROFF } from '../../../shared/hypercall.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { LguestData } from '../../../shared/lguest-data.ts';
import { UserError } from '../../errors.ts';
import { PAGE_OFFSET } from '../../guest/kernel/layout.ts';
import { isUserMode, Selector, Vector } from '../../guest/processor.ts';
import type { Software } from '../../guest/software.ts';
import { isFault, Right } from '../../hardware/access.ts';
import { type Gpa, type Gva, toGva, toPtr } from '../../hardware/address.ts';
import { type Entry, makeEntry, NO_ENTRY, pgdIndex, pmdIndex } from '../../hardware/entry.ts';
import type { HostProcessor } from '../../host/processor.ts';
import type { SoftwareFor } from '../../host/run-guest.ts';
import { hex } from '../../numbers.ts';
import {
  END_TEXT,
  ENDED,
  GuestTables,
  Handler,
  lguestDataOf,
  type Place,
  placeAt,
  SECOND_STEP,
  STARTING,
  stackOf,
  textAt,
} from './guest.ts';
import type { Litmus } from './litmus.ts';
import type { Operation } from './operations.ts';
import { FAULT } from './tokens.ts';

/** The registers of a column. Those that hypercalls take their arguments from are left free. */
export const RegisterOf = {
  r0: Reg.edi,
  r1: Reg.ebp,
  r2: Reg.gs,
  r3: Reg.fs,
  cr2: Reg.es,
  irqs: Reg.ds,
} as const;

const RESULTS = [RegisterOf.r0, RegisterOf.r1, RegisterOf.r2, RegisterOf.r3] as const;

/** An unhandled fault of the processor. */
const GENERAL_PROTECTION = 13;

/** Called for operations, by column and place there; again when a piece is replayed. */
export interface OperationWatcher {
  /** It begins; after the last one comes the column's end. */
  begins(column: number, place: number): void;
  /** It is done, and its vCPU still in the guest. */
  ends(column: number, place: number): void;
}

export const litmusSoftware =
  (litmus: Litmus, watcher?: OperationWatcher): SoftwareFor =>
  (processor, lg) =>
    new LitmusSoftware(litmus, processor, lg, watcher);

class LitmusSoftware implements Software {
  readonly #litmus: Litmus;
  readonly #cpu: HostProcessor;
  readonly #lg: Lguest;
  readonly #tables: GuestTables;
  readonly #watcher: OperationWatcher | undefined;

  constructor(litmus: Litmus, cpu: HostProcessor, lg: Lguest, watcher?: OperationWatcher) {
    this.#litmus = litmus;
    this.#cpu = cpu;
    this.#lg = lg;
    this.#watcher = watcher;
    this.#tables = new GuestTables(litmus, lg.form);
  }

  /** Execute one operation; 0 if it faulted and must be retried. */
  run(_budget: number): number {
    const eip = this.#cpu.register(Reg.eip);
    const user = isUserMode(this.#cpu.register(Reg.cs));
    return (user ? this.#step(eip) : this.#handle(eip)) ? 1 : 0;
  }

  #step(eip: number): boolean {
    const place = placeAt(eip);
    const ops = this.#litmus.vcpus[place.column]?.ops;
    if (ops === undefined || place.position > ops.length + 1) {
      // Another vCPU's registers, or none.
      this.#cpu.trap(GENERAL_PROTECTION, 0);
      return false;
    }
    if (place.step === STARTING) return this.#begin(place);
    this.#watcher?.begins(place.column, place.position);
    const op = ops[place.position];
    if (op !== undefined) {
      const isDone = this.#operation(op, place);
      if (isDone && !this.#cpu.trapped) this.#watcher?.ends(place.column, place.position);
      return isDone;
    }
    return place.position === ops.length ? this.#end(place) : this.#halt(place);
  }

  /** START_CPU gives a vCPU the registers of its starter. */
  #begin(place: Place): boolean {
    for (const reg of Object.values(RegisterOf)) this.#cpu.setRegister(reg, 0);
    this.#cpu.setRegister(Reg.eip, textAt(place.column, place.position, place.linear));
    return true;
  }

  /** The last one to end turns the guest off; in an abridged run all halt. */
  #end(place: Place): boolean {
    const { words, vcpu } = this.#cpu;
    if (words.endColumn(vcpu, place.column, this.#litmus.vcpus.length)) return this.#halt(place);
    const ends = this.#translate(this.#va(ENDED, place.linear), Right.SupervisorWrite);
    if (isFault(ends)) return false;
    const mine = 1 << (place.column * 4);
    const all = this.#litmus.vcpus.reduce((sum, _, i) => sum + (1 << (i * 4)), 0);
    if (words.add(toPtr(ends), mine) + mine !== all) return this.#halt(place);
    return this.#hypercall(place, Hypercall.Shutdown, END_TEXT, SHUTDOWN_POWEROFF);
  }

  #halt(place: Place): boolean {
    const { length } = this.#litmus.vcpus[place.column]!.ops;
    return this.#hypercall({ ...place, position: length }, Hypercall.Halt);
  }

  #operation(op: Operation, place: Place): boolean {
    const cpu = this.#cpu;
    switch (op.kind) {
      case 'load':
      case 'store':
      case 'locked':
      case 'fetch':
        return this.#access(op, place);
      case 'pte':
      case 'set_pte': {
        const pte = this.#tables.pte(op.table, op.va);
        if (!this.#storeEntry(pte, op.entry, place)) return false;
        return op.kind === 'pte' ? this.#done(place) : this.#tellPte(op, place);
      }
      case 'tell_pte':
        return this.#tellPte(op, place);
      case 'set_pgd': {
        const index = op.va >>> this.#lg.form.pgdirShift;
        return this.#hypercall(place, Hypercall.SetPgd, this.#tables.top(op.table), index);
      }
      case 'set_pmd': {
        const index = (op.va >>> 21) & 511;
        return this.#hypercall(place, Hypercall.SetPmd, this.#tables.top(op.table), index);
      }
      case 'set_upper':
        return this.#setUpper(op, place);
      case 'new_pgtable': {
        // From its first page table on the kernel runs at PAGE_OFFSET.
        const top = this.#tables.top(op.table);
        return this.#hypercall({ ...place, linear: false }, Hypercall.NewPgtable, top);
      }
      case 'flush_user':
      case 'flush_all':
        return this.#hypercall(place, Hypercall.FlushTlb, op.kind === 'flush_all' ? 1 : 0);
      case 'set_stack': {
        const stack = op.va ?? stackOf(place.column);
        return this.#hypercall(place, Hypercall.SetStack, Selector.KernelData, stack, op.pages);
      }
      case 'discard':
        return this.#hypercall(place, Hypercall.Notify, op.page * 4096 + 1);
      case 'start': {
        const eip = textAt(op.target, 0, place.linear) | STARTING;
        return this.#hypercall(place, Hypercall.StartCpu, op.target, eip, 0);
      }
      case 'ipi':
        return this.#hypercall(place, Hypercall.SendIpi, op.target);
      case 'yield':
        return this.#hypercall(place, Hypercall.FlushAsync);
      case 'migrate':
        return this.#migrate(op.target, place);
      case 'evict':
        cpu.mmu.flush();
        return this.#done(place);
      case 'syscall':
        this.#done(place);
        cpu.softwareInterrupt(Vector.Syscall);
        return true;
    }
  }

  #access(op: Extract<Operation, { readonly to: number | undefined }>, place: Place): boolean {
    const { words } = this.#cpu;
    // Without page tables there is no user memory.
    const found = this.#translate(op.va, rightFor(op.kind, op.kernel || place.linear));
    if (isFault(found)) return false;
    const at = toPtr(found);
    let result = 1;
    if (op.kind === 'load') result = words.read(at);
    if (op.kind === 'store') words.write(at, op.value);
    if (op.kind === 'locked') result = words.add(at, 1);
    if (op.to !== undefined) this.#cpu.setRegister(RESULTS[op.to]!, noFault(result, place));
    return this.#done(place);
  }

  #storeEntry(gpa: Gpa, entry: Entry, place: Place): boolean {
    const at = this.#translate(this.#va(gpa, place.linear), Right.SupervisorWrite);
    if (isFault(at)) return false;
    if (this.#lg.form.pae) this.#cpu.words.store64(toPtr(at), entry);
    else this.#cpu.words.write(toPtr(at), entry.low);
    return true;
  }

  #setUpper(
    { table, va, flags }: Extract<Operation, { readonly kind: 'set_upper' }>,
    place: Place,
  ): boolean {
    const { form } = this.#lg;
    const { at, below } = this.#tables.upper(table, va);
    if (!this.#storeEntry(at, flags === 0 ? NO_ENTRY : makeEntry(below, flags), place))
      return false;
    const top = this.#tables.top(table);
    return form.pae
      ? this.#hypercall(place, Hypercall.SetPmd, top, pmdIndex(form, va))
      : this.#hypercall(place, Hypercall.SetPgd, top, pgdIndex(form, va));
  }

  #tellPte(
    { table, va, entry }: { readonly table: string; readonly va: Gva; readonly entry: Entry },
    place: Place,
  ): boolean {
    const top = this.#tables.top(table);
    return this.#hypercall(place, Hypercall.SetPte, top, va, entry.low, entry.high);
  }

  /** In two steps, so that the second is the first one after the guest entry. */
  #migrate(hostCpu: number, place: Place): boolean {
    const cpu = this.#cpu;
    if (place.step === SECOND_STEP) {
      const vcpu = this.#lg.cpus[cpu.vcpu]!;
      // This operation still counts, and then its time slice is over.
      vcpu.quantum = 1;
      vcpu.nextHostCpu = hostCpu;
      this.#done(place);
    } else {
      cpu.setRegister(Reg.eip, cpu.register(Reg.eip) | SECOND_STEP);
    }
    cpu.trap(Vector.FirstExternal, 0);
    return true;
  }

  /** On to the next operation. */
  #done({ column, position, linear }: Place): true {
    this.#cpu.setRegister(Reg.eip, textAt(column, position + 1, linear));
    return true;
  }

  #hypercall(place: Place, ...values: readonly number[]): true {
    this.#done(place);
    for (const [reg, value] of values.entries()) this.#cpu.setRegister(reg, value);
    this.#cpu.trap(Vector.Hypercall, 0);
    return true;
  }

  /** The guest's kernel: handles an interrupt or trap, and returns. */
  #handle(eip: number): boolean {
    const cpu = this.#cpu;
    const isPageFault = eip === Handler.pageFault;
    if (!isPageFault && eip !== Handler.ipi && eip !== Handler.syscall) {
      cpu.trap(GENERAL_PROTECTION, 0);
      return false;
    }
    const esp = cpu.register(Reg.esp) + (isPageFault ? 4 : 0);
    const frame: number[] = [];
    for (let i = 0; i < FRAME_WORDS; i++) {
      const at = this.#translate(toGva(esp + i * 4), Right.SupervisorRead);
      if (isFault(at)) return false;
      frame.push(cpu.words.peek(toPtr(at)));
    }
    const [from, cs, eflags, oldEsp, oldSs] = frame as [number, number, number, number, number];
    let next = from;
    if (isPageFault) {
      if (!isUserMode(cs)) {
        // A fault in the kernel itself is fatal.
        cpu.trap(Vector.DoubleFault, 0);
        return false;
      }
      const data = lguestDataOf(cpu.vcpu);
      const at = this.#translate(this.#va(LguestData.cr2(data), false), Right.SupervisorRead);
      if (isFault(at)) return false;
      next = this.#afterFault(from);
      cpu.setRegister(RegisterOf.cr2, cpu.words.read(toPtr(at)));
    }
    if (eip === Handler.ipi) {
      cpu.setRegister(RegisterOf.irqs, cpu.register(RegisterOf.irqs) + 1);
    }
    cpu.setRegister(Reg.eip, next);
    cpu.setRegister(Reg.cs, cs);
    cpu.setRegister(Reg.eflags, eflags);
    cpu.setRegister(Reg.esp, isUserMode(cs) ? oldEsp : esp + INNER_FRAME_BYTES);
    cpu.setRegister(Reg.ss, isUserMode(cs) ? oldSs : Selector.KernelData);
    return true;
  }

  /** The faulting operation ends with the result `fault`. */
  #afterFault(eip: number): number {
    const { column, position, linear } = placeAt(eip);
    const op = this.#litmus.vcpus[column]?.ops[position];
    if (op === undefined) return eip;
    if ('to' in op && op.to !== undefined) this.#cpu.setRegister(RESULTS[op.to]!, FAULT);
    return textAt(column, position + 1, linear);
  }

  /** Where the kernel sees a physical address. */
  #va(gpa: number, linear: boolean): Gva {
    return toGva(linear ? gpa : gpa + PAGE_OFFSET);
  }

  /** The word behind an address; a fault leaves the guest. */
  #translate(va: Gva, right: Right): number {
    const at = this.#cpu.translate(va, right);
    if (isFault(at)) this.#cpu.pageFault(va, at);
    return at;
  }
}

/** An operation may load it only if the test has computed it. Throws UserError. */
function noFault(result: number, { column, position }: Place): number {
  if (result !== FAULT) return result;
  throw new UserError(
    `vCPU ${column}, operation ${position + 1}: found ${hex(FAULT)} loaded, expected a test ` +
      'without this value, which stands for fault',
  );
}

/** eip, cs, eflags, and from ring 3 esp and ss as well. */
const FRAME_WORDS = 5;
const INNER_FRAME_BYTES = 12;

function rightFor(kind: 'load' | 'store' | 'locked' | 'fetch', kernel: boolean): Right {
  if (kind === 'load') return kernel ? Right.SupervisorRead : Right.UserRead;
  if (kind === 'fetch') return kernel ? Right.SupervisorFetch : Right.UserFetch;
  return kernel ? Right.SupervisorWrite : Right.UserWrite;
}
