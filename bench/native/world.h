/* Into the guest through the Switcher and out again, as written. (src/host/switcher.ts) */
#ifndef WORLD_H
#define WORLD_H

#include "mmu.h"
#include "paging.h"

void enter_guest(struct vcpu *cpu, struct mmu *mmu);
void leave_guest(struct vcpu *cpu, struct mmu *mmu);

#endif
