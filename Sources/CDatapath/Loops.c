#include "Loops.h"

static const struct npu_loops *loops_of(npu_path path) {
  switch (path) {
#if defined(__x86_64__)
  case npu_path_avx2:
    return &npu_loops_avx2;
  case npu_path_avx512:
    return &npu_loops_avx512;
#endif
  default:
    // On AArch64 the compiler may assume the vector instructions that the loops need.
    return &npu_loops_portable;
  }
}

void npu_bf16_to_float(npu_path path, const uint16_t *from, float *to, ptrdiff_t count) {
  loops_of(path)->bf16_to_float(from, to, count);
}

void npu_f16_to_float(npu_path path, const uint16_t *from, float *to, ptrdiff_t count) {
  loops_of(path)->f16_to_float(from, to, count);
}

void npu_fp8_to_float(npu_path path, npu_fp8 format, const uint8_t *from, float *to,
    ptrdiff_t count) {
  const struct npu_loops *loops = loops_of(path);
  (format == npu_e4m3fn ? loops->e4m3fn_to_float : loops->e5m2_to_float)(from, to, count);
}

void npu_fp8_to_bf16(npu_path path, npu_fp8 format, const uint8_t *from, uint16_t *to,
    ptrdiff_t count) {
  loops_of(path)->fp8_to_bf16(format, from, to, count);
}

void npu_float_to_bf16(npu_path path, const float *from, uint16_t *to, ptrdiff_t count) {
  loops_of(path)->float_to_bf16(from, to, count);
}

void npu_float_to_f16(npu_path path, const float *from, uint16_t *to, ptrdiff_t count) {
  loops_of(path)->float_to_f16(from, to, count);
}

void npu_float_to_fp8(npu_path path, npu_fp8 format, int32_t saturates, const float *from,
    uint8_t *to, ptrdiff_t count) {
  loops_of(path)->float_to_fp8(format, saturates, from, to, count);
}

void npu_binary_run(npu_path path, npu_binary operation, float *to, const float *a, const float *b,
    ptrdiff_t count) {
  loops_of(path)->binary(operation, to, a, b, count);
}

void npu_binary_bf16_run(npu_path path, npu_binary operation, uint16_t *to, const uint16_t *a,
    const uint16_t *b, ptrdiff_t count) {
  loops_of(path)->binary_bf16(operation, to, a, b, count);
}

void npu_binary_scalar_run(npu_path path, npu_binary operation, float *to, const float *a, float b,
    ptrdiff_t count) {
  loops_of(path)->binary_scalar(operation, to, a, b, count);
}

void npu_encode_mx_row(npu_path path, const float *from, ptrdiff_t count, int8_t *payload,
    uint8_t *scales) {
  loops_of(path)->encode_mx_row(from, count, payload, scales);
}

void npu_encode_mx_row_bf16(npu_path path, const uint16_t *from, ptrdiff_t count, int8_t *payload,
    uint8_t *scales) {
  loops_of(path)->encode_mx_row_bf16(from, count, payload, scales);
}

void npu_encode_mx_columns(npu_path path, const float *from, ptrdiff_t stride, ptrdiff_t rows,
    ptrdiff_t columns, int8_t *payload, ptrdiff_t payload_stride, uint8_t *scales) {
  loops_of(path)->encode_mx_columns(from, stride, rows, columns, payload, payload_stride, scales);
}

void npu_decode_mx_row(npu_path path, const int8_t *payload, const uint8_t *scales, float *to,
    ptrdiff_t count) {
  loops_of(path)->decode_mx_row(payload, scales, to, count);
}

void npu_decode_mx_columns(npu_path path, const int8_t *payload, const uint8_t *scales, float *to,
    ptrdiff_t count) {
  loops_of(path)->decode_mx_columns(payload, scales, to, count);
}

float npu_finite_maximum(npu_path path, const float *values, ptrdiff_t count) {
  return loops_of(path)->finite_maximum(values, count);
}

void npu_quantise_fp8(npu_path path, npu_fp8 format, int32_t saturates, int32_t keeps,
    float divisor, const float *from, uint8_t *to, ptrdiff_t count) {
  loops_of(path)->quantise_fp8(format, saturates, keeps, divisor, from, to, count);
}

void npu_encode_fp8_row_bf16(npu_path path, npu_fp8 format, npu_scale_rule rule,
    const uint16_t *from, ptrdiff_t count, uint8_t *codes, uint32_t *scales) {
  loops_of(path)->encode_fp8_row_bf16(format, rule, from, count, codes, scales);
}

void npu_exp_bf16(npu_path path, const uint16_t *from, uint16_t *to, ptrdiff_t count) {
  loops_of(path)->exp_bf16(from, to, count);
}

ptrdiff_t npu_special(npu_path path, npu_function function, const float *from, float *to,
    ptrdiff_t count, uint16_t *open) {
  return loops_of(path)->special(function, from, to, count, open);
}

ptrdiff_t npu_special_to_bf16(npu_path path, npu_function function, const float *from,
    uint16_t *to, ptrdiff_t count, uint16_t *open) {
  return loops_of(path)->special_to_bf16(function, from, to, count, open);
}

ptrdiff_t npu_special_bf16(npu_path path, npu_function function, const uint16_t *from,
    uint16_t *to, ptrdiff_t count, uint16_t *open) {
  return loops_of(path)->special_bf16(function, from, to, count, open);
}

void npu_copy_rows(npu_path path, uint8_t *to, ptrdiff_t to_pitch, const uint8_t *from,
    ptrdiff_t from_pitch, ptrdiff_t bytes, ptrdiff_t rows) {
  loops_of(path)->copy_rows(to, to_pitch, from, from_pitch, bytes, rows);
}

void npu_transpose_bytes(npu_path path, uint8_t *to, ptrdiff_t to_pitch, const uint8_t *from,
    ptrdiff_t from_pitch, ptrdiff_t rows, ptrdiff_t columns) {
  loops_of(path)->transpose_bytes(to, to_pitch, from, from_pitch, rows, columns);
}

int32_t npu_any_special16(npu_path path, const uint16_t *words, uint16_t exponent,
    ptrdiff_t count) {
  return loops_of(path)->any_special16(words, exponent, count);
}

int32_t npu_any_special32(npu_path path, const uint32_t *words, ptrdiff_t count) {
  return loops_of(path)->any_special32(words, count);
}
