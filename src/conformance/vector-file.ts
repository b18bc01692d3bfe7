/**
 * Reads conformance vectors, recorded from the C code of 2013, as JSON lines. The first line is the
 * machine, every other one an operation with its effect on the state. An invalid line is refused
 * with its place.
 */

import { readFileSync } from 'node:fs';
import { UserError } from '../errors.ts';

export interface VectorHeader {
  readonly title: string;
  readonly pae: boolean;
  readonly nx: boolean;
  readonly pfnLimit: number;
  readonly hostCpus: number;
  readonly vcpus: number;
  readonly switcherAddr: number;
}

/** A field's value as the file has it; numbers in '0x…' strings are already converted. */
export type FieldValue = number | string;

export interface VectorOperation {
  readonly line: number;
  readonly op: OperationName;
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Absent where the function returns nothing. */
  readonly returns: unknown;
  readonly oops: string | undefined;
  readonly add: readonly string[];
  readonly del: readonly string[];
  /** The line itself. */
  readonly text: string;
}

export interface VectorFile {
  readonly path: string;
  readonly header: VectorHeader;
  readonly operations: readonly VectorOperation[];
}

/** The fields of each operation beside returns, oops, add and del. */
const OPERATIONS = {
  setVma: { first: 'page', count: 'number', state: 'vma' },
  guestWrite: { gpa: 'gpa', value: 'number' },
  initGuestPagetable: {},
  pageTableGuestDataInit: { kernelAddress: 'number' },
  guestSetStack: { cpu: 'vcpu', esp1: 'number', pages: 'number' },
  startCpu: { cpu: 'vcpu' },
  demandPage: { cpu: 'vcpu', vaddr: 'number', errorCode: 'number' },
  access: { cpu: 'vcpu', vaddr: 'number', access: 'access', mode: 'mode' },
  pinPage: { cpu: 'vcpu', vaddr: 'number' },
  guestSetPte: { cpu: 'vcpu', gpgdir: 'number', vaddr: 'number', low: 'number', high: 'number' },
  guestSetPgd: { gpgdir: 'number', index: 'number' },
  guestSetPmd: { pmd: 'number', index: 'number' },
  guestNewPagetable: { cpu: 'vcpu', gpgdir: 'number', random: 'number' },
  guestPagetableFlushUser: { cpu: 'vcpu' },
  guestPagetableClearAll: { cpu: 'vcpu' },
  mapSwitcherInGuest: { cpu: 'vcpu', hostCpu: 'hostCpu' },
  guestPa: { cpu: 'vcpu', vaddr: 'number' },
  failAllocations: { after: 'number' },
  freeGuestPagetable: {},
} as const satisfies Record<string, Record<string, FieldType>>;

export type OperationName = keyof typeof OPERATIONS;

/** Those whose function returns something, unless the host died in it. */
const RETURNING: ReadonlySet<string> = new Set<OperationName>([
  ...(['initGuestPagetable', 'pageTableGuestDataInit'] as const),
  ...(['demandPage', 'access', 'guestPa'] as const),
]);

const WORDS = {
  vma: ['rw', 'ro', 'cow', 'none'],
  access: ['read', 'write', 'fetch'],
  mode: ['supervisor', 'user'],
} as const;

type FieldType = 'number' | 'page' | 'gpa' | 'vcpu' | 'hostCpu' | keyof typeof WORDS;

/** Throws UserError with file, line, what was found and what was expected. */
export function readVectorFile(path: string): VectorFile {
  const lines = readText(path).split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) {
    throw new UserError(
      `${path}:1: the file is empty; a vector file begins with a line that describes the machine`,
    );
  }
  const header = readHeader(path, lines[0]!);
  const operations = lines.slice(1).map((text, i) => readOperation(path, i + 2, text, header));
  return { path, header, operations };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new UserError(`${path}: ${why}; give the path of a vector file or of a folder of them`);
  }
}

function readHeader(path: string, text: string): VectorHeader {
  const at = place(path, 1);
  const object = readObject(path, 1, text);
  const field = (name: string, type: 'boolean' | 'number' | 'string'): unknown => {
    const value = object[name];
    if (typeof value !== type) {
      throw at(`the first line must describe the machine: '${name}' should be a ${type}`, value);
    }
    return value;
  };
  const size = (name: string, most: number): number => {
    const value = field(name, 'number') as number;
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw at(`'${name}' should be a whole number from 1 to ${most}`, value);
    }
    return value;
  };
  const switcherAddr = number(field('switcherAddr', 'string'));
  if (switcherAddr === undefined || switcherAddr % 4096 !== 0) {
    throw at(
      `'switcherAddr' should be a page's address such as "0xffc00000"`,
      object['switcherAddr'],
    );
  }
  return {
    title: String(object['title'] ?? ''),
    pae: field('pae', 'boolean') as boolean,
    nx: field('nx', 'boolean') as boolean,
    pfnLimit: size('pfnLimit', 1 << 18),
    hostCpus: size('hostCpus', 64),
    vcpus: size('vcpus', 64),
    switcherAddr,
  };
}

function readOperation(
  path: string,
  line: number,
  text: string,
  header: VectorHeader,
): VectorOperation {
  const at = place(path, line);
  const object = readObject(path, line, text);
  const op = object['op'];
  if (typeof op !== 'string' || !Object.hasOwn(OPERATIONS, op)) {
    throw at(`'op' should name an operation, one of ${Object.keys(OPERATIONS).join(', ')}`, op);
  }
  const types: Record<string, FieldType> = OPERATIONS[op as OperationName];
  const fields: Record<string, FieldValue> = {};
  for (const [name, type] of Object.entries(types)) {
    const value = readField(object[name], type, header);
    if (value === undefined)
      throw at(`'${name}' of ${op} should be ${expected(type, header)}`, object[name]);
    fields[name] = value;
  }
  const { first, count } = fields;
  if (op === 'setVma' && Number(first) + Number(count) > header.pfnLimit) {
    throw at(`'count' of setVma should not reach past the ${header.pfnLimit} pages`, count);
  }
  const { returns, oops } = object;
  if (oops !== undefined && typeof oops !== 'string') {
    throw at(`'oops' should say how the host died`, oops);
  }
  if (oops === undefined && RETURNING.has(op) !== (returns !== undefined)) {
    const rule = RETURNING.has(op) ? 'should be there' : 'should not be there';
    throw at(`'returns' of ${op} ${rule}`, returns);
  }
  return {
    line,
    op: op as OperationName,
    fields,
    returns,
    oops,
    add: readLines(at, object, 'add'),
    del: readLines(at, object, 'del'),
    text,
  };
}

function readField(value: unknown, type: FieldType, header: VectorHeader): FieldValue | undefined {
  if (type === 'vma' || type === 'access' || type === 'mode') {
    return (WORDS[type] as readonly unknown[]).includes(value) ? (value as string) : undefined;
  }
  const n = number(value);
  if (n === undefined) return undefined;
  if (type === 'page' && !(n >= 0 && n < header.pfnLimit)) return undefined;
  if (type === 'gpa' && !(n >= 0 && n < header.pfnLimit * 4096 && n % 4 === 0)) return undefined;
  if (type === 'vcpu' && !(n >= 0 && n < header.vcpus)) return undefined;
  if (type === 'hostCpu' && !(n >= 0 && n < header.hostCpus)) return undefined;
  return n;
}

function expected(type: FieldType, header: VectorHeader): string {
  if (type === 'number') return 'a whole number or a string such as "0x00001000"';
  if (type === 'page') return `a page of the guest, 0 to ${header.pfnLimit - 1}`;
  if (type === 'gpa') return `the address of a word in the guest's ${header.pfnLimit} pages`;
  if (type === 'vcpu') return `a vCPU of this machine, 0 to ${header.vcpus - 1}`;
  if (type === 'hostCpu') return `a host CPU of this machine, 0 to ${header.hostCpus - 1}`;
  return `one of ${WORDS[type].join(', ')}`;
}

function number(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,8}$/.test(value)) return undefined;
  return Number.parseInt(value, 16);
}

type Complain = (message: string, found: unknown) => UserError;

const place =
  (path: string, line: number): Complain =>
  (message, found) =>
    new UserError(`${path}:${line}: ${message}, found ${JSON.stringify(found) ?? 'nothing'}`);

function readLines(at: Complain, object: Record<string, unknown>, name: string): readonly string[] {
  const value = object[name] ?? [];
  if (!Array.isArray(value) || value.some((line) => typeof line !== 'string')) {
    throw at(`'${name}' should be a list of lines of state`, value);
  }
  return value;
}

function readObject(path: string, line: number, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const column = /position (\d+)/.exec(String(error))?.[1];
    const where = column === undefined ? '' : `:${Number(column) + 1}`;
    throw new UserError(
      `${path}:${line}${where}: not JSON, so this is not a vector file ` +
        `(${(error as Error).message})`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw place(path, line)('a line of a vector file should be a JSON object', value);
  }
  return value as Record<string, unknown>;
}
