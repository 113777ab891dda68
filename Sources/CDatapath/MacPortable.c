#include "Mac.h"

#pragma STDC FP_CONTRACT OFF

// Any scales and any starts: the loops that the others fall back on.

enum { strip = 64 };

/// Columns of B as 32 16-bit numbers each, zero where k ends.
static void pack(const struct npu_mac *p, ptrdiff_t start, ptrdiff_t depth, ptrdiff_t column,
    ptrdiff_t width, int16_t *packed) {
  for (ptrdiff_t i = 0; i < 32; i++) {
    const int8_t *line = p->b + (start + i) * p->b_stride + column;
    for (ptrdiff_t c = 0; c < width; c++) packed[32 * c + i] = i < depth ? line[c] : 0;
  }
}

/// Sums of products of one block of a row with `width` columns.
static void dot(const int16_t *restrict row, const int16_t *restrict columns, ptrdiff_t width,
    int32_t *restrict sums) {
  for (ptrdiff_t c = 0; c < width; c++) {
    int32_t sum = 0;
    for (int i = 0; i < 32; i++) sum += (int32_t)row[i] * (int32_t)columns[32 * c + i];
    sums[c] = sum;
  }
}

/// The block values: the sums scaled in double, where they are exact, and rounded once.
static void scale(const int32_t *sums, uint32_t a, const uint8_t *b, ptrdiff_t width,
    float *values) {
  for (ptrdiff_t c = 0; c < width; c++) {
    const uint64_t bits = (uint64_t)(a + b[c] + 757) << 52;
    double power;
    memcpy(&power, &bits, 8);
    const float value = (float)((double)sums[c] * power);
    values[c] = a == 255 || b[c] == 255 ? __builtin_nanf("") : value;
  }
}

/// The register's rounding to BF16; a NaN's own bits do not matter here.
static inline float rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
  bits = value == value ? bits : 0x7fc00000u;
  memcpy(&value, &bits, 4);
  return value;
}

static inline float canonical(float value) {
  const uint32_t bits = 0x7fc00000u;
  float nan;
  memcpy(&nan, &bits, 4);
  return value == value ? value : nan;
}

int32_t npu_mac_portable(const struct npu_mac *p) {
  int16_t packed[32 * strip], left[32];
  int32_t sums[strip];
  float values[strip], chains[strip];
  int32_t special = 0;
  for (ptrdiff_t column = 0; column < p->n; column += strip) {
    const ptrdiff_t width = p->n - column < strip ? p->n - column : strip;
    for (ptrdiff_t start = 0; start < p->k; start += 32) {
      const ptrdiff_t depth = p->k - start < 32 ? p->k - start : 32;
      const ptrdiff_t block = start / 32;
      pack(p, start, depth, column, width, packed);
      for (ptrdiff_t row = 0; row < p->m; row++) {
        const int8_t *from = p->a + row * p->a_stride + start;
        for (ptrdiff_t i = 0; i < 32; i++) left[i] = i < depth ? from[i] : 0;
        dot(left, packed, width, sums);
        scale(sums, p->a_scale[row * p->a_scale_stride + block],
            p->b_scale + block * p->b_scale_stride + column, width, values);
        float *acc = (float *)p->acc + row * p->acc_stride + column;
        uint16_t *words = (uint16_t *)p->acc + row * p->acc_stride + column;
        for (ptrdiff_t c = 0; c < width; c++) {
          const uint32_t bits = (uint32_t)(p->acc_is_bf16 ? words[c] : 0) << 16;
          float value;
          memcpy(&value, &bits, 4);
          if (!p->acc_is_bf16) value = acc[c];
          chains[c] = p->starts_at_zero && start == 0 ? 0 : value;
        }
        if (p->rounds_to_bf16) {
          for (ptrdiff_t c = 0; c < width; c++) chains[c] = rounded(chains[c] + values[c]);
        } else {
          for (ptrdiff_t c = 0; c < width; c++) chains[c] = canonical(chains[c] + values[c]);
        }
        for (ptrdiff_t c = 0; c < width; c++) {
          uint32_t bits;
          memcpy(&bits, &chains[c], 4);
          special |= (bits & 0x7f800000u) == 0x7f800000u;
          if (p->acc_is_bf16) {
            words[c] = (uint16_t)(bits >> 16);
          } else {
            acc[c] = chains[c];
          }
        }
      }
    }
  }
  return special;
}
