/** Memory traces that are text: a line for each access, or for an instruction with its accesses. */

import { Op, type OpKind } from '../../guest/program.ts';
import { MAX_ACCESS, type Place } from '../lines.ts';
import { shown } from '../text-lines.ts';
import { type MemorySink, type TextReader, USUAL_SIZE } from './sink.ts';

/** Puts an access at an address of up to 16 hex digits into the sink. */
function put(sink: MemorySink, kind: OpKind, digits: string, size: number): void {
  const high = digits.length > 8 ? Number.parseInt(digits.slice(0, -8), 16) : 0;
  sink.access(kind, high, Number.parseInt(digits.slice(-8), 16), size);
}

const NO_SIZES = `The format says no sizes: each access has ${USUAL_SIZE} bytes.`;

const RECORD = /^ *\d+(?: +\d+)?: +((?:W\d+\.)?T?-?\d+) (.*)$/;
const ACCESS = /^(ifetch|read|write) +(\d+) byte\(s\) @ 0x([0-9a-f]{1,16})(.*)$/;
/** What else a record may be: it accesses nothing that a program would. */
const NO_ACCESS = /^(?:<.*>|(?:iflush|dflush|pref\S*) .*| {8,}[0-9a-f][0-9a-f ]*)$/;
const AROUND_RECORDS =
  /^(?:Output format:|<--record#->.*|-{20,}|[\w ]+ tool results:|.* : total .*|)$/;
const DRMEMTRACE_KINDS: Readonly<Record<string, OpKind>> = {
  ifetch: Op.Fetch,
  read: Op.Load,
  write: Op.Store,
};

/**
 * The view tool of DynamoRIO's drmemtrace (clients/drcachesim/tools/view.cpp), with records counted
 * alone or together with instructions:
 *
 *     173371: T1774669 write        8 byte(s) @ 0x00007f8881e37a70 by PC 0x0000000000402680
 */
export function readDrmemtrace(sink: MemorySink, place: Place): TextReader {
  return {
    line(text) {
      const record = RECORD.exec(text);
      if (record === null) {
        if (AROUND_RECORDS.test(text)) return;
        throw place.error(
          `found ${shown(text)}, expected a record of the view tool: N N: THREAD read N ` +
            'byte(s) @ 0xADDRESS …',
        );
      }
      const [, thread, what] = record as unknown as [string, string, string];
      const access = ACCESS.exec(what);
      if (access === null) {
        if (what.startsWith('<marker: virtual address for prior physical')) {
          sink.note('Addresses are physical.');
        }
        if (NO_ACCESS.test(what)) return;
        throw place.error(
          `found ${shown(what)}, expected ifetch, read or write, a number of byte(s), and ` +
            '@ 0xADDRESS',
          text.length - what.length + 1,
        );
      }
      const [, name, bytes, address, rest] = access as unknown as [
        string,
        string,
        string,
        string,
        string,
      ];
      // Of an iteration of a string instruction: it is not fetched anew.
      if (rest === ' non-fetched instruction') return;
      const size = Number(bytes);
      if (size > MAX_ACCESS) {
        throw place.error(
          `found ${size} bytes, expected at most ${MAX_ACCESS}`,
          text.indexOf(' byte(s)') - bytes.length + 1,
        );
      }
      sink.thread(thread);
      if (size > 0) put(sink, DRMEMTRACE_KINDS[name]!, address, size);
    },
    end() {},
  };
}

const PIN = /^(0x[0-9a-f]{1,16}|\(nil\)): ([RW]) +(0x[0-9a-f]{1,16}|\(nil\))$/i;

/** pinatrace of Pin: `0x40054e: R 0x7ffe3b2c1a58`, and #eof at the end of a trace that is whole. */
export function readPinatrace(sink: MemorySink, place: Place): TextReader {
  let before = '';
  let isWhole = false;
  sink.note(NO_SIZES);
  const digits = (pointer: string): string => (pointer === '(nil)' ? '0' : pointer.slice(2));
  return {
    line(text) {
      if (isWhole && text !== '')
        throw place.error(`found ${shown(text)}, expected nothing behind #eof`);
      isWhole ||= text === '#eof';
      if (text === '' || text.startsWith('#')) return;
      const match = PIN.exec(text);
      if (match === null) {
        const [instruction] = /^(?:0x[0-9a-f]{1,16}|\(nil\)): /i.exec(text) ?? [''];
        const [access] = (instruction !== '' && /^[RW] +/.exec(text.slice(instruction.length))) || [
          '',
        ];
        const at = instruction.length + access.length;
        const expected =
          instruction === ''
            ? '0xINSTRUCTION: R 0xADDRESS'
            : access === ''
              ? 'R or W'
              : '0xADDRESS';
        throw place.error(`found ${shown(text.slice(at))}, expected ${expected}`, at + 1);
      }
      const [, ip, kind, address] = match as unknown as [string, string, string, string];
      // An instruction may have several accesses, and says so in as many lines.
      if (ip !== before) put(sink, Op.Fetch, digits(ip), USUAL_SIZE);
      before = ip;
      put(sink, kind.toUpperCase() === 'R' ? Op.Load : Op.Store, digits(address), USUAL_SIZE);
    },
    end() {
      if (isWhole) return;
      place.line++;
      throw place.error(
        'found the end of the file, expected #eof before it: the trace was cut short, or ' +
          'its program was killed. Make it again, or add the line #eof.',
      );
    },
  };
}

const EXECUTED = /^(\d+), 0x([0-9a-f]{1,16}), 0x[0-9a-f]+, "[^"]*"(.*)$/i;
const EXECUTED_ACCESS =
  /^, (load|store), 0x([0-9a-f]{1,16})(?:, (?!load, |store, )([^,>]+?))?(?=,|$)/i;
/** A register that the plugin was asked to follow. */
const REGISTER = /^, [\w.]+ -> 0x[0-9a-f]+(?=,|$)/i;

/**
 * execlog of QEMU (contrib/plugins/execlog.c): an instruction of a vCPU with its accesses. In
 * system mode each has a device behind it, and then its address is physical; the instruction's is
 * virtual in any.
 */
export function readExeclog(sink: MemorySink, place: Place): TextReader {
  sink.note(NO_SIZES);
  return {
    line(text) {
      if (text === '' || text.startsWith('#')) return;
      const match = EXECUTED.exec(text);
      if (match === null) {
        throw place.error(
          `found ${shown(text)}, expected VCPU, 0xADDRESS, 0xOPCODE, "INSTRUCTION", and ` +
            'its accesses',
        );
      }
      const [, vcpu, pc, accesses] = match as unknown as [string, string, string, string];
      sink.thread(vcpu);
      put(sink, Op.Fetch, pc, USUAL_SIZE);
      let at = text.length - accesses.length;
      while (at < text.length) {
        const rest = text.slice(at);
        const access = EXECUTED_ACCESS.exec(rest);
        const step = access ?? REGISTER.exec(rest);
        if (step === null) {
          throw place.error(
            `found ${shown(rest)}, expected ", load" or ", store", an address, and in ` +
              'system mode a device',
            at + 1,
          );
        }
        at += step[0].length;
        if (access === null) continue;
        const [, kind, address, device] = access;
        if (device !== undefined) {
          sink.note(
            'Addresses of data are physical, those of instructions virtual: QEMU ran in ' +
              'system mode. The same number may stand for two places.',
          );
        }
        put(sink, kind!.toLowerCase() === 'load' ? Op.Load : Op.Store, address!, USUAL_SIZE);
      }
    },
    end() {},
  };
}

const DINERO = /^([0-4]) +(?:0x)?([0-9a-f]{1,16})(?:\s.*)?$/i;
/** By label; 3 is of an unknown kind, 4 empties the cache. */
const DINERO_KINDS: readonly (OpKind | undefined)[] = [Op.Load, Op.Store, Op.Fetch];

/** Dinero's din: `0 7fff0010` is a load, 1 a store, 2 a fetch; what is behind is a remark. */
export function readDinero(sink: MemorySink, place: Place): TextReader {
  sink.note(NO_SIZES);
  return {
    line(text) {
      if (text.trim() === '') return;
      const match = DINERO.exec(text);
      if (match === null) {
        const [label] = /^[0-4] +/.exec(text) ?? [''];
        const expected = label === '' ? 'a label from 0 to 4' : 'an address of 1 to 16 hex digits';
        throw place.error(
          `found ${shown(text.slice(label.length))}, expected ${expected}`,
          label.length + 1,
        );
      }
      const kind = DINERO_KINDS[Number(match[1])];
      if (kind === undefined)
        sink.note('Records that are no access (labels 3 and 4) were left out.');
      else put(sink, kind, match[2]!, USUAL_SIZE);
    },
    end() {},
  };
}
