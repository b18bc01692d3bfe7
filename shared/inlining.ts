/**
 * How much V8 may put into one function. The paging code is many small functions, one for each
 * thing that the kernel names; by V8's own budget the calls between them cost more than what
 * they do. With this one a TLB miss and a demand fault take two thirds of the time, a switch to a
 * cached pgdir a third (docs/benchmarks.md); with twice as much a run of some seconds spends a
 * quarter more of its time compiling. For all threads of the process; imported for its effect
 * where machines run freely. Schedules under control are too short to pay for what takes so long
 * to compile.
 */

import { setFlagsFromString } from 'node:v8';

// In bytes of bytecode; V8's own are 920, 4,600, 460 and 27. Nothing is put in past the second,
// whatever the first says: a fault's last steps would be calls.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=12000');
setFlagsFromString('--max-inlined-bytecode-size-absolute=20000');
setFlagsFromString('--max-inlined-bytecode-size=2000');
setFlagsFromString('--max-inlined-bytecode-size-small=120');
