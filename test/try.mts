import { Rig } from './rig.ts';
import { loadProgram } from '../src/guest/load.ts';
import { checkAll } from '../src/check/invariants.ts';
import { Counter } from '../shared/counters.ts';
const kinds = (process.argv[2] ?? 'shadow,nested').split(',') as any[];
const names = (process.argv[3] ?? 'touch,fork,churn,threads').split(',');
for (const name of names) for (const paging of ['nonpae', 'pae'] as const) {
  const out: any[] = [];
  for (const virtualization of kinds) {
    const source: any = name.startsWith('w:') ? {kind:'workload', name: name.slice(2), seed: 1} : name.startsWith('t:') ? {kind:'trace', path: `scenarios/traces/${name.slice(2)}.umbra`} : {kind:'builtin', name};
    const rig = new Rig({ program: loadProgram(source), paging, hostCpus: 2, virtualization, pages: 4096, frames: 4096+2048 , ...(virtualization==='shadow'?{defects: [], discipline:'guest-lock'}:{})});
    try { rig.runInTurns(2000); } catch (e) { console.log(name, paging, virtualization, (e as Error).stack); continue; }
    const bad = checkAll(rig.host).map((v) => v.text).slice(0, 3);
    const c = (n: number) => [0,1].reduce((s, i) => s + rig.host.counters(i, 0).get(n), 0);
    out.push(rig.digest().user);
    console.log(name, paging, virtualization, rig.reason, rig.digest().user, 'entries', c(Counter.Entries), 'walks', c(Counter.Walks), 'nref', c(Counter.NestedReferences), 'fixed', c(Counter.FaultsFixed), 'passed', c(Counter.FaultsPassedOn), 'direct', c(Counter.DirectFaults), c(Counter.GuestCr3Loads), c(Counter.Invlpgs), 'mmu', c(Counter.Hypercalls+22), c(Counter.Hypercalls+14));
    for (const b of bad) console.log('   ', b);
    for (const b of rig.violations().slice(0, 3)) console.log('    after', b);
  }
  if (new Set(out).size !== 1) console.log('!!! differ');
}
