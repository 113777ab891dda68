// Included by the paths with narrow registers, after TILE_ROWS, TILE_COLUMNS, TARGET, `struct
// operands` with its `pack_b` and `pack_a`, and `run_tile` are defined: walks a product in tiles.

/// Copies a tile's starts to `acc`; 0 where one does not allow the fast rounding.
INLINE int load_tile(const struct npu_mac *p, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
    ptrdiff_t width, float acc[TILE_ROWS][TILE_COLUMNS]) {
  memset(acc, 0, sizeof(float) * TILE_ROWS * TILE_COLUMNS);
  if (p->starts_at_zero) return 1;
  int bad = 0;
  for (ptrdiff_t r = 0; r < rows; r++) {
    const ptrdiff_t at = (row + r) * p->acc_stride + column;
    for (ptrdiff_t c = 0; c < width; c++) {
      uint32_t bits;
      if (p->acc_is_bf16) {
        bits = (uint32_t)((const uint16_t *)p->acc)[at + c] << 16;
      } else {
        memcpy(&bits, (const float *)p->acc + at + c, 4);
      }
      memcpy(&acc[r][c], &bits, 4);
      const uint32_t magnitude = bits & 0x7fffffffu;
      bad |= magnitude != 0 && magnitude - npu_mac_least_start >= npu_mac_start_span;
    }
  }
  return !(bad && p->rounds_to_bf16);
}

/// Copies a tile's results out; whether one is not finite.
INLINE int store_tile(const struct npu_mac *p, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column,
    ptrdiff_t width, float acc[TILE_ROWS][TILE_COLUMNS]) {
  int special = 0;
  for (ptrdiff_t r = 0; r < rows; r++) {
    const ptrdiff_t at = (row + r) * p->acc_stride + column;
    for (ptrdiff_t c = 0; c < width; c++) {
      uint32_t bits;
      memcpy(&bits, &acc[r][c], 4);
      const uint32_t magnitude = bits & 0x7fffffffu;
      bits = magnitude > 0x7f800000u ? 0x7fc00000u : bits;
      special |= magnitude >= 0x7f800000u;
      if (p->acc_is_bf16) {
        ((uint16_t *)p->acc)[at + c] = (uint16_t)(bits >> 16);
      } else {
        memcpy((float *)p->acc + at + c, &bits, 4);
      }
    }
  }
  return special;
}

/// 2^(B − 133) of some blocks' scales, and their range. Blocks of zeros have the scale 0 and give
/// +0 under any other one.
INLINE float factor(int32_t scale, int is_zero, struct npu_scale_range *range) {
  if (scale < npu_mac_least_scale && is_zero) {
    scale = npu_mac_zero_scale;
  } else {
    range->least = scale < range->least ? scale : range->least;
    range->most = scale > range->most ? scale : range->most;
  }
  const uint32_t bits = (uint32_t)(scale - 6) << 23;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

TARGET static struct npu_scale_range b_factors(const struct npu_mac *p, ptrdiff_t column,
    ptrdiff_t width, float *factors) {
  struct npu_scale_range range = {255, 0};
  for (ptrdiff_t block = 0; 32 * block < p->k; block++) {
    const uint8_t *line = p->b_scale + block * p->b_scale_stride + column;
    for (ptrdiff_t c = 0; c < TILE_COLUMNS; c++) {
      const int32_t scale = line[c < width ? c : 0];
      int seen = 0;
      if (scale < npu_mac_least_scale) {
        for (ptrdiff_t k = 32 * block; k < 32 * block + 32
            && k < p->k; k++) seen |= p->b[k * p->b_stride + column + (c < width ? c : 0)];
      }
      factors[block * TILE_COLUMNS + c] = factor(scale, seen == 0, &range);
    }
  }
  return range;
}

TARGET static struct npu_scale_range a_factors(const struct npu_mac *p, float *factors) {
  struct npu_scale_range range = {255, 0};
  const ptrdiff_t blocks = (p->k + 31) / 32;
  for (ptrdiff_t row = 0; row < p->m; row++) {
    for (ptrdiff_t block = 0; block < blocks; block++) {
      const int32_t scale = p->a_scale[row * p->a_scale_stride + block];
      int seen = 0;
      if (scale < npu_mac_least_scale) {
        for (ptrdiff_t k = 32 * block; k < 32 * block + 32
            && k < p->k; k++) seen |= p->a[row * p->a_stride + k];
      }
      factors[row * blocks + block] = factor(scale, seen == 0, &range);
    }
  }
  return range;
}

/// Walks a product panel by panel. `work` holds the packed A, the packed panel and both's factors.
TARGET static int32_t walk(const struct npu_mac *p) {
  const ptrdiff_t blocks = (p->k + 31) / 32;
  // The last tile reads whole rows.
  const ptrdiff_t padded = (p->m + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
  char *work = p->work;
  operand *b = (operand *)work;
  work += blocks * 32 * TILE_COLUMNS * (ptrdiff_t)sizeof(operand);
  operand *a = (operand *)work;
  work += padded * blocks * 32 * (ptrdiff_t)sizeof(operand);
  float *b_scales = (float *)work;
  work += blocks * TILE_COLUMNS * 4;
  float *a_scales = (float *)work;
  memset(a, 0, (size_t)(padded * blocks * 32) * sizeof(operand));
  memset(a_scales, 0, (size_t)(padded * blocks) * 4);
  for (ptrdiff_t row = 0; row < p->m; row++) {
    for (ptrdiff_t k = 0; k < p->k; k++) a[row * blocks * 32 + k] = p->a[row * p->a_stride + k];
  }
  const struct npu_scale_range a_range = a_factors(p, a_scales);
  int32_t special = 0;
  for (ptrdiff_t column = 0; column < p->n; column += TILE_COLUMNS) {
    const ptrdiff_t width = p->n - column < TILE_COLUMNS ? p->n - column : TILE_COLUMNS;
    pack_b(p, column, width, b);
    const int is_safe = npu_mac_is_safe(a_range, b_factors(p, column, width, b_scales));
    for (ptrdiff_t row = 0; row < p->m; row += TILE_ROWS) {
      const ptrdiff_t rows = p->m - row < TILE_ROWS ? p->m - row : TILE_ROWS;
      float acc[TILE_ROWS][TILE_COLUMNS];
      if (is_safe && load_tile(p, row, rows, column, width, acc)) {
        const operand *left = a + row * blocks * 32;
        const float *scales = a_scales + row * blocks;
        if (p->rounds_to_bf16) {
          run_tile(left, scales, b, b_scales, blocks, acc, 1);
        } else {
          run_tile(left, scales, b, b_scales, blocks, acc, 0);
        }
        special |= store_tile(p, row, rows, column, width, acc);
      } else {
        const struct npu_mac part = npu_mac_part(p, row, rows, column, width);
        special |= npu_mac_portable(&part);
      }
    }
  }
  return special;
}
