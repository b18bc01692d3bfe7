/** A failure made smaller, as umbra explore and umbra shrink tell it. */

import type { MemoryModel } from '../explore/engine/run-mode.ts';
import { tokenOf } from '../explore/replay.ts';
import type { Result } from '../explore/result.ts';
import {
  preemptionsOf,
  type ShrinkOptions,
  type Size,
  shrink,
  sizeOf,
} from '../explore/shrink/shrink.ts';
import type { Control, Effort } from '../explore/shrink/yardstick.ts';
import type { Subject } from '../explore/subject.ts';
import { counted, grouped } from '../numbers.ts';
import { keep, keepLast } from './kept-schedules.ts';
import { showProgress } from './terminal.ts';

interface Found extends Size {
  readonly preemptions: number;
}

/** For JSON, and for people. */
export interface ShrunkReport extends Found {
  /** Whether leaving out each vCPU, operation and switch that is left was tried. */
  readonly proven: boolean;
  readonly interrupted: boolean;
  readonly tries: number;
  readonly last_round: number;
  /** The operations that are left, of each vCPU. */
  readonly columns: readonly (readonly string[])[];
  /** As it was found. */
  readonly whole: Found;
  readonly ending: Result['ending'];
  readonly message: string;
  readonly token: string;
  /** How the rest was run without the defects, or the whole test if that fails; null if not. */
  readonly control: ControlReport | null;
  /** The nearest schedule that ends well; null if none was seen. */
  readonly passing: { readonly difference: string; readonly token: string } | null;
}

interface ControlReport {
  readonly discipline: string;
  /** The failure was found with store buffers, and these runs have none. */
  readonly without_buffers: boolean;
  readonly defects: readonly string[];
  readonly strategies: readonly string[];
  /** That were run, of those that were to be. */
  readonly schedules: number;
  readonly wanted: number;
  /** They were all behaviours that there are. */
  readonly verified: boolean;
  /** The first that did not end well. */
  readonly failure: { readonly says: string; readonly token: string } | null;
}

/** `search`: the search that found it. Shows a progress line on stderr, at a terminal. */
export async function shrinkShown(
  subject: Subject,
  result: Result,
  isInterrupted: () => boolean,
  search: Effort = [],
): Promise<ShrunkReport> {
  const whole = { ...sizeOf({ subject, result }), preemptions: preemptionsOf(subject, result) };
  let now: Progress = { ...whole, tries: 0 };
  const end = showProgress(() => progressText(now));
  try {
    const shrunk = await shrink(subject, result, {
      isInterrupted,
      search,
      onProgress: (progress) => {
        now = progress;
      },
    });
    const { passing, difference } = shrunk;
    return {
      ...sizeOf(shrunk),
      preemptions: preemptionsOf(shrunk.subject, shrunk.result),
      proven: shrunk.proven,
      interrupted: shrunk.interrupted,
      tries: shrunk.tries,
      last_round: shrunk.lastRound,
      columns: shrunk.subject.litmus.vcpus.map(({ texts }) => texts),
      whole,
      ending: shrunk.result.ending,
      message: shrunk.result.message,
      token: tokenOf(shrunk.subject, shrunk.result),
      control:
        shrunk.control === undefined ? null : controlOf(shrunk.control, subject.setting.memory),
      passing:
        passing === undefined
          ? null
          : { difference: difference!, token: tokenOf(shrunk.subject, passing) },
    };
  } finally {
    end();
  }
}

type Progress = Parameters<NonNullable<ShrinkOptions['onProgress']>>[0];

function progressText({ tries, control, ...size }: Progress): string {
  const runs = counted(tries, 'run');
  if (control === undefined || control.failure !== undefined) {
    return `shrinking: ${sizeInWords(size)}, after ${runs}`;
  }
  const tried = `${grouped(control.schedules)} of ${counted(control.wanted, 'schedule')}`;
  return `without the defects: ${tried}, ${sizeInWords(size)}`;
}

const controlOf = (
  { setting, strategies, schedules, wanted, verified, failure }: Control,
  found: MemoryModel | undefined,
): ControlReport => ({
  discipline: setting.discipline,
  without_buffers: setting.memory !== found,
  defects: setting.defects,
  strategies,
  schedules,
  wanted,
  verified,
  failure:
    failure === undefined
      ? null
      : {
          says: `${failure.result.ending}: ${failure.result.message}`,
          token: tokenOf(failure.subject, failure.result),
        },
});

/** The runs without the defects, and their result. */
function controlInWords({
  discipline,
  without_buffers,
  strategies,
  schedules,
  wanted,
  verified,
  failure,
}: ControlReport): string[] {
  const buffers = without_buffers ? ' and store buffers' : '';
  const where = `without defects${buffers} (${discipline})`;
  if (failure !== null) {
    const again = keep({ token: failure.token, says: failure.says });
    return [
      'there is no reference, so what is left may fail for another reason than the whole test:',
      `${where} that fails: ${failure.says}`,
      again,
    ];
  }
  if (verified) {
    return [
      `${where} it passes: all of its ${counted(schedules, 'behaviour')} were run, each once`,
    ];
  }
  const tried =
    (schedules < wanted ? `${grouped(schedules)} of ` : '') +
    counted(Math.max(schedules, wanted), 'schedule');
  return [`${where} it passes: ${tried} of ${strategies.join(', ')} were tried`];
}

export function describeShrunk(report: ShrunkReport): string {
  const { whole, proven, tries, columns, ending, message, token, control, passing } = report;
  const says = `${ending}: ${message}`;
  const again = keepLast({ token, says, passing: passing ?? undefined });
  const runs = counted(tries, 'run');
  const how = proven
    ? `nothing more can be left out (${runs} tried)`
    : `interrupted after ${runs}: it is not proven that nothing more can be left out`;
  const lines = [
    '',
    `shrunk from ${sizeInWords(whole, whole.preemptions)}`,
    `to ${sizeInWords(report, report.preemptions)}`,
    how,
    ...columns.flatMap((texts, vcpu) => texts.map((text) => `  vCPU ${vcpu}   ${text}`)),
    ...[says, again],
    ...(control === null ? [] : controlInWords(control)),
  ];
  if (passing !== null) {
    const beside = keep({ token: passing.token, says: 'it passes' });
    const both = again.includes(token)
      ? 'umbra replay FIRST --story --against SECOND'
      : `${again} --story --against`;
    lines.push('', `it passes ${passing.difference}`, beside);
    lines.push('', 'both, compared as a story:', both);
  } else if (!report.interrupted) {
    lines.push('', 'no schedule of these operations was seen to pass');
  }
  return `${lines.join('\n')}\n`;
}

function sizeInWords({ vcpus, operations, switches, steps }: Size, preemptions?: number): string {
  const free = preemptions === undefined ? '' : ` (${counted(preemptions, 'preemption')})`;
  const [columns, ops, passes, all] = [
    counted(vcpus, 'vCPU'),
    counted(operations, 'operation'),
    counted(switches, 'switch'),
    counted(steps, 'step'),
  ];
  return `${columns}, ${ops}, ${passes}${free}, ${all}`;
}
