/** Runs every command of README and docs and compares its output with the page. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SLOW } from '../slow.ts';
import { Session } from './session.ts';
import { asShown, commandsOf, renewed, type Shown } from './shown.ts';

/** Run elsewhere, or they run these tests. */
const ELSEWHERE = [
  ...['npm ci', 'npm ci && npm test', 'npm install umbra'],
  ...['npx vitest run test/paging', 'npx vitest run --project unit'],
  // test/bench/each-once.test.ts, test/bench/main.test.ts.
  ...['npm run bench', 'npm run bench -- --filter fault --against ../before'],
  'UMBRA_SLOW=1 npx vitest run test/explore/worlds/published',
  'npm run types && npm run lint',
];

/** Of docs/defects.md; R2 is on other pages, too, which show what it was shrunk to. */
const DEFECT_ALONE =
  /^(.* explore litmus\/\S+ --defects (?!R2 )\S+ --discipline \S+ --paging nonpae.*)/;

/** Commands that take minutes run on less: the beginning of each, and its replacement. */
const SHORTER: readonly (readonly [RegExp, string])[] = [
  [/^npm ci && npm start/, 'npm start'],
  [/-- lab$/, '-- lab --build other'],
  [/--seconds \d+/, '--seconds 1'],
  [/(generate --ops 2) --(paging|defects)/, '$1 --alphabet core --$2'],
  [/(mutants mine.yaml)/, '$1 --only R13'],
  [/(campaign 7-setup --runs) 200/, '$1 20'],
  [/(campaign litmus\/1-fault --runs) 20/, '$1 5 --paging nonpae'],
  [/campaign 1-fault --runs 80/, 'campaign R2-dirty-erased --runs 20'],
  [/campaign 5-flush --runs 80/, 'campaign R6-no-shootdown --runs 20'],
  // Its first machines are large, and run to their end.
  [/(stress --runs 2)/, '$1 --seed 4'],
  [/--ops 1e9/, '--ops 1e5 --seed 4'],
  [/(study migration)(?! --out).*/, '$1 --seeds 1 --experiment shared'],
  [/(study migration) --out/, '$1 --seeds 1 --experiment shared --out'],
  [/(study disciplines).*/, '$1 --seeds 1 --experiment separate'],
  [/(study shootdown) --seeds \d+/, '$1 --seeds 1 --experiment participants'],
  [/(study claims) --seeds \d+/, '$1 --seeds 2 --experiment notifier'],
  [/(study strategies).*/, '$1 --seeds 1 --experiment modification'],
  [/(sweep mine.yaml (?!.*--expect).*)/, '$1 --repeat 1'],
  [/(ab pigz.yaml .*) --repeat \d+/, "$1 --repeat 1 --vary 'guests[0].count=1'"],
  [/--filter fault/, '--filter "TLB hit, load"'],
  [/(--filter "TLB hit, load")/, '$1 --isolates 2'],
  [/conformance test\/vectors$/, 'conformance test/vectors/pae/random-0000.jsonl'],
  // test/explore/shrink.test.ts and test/docs/stories.test.ts shrink some of them.
  ...(SLOW ? [] : ([[DEFECT_ALONE, '$1 --no-shrink']] as const)),
  [/(--log-file=\S+) your-program/, '$1 /bin/true'],
  // Bash cannot run another shell's text; a command without output has done something.
  [/^source <\((umbra completion zsh)\)/, '$1'],
  [/^(source <\(umbra completion bash\))/, '$1; complete -p umbra'],
  [/(>|--html) (\S+)$/, '$&; code=$?; cat $2; exit $code'],
  [/^valgrind .*/, '$& && ls trace.*'],
  [/ run cow-storm /, ' run false-sharing '],
  [/^for n in 1 2 3 4 5 6; (.* --json (\w+)-.*)/, 'for n in 1 2; $1; ls $2-2.json'],
];

const shortened = (command: string): string =>
  SHORTER.reduce((text, [long, short]) => text.replace(long, short), command);

/** A story in which the steps to blame are those of the tutorial. */
function breaksAsInspected(): RegExp {
  const [, from, to] = /--step (\d+) --diff (\d+)/.exec(readFileSync('docs/tutorial.md', 'utf8'))!;
  return new RegExp(`It breaks at step ${to}, [\\s\\S]*To blame: step ${from}, `);
}

interface Outcome {
  readonly code?: number | readonly number[];
  /** Its stdout, or its error. */
  readonly says: RegExp;
}

const CAME_BACK: Outcome = { says: /Guests are isolated and .* all [\d,]+ frames of .* came back/ };
const NONE_LOST: Outcome = { says: /\.pftrace: [\d,]+ events, none lost/ };
const BADLY = [1, 3, 4, 5, 6];

/** By the beginning of a command; the longest match counts. */
const COMES_TO: Readonly<Record<string, Outcome>> = {
  '--help': { says: /Usage: umbra [\s\S]*\n start Run / },
  'run --help': { says: /Usage: umbra run / },
  'source <(umbra completion bash)': { says: /^complete .* umbra$/m },
  'source <(umbra completion zsh)': { says: /^#compdef umbra$/m },
  'umbra completion fish': { says: /^complete .*-c umbra /m },
  start: CAME_BACK,
  'start --cpus 4 --trace': NONE_LOST,
  'start --cpus 2 --trace': NONE_LOST,
  'start scenarios/traces/ls.umbra --cpus 2 --policy pinned': { says: /migrations +0 / },
  'start scenarios/traces/ls.umbra --cpus 2 --policy ping-pong': { says: /migrations +[1-9]/ },
  'start scenarios/traces/pigz.umbra --vcpus 4 ': CAME_BACK,
  'start scenarios/traces/pigz.umbra --vcpus 4': { code: 1, says: /The host died|killed/ },
  valgrind: { says: /^trace\.\d+$/m },
  'import lackey': { says: /your-program\.umbra/ },
  'import memory': { says: /tiny\.umbra/ },
  'import schedule': { says: /4 vCPUs on 2 host CPUs, 63 stretches, 5 migrations: 5 by affinity/ },
  'start ls ls wc wc --policy': { says: /The placement was run whole: .*, 5 migrations\./ },
  'start ls wc --cpus 3 --vcpus 2': { says: /run\.dat(\.txt)?: [\d,]+ events, none lost/ },
  grep: { says: /kvm_entry: vcpu 0, rip 0x/ },
  printf: { says: /^2 401000$/m },
  stress: { says: /runs? from seed \d .* [1-9]\d* checks passed, nothing wrong/ },
  'stress --defects R16 --until-failure': { code: 1, says: /umbra stress .*--seed/ },
  'run ': CAME_BACK,
  run: { says: /^swarm +Everything at once/m },
  'run as-written-two-vcpus': { says: /As expected: the host died\./ },
  'run expected.yaml': { says: /As expected: / },
  'run mistaken.yaml': { code: 2, says: /mistaken\.yaml:2:7: found "two", expected a whole/ },
  'run --schema': { says: /"\$schema": "https:\/\/json-schema\.org/ },
  'run parallel-pigz --trace': NONE_LOST,
  lab: { says: /^(site|other): [\d,]+ files?$/m },
  'litmus mine.yaml': { says: /^ allowed +40 alive$/m },
  litmus: { says: /^ forbidden +0 not alive$/m },
  explore: { code: BADLY, says: /it passes|was seen to pass/ },
  // Those that are not shrunk, and those that have their output on the page.
  'explore litmus/': { code: BADLY, says: /^\w+: [\s\S]*?^umbra replay \.umbra\//m },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --defects R2 --discipline lock-free': {
    code: 1,
    says: /it passes|was seen to pass/,
  },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --discipline': {
    says: /500 schedules, .* nothing wrong/,
  },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --defects R2 --discipline guest-lock --paging nonpae --races':
    { says: /2\. order race on an entry/ },
  'explore litmus/1-fault/R2-cleared-entry-comes-back.yaml --defects R2 --discipline guest-lock --paging nonpae --race 2':
    { code: 1, says: /harm: violation/ },
  'generate --ops 2 --paging': { says: /57 of 57 programs, .*; nothing wrong/ },
  // Run for a second here, which may be too short.
  'generate --ops 3 --alphabet core': {
    code: [0, 7],
    says: /^3 operations, core, AA, pae, lock-free: /,
  },
  'generate --ops 2 --defects R4 --until-failure': { code: 1, says: /AA, nonpae, guest-lock, R4/ },
  'generate --ops 2 --defects R5 --until-failure': { code: 1, says: /found-R5\/gen-\w+\.yaml/ },
  'explore mine.yaml': { says: /200 schedules, .* nothing wrong/ },
  replay: {
    code: BADLY,
    says: /^\S*\bR\d+-.*\n\d+ steps, .* digest [0-9a-f]{16}\n(oops|violation)/,
  },
  'replay --story --against --last': {
    code: 4,
    says: /It breaks at step \d+, CPU 0 in walkTwoLevels/,
  },
  'replay --last --story --against': { code: 1, says: breaksAsInspected() },
  'replay --last --story': { code: 1, says: /none -> page 0x20 rw user accessed/ },
  'replay --last --story --all': { code: 1, says: /\n 0 [\s\S]*!!! here it breaks/ },
  'replay --last --html': { code: 1, says: /<!doctype html>[\s\S]*here it breaks[\s\S]*<\/html>/ },
  'inspect --last --step': { says: /^after step \d+, of host CPU 1 [\s\S]* 0xffc03000 → frame/ },
  'inspect --last --step 226 --diff 267': {
    says: /\+ +0x00400000 → page 0x20, PRESENT RW USER ACCESSED/,
  },
  'inspect --last --event 5': {
    says: /5 events so far\n+host CPU 0\n[\s\S]*frame \d+ \(PageTable/,
  },
  verify: {
    code: [0, 1],
    says: /all ([\d,]+ behaviours, each once|behaviours with at most [12] preemptions?)/,
  },
  'campaign 7-setup --runs 200 --queue': {
    says: /left in embedded:.* as plan \w+: \d+ of \d+ units/,
  },
  'work --queue embedded --jobs 1': { says: /^[\d,]+ units done$/m },
  'queue watch --queue embedded': { says: /, done: umbra campaign 7-setup[\s\S]*\ndone\n/ },
  'campaign 1-fault --runs 80 --queue': {
    says: / is a standing plan of embedded:.* with weight 3: /,
  },
  'campaign 5-flush --runs 80 --queue': {
    says: / is a standing plan of embedded:.* with weight 1: /,
  },
  'work --queue embedded --forever': { says: /round 2: .* nothing wrong; canary caught/ },
  'merge embedded': { says: /[\d,]+ schedules, [\d,]+ of them different, nothing wrong/ },
  campaign: { says: /schedules, [\d,]+ of them different, nothing wrong/ },
  conformance: { says: /1 file, 436 operations: all agree/ },
  report: { says: /\.html: [1-9]\d* KiB, opens in any browser/ },
  'sweep mine.yaml': { says: /^The order was drawn from seed 1\.$/m },
  'sweep mine.yaml --vary policy=pinned,random --expect': {
    says: /^Met: cycles_per_access < 100 \(/m,
  },
  'ab pigz.yaml': {
    code: [0, 1, 7],
    says: /(round-robin|guest-lock) has (more|fewer) cycles lost than/,
  },
  study: { says: /^migration +What does a guest pay/m },
  'study claims': { says: /A notifier for pages that go costs/ },
  'study claims --seeds 10 --experiment eviction': { says: /Choosing the least recently used/ },
  'study migration': { says: /Four vCPUs on one pgdir that never move/ },
  'study disciplines': { says: /With guest-lock, faults on a pgdir each scale/ },
  'study shootdown': { says: /Waiting for 3 CPUs takes more than twice/ },
  'study strategies': { says: /Told one at a time, it costs thousands/ },
  costs: { says: /world_switch/ },
  'mutants --only R9': { says: /^ R9 +\d+ \([\d.]+ %\) /m },
  'mutants mine.yaml': { says: /^R13 +umbra replay /m },
  'costs before.json after.json': {
    says: /Cycles at the costs of core2 [\s\S]*\nNot clear: .* took fewer than .* too few: it takes 6/,
  },
  'for n in 1 2 3 4 5 6': { says: /^(random|pinned)-2\.json$/m },
  'costs random-*.json pinned-*.json': { says: /Not clear: .*-1\.json and 1 more .* too few/ },
  'compare before.json after.json': {
    code: [0, 1],
    says: /\d slower, \d faster, \d no difference/,
  },
  defects: { says: /^R2 .*[\s\S]*seen by/m },
  '--filter fault --json before.json': { says: /TLB hit, load .* ns/ },
  '--filter fault --json after.json': {
    code: [0, 1],
    says: /\d slower, \d faster, \d no difference/,
  },
  '--list': { says: /^ TLB hit, load$/m },
  '--from after.json --markdown docs/benchmarks.md': { says: /TLB hit, load .* ns/ },
};

/** Undefined for a command without an entry here. */
function outcomeOf(command: string): Outcome | undefined {
  const [, rest] = /^npm run (?:-s )?(?:umbra|bench) -- (.*)$/.exec(command) ?? [];
  const text = (rest ?? command).replace(/^(npm ci && )?npm start( --)?/, 'start');
  const known = Object.keys(COMES_TO).filter((begin) => text.startsWith(begin));
  return COMES_TO[known.toSorted((a, b) => b.length - a.length)[0] ?? ''];
}

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const hasValgrind = has('valgrind');
if (!hasValgrind) console.warn('there is no Valgrind: commands that take it are skipped');

/** Without Valgrind there is no log to import, and no program to start. */
const canRun = (command: string): boolean =>
  hasValgrind || !/valgrind|your-program|import lackey/.test(command);

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const commandsHere = (page: string): readonly Shown[] =>
  commandsOf(page).filter(({ command }) => !ELSEWHERE.includes(command));
const withCommands = pages.filter((page) => commandsHere(page).length > 0);

const AGAIN =
  'TELL=1 npx vitest run test/docs brings the figures of the pages up to what they are now';

describe.each(withCommands)('%s', (page) => {
  const session = new Session(page);
  afterAll(() => session.close());

  test.each(commandsHere(page).filter(({ command }) => canRun(command)))(
    '$command',
    async ({ command, output }) => {
      const outcome = outcomeOf(command);
      expect(outcome, `say in COMES_TO what ${command} is to print`).toBeDefined();
      const { code, stdout, stderr } = await session.run(shortened(command));
      const printed = `${stdout}${stderr}`.replaceAll(/ +$/gm, '');
      const shown = process.env['TELL'] ? renewed(output, printed) : output;
      if (shown !== output) {
        writeFileSync(
          page,
          readFileSync(page, 'utf8').replace(output, () => shown),
        );
      }
      expect([outcome!.code ?? 0].flat(), `${stderr}\n${stdout.slice(-2000)}`).toContain(code);
      expect(printed.replaceAll(/ {2,}/g, ' ')).toMatch(outcome!.says);
      expect(printed, AGAIN).toMatch(asShown(shown));
    },
  );
});

test('every entry here is for a command of the docs', () => {
  const all = withCommands.flatMap(commandsHere).map(({ command }) => outcomeOf(command));
  const outcomes = new Set(all);
  expect(Object.entries(COMES_TO).filter(([, outcome]) => !outcomes.has(outcome))).toEqual([]);
});

test.each(pages)('links of %s lead to files and headings', (page) => {
  const links = readFileSync(page, 'utf8').matchAll(/\]\((?!\w+:)([^)#\s]+)(?:#[^)]*)?\)/g);
  const lost = Array.from(links, ([, link]) => link!).filter(
    (link) => !existsSync(join(dirname(page), link)),
  );
  expect(lost).toEqual([]);
});
