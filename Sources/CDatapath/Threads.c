#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include <sched.h>
#include <unistd.h>

#include "CDatapath.h"

int32_t npu_processors(void) {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : (int32_t)online;
}

void npu_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

void npu_yield(void) { sched_yield(); }
