/**
 * A placement: on which host CPU each vCPU ran, stretch by stretch, and for how long. It is a CSV
 * file with a row for each stretch; those of one vCPU are in order. Columns are found by name.
 * `vcpu` and `host_cpu` count from 0, `ns` is the duration; other columns name the origin of the
 * stretch and are for people.
 */

import { UserError } from '../errors.ts';
import { openFile } from '../platform.ts';

/** The columns that a stretch needs. */
const NEEDED = ['vcpu', 'host_cpu', 'ns'] as const;

/** All columns that `umbra import schedule` writes. */
export const PLACEMENT_COLUMNS = [
  ...['vcpu', 'host_cpu', 'at_ns', 'ns', 'cause', 'recorded_cpu', 'pid', 'comm'],
] as const;

/** As many as a machine has at most. */
const MOST_HOST_CPUS = 510;
const MOST_VCPUS = 1 << 16;

/** The stretches of one vCPU, in order. */
export interface VcpuPlacement {
  readonly hostCpus: readonly number[];
  /** How long each was, in nanoseconds. */
  readonly ns: readonly number[];
  /** Its name in the file; '' for none. */
  readonly name: string;
}

export interface Placement {
  readonly file: string;
  /** By number in the machine: vCPUs of the first guest, then of the second, … */
  readonly vcpus: readonly VcpuPlacement[];
}

/** Host CPUs that a machine must have for it. */
export const hostCpusOf = ({ vcpus }: Placement): number =>
  vcpus.reduce((most, { hostCpus }) => hostCpus.reduce((n, cpu) => Math.max(n, cpu), most), 0) + 1;

/** Migrations of a vCPU in its first `begun` stretches. */
export function migrationsIn({ hostCpus }: VcpuPlacement, begun = hostCpus.length): number {
  return hostCpus.slice(0, begun).filter((cpu, i) => i > 0 && cpu !== hostCpus[i - 1]).length;
}

/** Throws UserError with line and column for what is no placement. */
export function readPlacement(file: string): Placement {
  try {
    const opened = openFile(file);
    try {
      if (opened.size === undefined) throw new Error('it is no file');
      const bytes = opened.read(0, opened.size);
      return parsePlacement(new TextDecoder().decode(bytes), file);
    } finally {
      opened.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${file} cannot be read: ${(error as Error).message}. replay: takes the file of a ` +
        'placement; umbra import schedule makes one.',
    );
  }
}

/** `file` is where the text is from. */
export function parsePlacement(text: string, file: string): Placement {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const last = lines.pop();
  if (last !== '' || text === '') {
    throw mistake(file, lines.length + 1, 1, 'the end of the file', 'the end of the line');
  }
  const header = csvFields(lines[0] ?? '');
  const names = header.map(({ value }) => value);
  for (const name of NEEDED) {
    if (names.includes(name)) continue;
    const found = `the columns ${names.join(', ')}`.slice(0, 200);
    throw mistake(file, 1, 1, found, `a placement, which has the columns ${NEEDED.join(', ')}`);
  }
  const column = Object.fromEntries(names.map((name, i) => [name, i]));
  const vcpus: { hostCpus: number[]; ns: number[]; name: string }[] = [];
  for (let i = 1; i < lines.length; i++) {
    const fields = csvFields(lines[i]!);
    if (fields.length !== header.length) {
      const found = `${fields.length} fields`;
      throw mistake(file, i + 1, fields.at(-1)!.column, found, `${header.length}, as in line 1`);
    }
    const whole = (name: (typeof NEEDED)[number], most: number): number => {
      const { value, column: at } = fields[column[name]!]!;
      const n = Number(value);
      if (/^\d+$/.test(value) && n <= most) return n;
      const found = JSON.stringify(value.slice(0, 40));
      throw mistake(file, i + 1, at, found, `${name}, a whole number from 0 to ${most}`);
    };
    const vcpu = whole('vcpu', MOST_VCPUS);
    while (vcpus.length <= vcpu) vcpus.push({ hostCpus: [], ns: [], name: '' });
    const placed = vcpus[vcpu]!;
    placed.hostCpus.push(whole('host_cpu', MOST_HOST_CPUS - 1));
    placed.ns.push(whole('ns', Number.MAX_SAFE_INTEGER));
    placed.name ||= fields[column['comm'] ?? -1]?.value ?? '';
  }
  const none = vcpus.findIndex(({ ns }) => ns.length === 0);
  if (vcpus.length === 0 || none >= 0) {
    const whose = vcpus.length === 0 ? 'any vCPU' : `vCPU ${none}`;
    throw mistake(file, lines.length, 1, `no stretch of ${whose}`, 'at least one of each vCPU');
  }
  return { file, vcpus };
}

interface CsvField {
  readonly value: string;
  /** From 1. */
  readonly column: number;
}

/** The cells of a row of one line; a quoted cell may have commas, and doubled quotes. */
const csvFields = (line: string): CsvField[] =>
  Array.from(line.matchAll(/(?<=^|,)(?:"((?:[^"]|"")*)"(?=,|$)|[^,]*)/g), (match) => ({
    value: match[1]?.replaceAll('""', '"') ?? match[0],
    column: match.index + 1,
  }));

function mistake(file: string, line: number, column: number, found: string, expected: string) {
  return new UserError(`${file}:${line}:${column}: found ${found}, expected ${expected}`);
}
