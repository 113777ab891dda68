#include "Mac.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

int32_t npu_path_is_available(npu_path path) {
  switch (path) {
  case npu_path_portable:
    return 1;
#if defined(__x86_64__)
  case npu_path_avx2:
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case npu_path_avx512:
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
           && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__) && defined(__APPLE__)
  case npu_path_neon:
    return 1;
#elif defined(__aarch64__) && defined(__linux__)
  case npu_path_neon:
    // HWCAP_ASIMDDP: the dot-product instructions.
    return (getauxval(AT_HWCAP) >> 20) & 1;
#endif
  default:
    return 0;
  }
}

size_t npu_mac_work_bytes(npu_path path, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k) {
  (void)n;
  if (path == npu_path_portable || m <= 0 || k <= 0) return 0;
  size_t blocks = ((size_t)k + 31) / 32;
  if (path == npu_path_avx512) {
    // A panel of B with offsets and factors, and A with its factors.
    const size_t rows = m < npu_mac_strip_rows ? (size_t)m : npu_mac_strip_rows;
    blocks = blocks < npu_mac_chunk_blocks ? blocks : npu_mac_chunk_blocks;
    return blocks * (32 * 64 + 8 * 64 + rows * (32 + 4));
  }
  // A panel of B with its factors, and A in whole tiles, of one or two bytes, with its factors.
  return blocks * (2 * 32 * 16 + 4 * 16 + ((size_t)m + 2) * (64 + 4));
}

int32_t npu_mac_run(npu_path path, const struct npu_mac *product) {
  if (product->m <= 0 || product->n <= 0 || product->k <= 0) return 0;
  switch (path) {
#if defined(__x86_64__)
  case npu_path_avx2:
    return npu_mac_avx2(product);
  case npu_path_avx512:
    return npu_mac_avx512(product);
#elif defined(__aarch64__)
  case npu_path_neon:
    return npu_mac_neon(product);
#endif
  default:
    return npu_mac_portable(product);
  }
}
