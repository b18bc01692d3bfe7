// The program of tiny-parent.lackey.gz and tiny-child.lackey.gz, all the calls that the importer
// follows in some 300 lines of trace:
//   gcc -O1 -static -nostdlib -fno-stack-protector -o tiny tiny.c
//   valgrind --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-sched=yes --log-file=tiny.%p ./tiny
typedef unsigned long W;
static W call(W nr, W a, W b, W c, W d, W e, W f) {
  W r; register W r10 asm("r10") = d; register W r8 asm("r8") = e; register W r9 asm("r9") = f;
  asm volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
}
static volatile int flag;
static volatile int counter;
static void thread(void) {
  for (int i = 0; i < 20; i++) __sync_fetch_and_add(&counter, 1);
  flag = 1;
  call(202, (W)&flag, 1, 1, 0, 0, 0);
  call(60, 0, 0, 0, 0, 0, 0);
}
void start(void) {
  char *heap = (char *)call(12, 0, 0, 0, 0, 0, 0);
  call(12, (W)heap + 0x3000, 0, 0, 0, 0, 0);
  heap[0x2ff8] = 1;
  call(12, (W)heap + 0x1000, 0, 0, 0, 0, 0);
  char *p = (char *)call(9, 0, 0x4000, 3, 0x22, -1, 0);
  p[0] = 1; *(volatile W *)(p + 0xffc) = 2;
  call(10, (W)p, 0x1000, 1, 0, 0, 0);
  call(11, (W)p + 0x2000, 0x2000, 0, 0, 0, 0);
  p = (char *)call(25, (W)p + 0x1000, 0x1000, 0x5000, 1, 0, 0);
  p[0x4000] = 4;
  char *r = (char *)call(9, 0x7f0000000000, 0x140000000, 0, 0x4032, -1, 0);
  call(10, (W)r + 0x40000000, 0x2000, 3, 0, 0, 0);
  r[0x40001000] = 5;
  char *stack = (char *)call(9, 0, 0x10000, 3, 0x22, -1, 0) + 0xfff8;
  *(void (**)(void))stack = thread;
  W id; register W r10 asm("r10") = 0; register W r8 asm("r8") = 0;
  asm volatile("syscall\n\ttest %%rax,%%rax\n\tjnz 1f\n\tret\n1:" : "=a"(id) : "a"(56L), "D"(0x50f00L), "S"(stack), "d"(0L), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  while (!flag) call(202, (W)&flag, 0, 0, 0, 0, 0);
  if (call(57, 0, 0, 0, 0, 0, 0) == 0) { p[1] = 3; call(231, 7, 0, 0, 0, 0, 0); }
  call(61, -1, 0, 0, 0, 0, 0);
  call(11, (W)r, 0x140000000, 0, 0, 0, 0);
  call(3, 99, 0, 0, 0, 0, 0);
  call(231, 0, 0, 0, 0, 0, 0);
}
asm(".globl _start\n_start: and $-16,%rsp\n call start\n");
