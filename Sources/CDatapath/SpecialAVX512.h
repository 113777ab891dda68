#ifndef NPUSIM_SPECIALAVX512_H
#define NPUSIM_SPECIALAVX512_H

// The special functions of LoopsAVX512.c on FP32, in Doubles, eight to a register. It defines
// TARGET and INLINE.
//
// Polynomials are minimax ones with Double coefficients (Sollya, fpminimax); their errors are
// suprema over the reduced range, and everything else that rounds stays below 2^-45. Sums of
// products are fused: the bounds hold with and without.

#include <immintrin.h>

#include "Special.h"

#define HAS_SPECIAL

typedef __m512d doubles;

INLINE doubles all_of(double value) { return _mm512_set1_pd(value); }

/// The entry of 16 that the low four bits of `index` name.
INLINE doubles entry_of(const double *table, __m512i index) {
  return _mm512_permutex2var_pd(_mm512_load_pd(table), index, _mm512_load_pd(table + 8));
}

// MARK: Exponentials

/// The words of 2^(j/16), less j at the place of an exponent's sixteenth: adding 16n + j there
/// gives 2^(n + j/16).
static const uint64_t roots_of_two[16] __attribute__((aligned(64))) = {
    0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238,
    0x3fef06fe0a31b715, 0x3feedea64c123422, 0x3feebfdad5362a27, 0x3feeab07dd485429,
    0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
    0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da,
};

/// The unit of 1.5 · 2^48 is 2^-4: a sum with it holds sixteenths in its low bits.
static const double sixteenths = 0x1.8p48;

/// 2^(n/16 + f) for the n in the low bits of `shifted` and |f| ≤ 2^-5: the series of 2^f − 1 is off
/// by less than 2^-38.5.
INLINE doubles power_of_two(doubles shifted, doubles f) {
  const __m512i n = _mm512_castpd_si512(shifted);
  const __m512i root = _mm512_permutex2var_epi64(
      _mm512_load_si512(roots_of_two), n, _mm512_load_si512(roots_of_two + 8));
  const doubles power =
      _mm512_castsi512_pd(_mm512_add_epi64(root, _mm512_slli_epi64(n, 48)));
  doubles p = _mm512_fmadd_pd(f, all_of(0x1.3b2ccd6f92812p-7), all_of(0x1.c6b3f703ed82bp-5));
  p = _mm512_fmadd_pd(f, p, all_of(0x1.ebfbdff4deb74p-3));
  p = _mm512_fmadd_pd(f, p, all_of(0x1.62e42fec3abcdp-1));
  return _mm512_fmadd_pd(_mm512_mul_pd(power, f), p, power);
}

/// 2^x for |x| ≤ 300, exact for integers: f is exact.
INLINE doubles exp2_of(doubles x) {
  const doubles shifted = _mm512_add_pd(x, all_of(sixteenths));
  const doubles n = _mm512_sub_pd(shifted, all_of(sixteenths));
  return power_of_two(shifted, _mm512_sub_pd(x, n));
}

/// 2^(x · c) for |x · c| ≤ 300: the factor and f are off by 2^-53 of themselves, which is less than
/// 2^-45 of the result.
INLINE doubles scaled_exp2_of(doubles x, double c) {
  const doubles shifted = _mm512_fmadd_pd(x, all_of(c), all_of(sixteenths));
  const doubles n = _mm512_sub_pd(shifted, all_of(sixteenths));
  return power_of_two(shifted, _mm512_fmsub_pd(x, all_of(c), n));
}

/// a/(1 + e^−x).
INLINE doubles sigmoid_of(doubles a, doubles x) {
  const doubles e = scaled_exp2_of(x, -0x1.71547652b82fep+0);
  return _mm512_div_pd(a, _mm512_add_pd(e, all_of(1)));
}

// MARK: Roots and logarithms

/// 1/√x: with e = 1 − x·r², at most 2^-13, r·(1 + e/2 + 3e²/8) leaves 5e³/16: less than 2^-40.6.
INLINE doubles rsqrt_of(doubles x) {
  const doubles r = _mm512_rsqrt14_pd(x);
  const doubles e = _mm512_fnmadd_pd(_mm512_mul_pd(x, r), r, all_of(1));
  return _mm512_fmadd_pd(
      _mm512_mul_pd(r, e), _mm512_fmadd_pd(e, all_of(0.375), all_of(0.5)), r);
}

/// The multiple r of 2^-8 that is nearest to 1/c, and −ln r, for the sixteenths c from 1 to 22/16,
/// and halved from 23/16 on.
static const double inverses[16] __attribute__((aligned(64))) = {
    0x1p+0, 0x1.e2p-1, 0x1.c8p-1, 0x1.bp-1, 0x1.9ap-1, 0x1.86p-1, 0x1.74p-1, 0x1.64p+0, 0x1.55p+0,
    0x1.48p+0, 0x1.3bp+0, 0x1.2fp+0, 0x1.25p+0, 0x1.1ap+0, 0x1.11p+0, 0x1.08p+0,
};
static const double logarithms[16] __attribute__((aligned(64))) = {
    0x0p+0, 0x1.eea31c006b87cp-5, 0x1.da727638446a2p-4, 0x1.5bf406b543db2p-3,
    0x1.c6ffbc6f00f71p-3, 0x1.16b5ccbacfb73p-2, 0x1.4718dc271c41bp-2, -0x1.51aad872df82dp-2,
    -0x1.2596010df763ap-2, -0x1.fb9186d5e3e2bp-3, -0x1.a8becfc882f19p-3, -0x1.59338d9982086p-3,
    -0x1.14785846742acp-3, -0x1.8c345d6319b21p-4, -0x1.075983598e471p-4, -0x1.f829b0e7833p-6,
};

/// ln x. x = 2^e · m with m from 45/64 to 90/64, and z = m·r − 1, exact and at most 2^-5: ln x =
/// e·ln 2 − ln r + ln(1 + z). Around 1 the first two are 0, so that the sum, whose series is off by
/// less than 2^-43.9 of it, is accurate relatively; elsewhere it is at least 2^-6.
INLINE doubles log_of(doubles x) {
  const __m512i word = _mm512_castpd_si512(x);
  const __m512i start = _mm512_set1_epi64(0x3fe6800000000000);
  const __m512i offset = _mm512_sub_epi64(word, start);
  const doubles exponent = _mm512_cvtepi64_pd(_mm512_srai_epi64(offset, 52));
  const __m512i fraction = _mm512_and_si512(offset, _mm512_set1_epi64(0xfffffffffffff));
  const doubles m = _mm512_castsi512_pd(_mm512_add_epi64(start, fraction));
  // The nearest sixteenth of the fraction.
  const __m512i index =
      _mm512_srli_epi64(_mm512_add_epi64(word, _mm512_set1_epi64(1ll << 47)), 48);
  const doubles z = _mm512_fmadd_pd(m, entry_of(inverses, index), all_of(-1));
  const doubles rest = _mm512_fmadd_pd(
      exponent, all_of(0x1.62e42fefa39efp-1), entry_of(logarithms, index));
  doubles p = _mm512_fmadd_pd(z, all_of(0x1.25008da65572cp-3), all_of(-0x1.55c734cf3fc33p-3));
  p = _mm512_fmadd_pd(z, p, all_of(0x1.9999898763bf6p-3));
  p = _mm512_fmadd_pd(z, p, all_of(-0x1.fffff189a64cp-3));
  p = _mm512_fmadd_pd(z, p, all_of(0x1.55555555aa3aep-2));
  p = _mm512_fmadd_pd(z, p, all_of(-0x1.000000001d622p-1));
  return _mm512_add_pd(rest, _mm512_fmadd_pd(_mm512_mul_pd(z, z), p, z));
}

// MARK: Sine and cosine

/// sin(k·π/16).
static const double sines[16] __attribute__((aligned(64))) = {
    0x0p+0, 0x1.8f8b83c69a60bp-3, 0x1.87de2a6aea963p-2, 0x1.1c73b39ae68c8p-1,
    0x1.6a09e667f3bcdp-1, 0x1.a9b66290ea1a3p-1, 0x1.d906bcf328d46p-1, 0x1.f6297cff75cb0p-1,
    0x1p+0, 0x1.f6297cff75cb0p-1, 0x1.d906bcf328d46p-1, 0x1.a9b66290ea1a3p-1,
    0x1.6a09e667f3bcdp-1, 0x1.1c73b39ae68c8p-1, 0x1.87de2a6aea963p-2, 0x1.8f8b83c69a60bp-3,
};

INLINE doubles sine_at(__m512i k) {
  const __m512i sine = _mm512_castpd_si512(entry_of(sines, k));
  const __m512i sign = _mm512_set1_epi64((long long)(1ull << 63));
  // sine ^ (k << 59 & sign): the second half turn is negative.
  return _mm512_castsi512_pd(
      _mm512_ternarylogic_epi64(sine, _mm512_slli_epi64(k, 59), sign, 0x78));
}

/// sin(x + `sixteenth`·π/16) for |x| ≤ 2^18, that is sin and, for 8, cos.
///
/// x = k·π/16 + r in two steps, whose products are fused; what π/16 lacks is less than k · 2^-110,
/// and no FP32 value but 0 comes nearer than 2^-30 to a multiple of π/2. The series are off by less
/// than 2^-48. Where sin(k·π/16) is 0 the result is ±sin r, accurate relatively; elsewhere it is at
/// least 2^-4.
INLINE doubles sine_of(doubles x, const int sixteenth) {
  const doubles shift = all_of(0x1.8p52);
  const doubles shifted = _mm512_fmadd_pd(x, all_of(0x1.45f306dc9c883p+2), shift);
  const doubles n = _mm512_sub_pd(shifted, shift);
  doubles r = _mm512_fnmadd_pd(n, all_of(0x1.921fb54442d18p-3), x);
  r = _mm512_fnmadd_pd(n, all_of(0x1.1a62633145c07p-57), r);
  const __m512i k = _mm512_add_epi64(_mm512_castpd_si512(shifted), _mm512_set1_epi64(sixteenth));
  const doubles sine = sine_at(k), cosine = sine_at(_mm512_add_epi64(k, _mm512_set1_epi64(8)));
  const doubles square = _mm512_mul_pd(r, r);
  // sin r, and cos r − 1.
  doubles s = _mm512_fmadd_pd(
      square, all_of(-0x1.9ffe81809a189p-13), all_of(0x1.11111072b88efp-7));
  s = _mm512_fmadd_pd(square, s, all_of(-0x1.5555555551434p-3));
  s = _mm512_fmadd_pd(_mm512_mul_pd(r, square), s, r);
  doubles c = _mm512_fmadd_pd(
      square, all_of(-0x1.6bf7f1e9a1c9bp-10), all_of(0x1.555553f4cd38ep-5));
  c = _mm512_fmadd_pd(square, c, all_of(-0x1.ffffffffee155p-2));
  c = _mm512_mul_pd(c, square);
  return _mm512_add_pd(sine, _mm512_fmadd_pd(cosine, s, _mm512_mul_pd(sine, c)));
}

// MARK: Deciding

INLINE doubles value_of(const npu_function function, doubles x) {
  switch (function) {
  case npu_exp2:
    return exp2_of(x);
  case npu_sigmoid:
    return sigmoid_of(all_of(1), x);
  case npu_silu:
    return sigmoid_of(x, x);
  case npu_rsqrt:
    return rsqrt_of(x);
  case npu_log:
    return log_of(x);
  case npu_sin:
    return sine_of(x, 0);
  case npu_cos:
    return sine_of(x, 8);
  default:
    return scaled_exp2_of(x, 0x1.71547652b82fep+0);
  }
}

/// The relative error of `value_of` is below 2^-`precision`.
INLINE int precision_of(const npu_function function) {
  return special_is_listed(function) ? 40 : 38;
}

/// Lanes whose result is a normal number that `value_of` knows.
INLINE __mmask8 plain_lanes(const npu_function function, __m256 x) {
  const struct special_span span = special_span_of(function);
  __m256i word = _mm256_castps_si256(x);
  if (span.has_both_signs) word = _mm256_and_si256(word, _mm256_set1_epi32(0x7fffffff));
  return _mm256_cmple_epu32_mask(
      _mm256_sub_epi32(word, _mm256_set1_epi32((int)span.least)),
      _mm256_set1_epi32((int)(span.most - span.least)));
}

/// The places of values so near to a boundary between two normal FP32 numbers that the error may
/// lead across it, in the order of the instruction that puts both halves together: the 29 bits
/// below an FP32 fraction differ from a half by at most 2^(53 − precision) units.
INLINE __mmask16 near_boundaries(const npu_function function, doubles low, doubles high) {
  const __m512i words = _mm512_castps_si512(
      _mm512_shuffle_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high), 0x88));
  const int half = 1 << 28, reach = 1 << (53 - precision_of(function));
  return _mm512_testn_epi32_mask(
      _mm512_sub_epi32(words, _mm512_set1_epi32(half - reach)),
      _mm512_set1_epi32((1 << 29) - 2 * reach));
}

INLINE __m512 joined(doubles low, doubles high) {
  const __m512 half = _mm512_castps256_ps512(_mm512_cvtpd_ps(low));
  return _mm512_insertf32x8(half, _mm512_cvtpd_ps(high), 1);
}

INLINE doubles low_half(__m512 x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }

INLINE doubles high_half(__m512 x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }

/// Boundaries between BF16 values are FP32 values with this low half, and rounding to FP32 never
/// crosses one: if it does not land on one, it can be rounded again.
INLINE __mmask16 on_boundaries(__m512 values) {
  const __m512i rest = _mm512_and_si512(_mm512_castps_si512(values), _mm512_set1_epi32(0xffff));
  return _mm512_cmpeq_epi32_mask(rest, _mm512_set1_epi32(0x8000));
}

/// The BF16 words of values not on a boundary, NaN as it is.
INLINE __m256i nearest_words(__m512 values) {
  const __m512i sum = _mm512_add_epi32(_mm512_castps_si512(values), _mm512_set1_epi32(0x8000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16));
}

/// Up to 16 elements of any kind, and those of them that are open: the two ends of the interval of
/// error do not round to the same value, or `value_of` does not know them.
INLINE __mmask16 special_group(const npu_function function, const int is_bf16, const float *from,
    void *to, __mmask16 mask) {
  __m512 x = _mm512_maskz_loadu_ps(mask, from);
  doubles low, high;
  __mmask16 open = 0;
  if (special_is_listed(function)) {
    low = value_of(function, low_half(x));
    high = value_of(function, high_half(x));
    open = (__mmask16)~_mm512_kunpackb(
        plain_lanes(function, _mm512_extractf32x8_ps(x, 1)),
        plain_lanes(function, _mm512_castps512_ps256(x)));
  } else {
    // The result of ±200 is that of everything beyond; NaN passes both instructions.
    const __m512 above = _mm512_max_ps(_mm512_set1_ps(-200), x);
    const __m512 near = _mm512_min_ps(_mm512_set1_ps(200), above);
    if (function == npu_silu) {
      low = sigmoid_of(low_half(above), low_half(near));
      high = sigmoid_of(high_half(above), high_half(near));
    } else {
      low = value_of(function, low_half(near));
      high = value_of(function, high_half(near));
    }
  }
  __m512 result = joined(low, high);
  if (!is_bf16) {
    const doubles less = all_of(1 - 0x1p-38), more = all_of(1 + 0x1p-38);
    const __m512 below = joined(_mm512_mul_pd(low, less), _mm512_mul_pd(high, less));
    const __m512 beyond = joined(_mm512_mul_pd(low, more), _mm512_mul_pd(high, more));
    open |= _mm512_cmpneq_epi32_mask(_mm512_castps_si512(below), _mm512_castps_si512(beyond));
  }
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  result = _mm512_mask_mov_ps(
      result, nan, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)));
  open &= (__mmask16)~nan;
  if (is_bf16) {
    open |= on_boundaries(result);
    _mm256_mask_storeu_epi16(to, mask & (__mmask16)~open, nearest_words(result));
  } else {
    _mm512_mask_storeu_ps(to, mask & (__mmask16)~open, result);
  }
  return mask & open;
}

/// Whether 16 elements were written: all of them plain and decided.
INLINE int plain_group(const npu_function function, const int is_bf16, const float *from,
    void *to) {
  const __m256 x0 = _mm256_loadu_ps(from), x1 = _mm256_loadu_ps(from + 8);
  const __mmask8 plain = plain_lanes(function, x0) & plain_lanes(function, x1);
  const doubles low = value_of(function, _mm512_cvtps_pd(x0));
  const doubles high = value_of(function, _mm512_cvtps_pd(x1));
  if (is_bf16) {
    const __m512 result = joined(low, high);
    if (plain != 0xff || on_boundaries(result) != 0) return 0;
    _mm256_storeu_si256(to, nearest_words(result));
    return 1;
  }
  if (plain != 0xff || near_boundaries(function, low, high) != 0) return 0;
  _mm256_storeu_ps((float *)to, _mm512_cvtpd_ps(low));
  _mm256_storeu_ps((float *)to + 8, _mm512_cvtpd_ps(high));
  return 1;
}

INLINE ptrdiff_t special_loop(const npu_function function, const int is_bf16, const float *from,
    void *to, ptrdiff_t count, uint16_t *open) {
  ptrdiff_t found = 0;
  for (ptrdiff_t i = 0; i < count; i += 16) {
    char *place = (char *)to + i * (is_bf16 ? 2 : 4);
    __mmask16 mask = 0xffff;
    if (count - i >= 16) {
      if (__builtin_expect(plain_group(function, is_bf16, from + i, place), 1)) continue;
    } else {
      mask = (__mmask16)((1u << (count - i)) - 1);
    }
    uint32_t left = special_group(function, is_bf16, from + i, place, mask);
    for (; left != 0; left &= left - 1) open[found++] = (uint16_t)(i + __builtin_ctz(left));
  }
  return found;
}

// MARK: BF16 words

/// The words of 2^(j/32), less j at the place of an exponent's thirty-second, as in
/// `roots_of_two`; for 28 the root is one unit more, as in `powers`.
static const uint32_t float_roots_of_two[32] __attribute__((aligned(64))) = {
    0x3f800000, 0x3f7ecd87, 0x3f7daac3, 0x3f7c980f, 0x3f7b95c2, 0x3f7aa43a, 0x3f79c3d3, 0x3f78f4f0,
    0x3f7837f0, 0x3f778d3a, 0x3f76f532, 0x3f767043, 0x3f75fed7, 0x3f75a15b, 0x3f75583f, 0x3f7523f6,
    0x3f7504f3, 0x3f74fbaf, 0x3f7508a4, 0x3f752c4d, 0x3f75672a, 0x3f75b9be, 0x3f76248c, 0x3f76a81e,
    0x3f7744fd, 0x3f77fbb8, 0x3f78ccdf, 0x3f79b907, 0x3f7ac0c8, 0x3f7be4ba, 0x3f7d257d, 0x3f7e83b3,
};

/// x/(1 + e^−x) with half a BF16 unit added, so that cutting rounds: no result is a tie. e^−x as in
/// `exp_quick`. Three results are so near to a boundary that they are right by chance; but every step
/// rounds alike on every processor, and the tests try all words.
INLINE __m512i silu_quick(__m512 x) {
  const __m512 shift = _mm512_set1_ps(0x1.8p18f), log2e = _mm512_set1_ps(-0x1.715476p0f);
  const __m512 shifted = _mm512_fmadd_ps(x, log2e, shift);
  const __m512 f = _mm512_fmsub_ps(x, log2e, _mm512_sub_ps(shifted, shift));
  const __m512i n = _mm512_castps_si512(shifted);
  const __m512i root = _mm512_permutex2var_epi32(_mm512_load_si512(float_roots_of_two), n,
      _mm512_load_si512(float_roots_of_two + 16));
  const __m512 power = _mm512_castsi512_ps(_mm512_add_epi32(root, _mm512_slli_epi32(n, 18)));
  const __m512 slope =
      _mm512_fmadd_ps(f, _mm512_set1_ps(0x1.ebfbep-3f), _mm512_set1_ps(0x1.62e43p-1f));
  const __m512 e = _mm512_fmadd_ps(_mm512_mul_ps(power, f), slope, power);
  const __m512 y = _mm512_div_ps(x, _mm512_add_ps(e, _mm512_set1_ps(1)));
  return _mm512_add_epi32(_mm512_castps_si512(y), _mm512_set1_epi32(0x8000));
}

/// Whether 32 BF16 words of silu were written: none of the arguments is below 2^-125 or above 80,
/// so that nothing on the way is subnormal.
INLINE int silu_words(const uint16_t *from, uint16_t *to) {
  const __m512i words = _mm512_loadu_si512(from), top = _mm512_set1_epi32((int)0xffff0000);
  const __m512i magnitude = _mm512_and_si512(words, _mm512_set1_epi16(0x7fff));
  const __m512i place = _mm512_sub_epi16(magnitude, _mm512_set1_epi16(0x100));
  if (_mm512_cmpgt_epu16_mask(place, _mm512_set1_epi16(0x42a0 - 0x100)) != 0) return 0;
  const __m512i even = silu_quick(_mm512_castsi512_ps(_mm512_slli_epi32(words, 16)));
  const __m512i odd = silu_quick(_mm512_castsi512_ps(_mm512_and_si512(words, top)));
  // top ? odd : even
  _mm512_storeu_si512(
      to, _mm512_ternarylogic_epi32(top, odd, _mm512_srli_epi32(even, 16), 0xca));
  return 1;
}

#define HAS_SILU_WORDS

#endif
