/**
 * Files of trace-cmd and of perf, read according to trace-cmd.dat.v6(5) and
 * perf.data-file-format.txt, without the code that writes them. An event is printed by its own
 * `print fmt`.
 */

export interface ReadEvent {
  readonly cpu: number;
  readonly ns: bigint;
  readonly pid: number;
  readonly name: string;
  readonly words: string;
}

export type ReadLine = ReadEvent | { readonly cpu: number; readonly lost: number };

export interface ReadFile {
  readonly comms: ReadonlyMap<number, string>;
  readonly systems: ReadonlyMap<string, string>;
  /** For each CPU, in order. */
  readonly lines: readonly ReadLine[];
}

class Cursor {
  readonly #bytes: Buffer;
  at: number;
  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }
  take(length: number): Buffer {
    const from = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError(`the file ends before ${this.at}`);
    return this.#bytes.subarray(from, this.at);
  }
  number(length: 1 | 2 | 4): number {
    return this.take(length).readUIntLE(0, length);
  }
  long(): number {
    return Number(this.take(8).readBigUInt64LE());
  }
  string(): string {
    const end = this.#bytes.indexOf(0, this.at);
    const text = this.take(end - this.at).toString();
    this.at++;
    return text;
  }
  must(text: string): void {
    const found = this.take(text.length).toString('latin1');
    if (found !== text) throw new Error(`found ${JSON.stringify(found)}, expected ${text}`);
  }
}

interface Format {
  readonly name: string;
  readonly system: string;
  readonly fields: ReadonlyMap<string, { offset: number; size: number; signed: boolean }>;
  readonly print: string;
  readonly arguments: readonly string[];
}

function formatOf(system: string, text: string): [id: number, format: Format] {
  const name = /^name: (\w+)$/m.exec(text)![1]!;
  const id = Number(/^ID: (\d+)$/m.exec(text)![1]);
  const fields = new Map(
    [
      ...text.matchAll(
        /^\tfield:[\w ]+ (\w+)(?:\[\d+\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:([01]);$/gm,
      ),
    ].map(([, field, offset, size, signed]) => [
      field!,
      { offset: Number(offset), size: Number(size), signed: signed === '1' },
    ]),
  );
  const [, print, rest] = /^print fmt: "([^"]*)", (.*)$/m.exec(text)!;
  const arguments_ = rest!.match(/__print_\w+\(.*?\)(?=, |$)|REC->\w+/g)!;
  return [id, { name, system, fields, print: print!, arguments: arguments_ }];
}

interface Head {
  readonly formats: ReadonlyMap<number, Format>;
  readonly comms: ReadonlyMap<number, string>;
}

function head(from: Cursor, version: string): Head {
  from.must('\x17\x08Dtracing');
  from.must(`${version}\0`);
  if (from.number(1) !== 0 || from.number(1) !== 8) throw new Error('not of this kind of machine');
  if (from.number(4) !== 4096) throw new Error('pages of another size');
  from.must('header_page\0');
  const page = from.take(from.long()).toString();
  if (!page.includes('field: char data;\toffset:16;\tsize:4080;')) throw new Error(page);
  from.must('header_event\0');
  const event = from.take(from.long()).toString();
  if (!event.includes('time_extend : type == 30')) throw new Error(event);
  for (let n = from.number(4); n > 0; n--) from.take(from.long());
  const formats = new Map<number, Format>();
  for (let systems = from.number(4); systems > 0; systems--) {
    const system = from.string();
    for (let n = from.number(4); n > 0; n--) {
      const [id, format] = formatOf(system, from.take(from.long()).toString());
      formats.set(id, format);
    }
  }
  from.take(from.number(4));
  from.take(from.number(4));
  const lines = from.take(from.long()).toString().trimEnd().split('\n');
  const comms = new Map(
    lines.map((line) => {
      const [, pid, comm] = /^(\d+) (.*)$/.exec(line)!;
      return [Number(pid), comm!];
    }),
  );
  return { formats, comms };
}

function read(data: Buffer, { formats }: Head, cpu: number, ns: bigint): ReadEvent {
  const format = formats.get(data.readUInt16LE(0))!;
  const raw = (name: string): bigint | string => {
    const { offset, size, signed } = format.fields.get(name)!;
    if (size === 16) return data.toString('latin1', offset, offset + size).replace(/\0.*$/s, '');
    if (size === 8) return signed ? data.readBigInt64LE(offset) : data.readBigUInt64LE(offset);
    return BigInt(signed ? data.readIntLE(offset, size) : data.readUIntLE(offset, size));
  };
  let next = 0;
  const words = format.print.replace(/%(0?)(\d*)l*([duxs])/g, (_, _zero, width, base) => {
    const argument = format.arguments[next++]!;
    const value = raw(/REC->(\w+)/.exec(argument)![1]!);
    const pairs = [...argument.matchAll(/\{ (\d+), "([^"]*)" \}/g)];
    if (argument.startsWith('__print_symbolic'))
      return pairs.find(([, number]) => BigInt(number!) === value)![2]!;
    if (argument.startsWith('__print_flags'))
      return pairs
        .filter(([, number]) => BigInt(number!) & (value as bigint))
        .map(([, , word]) => word)
        .join('|');
    return value.toString(base === 'x' ? 16 : 10).padStart(Number(width), '0');
  });
  return { cpu, ns, pid: data.readInt32LE(4), name: format.name, words: words.trimEnd() };
}

const systemsOf = ({ formats }: Head): ReadonlyMap<string, string> =>
  new Map([...formats.values()].map(({ name, system }) => [name, system]));

export function readTraceDat(bytes: Buffer): ReadFile {
  const from = new Cursor(bytes);
  const its = head(from, '6');
  const cpus = from.number(4);
  from.must('options  \0');
  const options = new Map<number, string>();
  for (let option = from.number(2); option !== 0; option = from.number(2))
    options.set(option, from.take(from.number(4)).toString());
  if (!options.get(4)?.includes('[mono]')) throw new Error('no clock');
  from.must('flyrecord\0');
  const lines: ReadLine[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const at = from.long();
    const length = from.long();
    if (at % 4096 !== 0 || length % 4096 !== 0) throw new Error('not in pages');
    const pages = new Cursor(bytes, at);
    for (let page = 0; page < length / 4096; page++) {
      lines.push(...readPage(pages.take(4096), its, cpu));
    }
  }
  return { comms: its.comms, systems: systemsOf(its), lines };
}

function* readPage(page: Buffer, its: Head, cpu: number): Generator<ReadLine> {
  let ns = page.readBigUInt64LE(0);
  const commit = page.readUInt32LE(8);
  const end = 16 + (commit & 0x07ff_ffff);
  if (commit >= 2 ** 31) {
    if ((commit & 0x4000_0000) === 0) throw new Error('how many are lost is not said');
    yield { cpu, lost: Number(page.readBigUInt64LE(end)) };
  }
  for (let at = 16; at < end; ) {
    const word = page.readUInt32LE(at);
    at += 4;
    const kind = word & 31;
    ns += BigInt(word >>> 5);
    if (kind === 30) {
      ns += BigInt(page.readUInt32LE(at)) << 27n;
      at += 4;
      continue;
    }
    if (kind === 0 || kind > 28) throw new Error(`an event of kind ${kind}`);
    yield read(page.subarray(at, at + kind * 4), its, cpu, ns);
    at += kind * 4;
    if (at > end) throw new Error('an event behind the end of its page');
  }
}

/** Perf's records follow one another, whatever their CPU. */
export function readPerfData(bytes: Buffer): ReadFile {
  const from = new Cursor(bytes);
  from.must('PERFILE2');
  const [size, attrSize, attrs, attrsSize, data, dataSize] = Array.from({ length: 6 }, () =>
    from.long(),
  ) as [number, number, number, number, number, number];
  if (size !== 104) throw new Error(`a header of ${size} bytes`);
  from.take(16);
  if (from.long() !== 0x282) throw new Error('other sections than expected');
  const sections = new Cursor(bytes, data + dataSize);
  const its = head(new Cursor(bytes, sections.long()), '0.6');
  const configs = new Map<number, number>();
  for (let at = attrs; at < attrs + attrsSize; at += attrSize) {
    const attr = new Cursor(bytes, at);
    if (attr.number(4) !== 2) throw new Error('no tracepoint');
    attr.take(4);
    const config = attr.long();
    configs.set(new Cursor(bytes, bytes.readUInt32LE(at + attrSize - 16)).long(), config);
  }
  const comms = new Map<number, string>();
  const lines: ReadLine[] = [];
  for (let at = data; at < data + dataSize; ) {
    const record = new Cursor(bytes, at);
    const kind = record.number(4);
    record.take(2);
    const end = at + record.number(2);
    if (kind === 3) {
      record.take(4);
      const pid = record.number(4);
      comms.set(pid, record.string());
    } else if (kind === 2) {
      record.take(8);
      const lost = record.long();
      record.take(16);
      lines.push({ cpu: record.number(4), lost });
    } else if (kind === 9) {
      const id = record.long();
      record.take(12);
      const tid = record.number(4);
      const ns = record.take(8).readBigUInt64LE();
      const cpu = record.number(4);
      record.take(12);
      const raw = record.take(record.number(4));
      const event = read(raw, its, cpu, ns);
      if (configs.get(id) !== raw.readUInt16LE(0) || event.pid !== tid)
        throw new Error('not its own');
      lines.push(event);
    } else throw new Error(`a record of kind ${kind}`);
    at = end;
  }
  return { comms, systems: systemsOf(its), lines };
}
