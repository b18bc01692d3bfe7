/** The projects of tests, by the resources they take, and the files that start first. */

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Machines on worker threads, recorded operations, litmus tests and schedules. */
const machine = [
  'test/check/{sampling,stress}.test.ts',
  'test/conformance/replay.test.ts',
  'test/{explore,guest,host,import}/**/*.test.ts',
  'test/{cores,machine}.test.ts',
  'test/paging/{fuzz,several-vcpus}.test.ts',
  'test/shared/{decoded-blocks,discard,frames,launcher-map,lock,words}.test.ts',
];

/** Commands, pages of the docs, the package, a browser, studies, the benchmark, queues. */
const outside = [
  'test/{bench,commands,docs,queue,study,trace}/**/*.test.ts',
  'test/{every-expect,library}.test.ts',
];

/**
 * By name. All others are `unit`, which start no process and no thread: unit-only.ts enforces that.
 */
export const PROJECTS = {
  outside: { include: outside, exclude: [] },
  machine: { include: machine, exclude: [] },
  unit: { include: ['test/**/*.test.ts'], exclude: [...machine, ...outside] },
};

/** Files of one to three minutes: started last, one of them would keep one core busy alone. */
const LONGEST = ['docs/commands', 'commands/examples', 'queue/worker', 'commands/queue'];

/**
 * The longest first, then project by project: a process runs several files only if they are of one
 * project. Vitest starts the largest files first, and knows durations only of files it has run.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const names = Object.keys(PROJECTS);
    const place = ({ moduleId, project }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? LONGEST.length + names.indexOf(project.name) : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
