#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CrossPath.h"

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

/// Scale bytes: of the middle, near the ends of what the quick loops take, of any kind, or extremes.
static uint8_t next_scale(struct generator *random, int kind) {
  static const uint8_t extremes[] = {0, 1, 6, 7, 8, 69, 70, 71, 127, 162, 163, 164, 253, 254, 255};
  switch (kind) {
  case 0:
    return (uint8_t)next_between(random, 115, 139);
  case 1:
    return (uint8_t)next_between(random, 66, 74);
  case 2:
    return (uint8_t)next_between(random, 159, 167);
  case 3:
    return (uint8_t)next_word(random);
  case 4:
    return next_word(random) % 8 ? 127 : 0;
  case 5:
    return (uint8_t)next_between(random, 174, 184);
  case 6:
    // A NaN now and then, where only the largest scale tells.
    return next_word(random) % 128 ? (uint8_t)next_between(random, 70, 71) : 255;
  default:
    return extremes[next_word(random) % sizeof extremes];
  }
}

/// A start of an accumulator: nothing special in three of four products.
static float next_start(struct generator *random, int kind) {
  if (kind == 0) return next_float(random);
  if (kind == 1) {
    const uint32_t bits = (uint32_t)(next_word(random) & 0x80ffffffu);
    float value;
    memcpy(&value, &bits, 4);
    return value;
  }
  return (float)next_between(random, -1000000, 1000000) * 0x1p-10f;
}

/// Payloads of a matrix and of the gaps between its rows: any, or few and small, so that sums are.
static int8_t *payloads(struct generator *random, size_t bytes, int is_sparse) {
  int8_t *at = allocated(bytes);
  for (size_t i = 0; i < bytes; i++) {
    const uint64_t word = next_word(random);
    at[i] = (int8_t)(word & 0xff);
    if (is_sparse) at[i] = (word >> 8) % 8 ? 0 : (int8_t)(1 - (int)(word >> 16) % 2 * 2);
  }
  return at;
}

int compare_products(npu_path path, npu_path expected, int trials) {
  int wrong = 0;
  for (int trial = 0; trial < trials; trial++) {
    struct generator random = {0x5eed0000u + (uint64_t)trial};
    const int is_long = trial % 16 == 0;
    struct npu_mac p = {
        .m = next_between(&random, 1, 14),
        .n = next_between(&random, 1, is_long ? 150 : 40),
        .k = next_between(&random, 1, is_long ? 700 : 130),
        .acc_is_bf16 = trial % 3 == 0,
        .rounds_to_bf16 = trial % 3 != 1,
        .starts_at_zero = trial % 5 == 0,
    };
    const ptrdiff_t blocks = (p.k + 31) / 32;
    p.a_stride = p.k + next_between(&random, 0, 9);
    p.b_stride = p.n + next_between(&random, 0, 9);
    p.a_scale_stride = blocks + next_between(&random, 0, 3);
    p.b_scale_stride = p.n + next_between(&random, 0, 9);
    p.acc_stride = p.n + next_between(&random, 0, 9);
    const int is_sparse = trial % 4 == 1;
    int8_t *a = payloads(&random, (size_t)(p.m * p.a_stride), is_sparse);
    int8_t *b = payloads(&random, (size_t)(p.k * p.b_stride), is_sparse);
    uint8_t *a_scale = allocated((size_t)(p.m * p.a_scale_stride));
    uint8_t *b_scale = allocated((size_t)(blocks * p.b_scale_stride));
    const int kind = (int)(next_word(&random) % 8);
    for (ptrdiff_t i = 0; i < p.m * p.a_scale_stride; i++) {
      a_scale[i] = next_scale(&random, kind);
    }
    for (ptrdiff_t i = 0; i < blocks * p.b_scale_stride; i++) {
      b_scale[i] = next_scale(&random, kind);
    }
    if (kind == 4) {
      // Blocks of zeros have the scale 0.
      for (ptrdiff_t row = 0; row < p.m; row++) {
        for (ptrdiff_t k = 0; k < p.k; k++) {
          if (a_scale[row * p.a_scale_stride + k / 32] == 0) a[row * p.a_stride + k] = 0;
        }
      }
      for (ptrdiff_t k = 0; k < p.k; k++) {
        for (ptrdiff_t column = 0; column < p.n; column++) {
          if (b_scale[k / 32 * p.b_scale_stride + column] == 0) b[k * p.b_stride + column] = 0;
        }
      }
    }
    if (trial % 7 == 0) memset(a, 0x80, (size_t)(p.m * p.a_stride));
    p.a = a;
    p.b = b;
    p.a_scale = a_scale;
    p.b_scale = b_scale;
    const size_t count = (size_t)(p.m * p.acc_stride), size = p.acc_is_bf16 ? 2 : 4;
    uint8_t *start = allocated(count * size), *got = allocated(count * size);
    uint8_t *want = allocated(count * size);
    const int starts = (int)(next_word(&random) % 6);
    for (size_t i = 0; i < count; i++) {
      uint32_t bits = bits_of(next_start(&random, starts));
      // A NaN of a register is the canonical one.
      if ((bits & 0x7fffffffu) > 0x7f800000u) bits = 0x7fc00000u;
      if (p.rounds_to_bf16) bits &= 0xffff0000u;
      const uint16_t word = (uint16_t)(bits >> 16);
      memcpy(start + i * size, p.acc_is_bf16 ? (void *)&word : (void *)&bits, size);
    }
    memcpy(got, start, count * size);
    memcpy(want, start, count * size);
    const size_t work = npu_mac_work_bytes(path, p.m, p.n, p.k);
    const size_t other = npu_mac_work_bytes(expected, p.m, p.n, p.k);
    p.work = allocated(work > other ? work : other);
    p.acc = got;
    const int32_t flag = npu_mac_run(path, &p);
    p.acc = want;
    npu_mac_run(expected, &p);
    int is_special = 0, differs = memcmp(got, want, count * size) != 0;
    for (ptrdiff_t row = 0; row < p.m; row++) {
      for (ptrdiff_t column = 0; column < p.n; column++) {
        uint32_t bits = 0;
        memcpy((uint8_t *)&bits + (4 - size), got + (size_t)(row * p.acc_stride + column) * size,
            size);
        is_special |= (bits & 0x7f800000u) == 0x7f800000u;
      }
    }
    // The flag may be set without need, never missing.
    if (differs || (is_special && !flag)) {
      if (wrong++ < 10) {
        printf("product, trial %d: %td x %td x %td, bf16 %d, rounds %d, scales %d, starts %d: %s\n",
            trial, p.m, p.n, p.k, p.acc_is_bf16, p.rounds_to_bf16, kind, starts,
            differs ? "other words" : "no flag");
      }
    }
    void *owned[] = {a, b, a_scale, b_scale, start, got, want, p.work};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
  }
  return wrong;
}
