#ifndef NPUSIM_MAC_H
#define NPUSIM_MAC_H

#include <string.h>

#include "CDatapath.h"

/// Operands prepared for the fast loops: one scale product is exact, and no result leaves the range
/// in which BF16 rounding takes three operations.
///
/// The exponent of a block value's unit is Ba + Bb − 266. From −126 on every value and every sum is
/// a multiple of the smallest normal number, so none is subnormal; up to 60 no chain of any length
/// that starts below 2^100 reaches 2^112.
enum { npu_mac_least_scales = 140, npu_mac_most_scales = 326, npu_mac_least_scale = 7 };

/// The scale byte that stands in for that of a block of zeros, whose products are +0 under any
/// scale: with each one of the other side, from 7 to 254, the factor 2^(Ba + Bb − 266) is a normal
/// number.
enum { npu_mac_zero_scale = 136 };

/// The least and largest scale byte of some blocks.
struct npu_scale_range {
  int32_t least, most;
};

static inline int npu_mac_is_safe(struct npu_scale_range a, struct npu_scale_range b) {
  return a.least >= npu_mac_least_scale && b.least >= npu_mac_least_scale && a.most < 255
      && b.most < 255
         && a.least + b.least >= npu_mac_least_scales && a.most + b.most <= npu_mac_most_scales;
}

/// The bits of a BF16 accumulator that the fast loops may start from are 0, or in [2^-119, 2^100):
/// then it is a multiple of 2^-126, as every value is that is added.
enum { npu_mac_least_start = 8 << 23, npu_mac_start_span = 219 << 23 };

/// What the AVX-512 path packs at once: blocks of k, and rows.
enum { npu_mac_chunk_blocks = 16, npu_mac_strip_rows = 512 };

int32_t npu_mac_portable(const struct npu_mac *product);
int32_t npu_mac_avx2(const struct npu_mac *product);
int32_t npu_mac_avx512(const struct npu_mac *product);
int32_t npu_mac_neon(const struct npu_mac *product);

/// The rows and columns of a product from (row, column) on.
static inline struct npu_mac npu_mac_part(
    const struct npu_mac *p, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns) {
  struct npu_mac part = *p;
  ptrdiff_t offset = row * p->acc_stride + column;
  part.acc = (char *)p->acc + offset * (p->acc_is_bf16 ? 2 : 4);
  part.a += row * p->a_stride;
  part.a_scale += row * p->a_scale_stride;
  part.b += column;
  part.b_scale += column;
  part.m = rows;
  part.n = columns;
  return part;
}

#endif
