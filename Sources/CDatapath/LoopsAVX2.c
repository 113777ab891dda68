#if defined(__x86_64__)

#define TARGET __attribute__((target("avx2,fma")))
#define SUFFIX(name) name##_avx2

#include "LoopsTemplate.h"

#endif
