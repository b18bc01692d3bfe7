/** Invariant 2: wrong reference counts, and frames with the wrong owner. */

import { describe, expect, test } from 'vitest';
import { FrameKind } from '../../shared/frames.ts';
import { checkNothingLeft, checkReferences } from '../../src/check/references.ts';
import { toPfn, toPtr } from '../../src/hardware/address.ts';
import { pgdIndex } from '../../src/hardware/entry.ts';
import { A, FORMS, P } from '../paging/scripted.ts';
import { READ_VA, tampered, titles, VA } from './broken.ts';

describe.each(FORMS)('$form', ({ pae }) => {
  test('finds a count one too high and one too low', () => {
    const t = tampered(pae);
    const frame = toPfn(t.get(VA).low >>> 12);
    t.m.host.frames.get(frame);
    expect(checkReferences(t.m.host)).toMatchObject([{ invariant: 2, guest: 0, found: '2' }]);
    t.m.host.frames.put(frame);
    t.m.host.frames.put(frame);
    expect(checkReferences(t.m.host)).toMatchObject([{ found: '0' }]);
  });

  test('finds a reference dropped once too often, and the frame’s next use', () => {
    const t = tampered(pae);
    const { host } = t.m;
    const frame = toPfn(t.get(VA).low >>> 12);
    host.cpus[0]!.runningVcpu = 1;
    const onCpu = t.m.hostCpu(0).host;
    onCpu.frames.put(frame);
    onCpu.frames.put(frame);
    const cause = 'a reference too many was given back, guest 0, vCPU 0, host CPU 0';
    const was = `frame ${frame}, guest 0’s (GuestPage), freed under its owner and now`;
    expect(checkReferences(host).map(({ text }) => text)).toEqual([
      `${cause}: expected as many as were taken, found ${was} frame ${frame} (Free)`,
      expect.stringContaining('a free frame is mapped'),
      expect.stringContaining('a free frame with references'),
    ]);
    expect(checkNothingLeft(host)[0]!.text).toContain(cause);
    expect(onCpu.frames.allocate(FrameKind.PageTable, 0)).toBe(frame);
    expect(checkReferences(host)[0]!.found).toBe(`${was} frame ${frame} (PageTable of guest 0)`);
  });

  test('finds a page table without an owner, unless it waits to be freed', () => {
    const t = tampered(pae);
    const { host } = t.m;
    const lost = host.frames.allocate(FrameKind.PageTable, 0);
    expect(titles(checkReferences(host))).toEqual(['2 an allocated frame without a user']);
    expect(checkReferences(host, undefined, new Set([lost]))).toEqual([]);
  });

  test('finds a page table with two owners', () => {
    const t = tampered(pae);
    const top = t.m.lg.pgdirs[0]!.pgdir;
    const { entryWords } = t.m.lg.form;
    const entry = t.m.lg.entry(toPtr(top + pgdIndex(t.m.lg.form, VA) * entryWords));
    t.m.lg.setEntry(toPtr(top + 2 * entryWords), entry);
    expect(titles(checkReferences(t.m.host))).toContain('2 a page table hangs in two places');
  });

  test('finds a mapped free frame', () => {
    const t = tampered(pae);
    const free = t.m.host.frames.allocate(FrameKind.GuestPage, 0);
    t.m.host.frames.disown(free);
    t.set(READ_VA, free, P | A);
    expect(titles(checkReferences(t.m.host))).toContain('2 a free frame is mapped');
  });
});
