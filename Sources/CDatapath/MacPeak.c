#include "Mac.h"

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512bw,avx512vnni"))) static int32_t peak_avx512(int64_t rounds) {
  __m512i sums[12];
  for (int i = 0; i < 12; i++) sums[i] = _mm512_set1_epi32(i);
  __m512i left = _mm512_set1_epi8(3), right = _mm512_set1_epi8(5);
  for (int64_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) sums[i] = _mm512_dpbusd_epi32(sums[i], left, right);
    // Keeps the compiler from multiplying the rounds out.
    __asm__ volatile("" : "+v"(left), "+v"(right));
  }
  __m512i all = sums[0];
  for (int i = 1; i < 12; i++) all = _mm512_add_epi32(all, sums[i]);
  return _mm512_reduce_add_epi32(all);
}

__attribute__((target("avx2"))) static int32_t peak_avx2(int64_t rounds) {
  __m256i sums[12];
  for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_epi32(i);
  __m256i left = _mm256_set1_epi16(3), right = _mm256_set1_epi16(5);
  for (int64_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) {
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(left, right));
      __asm__ volatile("" : "+x"(left));
    }
  }
  int32_t lanes[8], all = 0;
  for (int i = 1; i < 12; i++) sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  _mm256_storeu_si256((__m256i *)lanes, sums[0]);
  for (int i = 0; i < 8; i++) all += lanes[i];
  return all;
}
#endif

int64_t npu_mac_peak(npu_path path, int64_t rounds, int32_t *sum) {
  (void)rounds;
  switch (path) {
#if defined(__x86_64__)
  case npu_path_avx512:
    *sum = peak_avx512(rounds);
    return rounds * 12 * 64;
  case npu_path_avx2:
    *sum = peak_avx2(rounds);
    return rounds * 12 * 16;
#endif
  default:
    *sum = 0;
    return 0;
  }
}
