#ifndef NPUSIM_SPECIAL_H
#define NPUSIM_SPECIAL_H

#include "CDatapath.h"

/// The FP32 words, without their sign where `has_both_signs`, from `least` to `most`.
struct special_span {
  uint32_t least, most;
  int has_both_signs;
};

/// Arguments whose result is a normal FP32 number that is not looked up: no zeros, no overflow, no
/// subnormals, nothing that only an argument decides (see `SpecialFunction`).
static inline struct special_span special_span_of(const npu_function function) {
  switch (function) {
  case npu_exp2:
    // 126
    return (struct special_span){0, 0x42fc0000, 1};
  case npu_silu:
    // 2^-124 to 87
    return (struct special_span){0x01800000, 0x42ae0000, 1};
  case npu_sin:
    // 2^-100 to 2^18
    return (struct special_span){0x0d800000, 0x48800000, 1};
  case npu_cos:
    return (struct special_span){0, 0x48800000, 1};
  case npu_rsqrt:
  case npu_log:
    // Positive and finite.
    return (struct special_span){1, 0x7f7fffff, 0};
  default:
    // exp and sigmoid: 87
    return (struct special_span){0, 0x42ae0000, 1};
  }
}

/// Whether the loops leave every argument outside of the span to the caller. The others are
/// saturated, and rounded with care for subnormals.
static inline int special_is_listed(const npu_function function) {
  return function == npu_rsqrt || function == npu_log || function == npu_sin
         || function == npu_cos;
}

#endif
