/*
 * A trace replayed on one host CPU: the loop of src/guest/user.ts over the MMU, and what
 * run_guest does about faults. (src/host/run-guest.ts)
 *
 * Threads go on where the trace says; no timer interrupts, and the kernel's own accesses
 * are not made through the MMU nor counted. A system call costs what it changes.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel.h"
#include "works.h"
#include "world.h"

enum { POLL_OPERATIONS = 1024, QUANTUM = 20000, EDI = 5, EIP = 13 };

static struct rig rig;
static struct stream *streams;
static u32 stream_count;

static struct thread {
  u32 position, state;
} threads[MOST_STREAMS];
static u32 current;

/* The right that each kind of access needs, and the error code of its fault. */
static const enum right rights[] = {USER_FETCH, USER_READ, USER_WRITE, USER_WRITE, USER_WRITE};

static u32 after_load(u32 state, u32 value) { return (state ^ value) * 0x9e3779b1u; }
static u32 stored_value(u32 state, u32 position) {
  return (state + position) * 0x85ebca6bu ^ position;
}

/* Out of the guest with a page fault; in again when it is repaired. */
static void page_fault(u32 va, place fault) {
  struct vcpu *cpu = &rig.vcpus[0];
  u32 code = (u32)(-1 - fault);
  rig.mmus[0].cpu->cr2 = va;
  leave_guest(cpu, &rig.mmus[0]);
  bool fixed = demand_page(cpu, va, code);
  count(cpu->lg, fixed ? FAULTS_FIXED : FAULTS_PASSED_ON);
  enter_guest(cpu, &rig.mmus[0]);
  if (!fixed) guest_page_fault(&rig, va, code & FAULT_WRITE);
}

/* Operations of a block until `stop`, or until one faults or calls; returns where it is. */
static u32 slice(const u32 *ops, u32 first, u32 start, u32 stop, u32 *call) {
  struct mmu *mmu = &rig.mmus[0];
  struct host_cpu *hand = mmu->cpu;
  u32 state = hand->registers[EDI], eip = hand->registers[EIP];
  u32 fetches = 0, loads = 0, stores = 0, modifies = 0, crossings = 0;
  u32 position = start, fault_at = 0;
  place fault = 0;
  for (; position < stop; position++) {
    u32 head = ops[(position - first) * 2], va = ops[(position - first) * 2 + 1];
    u32 kind = head & 0xff;
    if (kind == OP_SYSCALL) {
      *call = va;
      break;
    }
    place at = translate(mmu, va, rights[kind]);
    if (at < 0) {
      fault = at;
      fault_at = va;
      break;
    }
    if ((va & (PAGE_SIZE - 1)) + (head >> 8) > PAGE_SIZE) {
      u32 next = (va & ~(u32)(PAGE_SIZE - 1)) + PAGE_SIZE;
      place other = translate(mmu, next, rights[kind]);
      if (other < 0) {
        fault = other;
        fault_at = next;
        break;
      }
      crossings++;
      if (kind == OP_STORE) memory[other] = stored_value(state, ~position);
    }
    if (kind == OP_FETCH) {
      fetches++;
      eip = va;
    } else if (kind == OP_LOAD) {
      loads++;
      state = after_load(state, memory[at]);
    } else if (kind == OP_STORE) {
      stores++;
      memory[at] = stored_value(state, position);
    } else {
      modifies++;
      if (kind == OP_LOCKED) {
        add(memory + at, 1);
      } else {
        state = after_load(state, memory[at]);
        memory[at] = stored_value(state, position);
      }
    }
  }
  hand->registers[EDI] = state;
  hand->registers[EIP] = eip;
  double *counters = rig.guests[0].counters;
  counters[FETCHES] += fetches;
  counters[LOADS] += loads;
  counters[STORES] += stores;
  counters[MODIFIES] += modifies;
  counters[CROSSINGS] += crossings;
  if (fault < 0) page_fault(fault_at, fault);
  return position;
}

/* The thread that runs is another one from now on. */
static void switch_to(u32 thread) {
  u32 *edi = &rig.mmus[0].cpu->registers[EDI];
  threads[current].state = *edi;
  current = thread;
  *edi = threads[current].state;
}

/* False when the process has ended. */
static bool system_call(const u32 *call) {
  u32 a = call[1], b = call[2], c = call[3];
  switch (call[0]) {
    case SYS_EXIT:
      if (b >= stream_count) return false;
      switch_to(b);
      return true;
    case SYS_EXIT_GROUP:
      return false;
    case SYS_SWITCH_TO:
      if (a < stream_count) switch_to(a);
      return true;
    case SYS_MUNMAP:
    case SYS_MMAP2:
      unmap_range(&rig, a, b);
      return true;
    case SYS_MPROTECT:
      protect_range(&rig, a, b, c);
      return true;
    default:
      return true;
  }
}

/* The current thread's next operations, within a block; false when the process has ended. */
static bool run_on(u32 *quantum) {
  struct thread *thread = &threads[current];
  struct stream *stream = &streams[current];
  if (thread->position >= stream->length) return false;
  u32 index = thread->position / BLOCK_OPS;
  need_block(stream, index);
  u32 start = thread->position;
  u32 stop = (index + 1) * BLOCK_OPS;
  if (stop > stream->length) stop = stream->length;
  if (stop > start + POLL_OPERATIONS) stop = start + POLL_OPERATIONS;
  if (stop > start + *quantum) stop = start + *quantum;
  u32 call = UINT32_MAX;
  thread->position = slice(stream->ops, index * BLOCK_OPS, start, stop, &call);
  if (call != UINT32_MAX) thread->position++;
  *quantum -= thread->position - start;
  return call == UINT32_MAX || system_call(stream->calls + call * 4);
}

static u64 replay(void) {
  for (u32 quantum = QUANTUM;;) {
    if (load(&rig.mmus[0].cpu->mailbox) != 0 || quantum == 0) {
      world_round(&rig);
      quantum = QUANTUM;
    }
    if (!run_on(&quantum)) break;
  }
  switch_to(current);
  leave_guest(&rig.vcpus[0], &rig.mmus[0]);
  const double *counters = rig.guests[0].counters;
  sink = 0;
  for (u32 i = 0; i < stream_count; i++) sink += (threads[i].state ^ (i << 8 ^ 1)) * 0x9e3779b1u;
  return (u64)(counters[FETCHES] + counters[LOADS] + counters[STORES] + counters[MODIFIES] +
               counters[CROSSINGS]);
}

static void begin(void) {
  stream_count = open_trace(text_option("trace"), &streams);
  if (stream_count > MOST_STREAMS) oops("the trace has too many threads");
}

/* A new machine. */
static void prepare(void) {
  if (memory != NULL) munmap(memory, (u64)total_frames * PAGE_SIZE);
  boot(&rig);
  boot_kernel(&rig);
  current = 0;
  for (u32 i = 0; i < stream_count; i++) {
    threads[i] = (struct thread){.state = i << 8 ^ 1};
    rewind_stream(&streams[i]);
  }
  rig.mmus[0].cpu->registers[EDI] = threads[0].state;
}

const struct work trace_works[] = {
    {.name = "trace", .begin = begin, .prepare = prepare, .once = replay},
    {.name = NULL},
};
