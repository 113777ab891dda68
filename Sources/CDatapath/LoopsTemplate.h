// Included once for each path, after SUFFIX(name) and TARGET are defined: the loops over arrays,
// written so that the compiler makes vectors of them. Branch-free: `c ? a : b` on words.

#include <string.h>

#include "Loops.h"

#pragma STDC FP_CONTRACT OFF
// A loop that stays scalar, as all do without optimisation, is slower and as right.
#pragma clang diagnostic ignored "-Wpass-failed"

#ifndef INLINE
#define INLINE TARGET __attribute__((always_inline)) static inline
#endif
#define LOOP TARGET static void

INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

INLINE float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

INLINE float canonical(float value) { return value == value ? value : float_of(0x7fc00000u); }

// MARK: Widening

/// The FP32 word of an FP16 word.
INLINE uint32_t f16_widened(uint32_t word) {
  const uint32_t sign = (word & 0x8000u) << 16;
  const uint32_t magnitude = (word & 0x7fffu) << 13;
  const uint32_t field = word & 0x7c00u;
  // A subnormal under an implicit one of weight 2^-14, which is then taken away: exact.
  const float subnormal = float_of(magnitude + (113u << 23)) - 0x1p-14f;
  uint32_t bits = field == 0 ? bits_of(subnormal) : magnitude + (112u << 23);
  bits = field == 0x7c00u ? 0x7f800000u : bits;
  bits = (int32_t)(word & 0x7fffu) > 0x7c00 ? 0x7fc00000u : bits;
  return bits | sign;
}

/// The FP32 word of an E4M3FN word.
INLINE uint32_t e4m3fn_widened(uint32_t word) {
  const uint32_t sign = (word & 0x80u) << 24;
  const uint32_t magnitude = (word & 0x7fu) << 20;
  // A subnormal under an implicit one of weight 2^-6, which is then taken away: exact.
  const float subnormal = float_of(magnitude + (121u << 23)) - 0x1p-6f;
  uint32_t bits = (word & 0x78u) == 0 ? bits_of(subnormal) : magnitude + (120u << 23);
  bits = (word & 0x7fu) == 0x7fu ? 0x7fc00000u : bits;
  return bits | sign;
}

LOOP bf16_to_float(const uint16_t *restrict from, float *restrict to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = float_of((uint32_t)from[i] << 16);
}

LOOP f16_to_float(const uint16_t *restrict from, float *restrict to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = float_of(f16_widened(from[i]));
}

LOOP e4m3fn_to_float(const uint8_t *restrict from, float *restrict to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = float_of(e4m3fn_widened(from[i]));
}

#ifndef HAS_FP8_WORDS

LOOP fp8_to_bf16(
    npu_fp8 format, const uint8_t *restrict from, uint16_t *restrict to, ptrdiff_t count) {
  // Every FP8 value is a BF16 value: nothing is rounded.
  if (format == npu_e4m3fn) {
    for (ptrdiff_t i = 0; i < count; i++) to[i] = (uint16_t)(e4m3fn_widened(from[i]) >> 16);
  } else {
    for (ptrdiff_t i = 0; i < count; i++) {
      to[i] = (uint16_t)(f16_widened((uint32_t)from[i] << 8) >> 16);
    }
  }
}

#endif

LOOP e5m2_to_float(const uint8_t *restrict from, float *restrict to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = float_of(f16_widened((uint32_t)from[i] << 8));
}

// MARK: Narrowing

/// The BF16 word of an FP32 word: adding half a unit, less one where the kept part is even, carries
/// exactly where rounding to nearest even goes up, through the exponent if need be.
INLINE uint32_t bf16_word(uint32_t bits) {
  const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1);
  const uint32_t nan = (bits & 0x80000000u) | 0x7fc00000u;
  return ((int32_t)(bits & 0x7fffffffu) > 0x7f800000 ? nan : rounded) >> 16;
}

/// The code of a narrow format for an FP32 word: magnitudes from `overflow_from` on overflow.
INLINE uint32_t narrowed(
    uint32_t word, const uint32_t fraction_bits, const uint32_t bias, const int32_t overflow_from,
    const uint32_t overflow, const uint32_t nan, const uint32_t sign_shift) {
  const uint32_t magnitude = word & 0x7fffffffu;
  const int32_t ordered = (int32_t)magnitude;
  const uint32_t shift = 23 - fraction_bits;
  const uint32_t half = (1u << (shift - 1)) - 1 + ((magnitude >> shift) & 1);
  const uint32_t normal = ((magnitude + half) >> shift) - ((127 - bias) << fraction_bits);
  // Below the smallest normal the unit is fixed. Adding the power of two whose own unit is that one
  // makes the FP32 adder do the rounding; its low bits are then the code.
  const uint32_t anchor = (127 + 23 + 1 - bias - fraction_bits) << 23;
  const uint32_t subnormal = bits_of(float_of(magnitude) + float_of(anchor)) - anchor;
  uint32_t code = ordered < (int32_t)((128 - bias) << 23) ? subnormal : normal;
  code = ordered >= overflow_from ? overflow : code;
  code = ordered > 0x7f800000 ? nan : code;
  return code | ((word & 0x80000000u) >> sign_shift);
}

// The first word above the tie at 464, which still goes to the even 448.
INLINE uint32_t e4m3fn_code(uint32_t word, const uint32_t overflow) {
  return narrowed(word, 3, 7, 0x43e80001, overflow, 0x7f, 24);
}

// 61440, the tie between 57344 and 65536, goes to the even 65536: overflow.
INLINE uint32_t e5m2_code(uint32_t word, const uint32_t overflow) {
  return narrowed(word, 2, 15, 0x47700000, overflow, 0x7e, 24);
}

LOOP float_to_bf16(const float *restrict from, uint16_t *restrict to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) to[i] = (uint16_t)bf16_word(bits_of(from[i]));
}

LOOP float_to_f16(const float *restrict from, uint16_t *restrict to, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) {
    to[i] = (uint16_t)narrowed(bits_of(from[i]), 10, 15, 0x477ff000, 0x7c00, 0x7e00, 16);
  }
}

LOOP float_to_fp8(
    npu_fp8 format, int32_t saturates, const float *restrict from, uint8_t *restrict to,
    ptrdiff_t count) {
  if (format == npu_e4m3fn) {
    const uint32_t overflow = saturates ? 0x7e : 0x7f;
    for (ptrdiff_t i = 0; i < count; i++) to[i] = (uint8_t)e4m3fn_code(bits_of(from[i]), overflow);
  } else {
    const uint32_t overflow = saturates ? 0x7b : 0x7c;
    for (ptrdiff_t i = 0; i < count; i++) to[i] = (uint8_t)e5m2_code(bits_of(from[i]), overflow);
  }
}

// MARK: Arithmetic

INLINE float bf16_value(uint32_t word) { return float_of(word << 16); }

/// The larger of two values: on equal words (or the two zeros) the common bits.
INLINE float larger(float a, float b) {
  const uint32_t equal = bits_of(a) & bits_of(b);
  const uint32_t greater = a > b ? bits_of(a) : bits_of(b);
  const uint32_t ordered = a == b ? equal : greater;
  const uint32_t number = a == a ? ordered : 0x7fc00000u;
  return float_of(b == b ? number : 0x7fc00000u);
}

// The destination may be a source: an element depends on none but those of its own place.
#define EACH(expression)                                 \
  _Pragma("clang loop vectorize(assume_safety)")         \
  for (ptrdiff_t i = 0; i < count; i++) to[i] = expression

LOOP binary(npu_binary operation, float *to, const float *a, const float *b, ptrdiff_t count) {
  switch (operation) {
  case npu_add:
    EACH(canonical(a[i] + b[i]));
    break;
  case npu_sub:
    EACH(canonical(a[i] - b[i]));
    break;
  case npu_mul:
    EACH(canonical(a[i] * b[i]));
    break;
  case npu_div:
    EACH(canonical(a[i] / b[i]));
    break;
  case npu_max:
    EACH(larger(a[i], b[i]));
    break;
  }
}

// Each sum or product is rounded to FP32, and that to BF16.
#define EACH_WORD(operator)                                                                        \
  EACH((uint16_t)bf16_word(                                                                        \
      bits_of(canonical(bf16_value(a[i]) operator bf16_value(b[i])))))

LOOP binary_bf16(
    npu_binary operation, uint16_t *to, const uint16_t *a, const uint16_t *b, ptrdiff_t count) {
  switch (operation) {
  case npu_add:
    EACH_WORD(+);
    break;
  case npu_sub:
    EACH_WORD(-);
    break;
  case npu_mul:
    EACH_WORD(*);
    break;
  case npu_div:
    EACH_WORD(/);
    break;
  case npu_max:
    EACH((uint16_t)(bits_of(larger(bf16_value(a[i]), bf16_value(b[i]))) >> 16));
    break;
  }
}

LOOP binary_scalar(npu_binary operation, float *to, const float *a, float b, ptrdiff_t count) {
  switch (operation) {
  case npu_add:
    EACH(canonical(a[i] + b));
    break;
  case npu_sub:
    EACH(canonical(a[i] - b));
    break;
  case npu_mul:
    EACH(canonical(a[i] * b));
    break;
  case npu_div:
    EACH(canonical(a[i] / b));
    break;
  case npu_max:
    EACH(larger(a[i], b));
    break;
  }
}

#include "LoopsBlocks.h"
#include "LoopsSpecial.h"

// MARK: Copying

/// 64 bytes at any address.
typedef uint8_t line_of_bytes __attribute__((vector_size(64), aligned(1), may_alias));

enum {
  /// Rows this far apart lie on other pages, where no processor looks ahead by itself.
  far_pitch = 1024,
  /// Rows that are asked for ahead; 4 and 16 were slower.
  rows_ahead = 8,
};

/// Rows of an on-chip tile are short, so that a call for each costs as much as its bytes; without the
/// attribute the compiler would make calls of the loops.
__attribute__((no_builtin("memcpy"))) LOOP copy_rows(uint8_t *restrict to, ptrdiff_t to_pitch,
    const uint8_t *restrict from, ptrdiff_t from_pitch, ptrdiff_t bytes, ptrdiff_t rows) {
  const int is_short = bytes % 64 == 0 && bytes <= 512;
  const int is_far = from_pitch >= far_pitch;
  for (ptrdiff_t row = 0; row < rows; row++) {
    if (is_short && is_far) {
      for (ptrdiff_t i = 0; i < bytes; i += 64) {
        // Past the last row the address is of no object, as that of a prefetch may be.
        const uintptr_t ahead = (uintptr_t)from + (uintptr_t)(rows_ahead * from_pitch + i);
        __builtin_prefetch((const void *)ahead);
        *(line_of_bytes *)(to + i) = *(const line_of_bytes *)(from + i);
      }
    } else if (is_short) {
      for (ptrdiff_t i = 0; i < bytes; i += 64) {
        *(line_of_bytes *)(to + i) = *(const line_of_bytes *)(from + i);
      }
    } else if (bytes > 0) {
      memcpy(to, from, (size_t)bytes);
    }
    to += to_pitch;
    from += from_pitch;
  }
}

/// 16 bytes at any address.
typedef uint8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));

/// Row i of the first half of `from` and row i of the second one, byte by byte in turns, become
/// rows 2i and 2i + 1 of `to`. Four times this is the transposition of 16 × 16 bytes.
INLINE void zip_rows(const bytes16 *from, bytes16 *to) {
  for (int i = 0; i < 8; i++) {
    to[2 * i] = __builtin_shufflevector(from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
        5, 21, 6, 22, 7, 23);
    to[2 * i + 1] = __builtin_shufflevector(from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27,
        12, 28, 13, 29, 14, 30, 15, 31);
  }
}

INLINE void transpose_square(
    uint8_t *to, ptrdiff_t to_pitch, const uint8_t *from, ptrdiff_t from_pitch) {
  bytes16 a[16], b[16];
  for (int i = 0; i < 16; i++) a[i] = *(const bytes16 *)(from + i * from_pitch);
  zip_rows(a, b);
  zip_rows(b, a);
  zip_rows(a, b);
  zip_rows(b, a);
  for (int i = 0; i < 16; i++) *(bytes16 *)(to + i * to_pitch) = a[i];
}

LOOP transpose_bytes(uint8_t *restrict to, ptrdiff_t to_pitch, const uint8_t *restrict from,
    ptrdiff_t from_pitch, ptrdiff_t rows, ptrdiff_t columns) {
  const ptrdiff_t even_rows = rows - rows % 16, even_columns = columns - columns % 16;
  for (ptrdiff_t row = 0; row < even_rows; row += 16) {
    for (ptrdiff_t column = 0; column < even_columns; column += 16) {
      transpose_square(to + row * to_pitch + column, to_pitch, from + column * from_pitch + row,
          from_pitch);
    }
  }
  for (ptrdiff_t row = 0; row < rows; row++) {
    for (ptrdiff_t column = row < even_rows ? even_columns : 0; column < columns; column++) {
      to[row * to_pitch + column] = from[column * from_pitch + row];
    }
  }
}

// MARK: Counting

TARGET static int32_t any_special16(const uint16_t *words, uint16_t exponent, ptrdiff_t count) {
  uint16_t found = 0;
  for (ptrdiff_t i = 0; i < count; i++) found |= (words[i] & exponent) == exponent;
  return found != 0;
}

TARGET static int32_t any_special32(const uint32_t *words, ptrdiff_t count) {
  uint32_t found = 0;
  for (ptrdiff_t i = 0; i < count; i++) found |= (words[i] & 0x7f800000u) == 0x7f800000u;
  return found != 0;
}

const struct npu_loops SUFFIX(npu_loops) = {
    bf16_to_float, f16_to_float, e4m3fn_to_float, e5m2_to_float, fp8_to_bf16, float_to_bf16,
    float_to_f16, float_to_fp8, binary, binary_bf16, binary_scalar, encode_mx_row,
    encode_mx_row_bf16, encode_mx_columns, decode_mx_row, decode_mx_columns, finite_maximum,
    quantise_fp8, encode_fp8_row_bf16, exp_bf16, special, special_to_bf16, special_bf16,
    copy_rows, transpose_bytes, any_special16, any_special32,
};
