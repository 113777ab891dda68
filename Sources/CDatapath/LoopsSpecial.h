// The part of LoopsTemplate.h on special functions of FP32 values.

#include "Special.h"

// MARK: Doubles

#ifndef HAS_SPECIAL

// Polynomials are minimax ones with Double coefficients (Sollya, fpminimax); their errors are
// suprema over the reduced range, and everything else that rounds stays below 2^-44. No table: the
// compiler makes vectors of these.

INLINE uint64_t wide_bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  return bits;
}

INLINE double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, 8);
  return value;
}

/// The unit of 1.5 · 2^52 is 1: a sum with it holds an integer in its low bits.
static const double integers = 0x1.8p52;

/// 2^x for |x| ≤ 300: with x = n + f the series of 2^f − 1 is off by less than 2^-40.2. Exact for
/// integers.
INLINE double exp2_of(double x) {
  const double shifted = x + integers;
  const double f = x - (shifted - integers);
  double p = 0x1.640a198e0a728p-20;
  p = p * f + 0x1.00dbfe747cc85p-16;
  p = p * f + 0x1.430874fd41889p-13;
  p = p * f + 0x1.5d87463bb14fcp-10;
  p = p * f + 0x1.3b2ab73920223p-7;
  p = p * f + 0x1.c6b08dd64be59p-5;
  p = p * f + 0x1.ebfbdff80d0a3p-3;
  p = p * f + 0x1.62e42fef8549cp-1;
  // n at the place of the exponent.
  return double_of(wide_bits_of(p * f + 1) + (wide_bits_of(shifted) << 52));
}

/// e^x: the product is off by 2^-53 of itself, which is less than 2^-45 of the result.
INLINE double exp_of(double x) { return exp2_of(x * 0x1.71547652b82fep+0); }

INLINE double sigmoid_of(double x) { return 1 / (1 + exp_of(-x)); }

/// ln x: x = 2^e · m with m around 1, and the series of 2·artanh s in s = (m − 1)/(m + 1) is off by
/// less than 2^-44.8. For e ≠ 0 the two parts cannot cancel.
INLINE double log_of(double x) {
  const uint64_t start = 0x3fe6a09e00000000;
  const uint64_t offset = wide_bits_of(x) - start;
  const double m = double_of((offset & 0xfffffffffffff) + start);
  // The exponent with 1024 added stays positive; the rest makes a sum with `integers` of it.
  const uint64_t exponent = (offset + ((uint64_t)1024 << 52)) >> 52;
  const double e = double_of(wide_bits_of(integers) + exponent - 1024) - integers;
  const double s = (m - 1) / (m + 1), square = s * s;
  double p = 0x1.9129108ab9ac2p-3;
  p = p * square + 0x1.c629a53175e0ap-3;
  p = p * square + 0x1.249416b35c2e8p-2;
  p = p * square + 0x1.9999969c4b8e8p-2;
  p = p * square + 0x1.55555556242f1p-1;
  return e * 0x1.62e42fefa39efp-1 + (2 * s + s * (square * p));
}

/// sin(x + `quadrant`·π/2) for |x| ≤ 2^18, reduced as in `Trigonometry`; the series are off by less
/// than 2^-43.5.
INLINE double sine_of(double x, const uint64_t quadrant) {
  const double shifted = x * 0x1.45f306dc9c883p-1 + integers;
  const double n = shifted - integers;
  const double r = ((x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a6p-34) - n * 0x1.3198a2e037073p-69;
  const uint64_t k = wide_bits_of(shifted) + quadrant;
  const double square = r * r;
  double s = -0x1.a95eb6fa8e328p-26;
  s = s * square + 0x1.71d763ba261c9p-19;
  s = s * square - 0x1.a019f92438d03p-13;
  s = s * square + 0x1.1111110c7395bp-7;
  s = s * square - 0x1.55555555520b6p-3;
  const double sine = r + r * (square * s);
  double c = -0x1.23c6fbe207139p-22;
  c = c * square + 0x1.a00ea9739d9d5p-16;
  c = c * square - 0x1.6c16b323a704ep-10;
  c = c * square + 0x1.555555457f9bep-5;
  c = c * square - 0x1.ffffffffe8dcep-2;
  const double cosine = c * square + 1;
  const uint64_t is_odd = 0 - (k & 1);
  const uint64_t word = (wide_bits_of(sine) & ~is_odd) | (wide_bits_of(cosine) & is_odd);
  return double_of(word ^ (k & 2) << 62);
}

INLINE double special_value(const npu_function function, double x) {
  switch (function) {
  case npu_exp2:
    return exp2_of(x);
  case npu_sigmoid:
  case npu_silu:
    return sigmoid_of(x);
  case npu_rsqrt:
    return 1 / __builtin_elementwise_sqrt(x);
  case npu_log:
    return log_of(x);
  case npu_sin:
    return sine_of(x, 0);
  case npu_cos:
    return sine_of(x, 1);
  default:
    return exp_of(x);
  }
}

/// The result of an element, and whether it is open: not the same at both ends of the interval of
/// error, or outside of the span where that is all the function knows.
INLINE float special_element(const npu_function function, const int is_bf16, float x,
    uint32_t *open) {
  // The result of ±200 is that of everything beyond. NaN passes both comparisons.
  const float above = x < -200.0f ? -200.0f : x;
  const float near = above > 200.0f ? 200.0f : above;
  double value = special_value(function, special_is_listed(function) ? x : near);
  if (function == npu_silu) value *= above;
  const float below = (float)(value * (1 - 0x1p-38)), beyond = (float)(value * (1 + 0x1p-38));
  const struct special_span span = special_span_of(function);
  const uint32_t word = bits_of(x);
  const uint32_t place = (span.has_both_signs ? word & 0x7fffffffu : word) - span.least;
  // Boundaries between BF16 values are FP32 values with this low half, and rounding to FP32 never
  // crosses one: if it does not land on one, it can be rounded again.
  const uint32_t nearest = bits_of((float)value);
  uint32_t is_open = is_bf16 ? (nearest & 0xffffu) == 0x8000u : bits_of(below) != bits_of(beyond);
  if (special_is_listed(function)) is_open |= place > span.most - span.least;
  *open = x == x ? is_open : 0;
  return canonical(x == x ? (is_bf16 ? float_of(nearest) : below) : x);
}

#endif

// MARK: Loops

INLINE float reciprocal_element(float x, uint32_t *open) {
  const float value = canonical(1.0f / x);
  *open = (bits_of(value) & 0xffffu) == 0x8000u;
  return value;
}

/// Elements whose results wait until it is known which are open, as the destination may be the
/// source.
enum { special_strip = 64 };

/// Stores the results that are not open, and lists the places of the others.
INLINE ptrdiff_t store_special(const int is_bf16, const float *results, const uint32_t *states,
    ptrdiff_t start, ptrdiff_t width, void *to, uint16_t *open) {
  uint32_t any = 0;
  for (ptrdiff_t i = 0; i < width; i++) any |= states[i];
  ptrdiff_t found = 0;
  for (ptrdiff_t i = 0; any && i < width; i++) {
    if (states[i]) open[found++] = (uint16_t)(start + i);
  }
  uint16_t *words = (uint16_t *)to + start;
  float *values = (float *)to + start;
  if (is_bf16 && !any) {
    for (ptrdiff_t i = 0; i < width; i++) words[i] = (uint16_t)bf16_word(bits_of(results[i]));
  } else if (is_bf16) {
    for (ptrdiff_t i = 0; i < width; i++) {
      if (!states[i]) words[i] = (uint16_t)bf16_word(bits_of(results[i]));
    }
  } else if (!any) {
    for (ptrdiff_t i = 0; i < width; i++) values[i] = results[i];
  } else {
    for (ptrdiff_t i = 0; i < width; i++) {
      if (!states[i]) values[i] = results[i];
    }
  }
  return found;
}

/// Strips of results by `element`, a call for the element x and its state.
#define STRIPS(is_bf16, element)                                                               \
  ptrdiff_t found = 0;                                                                         \
  for (ptrdiff_t start = 0; start < count; start += special_strip) {                           \
    const ptrdiff_t width = count - start < special_strip ? count - start : special_strip;     \
    float results[special_strip];                                                              \
    uint32_t states[special_strip];                                                            \
    _Pragma("clang loop vectorize(assume_safety)")                                             \
    for (ptrdiff_t i = 0; i < width; i++) {                                                    \
      const float x = from[start + i];                                                         \
      results[i] = element;                                                                    \
    }                                                                                          \
    found += store_special(is_bf16, results, states, start, width, to, open + found);          \
  }                                                                                            \
  return found

#ifndef HAS_SPECIAL

INLINE ptrdiff_t special_loop(const npu_function function, const int is_bf16, const float *from,
    void *to, ptrdiff_t count, uint16_t *open) {
  STRIPS(is_bf16, special_element(function, is_bf16, x, &states[i]));
}

#endif

/// Each function has a loop of its own.
#define SPECIAL(function)                                        \
  case function:                                                 \
    return special_loop(function, is_bf16, from, to, count, open)

INLINE ptrdiff_t special_loops(npu_function function, const int is_bf16, const float *from,
    void *to, ptrdiff_t count, uint16_t *open) {
  switch (function) {
    SPECIAL(npu_exp);
    SPECIAL(npu_exp2);
    SPECIAL(npu_rsqrt);
    SPECIAL(npu_sin);
    SPECIAL(npu_cos);
    SPECIAL(npu_sigmoid);
    SPECIAL(npu_silu);
    SPECIAL(npu_log);
  case npu_reciprocal:
    break;
  }
  return 0;
}

TARGET static ptrdiff_t special(npu_function function, const float *from, float *to,
    ptrdiff_t count, uint16_t *open) {
  if (function != npu_reciprocal) return special_loops(function, 0, from, to, count, open);
  EACH(canonical(1.0f / from[i]));
  return 0;
}

TARGET static ptrdiff_t special_to_bf16(npu_function function, const float *from, uint16_t *to,
    ptrdiff_t count, uint16_t *open) {
  if (function != npu_reciprocal) return special_loops(function, 1, from, to, count, open);
  STRIPS(1, reciprocal_element(x, &states[i]));
}

/// BF16 words widened and taken as FP32 values, where there is no quicker way.
TARGET static ptrdiff_t special_bf16(npu_function function, const uint16_t *from, uint16_t *to,
    ptrdiff_t count, uint16_t *open) {
  if (function == npu_exp) {
    exp_bf16(from, to, count);
    return 0;
  }
  enum { strip = 32 };
  ptrdiff_t found = 0;
  for (ptrdiff_t start = 0; start < count; start += strip) {
    const ptrdiff_t width = count - start < strip ? count - start : strip;
#ifdef HAS_SILU_WORDS
    if (function == npu_silu && width == strip && silu_words(from + start, to + start)) continue;
#endif
    float values[strip];
    bf16_to_float(from + start, values, width);
    const ptrdiff_t left = special_to_bf16(function, values, to + start, width, open + found);
    for (ptrdiff_t i = found; i < found + left; i++) open[i] += (uint16_t)start;
    found += left;
  }
  return found;
}
