#ifndef NPUSIM_MACPACK512_H
#define NPUSIM_MACPACK512_H

// How MacAVX512.c packs the operands of a product. It defines TARGET.

#include <immintrin.h>

#include "Mac.h"

#pragma STDC FP_CONTRACT OFF

// Without it the registers of a tile would live in memory.
#define UNROLL _Pragma("clang loop unroll(full)")
#define INLINE TARGET __attribute__((always_inline)) static inline

/// Registers and columns of a panel of B, and the bytes of one block of it.
enum { parts = 4, tile_columns = 16 * parts, panel_block = 32 * tile_columns };

/// Blocks of k that are packed at once: with 16 a panel of B stays in the level-1 cache, and the
/// scales of a row fill a register.
enum { chunk_blocks = npu_mac_chunk_blocks };

/// The operands of a panel of 64 columns, as the tiles read them.
struct panel {
  /// Rows with 128 added, since the instruction wants one side unsigned; whole blocks.
  const uint8_t *a;
  ptrdiff_t a_stride;
  /// The bits of 2^(Ba − 133) of each row's blocks, less those of 1: what multiplies B's factors
  /// when it is added to their bits.
  const int32_t *a_exponents;
  /// For each block eight groups of 64 columns × 4 bytes along k.
  const int8_t *b;
  /// −128 · Σb of the columns' blocks, 64 for each: what the 128 added to A makes too much.
  const int32_t *offsets;
  /// 2^(Bb − 133), 64 for each block.
  const float *b_factors;
  ptrdiff_t blocks;
};

/// The bits of 2^(B − 133).
INLINE __m512i scale_factors(__m128i scales) {
  return _mm512_slli_epi32(
      _mm512_sub_epi32(_mm512_cvtepu8_epi32(scales), _mm512_set1_epi32(6)), 23);
}

/// 64 columns of four rows of B as groups of four bytes along k, 16 columns a register.
INLINE void interleave(const __m512i *rows, __m512i *columns) {
  const __m512i low01 = _mm512_unpacklo_epi8(rows[0], rows[1]);
  const __m512i high01 = _mm512_unpackhi_epi8(rows[0], rows[1]);
  const __m512i low23 = _mm512_unpacklo_epi8(rows[2], rows[3]);
  const __m512i high23 = _mm512_unpackhi_epi8(rows[2], rows[3]);
  // Lane l of the q-th has columns 16·l + 4·q to 16·l + 4·q + 3.
  const __m512i q0 = _mm512_unpacklo_epi16(low01, low23), q1 = _mm512_unpackhi_epi16(low01, low23);
  const __m512i q2 = _mm512_unpacklo_epi16(high01, high23);
  const __m512i q3 = _mm512_unpackhi_epi16(high01, high23);
  const __m512i first01 = _mm512_shuffle_i32x4(q0, q1, 0x44);
  const __m512i first23 = _mm512_shuffle_i32x4(q2, q3, 0x44);
  const __m512i last01 = _mm512_shuffle_i32x4(q0, q1, 0xee);
  const __m512i last23 = _mm512_shuffle_i32x4(q2, q3, 0xee);
  columns[0] = _mm512_shuffle_i32x4(first01, first23, 0x88);
  columns[1] = _mm512_shuffle_i32x4(first01, first23, 0xdd);
  columns[2] = _mm512_shuffle_i32x4(last01, last23, 0x88);
  columns[3] = _mm512_shuffle_i32x4(last01, last23, 0xdd);
}

/// 32 columns in two registers: the even ones in the first and the odd ones in the second.
INLINE void by_parity(__m512i *columns) {
  const __m512i even =
      _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  const __m512i first = columns[0];
  columns[0] = _mm512_permutex2var_epi32(first, even, columns[1]);
  columns[1] = _mm512_permutex2var_epi32(first, odd, columns[1]);
}

TARGET static struct npu_scale_range pack_b(
    const struct npu_mac *p, ptrdiff_t column, uint64_t mask, int8_t *b, int32_t *offsets,
    float *b_factors) {
  const ptrdiff_t blocks = (p->k + 31) / 32;
  const int8_t *from = p->b + column;
  const __m512i weights = _mm512_set1_epi8((char)0x80);
  for (ptrdiff_t block = 0; block < blocks; block++) {
    __m512i sums[parts];
    UNROLL
    for (int h = 0; h < parts; h++) sums[h] = _mm512_setzero_si512();
    for (int group = 0; group < 8; group++) {
      __m512i rows[4], packed[parts];
      UNROLL
      for (int i = 0; i < 4; i++) {
        const ptrdiff_t row = 32 * block + 4 * group + i;
        rows[i] = row < p->k ? _mm512_maskz_loadu_epi8(mask, from + row * p->b_stride)
                             : _mm512_setzero_si512();
      }
      interleave(rows, packed);
      if (p->acc_is_bf16) {
        by_parity(&packed[0]);
        by_parity(&packed[2]);
      }
      UNROLL
      for (int h = 0; h < parts; h++) {
        _mm512_store_si512(b + panel_block * block + 64 * (parts * group + h), packed[h]);
        sums[h] = _mm512_dpbusd_epi32(sums[h], weights, packed[h]);
      }
    }
    UNROLL
    for (int h = 0; h < parts; h++) {
      _mm512_store_si512(offsets + tile_columns * block + 16 * h,
          _mm512_sub_epi32(_mm512_setzero_si512(), sums[h]));
    }
  }
  __m512i least = _mm512_set1_epi8((char)0xff), most = _mm512_setzero_si512();
  for (ptrdiff_t block = 0; block < blocks; block++) {
    const uint8_t *line = p->b_scale + block * p->b_scale_stride + column;
    // What lies past the last column counts as the first one.
    __m512i scales = _mm512_mask_loadu_epi8(_mm512_set1_epi8((char)line[0]), mask, line);
    __mmask64 counted = ~(__mmask64)0;
    const __mmask64 small = _mm512_cmplt_epu8_mask(scales, _mm512_set1_epi8(npu_mac_least_scale));
    if (small != 0) {
      // Blocks of zeros have the scale 0, and give +0 under any other one.
      __m512i seen = _mm512_setzero_si512();
      for (ptrdiff_t row = 32 * block; row < 32 * block + 32 && row < p->k; row++) {
        seen = _mm512_or_si512(seen, _mm512_maskz_loadu_epi8(mask, from + row * p->b_stride));
      }
      counted = ~(small & _mm512_testn_epi8_mask(seen, seen));
      scales = _mm512_mask_mov_epi8(_mm512_set1_epi8((char)npu_mac_zero_scale), counted, scales);
    }
    least = _mm512_mask_min_epu8(least, counted, least, scales);
    most = _mm512_mask_max_epu8(most, counted, most, scales);
    __m512i registers[parts] = {
        scale_factors(_mm512_castsi512_si128(scales)),
        scale_factors(_mm512_extracti32x4_epi32(scales, 1)),
        scale_factors(_mm512_extracti32x4_epi32(scales, 2)),
        scale_factors(_mm512_extracti32x4_epi32(scales, 3))};
    UNROLL
    for (int h = 0; h < parts; h++) {
      if (p->acc_is_bf16 && h % 2 == 0) by_parity(&registers[h]);
      _mm512_store_si512(b_factors + tile_columns * block + 16 * h, registers[h]);
    }
  }
  uint8_t lows[tile_columns], highs[tile_columns];
  _mm512_storeu_si512(lows, least);
  _mm512_storeu_si512(highs, most);
  struct npu_scale_range range = {255, 0};
  for (int i = 0; i < tile_columns; i++) {
    range.least = lows[i] < range.least ? lows[i] : range.least;
    range.most = highs[i] > range.most ? highs[i] : range.most;
  }
  return range;
}

/// The rows of A with 128 added, and their exponents.
TARGET static struct npu_scale_range pack_a(
    const struct npu_mac *p, uint8_t *a, int32_t *a_exponents) {
  const ptrdiff_t blocks = (p->k + 31) / 32;
  const __mmask16 present = (__mmask16)((1u << blocks) - 1);
  __m128i least = _mm_set1_epi8((char)0xff), most = _mm_setzero_si128();
  for (ptrdiff_t row = 0; row < p->m; row++) {
    const int8_t *from = p->a + row * p->a_stride;
    uint8_t *to = a + row * 32 * blocks;
    for (ptrdiff_t k = 0; k < 32 * blocks; k += 32) {
      const ptrdiff_t rest = p->k - k;
      const __mmask32 mask = rest < 32 ? (1u << rest) - 1 : 0xffffffffu;
      const __m256i bytes = _mm256_maskz_loadu_epi8(mask, from + k);
      _mm256_storeu_si256(
          (__m256i *)(to + k), _mm256_xor_si256(bytes, _mm256_set1_epi8((char)0x80)));
    }
    __m128i scales = _mm_maskz_loadu_epi8(present, p->a_scale + row * p->a_scale_stride);
    __mmask16 counted = present;
    uint32_t small =
        _mm_mask_cmplt_epu8_mask(present, scales, _mm_set1_epi8(npu_mac_least_scale));
    // Blocks of zeros have the scale 0, and give +0 under any other one.
    for (; small != 0; small &= small - 1) {
      const int block = __builtin_ctz(small);
      const __m256i bytes = _mm256_loadu_si256((const __m256i *)(to + 32 * block));
      if (_mm256_cmpneq_epu8_mask(bytes, _mm256_set1_epi8((char)0x80)) == 0) {
        counted &= (__mmask16)~(1u << block);
      }
    }
    scales = _mm_mask_mov_epi8(_mm_set1_epi8((char)npu_mac_zero_scale), counted, scales);
    least = _mm_mask_min_epu8(least, counted, least, scales);
    most = _mm_mask_max_epu8(most, counted, most, scales);
    const __m512i exponents =
        _mm512_sub_epi32(scale_factors(scales), _mm512_set1_epi32(0x3f800000));
    _mm512_mask_storeu_epi32(a_exponents + row * blocks, present, exponents);
  }
  uint8_t lows[16], highs[16];
  _mm_storeu_si128((__m128i *)lows, least);
  _mm_storeu_si128((__m128i *)highs, most);
  struct npu_scale_range range = {255, 0};
  for (int i = 0; i < chunk_blocks; i++) {
    range.least = lows[i] < range.least ? lows[i] : range.least;
    range.most = highs[i] > range.most ? highs[i] : range.most;
  }
  return range;
}

#endif
