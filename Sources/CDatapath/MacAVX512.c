#include "Mac.h"

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#include "MacPack512.h"

// Three rows of four registers of columns: 12 integer and 12 float accumulators, four registers of
// B and one of A. Fewer loads than any other shape, and 128 divides without a rest.
enum { tile_rows = 3 };

/// How the accumulators are kept and added to.
enum mode { fp32_floats, bf16_floats, bf16_words };

INLINE __mmask16 unsafe_start(__m512 start) {
  __m512i bits = _mm512_and_si512(_mm512_castps_si512(start), _mm512_set1_epi32(0x7fffffff));
  __m512i above = _mm512_sub_epi32(bits, _mm512_set1_epi32(npu_mac_least_start));
  return _mm512_test_epi32_mask(bits, bits)
         & _mm512_cmpge_epu32_mask(above, _mm512_set1_epi32(npu_mac_start_span));
}

/// The starts of 32 columns in two registers. Of BF16 words the first has the even columns and the
/// second the odd ones, which takes no widening; B is packed in the same order. Whether one of them
/// does not allow the fast rounding.
INLINE int load_starts(const struct npu_mac *p, ptrdiff_t at, __mmask32 mask, const enum mode mode,
    __m512 *to) {
  if (mode == bf16_words) {
    const __m512i words = _mm512_maskz_loadu_epi16(mask, (const uint16_t *)p->acc + at);
    to[0] = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    to[1] = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32((int)0xffff0000)));
    // Doubled, a word loses its sign.
    const __m512i bits = _mm512_add_epi16(words, words);
    const __m512i above = _mm512_sub_epi16(bits, _mm512_set1_epi16(npu_mac_least_start >> 15));
    const __m512i span = _mm512_set1_epi16((short)(npu_mac_start_span >> 15));
    return (_mm512_test_epi16_mask(bits, bits) & _mm512_cmpge_epu16_mask(above, span)) != 0;
  }
  const float *from = (const float *)p->acc + at;
  to[0] = _mm512_maskz_loadu_ps((__mmask16)mask, from);
  to[1] = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), from + 16);
  return mode == bf16_floats && (unsafe_start(to[0]) | unsafe_start(to[1])) != 0;
}

/// Writes the results of 32 columns; whether one of them is not finite.
INLINE int32_t store_results(const struct npu_mac *p, ptrdiff_t at, __mmask32 mask,
    const enum mode mode, const __m512 *from) {
  if (mode == bf16_words) {
    const __m512i even = _mm512_srli_epi32(_mm512_castps_si512(from[0]), 16);
    const __m512i words = _mm512_or_si512(even, _mm512_castps_si512(from[1]));
    _mm512_mask_storeu_epi16((uint16_t *)p->acc + at, mask, words);
    return 0;
  }
  __mmask16 special = 0;
  UNROLL
  for (int half = 0; half < 2; half++) {
    const __mmask16 part = (__mmask16)(mask >> (16 * half));
    __m512 x = from[half];
    if (mode == fp32_floats) {
      const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000));
      x = _mm512_mask_mov_ps(x, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
      special |= part & _mm512_fpclass_ps_mask(x, 0x99);
    }
    _mm512_mask_storeu_ps((float *)p->acc + at + 16 * half, part, x);
  }
  return special != 0;
}

/// Rounded to BF16: x + 2^16 · 2^e, of x = f · 2^e with 1 ≤ |f| < 2, has its unit at BF16's last
/// place, and the adder rounds.
INLINE __m512 rounded(__m512 x) {
  const __m512 power = _mm512_castsi512_ps(
      _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32((int)0xff800000)));
  const __m512 k = _mm512_set1_ps(65536.0f);
  return _mm512_fnmadd_ps(power, k, _mm512_fmadd_ps(power, k, x));
}

/// `rows` rows of 64 columns over all blocks. Returns −1, having written nothing, where a start
/// does not allow the fast rounding; else whether a result is not finite.
INLINE int32_t run_tile(
    const struct npu_mac *p, const struct panel *panel, ptrdiff_t row, ptrdiff_t column,
    uint64_t mask, const int rows, const enum mode mode) {
  __m512 acc[tile_rows][parts];
  if (p->starts_at_zero) {
    UNROLL
    for (int r = 0; r < rows; r++) {
      UNROLL
      for (int h = 0; h < parts; h++) acc[r][h] = _mm512_setzero_ps();
    }
  } else {
    int bad = 0;
    UNROLL
    for (int r = 0; r < rows; r++) {
      const ptrdiff_t at = (row + r) * p->acc_stride + column;
      UNROLL
      for (int h = 0; h < parts; h += 2) {
        bad |= load_starts(p, at + 16 * h, (__mmask32)(mask >> (16 * h)), mode, &acc[r][h]);
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
  const int32_t *a_exponents = panel->a_exponents + row * panel->blocks;
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
      const __m512i exponent = _mm512_set1_epi32(a_exponents[r * panel->blocks + block]);
      UNROLL
      for (int h = 0; h < parts; h++) {
        const __m512i factor = _mm512_load_si512(b_factors + 16 * h);
        const __m512 scale = _mm512_castsi512_ps(_mm512_add_epi32(exponent, factor));
        // The scaled sum is exact, so fusing its addition rounds where the definition does.
        const __m512 x = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r][h]), scale, acc[r][h]);
        acc[r][h] = mode == fp32_floats ? x : rounded(x);
      }
    }
    a += 32;
    b += panel_block;
    offsets += tile_columns;
    b_factors += tile_columns;
  }
  int32_t special = 0;
  UNROLL
  for (int r = 0; r < rows; r++) {
    const ptrdiff_t at = (row + r) * p->acc_stride + column;
    UNROLL
    for (int h = 0; h < parts; h += 2) {
      special |= store_results(p, at + 16 * h, (__mmask32)(mask >> (16 * h)), mode, &acc[r][h]);
    }
  }
  return special;
}

#define TILE(rows)                                                                                 \
  TARGET __attribute__((noinline)) static int32_t tile_##rows(                                     \
      const struct npu_mac *p, const struct panel *panel, ptrdiff_t row, ptrdiff_t column,         \
      uint64_t mask) {                                                                             \
    if (p->acc_is_bf16) return run_tile(p, panel, row, column, mask, rows, bf16_words);            \
    if (p->rounds_to_bf16) return run_tile(p, panel, row, column, mask, rows, bf16_floats);        \
    return run_tile(p, panel, row, column, mask, rows, fp32_floats);                               \
  }
TILE(1)
TILE(2)
TILE(3)

typedef int32_t (*tile_function)(
    const struct npu_mac *, const struct panel *, ptrdiff_t, ptrdiff_t, uint64_t);
static const tile_function tiles[tile_rows] = {tile_1, tile_2, tile_3};

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
  int32_t *a_exponents = (int32_t *)work;
  const struct panel panel = {a, 32 * blocks, a_exponents, b, offsets, b_factors, blocks};
  const struct npu_scale_range a_range = pack_a(p, a, a_exponents);
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
