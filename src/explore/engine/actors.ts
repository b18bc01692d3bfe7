/**
 * The actors, which take steps. Host CPUs come first; the others are hardware that acts by itself:
 *
 *     0 … n − 1         host CPUs
 *     n … 2n − 1        their store buffers: the oldest store drains
 *     2n … 3n − 1       their TLBs: an entry is dropped, as hardware may at any time
 *     3n … 3n + n² − 1  interrupts: the vCPU on CPU i stops running, to continue on CPU j
 *
 * See docs/decisions/actors.md.
 */

/** So that all actors of a machine fit into the bits of a word. */
export const MOST_CPUS = 4;

export const bufferOf = (cpu: number, cpus: number): number => cpus + cpu;
export const evictionOn = (cpu: number, cpus: number): number => 2 * cpus + cpu;
export const moveOf = (from: number, to: number, cpus: number): number =>
  3 * cpus + from * cpus + to;

export type Actor =
  | { readonly kind: 'cpu' | 'drain' | 'eviction'; readonly cpu: number }
  | { readonly kind: 'move'; readonly cpu: number; readonly to: number };

/** The meaning of an actor's number on a machine of so many host CPUs. */
export function actorOf(actor: number, cpus: number): Actor {
  if (actor < cpus) return { kind: 'cpu', cpu: actor };
  if (actor < 2 * cpus) return { kind: 'drain', cpu: actor - cpus };
  if (actor < 3 * cpus) return { kind: 'eviction', cpu: actor - 2 * cpus };
  const pair = actor - 3 * cpus;
  return { kind: 'move', cpu: Math.floor(pair / cpus), to: pair % cpus };
}
