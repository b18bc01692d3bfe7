/**
 * The state of a machine as the vectors write it: lines of text, one for each fact.
 * Written from shared memory alone, without the paging code's help.
 */

import { frameStart, PAGE_WORDS, type Pfn, toGpfn, toPfn, toPtr } from '../../shared/address.ts';
import type { Entry } from '../../shared/entry.ts';
import { isPresent } from '../../shared/entry.ts';
import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { Lguest } from '../../shared/lguest.ts';

export class MachineState {
  readonly #host: Host;
  readonly #lg: Lguest;
  /** Which guest page a frame is, or once was. */
  readonly #pageOf = new Map<Pfn, number>();
  /** Guest memory when last looked at, and its lines; one of each for every page. */
  readonly #seen: Buffer[];
  readonly #memory: string[][];

  constructor(host: Host) {
    this.#host = host;
    this.#lg = host.guests[0]!;
    this.#seen = Array.from({ length: this.#lg.pfnLimit }, () => Buffer.alloc(PAGE_WORDS * 4));
    this.#memory = Array.from({ length: this.#lg.pfnLimit }, () => []);
  }

  /** All lines, in no particular order. */
  lines(): Set<string> {
    this.#followTheLauncher();
    const lines = new Set<string>();
    for (const cpu of this.#lg.cpus) {
      lines.add(`cpu ${cpu.id} pgd=${cpu.cpuPgd} linear=${cpu.linearPages ? 1 : 0}`);
    }
    for (const i of this.#lg.pgdirs.keys()) this.#shadow(i, lines);
    this.#frames(lines);
    this.#guestMemory(lines);
    if (this.#lg.dead) lines.add(`dead ${this.#lg.reason}`);
    return lines;
  }

  #shadow(i: number, lines: Set<string>): void {
    const pgdir = this.#lg.pgdirs[i]!;
    if (pgdir.pgdir === 0) return;
    const mapped = pgdir.switcherMapped ? 1 : 0;
    const gpgdir = pgdir.gpgdir.toString(16);
    lines.add(`pgdir ${i} gpgdir=${gpgdir} switcher=${mapped} host=${pgdir.lastHostCpu}`);
    const { form } = this.#lg;
    for (let top = 0; top < form.ptrsPerPgd; top++) {
      const pgd = this.#entry(pgdir.pgdir, top);
      if (isZero(pgd)) continue;
      lines.add(`pgd ${i} ${top.toString(16)} ${flags(pgd, false)}`);
      const start = top * 2 ** form.pgdirShift;
      if (!isPresent(pgd)) continue;
      if (form.pae) this.#middle(i, pgd, start, lines);
      else this.#last(i, pgd, start, lines);
    }
  }

  #middle(i: number, pgd: Entry, start: number, lines: Set<string>): void {
    for (let middle = 0; middle < this.#lg.form.ptrsPerPmd; middle++) {
      const pmd = this.#entry(frameStart(toPfn(pgd.low >>> 12)), middle);
      if (isZero(pmd)) continue;
      const vaddr = start + middle * 2 ** 21;
      lines.add(`pmd ${i} ${address(vaddr)} ${flags(pmd, false)}`);
      if (isPresent(pmd)) this.#last(i, pmd, vaddr, lines);
    }
  }

  #last(i: number, table: Entry, start: number, lines: Set<string>): void {
    for (let last = 0; last < this.#lg.form.ptrsPerPte; last++) {
      const pte = this.#entry(frameStart(toPfn(table.low >>> 12)), last);
      if (isZero(pte)) continue;
      const target = this.#target(pte.low >>> 12);
      lines.add(`pte ${i} ${address(start + last * 4096)} ${target} ${flags(pte, true)}`);
    }
  }

  #entry(table: number, index: number): Entry {
    return this.#lg.entry(toPtr(table + index * this.#lg.form.entryWords));
  }

  #frames(lines: Set<string>): void {
    const { frames, layout } = this.#host;
    let tables = 0;
    const counts = new Map<string, number>();
    for (let n = layout.firstFrame; n < layout.totalFrames; n++) {
      const pfn = toPfn(n);
      const kind = frames.kind(pfn);
      if (kind === FrameKind.Free) continue;
      if (kind === FrameKind.PageTable) tables++;
      const references = frames.references(pfn);
      if (references === 0) continue;
      const target = this.#target(pfn);
      counts.set(target, (counts.get(target) ?? 0) + references);
    }
    for (const [target, count] of counts) lines.add(`ref ${target} ${count}`);
    lines.add(`tables ${tables}`);
  }

  #target(pfn: number): string {
    if (!this.#host.frames.exists(pfn)) return '?';
    const frame = toPfn(pfn);
    switch (this.#host.frames.kind(frame)) {
      case FrameKind.Zero:
        return 'zero';
      case FrameKind.Switcher:
        return `s${this.#host.switcherPages.indexOf(frame)}`;
      case FrameKind.Regs:
        return `r${this.#lg.cpus.findIndex((cpu) => cpu.regsPage === frame)}`;
      case FrameKind.GuestPage: {
        const page = this.#pageOf.get(frame)!;
        const old = this.#lg.map.frame(toGpfn(page)) === frame ? '' : '-old';
        return `g${page.toString(16)}${old}`;
      }
      default:
        return '?';
    }
  }

  #followTheLauncher(): void {
    for (let page = 0; page < this.#lg.pfnLimit; page++) {
      this.#pageOf.set(this.#lg.map.frame(toGpfn(page)), page);
    }
  }

  #guestMemory(lines: Set<string>): void {
    for (let page = 0; page < this.#lg.pfnLimit; page++) {
      const frame = this.#lg.map.frame(toGpfn(page));
      const { buffer } = this.#host.words.memory;
      const now = Buffer.from(buffer, frameStart(frame) * 4, frame === 0 ? 0 : PAGE_WORDS * 4);
      const seen = this.#seen[page]!;
      if (now.length === 0 ? this.#memory[page]!.length > 0 : now.compare(seen) !== 0) {
        this.#memory[page] = nonZeroWords(page, now);
        seen.fill(0);
        now.copy(seen);
      }
      for (const line of this.#memory[page]!) lines.add(line);
    }
  }
}

function nonZeroWords(page: number, bytes: Buffer): string[] {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 4) {
    const value = bytes.readUInt32LE(offset);
    if (value !== 0) lines.push(`mem ${(page * 4096 + offset).toString(16)} ${value.toString(16)}`);
  }
  return lines;
}

const isZero = (entry: Entry): boolean => entry.low === 0 && entry.high === 0;

const address = (vaddr: number): string => vaddr.toString(16).padStart(8, '0');

/** All bits outside the page number: in a last-level entry bits 12–43, elsewhere 12 and up. */
function flags(entry: Entry, lastLevel: boolean): string {
  const high = lastLevel ? (entry.high & ~0xfff) >>> 0 : 0;
  const low = entry.low & 0xfff;
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
}
