#include "Mac.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF

#define TARGET __attribute__((target("dotprod")))
#define INLINE TARGET __attribute__((always_inline)) static inline

// Three rows of 16 columns: 12 integer and 12 float accumulators, four registers of B, one of A.
#define TILE_ROWS 3
#define TILE_COLUMNS 16

typedef int8_t operand;

/// A panel of B as groups of four along k: for each four rows 16 columns × 4 numbers.
TARGET static void pack_b(const struct npu_mac *p, ptrdiff_t column, ptrdiff_t width, operand *b) {
  const ptrdiff_t depth = (p->k + 31) / 32 * 32;
  for (ptrdiff_t k = 0; k < depth; k++) {
    const int8_t *line = p->b + k * p->b_stride + column;
    operand *to = b + k / 4 * 4 * TILE_COLUMNS + k % 4;
    for (ptrdiff_t c = 0; c < TILE_COLUMNS; c++) to[4 * c] = c < width && k < p->k ? line[c] : 0;
  }
}

INLINE void run_tile(const operand *a, const float *a_factors, const operand *b,
    const float *b_factors, ptrdiff_t blocks, float out[TILE_ROWS][TILE_COLUMNS],
        const int is_bf16) {
  float32x4_t acc[TILE_ROWS][4];
  for (int r = 0; r < TILE_ROWS; r++) {
    for (int q = 0; q < 4; q++) acc[r][q] = vld1q_f32(&out[r][4 * q]);
  }
  for (ptrdiff_t block = 0; block < blocks; block++) {
    int32x4_t sum[TILE_ROWS][4];
    for (int r = 0; r < TILE_ROWS; r++) {
      for (int q = 0; q < 4; q++) sum[r][q] = vdupq_n_s32(0);
    }
#pragma clang loop unroll(full)
    for (int group = 0; group < 8; group++) {
      int8x16_t right[4];
      for (int q = 0; q < 4; q++) right[q] = vld1q_s8(b + 64 * group + 16 * q);
      for (int r = 0; r < TILE_ROWS; r++) {
        int32_t four;
        memcpy(&four, a + r * blocks * 32 + 4 * group, 4);
        const int8x16_t left = vreinterpretq_s8_s32(vdupq_n_s32(four));
        for (int q = 0; q < 4; q++) sum[r][q] = vdotq_s32(sum[r][q], right[q], left);
      }
    }
    for (int r = 0; r < TILE_ROWS; r++) {
      const float32x4_t left = vdupq_n_f32(a_factors[r * blocks + block]);
      for (int q = 0; q < 4; q++) {
        // The scaled sum is exact, so fusing its addition rounds where the definition does.
        const float32x4_t scale = vmulq_f32(left, vld1q_f32(b_factors + 4 * q));
        float32x4_t x = vfmaq_f32(acc[r][q], vcvtq_f32_s32(sum[r][q]), scale);
        if (is_bf16) {
          // x + 2^16 · 2^e has its unit at BF16's last place, and the adder rounds.
          const float32x4_t big = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x),
              vdupq_n_u32(0xff800000u)));
          const float32x4_t k = vdupq_n_f32(65536.0f);
          x = vfmsq_f32(vfmaq_f32(x, big, k), big, k);
        }
        acc[r][q] = x;
      }
    }
    a += 32;
    b += 32 * TILE_COLUMNS;
    b_factors += TILE_COLUMNS;
  }
  for (int r = 0; r < TILE_ROWS; r++) {
    for (int q = 0; q < 4; q++) vst1q_f32(&out[r][4 * q], acc[r][q]);
  }
}

#include "MacTiles.h"

int32_t npu_mac_neon(const struct npu_mac *p) { return walk(p); }

#endif
