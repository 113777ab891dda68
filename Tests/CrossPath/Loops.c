#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CrossPath.h"

enum { count = 40000, rows = 97, columns = 413 };

/// The inputs and outputs of the loops.
struct arrays {
  float *a, *b, *to;
  uint16_t *words, *to_words, *open;
  uint8_t *bytes, *codes, *scales;
  int8_t *payload;
  uint32_t *wide;
};

static void elements(npu_path path, sink sink, void *context, struct arrays *at) {
  npu_bf16_to_float(path, at->words, at->to, count);
  sink(context, "bf16 to float", at->to, count * 4);
  npu_f16_to_float(path, at->words, at->to, count);
  sink(context, "f16 to float", at->to, count * 4);
  npu_float_to_bf16(path, at->a, at->to_words, count);
  sink(context, "float to bf16", at->to_words, count * 2);
  npu_float_to_f16(path, at->a, at->to_words, count);
  sink(context, "float to f16", at->to_words, count * 2);
  for (int format = 0; format < 2; format++) {
    npu_fp8_to_float(path, (npu_fp8)format, at->bytes, at->to, count);
    sink(context, "fp8 to float", at->to, count * 4);
    npu_fp8_to_bf16(path, (npu_fp8)format, at->bytes, at->to_words, count);
    sink(context, "fp8 to bf16", at->to_words, count * 2);
    for (int saturates = 0; saturates < 2; saturates++) {
      npu_float_to_fp8(path, (npu_fp8)format, saturates, at->a, at->codes, count);
      sink(context, "float to fp8", at->codes, count);
      for (int keeps = 0; keeps < 2; keeps++) {
        for (int i = 0; i < 300; i++) {
          const float divisor = at->b[i] < 0 ? -at->b[i] : at->b[i];
          npu_quantise_fp8(path, (npu_fp8)format, saturates, keeps, divisor, at->a + 100 * i,
              at->codes + 100 * i, 100);
        }
        sink(context, "quantise to fp8", at->codes, 30000);
      }
    }
    for (int rule = 0; rule < 3; rule++) {
      for (int row = 0; row < rows; row++) {
        npu_encode_fp8_row_bf16(path, (npu_fp8)format, (npu_scale_rule)rule,
            at->words + row * columns, columns, at->codes + row * columns, at->wide + row * 4);
      }
      sink(context, "fp8 blocks, codes", at->codes, rows * columns);
      sink(context, "fp8 blocks, scales", at->wide, rows * 4 * 4);
    }
  }
  for (int operation = 0; operation < 5; operation++) {
    npu_binary_run(path, (npu_binary)operation, at->to, at->a, at->b, count);
    sink(context, "binary", at->to, count * 4);
    npu_binary_bf16_run(path, (npu_binary)operation, at->to_words, at->words, at->words + 1,
        count - 1);
    sink(context, "binary of bf16", at->to_words, (count - 1) * 2);
    for (int i = 0; i < 400; i++) {
      npu_binary_scalar_run(path, (npu_binary)operation, at->to + 100 * i, at->a + 100 * i,
          at->b[i], 100);
    }
    sink(context, "binary with a scalar", at->to, count * 4);
  }
}

static void blocks(npu_path path, sink sink, void *context, struct arrays *at) {
  enum { width = (columns + 31) / 32 };
  for (int row = 0; row < rows; row++) {
    npu_encode_mx_row(path, at->a + row * columns, columns, at->payload + row * width * 32,
        at->scales + row * width);
  }
  sink(context, "mxint8 rows, payloads", at->payload, rows * width * 32);
  sink(context, "mxint8 rows, scales", at->scales, rows * width);
  for (int row = 0; row < rows; row++) {
    npu_decode_mx_row(path, at->payload + row * width * 32, at->bytes + row * width,
        at->to + row * columns, columns);
  }
  sink(context, "mxint8 rows, decoded", at->to, rows * columns * 4);
  for (int row = 0; row < rows; row++) {
    npu_encode_mx_row_bf16(path, at->words + row * columns, columns,
        at->payload + row * width * 32, at->scales + row * width);
  }
  sink(context, "mxint8 rows of bf16, payloads", at->payload, rows * width * 32);
  sink(context, "mxint8 rows of bf16, scales", at->scales, rows * width);
  for (int row = 0; row + 32 <= rows; row += 32) {
    npu_encode_mx_columns(path, at->a + row * columns, columns, row == 64 ? 29 : 32, columns,
        at->payload + row * columns, columns, at->scales + row / 32 * columns);
  }
  sink(context, "mxint8 columns, payloads", at->payload, rows / 32 * 32 * columns);
  sink(context, "mxint8 columns, scales", at->scales, rows / 32 * columns);
  npu_decode_mx_columns(path, at->payload, at->bytes, at->to, rows / 32 * 32 * columns);
  sink(context, "mxint8 columns, decoded", at->to, rows / 32 * 32 * columns * 4);
  for (int i = 0; i < 400; i++) at->to[i] = npu_finite_maximum(path, at->a + 100 * i, 100 - i % 7);
  sink(context, "finite maximum", at->to, 400 * 4);
  for (int i = 0; i < 400; i++) {
    at->wide[3 * i] = npu_any_special16(path, at->words + 100 * i, 0x7f80, 3) != 0;
    at->wide[3 * i + 1] = npu_any_special16(path, at->words + 100 * i, 0x7c00, 3) != 0;
    at->wide[3 * i + 2] = npu_any_special32(path, (const uint32_t *)(at->a + 100 * i), 3) != 0;
  }
  sink(context, "specials", at->wide, 400 * 3 * 4);
}

/// Elements that stay open keep what was there, and are part of the comparison too: the same
/// evaluation leaves the same ones.
static void functions(npu_path path, sink sink, void *context, struct arrays *at) {
  static const char *const names[] = {
      "exp", "exp2", "reciprocal", "rsqrt", "sin", "cos", "sigmoid", "silu", "log"};
  for (uint32_t word = 0; word < 0x10000; word++) at->to_words[word] = (uint16_t)word;
  npu_exp_bf16(path, at->to_words, at->to_words, 0x10000);
  sink(context, "exp of bf16", at->to_words, 0x10000 * 2);
  for (int function = npu_exp; function <= npu_log; function++) {
    memset(at->to, 0, count * 4);
    memset(at->to_words, 0, count * 2);
    ptrdiff_t found = npu_special(path, (npu_function)function, at->a, at->to, count, at->open);
    sink(context, names[function], at->to, count * 4);
    sink(context, names[function], at->open, (size_t)found * 2);
    found = npu_special_to_bf16(
        path, (npu_function)function, at->a, at->to_words, count, at->open);
    sink(context, names[function], at->to_words, count * 2);
    sink(context, names[function], at->open, (size_t)found * 2);
    memset(at->to_words, 0, count * 2);
    found = npu_special_bf16(
        path, (npu_function)function, at->words, at->to_words, count, at->open);
    sink(context, names[function], at->to_words, count * 2);
    sink(context, names[function], at->open, (size_t)found * 2);
  }
}

static void copies(npu_path path, sink sink, void *context, struct arrays *at) {
  memset(at->codes, 0, rows * columns);
  npu_transpose_bytes(path, at->codes, columns - 1, at->bytes, rows + 2, rows, columns - 3);
  sink(context, "transposed", at->codes, rows * columns);
  npu_copy_rows(path, at->codes, columns, at->bytes, columns + 7, 320, rows);
  sink(context, "copied", at->codes, rows * columns);
}

/// Products, of which the words alone are compared: the flag may be set without need.
static void products(npu_path path, sink sink, void *context, struct arrays *at) {
  for (int trial = 0; trial < 60; trial++) {
    struct npu_mac p = {
        .acc = at->to,
        .acc_stride = 60,
        .a = (const int8_t *)at->bytes + trial,
        .a_stride = 151,
        .a_scale = at->bytes + 7000 + trial,
        .a_scale_stride = 5,
        .b = (const int8_t *)at->bytes + 9000,
        .b_stride = 61,
        .b_scale = at->bytes + 30000 + trial,
        .b_scale_stride = 60,
        .m = 9,
        .n = 53,
        .k = 150 - trial,
        .acc_is_bf16 = trial % 3 == 0,
        .rounds_to_bf16 = trial % 3 != 1,
        .starts_at_zero = trial % 2,
        .work = at->open,
    };
    // The starts of the rounded chains are BF16 values.
    for (int i = 0; i < 9 * 60; i++) {
      uint32_t bits;
      memcpy(&bits, at->a + i + trial, 4);
      bits = (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits;
      bits = p.rounds_to_bf16 ? bits & 0xffff0000u : bits;
      memcpy(at->to + i, &bits, 4);
    }
    npu_mac_run(path, &p);
    sink(context, "product", at->to, 9 * 60 * 4);
  }
}

void run_loops(npu_path path, sink sink, void *context) {
  enum { room = 2 * 65536 };
  struct generator random = {1};
  struct arrays at = {
      allocated(room * 4), allocated(room * 4), allocated(room * 4), allocated(room * 2),
      allocated(room * 2), allocated(room * 2), allocated(room), allocated(room), allocated(room),
      allocated(room), allocated(room * 4)};
  for (int i = 0; i < room; i++) {
    at.a[i] = next_float(&random);
    at.b[i] = next_float(&random);
    // Neighbours in a row are of one size for long enough to be in a block together.
    uint32_t bits;
    memcpy(&bits, at.a + i, 4);
    at.words[i] = i / 200 % 2 ? (uint16_t)(bits >> 16)
                              : (uint16_t)(0x3f00 + next_word(&random) % 512 * 129 % 0x600);
    at.bytes[i] = (uint8_t)next_word(&random);
  }
  elements(path, sink, context, &at);
  blocks(path, sink, context, &at);
  functions(path, sink, context, &at);
  copies(path, sink, context, &at);
  products(path, sink, context, &at);
  void *owned[] = {at.a, at.b, at.to, at.words, at.to_words, at.open, at.bytes, at.codes,
      at.scales, at.payload, at.wide};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
}
