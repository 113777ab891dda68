#include "Mac.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
// Without it the registers of a tile would live in memory.
#define UNROLL _Pragma("clang loop unroll(full)")
#define INLINE TARGET __attribute__((always_inline)) static inline

// Three rows of four registers of columns: 12 integer and 12 float accumulators, four registers of
// B and one of A. Fewer loads than any other shape, and 128 divides without a rest.
enum { tile_rows = 3, parts = 4, tile_columns = 16 * parts, panel_block = 32 * tile_columns };

/// Blocks of k that are packed at once: with 16 a panel of B stays in the level-1 cache, and the
/// scales of a row fill a register.
enum { chunk_blocks = npu_mac_chunk_blocks };

/// The operands of a panel of 64 columns, as the tiles read them.
struct panel {
  /// Rows with 128 added, since the instruction wants one side unsigned; whole blocks.
  const uint8_t *a;
  ptrdiff_t a_stride;
  /// 2^(Ba − 133) of each row's blocks.
  const float *a_factors;
  /// For each block eight groups of 64 columns × 4 bytes along k.
  const int8_t *b;
  /// −128 · Σb of the columns' blocks, 64 for each: what the 128 added to A makes too much.
  const int32_t *offsets;
  /// 2^(Bb − 133), 64 for each block.
  const float *b_factors;
  ptrdiff_t blocks;
};

INLINE __m512 factors(__m128i scales) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_sub_epi32(_mm512_cvtepu8_epi32(scales), _mm512_set1_epi32(6)), 23));
}

INLINE __m512 load_start(const struct npu_mac *p, ptrdiff_t at, __mmask16 mask) {
  if (p->acc_is_bf16) {
    __m256i words = _mm256_maskz_loadu_epi16(mask, (const uint16_t *)p->acc + at);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16));
  }
  return _mm512_maskz_loadu_ps(mask, (const float *)p->acc + at);
}

INLINE __mmask16 unsafe_start(__m512 start) {
  __m512i bits = _mm512_and_si512(_mm512_castps_si512(start), _mm512_set1_epi32(0x7fffffff));
  __m512i above = _mm512_sub_epi32(bits, _mm512_set1_epi32(npu_mac_least_start));
  return _mm512_test_epi32_mask(bits, bits)
         & _mm512_cmpge_epu32_mask(above, _mm512_set1_epi32(npu_mac_start_span));
}

/// `rows` rows of 64 columns over all blocks. Returns −1, having written nothing, where a start
/// does not allow the fast rounding; else whether a result is not finite.
INLINE int32_t run_tile(
    const struct npu_mac *p, const struct panel *panel, ptrdiff_t row, ptrdiff_t column,
        uint64_t mask,
    const int rows, const int is_bf16) {
  __mmask16 masks[parts];
  UNROLL
  for (int h = 0; h < parts; h++) masks[h] = (__mmask16)(mask >> (16 * h));
  __m512 acc[tile_rows][parts];
  if (p->starts_at_zero) {
    UNROLL
    for (int r = 0; r < rows; r++) {
      UNROLL
      for (int h = 0; h < parts; h++) acc[r][h] = _mm512_setzero_ps();
    }
  } else {
    __mmask16 bad = 0;
    UNROLL
    for (int r = 0; r < rows; r++) {
      UNROLL
      for (int h = 0; h < parts; h++) {
        acc[r][h] = load_start(p, (row + r) * p->acc_stride + column + 16 * h, masks[h]);
        if (is_bf16) bad |= unsafe_start(acc[r][h]);
      }
    }
    if (bad) return -1;
  }
  // The next tile's accumulators come from afar: rows a power of two apart share a cache's sets.
  const ptrdiff_t bytes = p->acc_is_bf16 ? 2 : 4;
  UNROLL
  for (int r = 0; r < rows; r++) {
    const ptrdiff_t next = (row + tile_rows + r) * p->acc_stride + column;
    for (ptrdiff_t line = 0; line < tile_columns * bytes; line += 64) {
      // Past the last row the address is of no object, as that of a prefetch may be.
      const uintptr_t address = (uintptr_t)p->acc + (uintptr_t)(next * bytes + line);
      _mm_prefetch((const char *)address, _MM_HINT_T0);
    }
  }
  const uint8_t *a = panel->a + row * panel->a_stride;
  const int32_t *offsets = panel->offsets;
  const float *a_factors = panel->a_factors + row * panel->blocks;
  const int8_t *b = panel->b;
  const float *b_factors = panel->b_factors;
  for (ptrdiff_t block = 0; block < panel->blocks; block++) {
    __m512i sum[tile_rows][parts];
    UNROLL
    for (int h = 0; h < parts; h++) {
      const __m512i offset = _mm512_load_si512(offsets + 16 * h);
      UNROLL
      for (int r = 0; r < rows; r++) sum[r][h] = offset;
    }
    UNROLL
    for (int group = 0; group < 8; group++) {
      __m512i right[parts];
      UNROLL
      for (int h = 0; h < parts; h++) right[h] = _mm512_load_si512(b + 64 * (parts * group + h));
      UNROLL
      for (int r = 0; r < rows; r++) {
        int32_t four;
        memcpy(&four, a + r * panel->a_stride + 4 * group, 4);
        const __m512i left = _mm512_set1_epi32(four);
        UNROLL
        for (int h = 0; h < parts; h++) sum[r][h] = _mm512_dpbusd_epi32(sum[r][h], left, right[h]);
      }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
      const __m512 factor = _mm512_set1_ps(a_factors[r * panel->blocks + block]);
      UNROLL
      for (int h = 0; h < parts; h++) {
        // The scaled sum is exact, so fusing its addition rounds where the definition does.
        const __m512 scale = _mm512_mul_ps(factor, _mm512_load_ps(b_factors + 16 * h));
        __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][h]), scale, acc[r][h]);
        if (is_bf16) {
          // x + 2^16 · 2^e has its unit at BF16's last place, and the adder rounds.
          const __m512 big = _mm512_castsi512_ps(
              _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32((int)0xff800000)));
          const __m512 k = _mm512_set1_ps(65536.0f);
          x = _mm512_fnmadd_ps(big, k, _mm512_fmadd_ps(big, k, x));
        }
        acc[r][h] = x;
      }
    }
    a += 32;
    b += panel_block;
    offsets += tile_columns;
    b_factors += tile_columns;
  }
  __mmask16 special = 0;
  UNROLL
  for (int r = 0; r < rows; r++) {
    UNROLL
    for (int h = 0; h < parts; h++) {
      ptrdiff_t at = (row + r) * p->acc_stride + column + 16 * h;
      __m512 x = acc[r][h];
      if (p->acc_is_bf16) {
        __m512i words = _mm512_srli_epi32(_mm512_castps_si512(x), 16);
        _mm256_mask_storeu_epi16((uint16_t *)p->acc + at, masks[h], _mm512_cvtepi32_epi16(words));
        continue;
      }
      if (!is_bf16) {
        __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));
        x = _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
        special |= masks[h] & _mm512_fpclass_ps_mask(x, 0x99);
      }
      _mm512_mask_storeu_ps((float *)p->acc + at, masks[h], x);
    }
  }
  return special != 0;
}

#define TILE(rows)                                                                                 \
  TARGET __attribute__((noinline)) static int32_t tile_##rows(                                     \
      const struct npu_mac *p, const struct panel *panel, ptrdiff_t row, ptrdiff_t column,         \
      uint64_t mask) {                                                                             \
    return p->rounds_to_bf16 ? run_tile(p, panel, row, column, mask, rows, 1)                      \
                             : run_tile(p, panel, row, column, mask, rows, 0);                     \
  }
TILE(1)
TILE(2)
TILE(3)

typedef int32_t (*tile_function)(
    const struct npu_mac *, const struct panel *, ptrdiff_t, ptrdiff_t, uint64_t);
static const tile_function tiles[tile_rows] = {tile_1, tile_2, tile_3};

/// 16 columns of four rows of B as groups of four bytes along k.
INLINE __m512i interleave(__m128i r0, __m128i r1, __m128i r2, __m128i r3) {
  __m512i rows = _mm512_castsi128_si512(r0);
  rows = _mm512_inserti32x4(rows, r1, 1);
  rows = _mm512_inserti32x4(rows, r2, 2);
  rows = _mm512_inserti32x4(rows, r3, 3);
  const __m512i columns = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i bytes = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(columns, rows), bytes);
}

INLINE __m128i b_row(const int8_t *b, ptrdiff_t stride, ptrdiff_t row, ptrdiff_t k,
    __mmask16 mask) {
  return row < k ? _mm_maskz_loadu_epi8(mask, b + row * stride) : _mm_setzero_si128();
}

TARGET static struct npu_scale_range pack_b(
    const struct npu_mac *p, ptrdiff_t column, uint64_t mask, int8_t *b, int32_t *offsets,
    float *b_factors) {
  const ptrdiff_t blocks = (p->k + 31) / 32;
  const int8_t *from = p->b + column;
  const __m512i weights = _mm512_set1_epi8((char)0x80);
  for (ptrdiff_t block = 0; block < blocks; block++) {
    for (int h = 0; h < parts; h++) {
      const __mmask16 part = (__mmask16)(mask >> (16 * h));
      const int8_t *corner = from + 16 * h;
      __m512i sum = _mm512_setzero_si512();
      for (int group = 0; group < 8; group++) {
        const ptrdiff_t row = 32 * block + 4 * group;
        const __m512i packed = interleave(
            b_row(corner, p->b_stride, row, p->k, part),
            b_row(corner, p->b_stride, row + 1, p->k, part),
            b_row(corner, p->b_stride, row + 2, p->k, part),
            b_row(corner, p->b_stride, row + 3, p->k, part));
        _mm512_store_si512(b + panel_block * block + 64 * (parts * group + h), packed);
        sum = _mm512_dpbusd_epi32(sum, weights, packed);
      }
      _mm512_store_si512(
          offsets + tile_columns * block + 16 * h, _mm512_sub_epi32(_mm512_setzero_si512(), sum));
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
      scales = _mm512_mask_mov_epi8(_mm512_set1_epi8(npu_mac_zero_scale), counted, scales);
    }
    least = _mm512_mask_min_epu8(least, counted, least, scales);
    most = _mm512_mask_max_epu8(most, counted, most, scales);
    float *to = b_factors + tile_columns * block;
    _mm512_store_ps(to, factors(_mm512_castsi512_si128(scales)));
    _mm512_store_ps(to + 16, factors(_mm512_extracti32x4_epi32(scales, 1)));
    _mm512_store_ps(to + 32, factors(_mm512_extracti32x4_epi32(scales, 2)));
    _mm512_store_ps(to + 48, factors(_mm512_extracti32x4_epi32(scales, 3)));
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

/// The rows of A with 128 added, and their factors.
TARGET static struct npu_scale_range pack_a(
    const struct npu_mac *p, uint8_t *a, float *a_factors) {
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
    scales = _mm_mask_mov_epi8(_mm_set1_epi8(npu_mac_zero_scale), counted, scales);
    least = _mm_mask_min_epu8(least, counted, least, scales);
    most = _mm_mask_max_epu8(most, counted, most, scales);
    _mm512_mask_storeu_ps(a_factors + row * blocks, present, factors(scales));
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

/// At most `chunk_blocks` blocks of k.
TARGET static int32_t run_chunk(const struct npu_mac *p) {
  const ptrdiff_t blocks = (p->k + 31) / 32;
  char *work = p->work;
  int8_t *b = (int8_t *)work;
  work += blocks * panel_block;
  int32_t *offsets = (int32_t *)work;
  work += blocks * tile_columns * 4;
  float *b_factors = (float *)work;
  work += blocks * tile_columns * 4;
  uint8_t *a = (uint8_t *)work;
  work += p->m * blocks * 32;
  float *a_factors = (float *)work;
  const struct panel panel = {a, 32 * blocks, a_factors, b, offsets, b_factors, blocks};
  const struct npu_scale_range a_range = pack_a(p, a, a_factors);
  int32_t special = 0;
  for (ptrdiff_t column = 0; column < p->n; column += tile_columns) {
    const ptrdiff_t width = p->n - column < tile_columns ? p->n - column : tile_columns;
    const uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1;
    const int is_safe =
        npu_mac_is_safe(a_range, pack_b(p, column, mask, b, offsets, b_factors));
    for (ptrdiff_t row = 0; row < p->m; row += tile_rows) {
      const ptrdiff_t rows = p->m - row < tile_rows ? p->m - row : tile_rows;
      int32_t outcome = is_safe ? tiles[rows - 1](p, &panel, row, column, mask) : -1;
      if (outcome < 0) {
        const struct npu_mac part = npu_mac_part(p, row, rows, column, width);
        outcome = npu_mac_portable(&part);
      }
      special |= outcome;
    }
  }
  return special;
}

int32_t npu_mac_avx512(const struct npu_mac *p) {
  int32_t special = 0;
  for (ptrdiff_t row = 0; row < p->m; row += npu_mac_strip_rows) {
    const ptrdiff_t rows = p->m - row < npu_mac_strip_rows ? p->m - row : npu_mac_strip_rows;
    const struct npu_mac strip = npu_mac_part(p, row, rows, 0, p->n);
    for (ptrdiff_t start = 0; start < p->k; start += 32 * chunk_blocks) {
      struct npu_mac part = strip;
      part.a += start;
      part.a_scale += start / 32;
      part.b += start * p->b_stride;
      part.b_scale += start / 32 * p->b_scale_stride;
      part.k = p->k - start < 32 * chunk_blocks ? p->k - start : 32 * chunk_blocks;
      part.starts_at_zero = p->starts_at_zero && start == 0;
      special |= run_chunk(&part);
    }
  }
  return special;
}

#endif
