#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET                                                          \
  __attribute__((                                                       \
      target("avx512f,avx512bw,avx512dq,avx512vl"), min_vector_width(512)))
#define SUFFIX(name) name##_avx512

/// The exponential of LoopsTemplate.h with this path's own instructions: a fused polynomial, whose
/// roundings the same tests judge, and a scaling that handles any exponent.
#define HAS_EXPONENTIAL

TARGET __attribute__((always_inline)) static inline __m512i exp_words(__m512i words) {
  const __m512 x = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
  // Below −93 the result is 0. Doing without the tiny product spares the processor's slow way.
  const __mmask16 some = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-93.0f), _CMP_NLT_UQ);
  const __m512 near = _mm512_maskz_min_ps(some, _mm512_set1_ps(100.0f), x);
  const __m512 n = _mm512_roundscale_ps(
      _mm512_mul_ps(near, _mm512_set1_ps(1.44269504f)),
      _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693147182f), near);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-1.90465421e-9f), r);
  __m512 p = _mm512_set1_ps(0.00138888892f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.00833333377f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0416666679f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.166666672f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  __m512i bits = _mm512_castps_si512(_mm512_scalef_ps(p, n));
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  bits = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  bits = _mm512_mask_mov_epi32(bits, nan, _mm512_set1_epi32(0x7fc00000));
  return _mm512_maskz_srli_epi32(some, bits, 16);
}

TARGET static void exp_bf16(const uint16_t *from, uint16_t *to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += 16) {
    const ptrdiff_t rest = count - i;
    const __mmask16 mask = rest < 16 ? (__mmask16)((1u << rest) - 1) : 0xffff;
    const __m256i words = _mm256_maskz_loadu_epi16(mask, from + i);
    const __m512i results = exp_words(_mm512_cvtepu16_epi32(words));
    _mm256_mask_storeu_epi16(to + i, mask, _mm512_cvtepi32_epi16(results));
  }
}

/// FP8 codes of quotients that neither overflow nor are special, without a division.
#define HAS_QUICK_QUOTIENTS

/// 16 codes. The quotient is the correctly rounded one: the first approximation is off by less than
/// two units, the second one is a neighbour, and a correction with the remainder of a neighbour by
/// a correctly rounded reciprocal rounds correctly (Markstein 1990). Then the adder rounds at the
/// format's last place: that of the binade, or of the smallest normal below it.
TARGET __attribute__((always_inline)) static inline __m128i quick_codes(
    __m512 x, __m512 divisor, __m512 reciprocal, const int fraction_bits, const int bias) {
  __m512 q = _mm512_mul_ps(x, reciprocal);
  q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, divisor, x), reciprocal, q);
  q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, divisor, x), reciprocal, q);
  const __m512i word = _mm512_castps_si512(q);
  const __m512i magnitude = _mm512_and_si512(word, _mm512_set1_epi32(0x7fffffff));
  const __m512i least = _mm512_set1_epi32((128 - bias) << 23);
  __m512i binade = _mm512_and_si512(word, _mm512_set1_epi32(0x7f800000));
  binade = _mm512_max_epi32(binade, least);
  const __m512i unit = _mm512_add_epi32(binade, _mm512_set1_epi32((23 - fraction_bits) << 23));
  const __m512 sum = _mm512_add_ps(_mm512_castsi512_ps(magnitude), _mm512_castsi512_ps(unit));
  __m512i code = _mm512_sub_epi32(_mm512_castps_si512(sum), unit);
  // The implicit one is in the code, so that of the smallest normal is not counted.
  const __m512i field = _mm512_srli_epi32(_mm512_sub_epi32(binade, least), 23 - fraction_bits);
  code = _mm512_add_epi32(code, field);
  // A quotient of zero has lost its sign; the divisor is positive. code | sign & 0x80:
  const __m512i sign = _mm512_srli_epi32(_mm512_castps_si512(x), 24);
  code = _mm512_ternarylogic_epi32(code, sign, _mm512_set1_epi32(0x80), 0xf8);
  return _mm512_cvtepi32_epi8(code);
}

/// Whether the codes were written: where no value is special, no quotient overflows, and the
/// divisor is so far inside FP32's range that remainders of quotients that do not vanish are exact.
TARGET static int32_t quick_quotients(
    int32_t is_e4m3fn, float divisor, const float *from, uint8_t *to, ptrdiff_t count) {
  if (!(divisor >= 0x1p-50f && divisor <= 0x1p60f) || count % 16 != 0) return 0;
  __m512i most = _mm512_setzero_si512();
  for (ptrdiff_t i = 0; i < count; i += 16) {
    const __m512i word = _mm512_loadu_si512(from + i);
    most = _mm512_max_epi32(most, _mm512_and_si512(word, _mm512_set1_epi32(0x7fffffff)));
  }
  const float limit = divisor * (is_e4m3fn ? 448.5f : 57400.0f);
  const __m512i bound = _mm512_castps_si512(_mm512_set1_ps(limit));
  if (_mm512_cmpgt_epi32_mask(most, bound) != 0) return 0;
  const __m512 by = _mm512_set1_ps(divisor), reciprocal = _mm512_set1_ps(1.0f / divisor);
  if (is_e4m3fn) {
    for (ptrdiff_t i = 0; i < count; i += 16) {
      const __m128i codes = quick_codes(_mm512_loadu_ps(from + i), by, reciprocal, 3, 7);
      _mm_storeu_si128((__m128i *)(to + i), codes);
    }
  } else {
    for (ptrdiff_t i = 0; i < count; i += 16) {
      const __m128i codes = quick_codes(_mm512_loadu_ps(from + i), by, reciprocal, 2, 15);
      _mm_storeu_si128((__m128i *)(to + i), codes);
    }
  }
  return 1;
}

#include "LoopsTemplate.h"

#endif
