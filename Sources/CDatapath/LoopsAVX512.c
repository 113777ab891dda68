#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "Loops.h"

#define TARGET                                                          \
  __attribute__((                                                       \
      target("avx512f,avx512bw,avx512dq,avx512vl"), min_vector_width(512)))
#define SUFFIX(name) name##_avx512

#define INLINE TARGET __attribute__((always_inline)) static inline

/// The exponential of LoopsTemplate.h with this path's own instructions: a fused polynomial, whose
/// roundings the same tests judge, and a scaling that handles any exponent.
#define HAS_EXPONENTIAL

INLINE __m512i exp_words(__m512i words) {
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

/// 2^(j/32) for j from 0 to 31; for 28 one unit more, as one of the results needs.
static const float powers[32] __attribute__((aligned(64))) = {
    0x1p+0f, 0x1.059b0ep+0f, 0x1.0b5586p+0f, 0x1.11301ep+0f, 0x1.172b84p+0f, 0x1.1d4874p+0f,
    0x1.2387a6p+0f, 0x1.29e9ep+0f, 0x1.306fep+0f, 0x1.371a74p+0f, 0x1.3dea64p+0f, 0x1.44e086p+0f,
    0x1.4bfdaep+0f, 0x1.5342b6p+0f, 0x1.5ab07ep+0f, 0x1.6247ecp+0f, 0x1.6a09e6p+0f, 0x1.71f75ep+0f,
    0x1.7a1148p+0f, 0x1.82589ap+0f, 0x1.8ace54p+0f, 0x1.93737cp+0f, 0x1.9c4918p+0f, 0x1.a5503cp+0f,
    0x1.ae89fap+0f, 0x1.b7f77p+0f, 0x1.c199bep+0f, 0x1.cb720ep+0f, 0x1.d5819p+0f, 0x1.dfc974p+0f,
    0x1.ea4afap+0f, 0x1.f50766p+0f,
};

/// e^x for |x| < 88 with half a BF16 unit added, so that cutting rounds: no exponential but that of
/// 0 is a tie. x · log2 e = n + j/32 + f; scalef takes n, the table 2^(j/32), a parabola 2^f. The
/// tests try all words.
INLINE __m512i exp_quick(
    __m512 x, __m512 low, __m512 high) {
  // The unit of 1.5 · 2^18 is 2^-5.
  const __m512 shift = _mm512_set1_ps(0x1.8p18f), log2e = _mm512_set1_ps(0x1.715476p0f);
  const __m512 shifted = _mm512_fmadd_ps(x, log2e, shift);
  const __m512 n = _mm512_sub_ps(shifted, shift);
  const __m512 f = _mm512_fmsub_ps(x, log2e, n);
  const __m512 power = _mm512_permutex2var_ps(low, _mm512_castps_si512(shifted), high);
  const __m512 slope =
      _mm512_fmadd_ps(f, _mm512_set1_ps(0x1.ebfbep-3f), _mm512_set1_ps(0x1.62e43p-1f));
  const __m512 y = _mm512_fmadd_ps(_mm512_mul_ps(power, f), slope, power);
  return _mm512_add_epi32(
      _mm512_castps_si512(_mm512_scalef_ps(y, n)), _mm512_set1_epi32(0x8000));
}

TARGET static void exp_bf16(const uint16_t *from, uint16_t *to, ptrdiff_t count) {
  const __m512 low = _mm512_load_ps(powers), high = _mm512_load_ps(powers + 16);
  const __m512i top = _mm512_set1_epi32((int)0xffff0000);
  for (ptrdiff_t i = 0; i < count; i += 32) {
    const ptrdiff_t rest = count - i;
    const __mmask32 mask = rest < 32 ? (1u << rest) - 1 : 0xffffffffu;
    const __m512i words = _mm512_maskz_loadu_epi16(mask, from + i);
    const __m512i magnitude = _mm512_and_si512(words, _mm512_set1_epi16(0x7fff));
    __m512i result;
    // 87 and below: no result is infinite or subnormal.
    if (_mm512_cmpgt_epi16_mask(magnitude, _mm512_set1_epi16(0x42ae)) == 0) {
      const __m512 even = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
      const __m512 odd = _mm512_castsi512_ps(_mm512_and_si512(words, top));
      const __m512i right = _mm512_srli_epi32(exp_quick(even, low, high), 16);
      // top ? left : right
      result = _mm512_ternarylogic_epi32(top, exp_quick(odd, low, high), right, 0xca);
    } else {
      const __m512i even = exp_words(_mm512_and_si512(words, _mm512_set1_epi32(0xffff)));
      const __m512i odd = exp_words(_mm512_srli_epi32(words, 16));
      result = _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
    }
    _mm512_mask_storeu_epi16(to + i, mask, result);
  }
}

/// FP8 to BF16 by words: a sum where the exponent field is neither least nor special, else a table.
#define HAS_FP8_WORDS

/// `rule` is what the words of the small and special magnitudes are; see `fp8_rules`.
struct fp8_rule {
  /// By the low five bits of the magnitude.
  uint16_t table[32];
  /// Of the format's fraction below BF16's, and of the biases in BF16's exponent field.
  int16_t bias;
  /// (magnitude + lift) mod 128 is below `limit` for the words of the table.
  int8_t lift, limit;
};

static const struct fp8_rule fp8_rules[2] = {
    {{0, 0x3b00, 0x3b80, 0x3bc0, 0x3c00, 0x3c20, 0x3c40, 0x3c60, [31] = 0x7fc0}, 120 << 7, 1, 9},
    {{0, 0x3780, 0x3800, 0x3840, [28] = 0x7f80, 0x7fc0, 0x7fc0, 0x7fc0}, 112 << 7, 4, 8},
};

INLINE void fp8_words(
    const struct fp8_rule *rule, const int shift, const uint8_t *from, uint16_t *to,
    ptrdiff_t count) {
  const __m512i table = _mm512_loadu_si512(rule->table), bias = _mm512_set1_epi16(rule->bias);
  const __m512i lift = _mm512_set1_epi16(rule->lift), limit = _mm512_set1_epi16(rule->limit);
  const __m512i low = _mm512_set1_epi16(0x7f), sign = _mm512_set1_epi16((short)0x8000);
  for (ptrdiff_t i = 0; i < count; i += 32) {
    const ptrdiff_t rest = count - i;
    const __mmask32 mask = rest < 32 ? (1u << rest) - 1 : 0xffffffffu;
    const __m512i code = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(mask, from + i));
    const __m512i magnitude = _mm512_and_si512(code, low);
    __m512i word = _mm512_add_epi16(_mm512_slli_epi16(magnitude, shift), bias);
    const __m512i place = _mm512_and_si512(_mm512_add_epi16(code, lift), low);
    const __mmask32 listed = _mm512_cmplt_epi16_mask(place, limit);
    word = _mm512_mask_permutexvar_epi16(word, listed, magnitude, table);
    // word | code << 8 & sign
    word = _mm512_ternarylogic_epi32(word, _mm512_slli_epi16(code, 8), sign, 0xf8);
    _mm512_mask_storeu_epi16(to + i, mask, word);
  }
}

TARGET static void fp8_to_bf16(npu_fp8 format, const uint8_t *from, uint16_t *to,
    ptrdiff_t count) {
  if (format == npu_e4m3fn) {
    fp8_words(&fp8_rules[0], 4, from, to, count);
  } else {
    fp8_words(&fp8_rules[1], 5, from, to, count);
  }
}

/// FP8 codes of quotients that neither overflow nor are special, without a division.
#define HAS_QUICK_QUOTIENTS

/// What the quotients of a binade are rounded by: 2^23 units of the format's last place there, plus
/// the code of the binade's first value less its units. A quotient added to it leaves its code in
/// the low byte. By the low five bits of the exponent field, those from 2^-6 to 2^8 and from 2^-14
/// to 2^15; below the least normal number the units are those above it.
struct fp8_binades {
  uint32_t bits[32];
  /// The least normal number.
  float least;
};
#define BINADE(field, first, fraction_bits) \
  [(field) & 31] = ((field) + 23 - (fraction_bits)) << 23 | ((field) - (first)) << (fraction_bits)
#define BINADES4(field, first, bits)                                                \
  BINADE(field, first, bits), BINADE(field + 1, first, bits), BINADE(field + 2, first, bits), \
      BINADE(field + 3, first, bits)
static const struct fp8_binades fp8_binades[2] = {
    {{BINADES4(121, 121, 3), BINADES4(125, 121, 3), BINADES4(129, 121, 3), BINADE(133, 121, 3),
      BINADE(134, 121, 3), BINADE(135, 121, 3)}, 0x1p-6f},
    {{BINADES4(113, 113, 2), BINADES4(117, 113, 2), BINADES4(121, 113, 2), BINADES4(125, 113, 2),
      BINADES4(129, 113, 2), BINADES4(133, 113, 2), BINADES4(137, 113, 2), BINADE(141, 113, 2),
      BINADE(142, 113, 2)}, 0x1p-14f},
};

/// The tables in registers.
struct binades {
  __m512 low, high, least;
};

INLINE struct binades binades_of(int32_t is_e4m3fn) {
  const struct fp8_binades *from = &fp8_binades[is_e4m3fn ? 0 : 1];
  return (struct binades){
      _mm512_loadu_ps(from->bits), _mm512_loadu_ps(from->bits + 16), _mm512_set1_ps(from->least)};
}

/// The codes of 16 quotients that are not negative, in words of which the upper halves do not count.
INLINE __m512i codes_of(__m512 q, const struct binades *binades) {
  const __m512i field = _mm512_srli_epi32(_mm512_castps_si512(_mm512_max_ps(q, binades->least)), 23);
  const __m512 unit = _mm512_permutex2var_ps(binades->low, field, binades->high);
  return _mm512_castps_si512(_mm512_add_ps(q, unit));
}

/// 16 codes. The quotient is the correctly rounded one: the first approximation is off by less than
/// two units, the second one is a neighbour, and a correction with the remainder of a neighbour by
/// a correctly rounded reciprocal rounds correctly (Markstein 1990).
INLINE __m128i quick_codes(
    __m512 x, __m512 divisor, __m512 reciprocal, const struct binades *binades) {
  __m512 q = _mm512_mul_ps(x, reciprocal);
  q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, divisor, x), reciprocal, q);
  q = _mm512_fmadd_ps(_mm512_fnmadd_ps(q, divisor, x), reciprocal, q);
  const __m512i code = codes_of(_mm512_abs_ps(q), binades);
  // A quotient of zero has lost its sign; the divisor is positive. code | sign & 0x80:
  const __m512i sign = _mm512_srli_epi32(_mm512_castps_si512(x), 24);
  return _mm512_cvtepi32_epi8(
      _mm512_ternarylogic_epi32(code, sign, _mm512_set1_epi32(0x80), 0xf8));
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
  const struct binades binades = binades_of(is_e4m3fn);
  for (ptrdiff_t i = 0; i < count; i += 16) {
    const __m128i codes = quick_codes(_mm512_loadu_ps(from + i), by, reciprocal, &binades);
    _mm_storeu_si128((__m128i *)(to + i), codes);
  }
  return 1;
}

#include "LoopsBlocks512.h"

#include "SpecialAVX512.h"

#include "LoopsTemplate.h"

#endif
