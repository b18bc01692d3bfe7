/**
 * Events of the kernel's own that a run is told in, each declared once: what it has, in which C
 * types, and how the kernel prints it. Text, layout in memory and the kernel's description of that
 * derive from it. After include/trace/events/sched.h, arch/x86/kvm/trace.h and mmu/mmutrace.h.
 */

/** Bytes, and as the kernel describes them. */
const TYPES = {
  comm: { c: 'char', size: 16, signed: 0 },
  u8: { c: 'unsigned char', size: 1, signed: 0 },
  u32: { c: 'unsigned int', size: 4, signed: 0 },
  s32: { c: 'int', size: 4, signed: 1 },
  u64: { c: 'unsigned long', size: 8, signed: 0 },
  s64: { c: 'long', size: 8, signed: 1 },
} as const;

type Names = Readonly<Record<number, string>>;

interface Declared {
  readonly system: 'sched' | 'kvm' | 'kvmmmu';
  /** In the order of memory. */
  readonly fields: Readonly<Record<string, keyof typeof TYPES>>;
  /** As printf has it, with a field's name in front of what it is printed by. */
  readonly print: string;
  /** What values of a field are called, and what its bits are, with | between them. */
  readonly names?: Readonly<Record<string, Names>>;
  readonly bits?: Readonly<Record<string, Names>>;
}

/** prev_state of a task that is switched away from, by the kernel's bits. */
export const STATE = { R: 0, S: 1, X: 0x10 } as const;

/** Why a guest was left, by VMX's numbers. */
export const EXIT = {
  EXCEPTION_NMI: 0,
  EXTERNAL_INTERRUPT: 1,
  VMCALL: 18,
  EPT_VIOLATION: 48,
} as const;

/** KVM_ISA_VMX. */
export const VMX = 1;

export const PAGE_FAULT = 14;

/** In a place of its own for what a nested table's entry does not have. */
export const NO_USER_BIT = 2;

const byValue = (values: Readonly<Record<string, number>>): Names =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [value, name]));

export const KERNEL_EVENTS = {
  sched_switch: {
    system: 'sched',
    fields: {
      prev_comm: 'comm',
      prev_pid: 's32',
      prev_prio: 's32',
      prev_state: 's64',
      next_comm: 'comm',
      next_pid: 's32',
      next_prio: 's32',
    },
    print:
      'prev_comm={prev_comm%s} prev_pid={prev_pid%d} prev_prio={prev_prio%d} ' +
      'prev_state={prev_state%s} ==> ' +
      'next_comm={next_comm%s} next_pid={next_pid%d} next_prio={next_prio%d}',
    names: { prev_state: byValue(STATE) },
  },
  sched_migrate_task: {
    system: 'sched',
    fields: { comm: 'comm', pid: 's32', prio: 's32', orig_cpu: 's32', dest_cpu: 's32' },
    print: 'comm={comm%s} pid={pid%d} prio={prio%d} orig_cpu={orig_cpu%d} dest_cpu={dest_cpu%d}',
  },
  kvm_entry: {
    system: 'kvm',
    fields: { vcpu_id: 'u32', rip: 'u64' },
    print: 'vcpu {vcpu_id%u}, rip 0x{rip%lx}',
  },
  kvm_exit: {
    system: 'kvm',
    fields: {
      exit_reason: 'u32',
      guest_rip: 'u64',
      isa: 'u32',
      info1: 'u64',
      info2: 'u64',
      intr_info: 'u32',
      error_code: 'u32',
      vcpu_id: 'u32',
    },
    print:
      'vcpu {vcpu_id%u} reason {exit_reason%s} rip 0x{guest_rip%lx} info1 0x{info1%016llx} ' +
      'info2 0x{info2%016llx} intr_info 0x{intr_info%08x} error_code 0x{error_code%08x}',
    names: { exit_reason: byValue(EXIT) },
  },
  kvm_page_fault: {
    system: 'kvm',
    fields: { vcpu_id: 'u32', guest_rip: 'u64', fault_address: 'u64', error_code: 'u64' },
    print:
      'vcpu {vcpu_id%u} rip 0x{guest_rip%lx} address 0x{fault_address%016llx} ' +
      'error_code 0x{error_code%llx}',
  },
  kvm_inj_exception: {
    system: 'kvm',
    fields: { exception: 'u8', has_error: 'u8', error_code: 'u32' },
    print: '{exception%s} (0x{error_code%x})',
    names: { exception: { [PAGE_FAULT]: '#PF' } },
  },
  kvm_inj_virq: {
    system: 'kvm',
    fields: { vector: 'u32' },
    print: 'IRQ 0x{vector%x}',
  },
  kvm_mmu_pagetable_walk: {
    system: 'kvmmmu',
    fields: { addr: 'u64', pferr: 'u32' },
    print: 'addr {addr%llx} pferr {pferr%x} {pferr%s}',
    bits: { pferr: { 1: 'P', 2: 'W', 4: 'U', 8: 'RSVD', 16: 'F' } },
  },
  kvm_mmu_set_spte: {
    system: 'kvmmmu',
    /** The kernel takes `w` out of the entry. */
    fields: {
      gfn: 'u64',
      spte: 'u64',
      sptep: 'u64',
      level: 'u8',
      r: 'u8',
      w: 'u8',
      x: 'u8',
      u: 'u8',
    },
    print: 'gfn {gfn%llx} spte {spte%llx} ({r%s}{w%s}{x%s}{u%s}) level {level%d} at {sptep%llx}',
    names: {
      r: { 0: '-', 1: 'r' },
      w: { 0: '-', 1: 'w' },
      x: { 0: '-', 1: 'x' },
      u: { 0: '-', 1: 'u', [NO_USER_BIT]: '' },
    },
  },
} as const satisfies Readonly<Record<string, Declared>>;

export type KernelEventName = keyof typeof KERNEL_EVENTS;

/** A bigint for what has more than 53 bits. */
export type Value = string | number | bigint;

export type ValuesOf<N extends KernelEventName> = Readonly<
  Record<keyof (typeof KERNEL_EVENTS)[N]['fields'], Value>
>;

interface Field {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly offset: number;
}

/** A field by a conversion of printf: of numbers so many digits at least, to a base. */
interface Conversion {
  readonly field: string;
  readonly by: string;
  readonly digits: number;
  readonly base: 10 | 16;
}

/** One of the events, with what derives from its declaration. */
export interface KernelEventKind {
  readonly name: KernelEventName;
  readonly system: Declared['system'];
  /** The kernel gives its events numbers as it likes. */
  readonly id: number;
  /** Bytes in memory, with what all events have in common. */
  readonly size: number;
  readonly words: (values: Readonly<Record<string, Value>>) => string;
  readonly encode: (
    to: DataView,
    at: number,
    pid: number,
    values: Readonly<Record<string, Value>>,
  ) => void;
  /** The kernel's own description of it, as in events/SYSTEM/NAME/format. */
  readonly format: string;
}

/** In front of the fields of each event. Flags and count are 0: nothing is known of them. */
const COMMON =
  '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n' +
  '\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n' +
  '\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n' +
  '\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n';
const COMMON_BYTES = 8;
const FIRST_ID = 300;

function kindOf(name: KernelEventName, index: number): KernelEventKind {
  const declared: Declared = KERNEL_EVENTS[name];
  const id = FIRST_ID + index;
  let size = COMMON_BYTES;
  const fields = Object.entries(declared.fields).map(([field, type]): Field => {
    const align = type === 'comm' ? 1 : TYPES[type].size;
    const offset = Math.ceil(size / align) * align;
    size = offset + TYPES[type].size;
    return { name: field, type, offset };
  });
  const parts = declared.print.split(/\{(\w+%\w+)\}/).map((part, i): string | Conversion => {
    if (i % 2 === 0) return part;
    const [field, by] = part.split('%') as [string, string];
    const digits = /^0(\d+)/.exec(by);
    return { field, by, digits: Number(digits?.[1] ?? 0), base: by.endsWith('x') ? 16 : 10 };
  });
  return {
    name,
    id,
    size,
    system: declared.system,
    words: (values) =>
      parts
        .map((part) =>
          typeof part === 'string' ? part : printed(declared, part, values[part.field]!),
        )
        .join(''),
    encode(to, at, pid, values) {
      to.setUint16(at, id, true);
      to.setInt32(at + 4, pid, true);
      for (const field of fields) put(to, at + field.offset, field.type, values[field.name]!);
    },
    format: formatOf(name, id, fields, declared, parts),
  };
}

function printed(
  { names, bits }: Declared,
  { field, by, digits, base }: Conversion,
  value: Value,
): string {
  if (by !== 's') return value.toString(base).padStart(digits, '0');
  const named = names?.[field];
  if (named !== undefined) return named[Number(value)]!;
  const flags = bits?.[field];
  if (flags === undefined) return String(value);
  return Object.entries(flags)
    .filter(([bit]) => Number(value) & Number(bit))
    .map(([, flag]) => flag)
    .join('|');
}

function put(to: DataView, at: number, type: keyof typeof TYPES, value: Value): void {
  if (type === 'comm') {
    const text = String(value);
    for (let i = 0; i < TYPES.comm.size - 1; i++) to.setUint8(at + i, text.charCodeAt(i) || 0);
  } else if (TYPES[type].size === 8) {
    to.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  } else if (TYPES[type].size === 4) {
    to.setUint32(at, Number(value), true);
  } else to.setUint8(at, Number(value));
}

function formatOf(
  name: string,
  id: number,
  fields: readonly Field[],
  { names, bits }: Declared,
  parts: readonly (string | Conversion)[],
): string {
  const lines = fields.map((field) => {
    const { c, size, signed } = TYPES[field.type];
    const array = field.type === 'comm' ? `[${size}]` : '';
    return (
      `\tfield:${c} ` +
      `${field.name}${array};\toffset:${field.offset};\tsize:${size};\tsigned:${signed};\n`
    );
  });
  const pairs = (of: Names): string =>
    Object.entries(of)
      .map(([value, word]) => `{ ${value}, "${word}" }`)
      .join(', ');
  const argument = ({ field, by }: Conversion): string => {
    const named = by === 's' ? names?.[field] : undefined;
    const flags = by === 's' ? bits?.[field] : undefined;
    if (named !== undefined) return `__print_symbolic(REC->${field}, ${pairs(named)})`;
    if (flags !== undefined) return `__print_flags(REC->${field}, "|", ${pairs(flags)})`;
    return `REC->${field}`;
  };
  const text = parts.map((part) => (typeof part === 'string' ? part : `%${part.by}`)).join('');
  const arguments_ = parts.filter((part) => typeof part !== 'string').map(argument);
  return (
    `name: ${name}\nID: ${id}\nformat:\n${COMMON}\n${lines.join('')}\n` +
    `print fmt: "${text}", ${arguments_.join(', ')}\n`
  );
}

export const KERNEL_EVENT_KINDS = Object.fromEntries(
  (Object.keys(KERNEL_EVENTS) as KernelEventName[]).map((name, i) => [name, kindOf(name, i)]),
) as Readonly<Record<KernelEventName, KernelEventKind>>;
