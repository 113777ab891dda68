#include "Mac.h"

#if defined(__x86_64__)

#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET __attribute__((always_inline)) static inline

// Three rows of 16 columns fill the registers. Products of bytes are summed in pairs of 16-bit
// numbers: the byte instruction saturates.
#define TILE_ROWS 3
#define TILE_COLUMNS 16

typedef int16_t operand;

/// A panel of B as pairs along k: for each two rows 16 columns × 2 numbers.
TARGET static void pack_b(const struct npu_mac *p, ptrdiff_t column, ptrdiff_t width, operand *b) {
  const ptrdiff_t depth = (p->k + 31) / 32 * 32;
  for (ptrdiff_t k = 0; k < depth; k += 2) {
    const int8_t *first = p->b + k * p->b_stride + column;
    for (ptrdiff_t c = 0; c < TILE_COLUMNS; c++) {
      const int inside = c < width;
      b[k * TILE_COLUMNS + 2 * c] = inside && k < p->k ? first[c] : 0;
      b[k * TILE_COLUMNS + 2 * c + 1] = inside && k + 1 < p->k ? first[p->b_stride + c] : 0;
    }
  }
}

INLINE void run_tile(const operand *a, const float *a_factors, const operand *b,
    const float *b_factors, ptrdiff_t blocks, float out[TILE_ROWS][TILE_COLUMNS],
        const int is_bf16) {
  __m256 acc[TILE_ROWS][2];
  for (int r = 0; r < TILE_ROWS; r++) {
    for (int h = 0; h < 2; h++) acc[r][h] = _mm256_loadu_ps(&out[r][8 * h]);
  }
  for (ptrdiff_t block = 0; block < blocks; block++) {
    __m256i sum[TILE_ROWS][2];
    for (int r = 0; r < TILE_ROWS; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
#pragma clang loop unroll(full)
    for (int pair = 0; pair < 16; pair++) {
      const __m256i b0 = _mm256_loadu_si256((const __m256i *)(b + 32 * pair));
      const __m256i b1 = _mm256_loadu_si256((const __m256i *)(b + 32 * pair + 16));
      for (int r = 0; r < TILE_ROWS; r++) {
        int32_t two;
        memcpy(&two, a + r * blocks * 32 + 2 * pair, 4);
        const __m256i left = _mm256_set1_epi32(two);
        sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(b0, left));
        sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(b1, left));
      }
    }
    for (int r = 0; r < TILE_ROWS; r++) {
      const __m256 left = _mm256_set1_ps(a_factors[r * blocks + block]);
      for (int h = 0; h < 2; h++) {
        // The scaled sum is exact, so fusing its addition rounds where the definition does.
        const __m256 scale = _mm256_mul_ps(left, _mm256_loadu_ps(b_factors + 8 * h));
        __m256 x = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[r][h]), scale, acc[r][h]);
        if (is_bf16) {
          // x + 2^16 · 2^e has its unit at BF16's last place, and the adder rounds.
          const __m256 big = _mm256_and_ps(x,
              _mm256_castsi256_ps(_mm256_set1_epi32((int)0xff800000)));
          const __m256 k = _mm256_set1_ps(65536.0f);
          x = _mm256_fnmadd_ps(big, k, _mm256_fmadd_ps(big, k, x));
        }
        acc[r][h] = x;
      }
    }
    a += 32;
    b += 32 * TILE_COLUMNS;
    b_factors += TILE_COLUMNS;
  }
  for (int r = 0; r < TILE_ROWS; r++) {
    for (int h = 0; h < 2; h++) _mm256_storeu_ps(&out[r][8 * h], acc[r][h]);
  }
}

#include "MacTiles.h"

int32_t npu_mac_avx2(const struct npu_mac *p) { return walk(p); }

#endif
