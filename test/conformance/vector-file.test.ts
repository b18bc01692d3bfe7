import { describe, expect, test } from 'vitest';
import { readVectorFile } from '../../src/conformance/vector-file.ts';
import { complaintOf } from '../complaint.ts';
import { withFile } from './altered.ts';

const MACHINE = {
  title: 'by hand',
  pae: false,
  nx: false,
  pfnLimit: 16,
  hostCpus: 2,
  vcpus: 2,
  switcherAddr: '0xffc00000',
};
const PIN = { op: 'pinPage', cpu: 1, vaddr: '0x00001000' };

/** The error for a file with these lines, without its name; '' if it is accepted. */
function refusal(...lines: readonly (object | string)[]): string {
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  return withFile(texts, (path) => {
    const complaint = complaintOf(() => readVectorFile(path));
    return complaint.startsWith(path) ? complaint.slice(path.length) : complaint;
  });
}

test('reads a machine and operations as written', () => {
  withFile([JSON.stringify(MACHINE), JSON.stringify({ ...PIN, add: ['tables 3'] })], (path) => {
    const { header, operations } = readVectorFile(path);
    expect(header).toEqual({ ...MACHINE, switcherAddr: 0xffc0_0000 });
    expect(operations).toMatchObject([
      { line: 2, op: 'pinPage', fields: { cpu: 1, vaddr: 0x1000 }, add: ['tables 3'], del: [] },
    ]);
  });
});

test('a missing file is reported as missing', () => {
  expect(() => readVectorFile('no/such.jsonl')).toThrow(/^no\/such\.jsonl: there is no such file/);
});

test('refuses a folder in place of a file', () => {
  expect(() => readVectorFile('test')).toThrow(/^test: it cannot be read \(EISDIR\)/);
});

describe('a first line that does not describe a machine', () => {
  test('is refused in an empty file', () => {
    expect(refusal()).toMatch(/^:1: the file is empty/);
  });

  test.each([
    [{}, "the first line must describe the machine: 'switcherAddr' should be a string"],
    [{ ...MACHINE, pae: 1 }, "'pae' should be a boolean, found 1"],
    [{ ...MACHINE, pfnLimit: 0 }, "'pfnLimit' should be a whole number from 1 to 262144, found 0"],
    [{ ...MACHINE, vcpus: 1.5 }, "'vcpus' should be a whole number from 1 to 64, found 1.5"],
    [{ ...MACHINE, hostCpus: 65 }, "'hostCpus' should be a whole number from 1 to 64, found 65"],
    [{ ...MACHINE, switcherAddr: '0xffc00010' }, 'found "0xffc00010"'],
    [PIN, 'found nothing'],
    ['[1]', 'a line of a vector file should be a JSON object, found [1]'],
    ['{"pae": true,', 'not JSON, so this is not a vector file'],
  ])('refuses %j in line 1', (line, message) => {
    const said = refusal(line, PIN);
    expect(said.startsWith(':1')).toBe(true);
    expect(said).toContain(message);
  });
});

describe('an invalid operation', () => {
  test.each([
    ['{"op":"pinPage"', ':3:16: not JSON'],
    ['', ':3: not JSON'],
    ['null', ':3: a line of a vector file should be a JSON object, found null'],
    [{ op: 'pinpage' }, ":3: 'op' should name an operation, one of setVma, "],
    [{ op: 'constructor' }, ":3: 'op' should name an operation"],
    [
      { op: 'pinPage', cpu: 2, vaddr: 0 },
      "'cpu' of pinPage should be a vCPU of this machine, 0 to 1, found 2",
    ],
    [
      { op: 'pinPage', cpu: 1 },
      '\'vaddr\' of pinPage should be a whole number or a string such as "0x00001000", found nothing',
    ],
    [{ ...PIN, vaddr: '0x1_000' }, 'found "0x1_000"'],
    [{ ...PIN, vaddr: '0x100000000' }, 'found "0x100000000"'],
    [
      { op: 'mapSwitcherInGuest', cpu: 0, hostCpu: 2 },
      'should be a host CPU of this machine, 0 to 1, found 2',
    ],
    [
      { op: 'setVma', first: 0, count: 1, state: 'wr' },
      'should be one of rw, ro, cow, none, found "wr"',
    ],
    [
      { op: 'setVma', first: 16, count: 1, state: 'rw' },
      'should be a page of the guest, 0 to 15, found 16',
    ],
    [
      { op: 'setVma', first: 1, count: 16, state: 'rw' },
      'should not reach past the 16 pages, found 16',
    ],
    [{ op: 'guestWrite', gpa: 0x10000, value: 1 }, "the address of a word in the guest's 16 pages"],
    [{ op: 'guestWrite', gpa: 2, value: 1 }, "the address of a word in the guest's 16 pages"],
    [{ ...PIN, add: 'tables 3' }, "'add' should be a list of lines of state"],
    [{ ...PIN, del: [3] }, "'del' should be a list of lines of state"],
    [{ ...PIN, oops: true }, "'oops' should say how the host died, found true"],
    [{ ...PIN, returns: true }, "'returns' of pinPage should not be there, found true"],
    [{ op: 'guestPa', cpu: 0, vaddr: 0 }, "'returns' of guestPa should be there, found nothing"],
  ])('%j is refused with its line', (line, message) => {
    const said = refusal(MACHINE, PIN, line, PIN);
    expect(said.startsWith(':3')).toBe(true);
    expect(said).toContain(message);
  });

  test('a function in which the host died has returned nothing', () => {
    expect(refusal(MACHINE, { op: 'guestPa', cpu: 0, vaddr: 0, oops: 'BUG_ON' })).toBe('');
  });
});
