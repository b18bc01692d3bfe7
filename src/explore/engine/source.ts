/**
 * The place in the source where an access is made, by a stack trace: the function of the paging
 * code, host, MMU or guest that makes it, not the accessor or leaf that it goes through.
 *
 * See docs/decisions/stories-from-stacks.md.
 */

import { partOfFile } from '../../paging/parts.ts';
import { type Frame, framesOf, sourceOf } from '../../platform.ts';
import type { Part } from '../../report/story.ts';

export interface Where {
  readonly part: Part;
  /** As the source calls it, e.g. `tryDemandPage`; a method without its class. */
  readonly name: string;
  /** From the root of the project; '' for what no code does (hardware). */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The outermost function of shared/ that it calls: `quiesce`, `getUserPage`; '' for none. */
  readonly through: string;
  /** On behalf of the guest's software, which is in the middle of an operation. */
  readonly byGuest: boolean;
}

export const HARDWARE: Where = {
  part: 'hardware',
  name: '',
  file: '',
  line: 0,
  through: '',
  byGuest: false,
};

/** Depth of the stack trace: from the leaf up to where a CPU's round begins. */
export const STACK_DEPTH = 40;

/** What runs in the guest. */
const SOFTWARE = 'src/explore/litmus/software.ts';

/** Small helpers, which are told as their callers. */
const HELPERS = new RegExp(
  `^(get |set |(${[
    ...[
      'releasePte',
      '[sg]p[gmt][de]Addr',
      'readSaved',
      'writeSaved',
      'reach',
      'mayStay',
      'update',
    ],
    // Steps of the paging code that are one access.
    ...['linkTable', 'changesOf', 'isStillOf', 'beginReplacing', 'replace'],
    ...['mayBeTaken', 'isInUse', 'claim'],
  ].join('|')})$)`,
);

const known = new Map<string, Where>();

/** `stack`: of an error made inside the access. */
export function whereOf(stack: string): Where {
  const found = known.get(stack) ?? locate(stack);
  known.set(stack, found);
  return found;
}

/** Where the access is made that this is called in. */
export function whereNow(): Where {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_DEPTH;
  const stack = new Error().stack!;
  Error.stackTraceLimit = stackTraceLimit;
  return whereOf(stack);
}

/** `src/paging/fault.ts:121 tryDemandPage`, and what of shared/ it calls. */
export const placeText = ({ file, line, name, through }: Where): string =>
  `${file}:${line} ${name}${through === '' || through === name ? '' : ` (${through})`}`;

function locate(stack: string): Where {
  const frames = framesOf(stack);
  const first = frames.findIndex(isTold);
  if (first < 0) return HARDWARE;
  const { file, line } = frames[first]!;
  // A function without a name is inside the next one of its file that has one.
  const name = frames.slice(first).find((frame) => frame.file === file && frame.name !== '')?.name;
  const through = frames.slice(0, first).findLast((frame) => frame.file.startsWith('shared/'));
  return {
    part: partOf(frames.slice(first)),
    name: name ?? '',
    file,
    line,
    through: through?.name.replace(/^get /, '') ?? '',
    byGuest: frames.some((frame) => frame.file === SOFTWARE),
  };
}

/** Whether a step may be attributed to a file. */
export const mayBeTold = (file: string): boolean =>
  /^src\/(paging|host|mmu)\//.test(file) || file === SOFTWARE;

const isTold = ({ file, name }: Frame): boolean => mayBeTold(file) && !HELPERS.test(name);

/** Finding entries counts as the part that calls it. */
function partOf(frames: readonly Frame[]): Part {
  for (const { file } of frames) {
    const [, place, name] = /^src\/(\w+)\/(.*)\.ts$/.exec(file) ?? [];
    const part = place === 'paging' ? partOfFile(name!) : undefined;
    if (part !== undefined) return part;
    if (place === 'explore') return 'guest';
    if (place === 'mmu' || place === 'host') return place;
  }
  return 'hardware';
}

const sources = new Map<string, readonly string[]>();

/** A line of the source, without its indentation; '' where the source is not at hand. */
export function sourceLine({ file, line }: Where): string {
  if (file === '') return '';
  const lines = sources.get(file) ?? (sourceOf(file) ?? '').split('\n');
  sources.set(file, lines);
  return lines[line - 1]?.trim() ?? '';
}
