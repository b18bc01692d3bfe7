import { Rig } from './rig.ts';
import { loadProgram } from '../src/guest/load.ts';
import { checkAll } from '../src/check/invariants.ts';
for (const name of ['parallel','w:fault-storm-shared','w:mmap-churn','w:kernel-churn','w:cow-storm']) for (const paging of ['nonpae','pae'] as const) for (const vcpus of [1,3]) {
    const source: any = name.startsWith('w:') ? {kind:'workload', name: name.slice(2), seed: 1} : {kind:'builtin', name};
    const rig = new Rig({ program: loadProgram(source), paging, hostCpus: 2, vcpus, virtualization: 'nested', pages: 4096, frames: 8000 });
    try { rig.runAll(700); } catch (e) { console.log(name, paging, vcpus, (e as Error).stack); continue; }
    const bad = checkAll(rig.host).map((v) => v.text).slice(0, 3);
    console.log(name, paging, vcpus, rig.reason, rig.digest().user, bad, rig.violations().slice(0,2));
}
