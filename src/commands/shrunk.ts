/** A failure made smaller, as umbra explore and umbra shrink tell it. */

import type { Result, Subject } from '../explore/search.ts';
import { type Size, shrink, sizeOf } from '../explore/shrink/shrink.ts';
import { showProgress } from './terminal.ts';

/** For JSON, and for people. */
export interface ShrunkReport extends Size {
  /** Whether each vCPU, operation and switch was tried without, and the failure went away. */
  readonly proven: boolean;
  readonly tries: number;
  readonly last_round: number;
  /** The operations that are left, of each vCPU. */
  readonly columns: readonly (readonly string[])[];
  readonly whole: { readonly vcpus: number; readonly operations: number };
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
  const whole = sizeOf({ subject, result });
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
      ...{ proven: shrunk.proven, tries: shrunk.tries, last_round: shrunk.lastRound },
      columns: shrunk.subject.litmus.vcpus.map(({ texts }) => texts),
      whole: { vcpus: whole.vcpus, operations: whole.operations },
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
  const runs = `${tries.toLocaleString('en-US')} runs`;
  const how = proven
    ? `${runs}: without any of it the failure is gone`
    : `interrupted after ${runs}: it is not proven that nothing more can be left out`;
  const lines = [
    '',
    `shrunk from ${whole.vcpus} vCPUs with ${count(whole.operations, 'operation')} to ` +
      `${sizeInWords(report)} (${how})`,
    ...columns.flatMap((texts, vcpu) => texts.map((text) => `  vCPU ${vcpu}   ${text}`)),
    `${ending}: ${message}`,
    `umbra replay ${token}`,
  ];
  if (passing !== null) {
    lines.push('', `it passes when ${passing.difference}`, `umbra replay ${passing.token}`);
  } else if (proven) {
    lines.push('', 'no schedule of these operations was seen to pass');
  }
  return `${lines.join('\n')}\n`;
}

const sizeInWords = ({ vcpus, operations, switches, steps }: Size): string =>
  [
    count(vcpus, 'vCPU'),
    count(operations, 'operation'),
    switches === 1 ? '1 switch' : `${switches} switches`,
    count(steps, 'step'),
  ].join(', ');

const count = (n: number, what: string): string =>
  `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`;
