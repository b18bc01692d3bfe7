/** A failure made smaller, as umbra explore and umbra shrink tell it. */

import { preemptionsOf, type Size, shrink, sizeOf } from '../explore/shrink/shrink.ts';
import type { Result, Subject } from '../explore/subject.ts';
import { keep, keepLast } from './kept-schedules.ts';
import { showProgress } from './terminal.ts';

interface Found extends Size {
  readonly preemptions: number;
}

/** For JSON, and for people. */
export interface ShrunkReport extends Found {
  /** Whether each vCPU, operation and switch that is left was tried without, in vain. */
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
  /** The nearest schedule that ends well; null if none was seen. */
  readonly passing: { readonly difference: string; readonly token: string } | null;
}

/** With a line on stderr that tells how far it is, at a terminal. */
export async function shrinkShown(
  subject: Subject,
  result: Result,
  isInterrupted: () => boolean,
): Promise<ShrunkReport> {
  const whole = { ...sizeOf({ subject, result }), preemptions: preemptionsOf(subject, result) };
  let now: Size & { readonly tries: number } = { ...whole, tries: 0 };
  const end = showProgress(
    () => `shrinking: ${sizeInWords(now)}, after ${now.tries.toLocaleString('en-US')} runs`,
  );
  try {
    const shrunk = await shrink(subject, result, {
      isInterrupted,
      onProgress: (progress) => {
        now = progress;
      },
    });
    const { passing, difference } = shrunk;
    return {
      ...sizeOf(shrunk),
      preemptions: preemptionsOf(shrunk.subject, shrunk.result),
      ...{
        proven: shrunk.proven,
        interrupted: shrunk.interrupted,
        tries: shrunk.tries,
        last_round: shrunk.lastRound,
      },
      columns: shrunk.subject.litmus.vcpus.map(({ texts }) => texts),
      whole,
      ...{ ending: shrunk.result.ending, message: shrunk.result.message },
      token: shrunk.subject.tokenOf(shrunk.result),
      passing:
        passing === undefined
          ? null
          : { difference: difference!, token: shrunk.subject.tokenOf(passing) },
    };
  } finally {
    end();
  }
}

export function describeShrunk(report: ShrunkReport): string {
  const { whole, proven, tries, columns, ending, message, token, passing } = report;
  const says = `${ending}: ${message}`;
  const again = keepLast({ token, says, passing: passing ?? undefined });
  const runs = `${tries.toLocaleString('en-US')} runs`;
  const how = proven
    ? `nothing more can be left out, as ${runs} have shown`
    : `interrupted after ${runs}: it is not proven that nothing more can be left out`;
  const lines = [
    '',
    `shrunk from ${sizeInWords(whole, whole.preemptions)}`,
    `to ${sizeInWords(report, report.preemptions)}`,
    how,
    ...columns.flatMap((texts, vcpu) => texts.map((text) => `  vCPU ${vcpu}   ${text}`)),
    ...[says, again],
  ];
  if (passing !== null) {
    const beside = keep({ token: passing.token, says: 'it ends as it may' });
    const both = again.includes(token)
      ? 'umbra replay FIRST --story --against SECOND'
      : `${again} --story --against`;
    lines.push('', `it passes ${passing.difference}`, beside);
    lines.push('', 'the two told as a story:', both);
  } else if (!report.interrupted) {
    lines.push('', 'no schedule of these operations was seen to pass');
  }
  return `${lines.join('\n')}\n`;
}

function sizeInWords({ vcpus, operations, switches, steps }: Size, preemptions?: number): string {
  const turns = switches === 1 ? '1 switch' : `${switches} switches`;
  const free = preemptions === undefined ? '' : ` (${count(preemptions, 'preemption')})`;
  const [columns, ops, all] = [
    count(vcpus, 'vCPU'),
    count(operations, 'operation'),
    count(steps, 'step'),
  ];
  return `${columns}, ${ops}, ${turns}${free}, ${all}`;
}

const count = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
