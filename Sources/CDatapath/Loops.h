#ifndef NPUSIM_LOOPS_H
#define NPUSIM_LOOPS_H

#include "CDatapath.h"

/// Blocks whose scales are found before any of them is encoded.
enum { npu_most_blocks = 16 };

/// The loops over arrays as one path has them; see CDatapath.h for what each one does.
struct npu_loops {
  void (*bf16_to_float)(const uint16_t *, float *, ptrdiff_t);
  void (*f16_to_float)(const uint16_t *, float *, ptrdiff_t);
  void (*e4m3fn_to_float)(const uint8_t *, float *, ptrdiff_t);
  void (*e5m2_to_float)(const uint8_t *, float *, ptrdiff_t);
  void (*fp8_to_bf16)(npu_fp8, const uint8_t *, uint16_t *, ptrdiff_t);
  void (*float_to_bf16)(const float *, uint16_t *, ptrdiff_t);
  void (*float_to_f16)(const float *, uint16_t *, ptrdiff_t);
  void (*float_to_fp8)(npu_fp8, int32_t, const float *, uint8_t *, ptrdiff_t);
  void (*binary)(npu_binary, float *, const float *, const float *, ptrdiff_t);
  void (*binary_bf16)(
      npu_binary, uint16_t *, const uint16_t *, const uint16_t *, ptrdiff_t);
  void (*binary_scalar)(npu_binary, float *, const float *, float, ptrdiff_t);
  void (*encode_mx_row)(const float *, ptrdiff_t, int8_t *, uint8_t *);
  void (*encode_mx_row_bf16)(const uint16_t *, ptrdiff_t, int8_t *, uint8_t *);
  void (*encode_mx_columns)(
      const float *, ptrdiff_t, ptrdiff_t, ptrdiff_t, int8_t *, ptrdiff_t, uint8_t *);
  void (*decode_mx_row)(const int8_t *, const uint8_t *, float *, ptrdiff_t);
  void (*decode_mx_columns)(const int8_t *, const uint8_t *, float *, ptrdiff_t);
  float (*finite_maximum)(const float *, ptrdiff_t);
  void (*quantise_fp8)(npu_fp8, int32_t, int32_t, float, const float *, uint8_t *, ptrdiff_t);
  void (*encode_fp8_row_bf16)(
      npu_fp8, npu_scale_rule, const uint16_t *, ptrdiff_t, uint8_t *, uint32_t *);
  void (*exp_bf16)(const uint16_t *, uint16_t *, ptrdiff_t);
  ptrdiff_t (*special)(npu_function, const float *, float *, ptrdiff_t, uint16_t *);
  ptrdiff_t (*special_to_bf16)(npu_function, const float *, uint16_t *, ptrdiff_t, uint16_t *);
  ptrdiff_t (*special_bf16)(npu_function, const uint16_t *, uint16_t *, ptrdiff_t, uint16_t *);
  void (*copy_rows)(
      uint8_t *, ptrdiff_t, const uint8_t *, ptrdiff_t, ptrdiff_t, ptrdiff_t);
  void (*transpose_bytes)(
      uint8_t *, ptrdiff_t, const uint8_t *, ptrdiff_t, ptrdiff_t, ptrdiff_t);
  int32_t (*any_special16)(const uint16_t *, uint16_t, ptrdiff_t);
  int32_t (*any_special32)(const uint32_t *, ptrdiff_t);
};

extern const struct npu_loops npu_loops_portable, npu_loops_avx2, npu_loops_avx512;

#endif
