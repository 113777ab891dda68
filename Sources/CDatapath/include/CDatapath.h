#ifndef NPUSIM_CDATAPATH_H
#define NPUSIM_CDATAPATH_H

// The inner loops of the datapath: the same words as the scalar definitions in
// Sources/NPUSim/Numerics, faster. Every function is pure (it touches only what its pointers say),
// keeps no state, and takes the path that computes it, so that one process can run and compare all
// of them.
//
// Pointers cover exactly what is said; nothing past it is read or written unless said. Strides are
// in elements, from row to row. Counts below 1 touch nothing. NaN results are 0x7fc00000 (positive)
// except where a conversion keeps a NaN's sign. Every operation is IEEE 754 round to nearest even
// with gradual underflow: the caller's floating-point environment must be the default one.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A set of instructions that the loops are compiled for.
typedef enum {
  /// What the compiler assumes of any processor of the architecture.
  npu_path_portable = 0,
  /// x86-64 with AVX2 and FMA.
  npu_path_avx2 = 1,
  /// x86-64 with AVX-512 F, BW, DQ, VL and VNNI.
  npu_path_avx512 = 2,
  /// AArch64; with the dot-product instructions where the compiler may assume them.
  npu_path_neon = 3,
} npu_path;

/// Whether this processor, its operating system and this build have the path. A path that is not
/// available must not be passed to any other function.
int32_t npu_path_is_available(npu_path path);

// MARK: Arrays

/// The FP8 formats.
typedef enum { npu_e4m3fn = 0, npu_e5m2 = 1 } npu_fp8;

/// Binary operations in FP32. Of `npu_max` see `FP32.max`: NaN if either is, max(−0, +0) = +0.
typedef enum { npu_add = 0, npu_sub = 1, npu_mul = 2, npu_div = 3, npu_max = 4 } npu_binary;

/// Widening, exact: a NaN becomes the quiet NaN of its sign (BF16: keeps its bits).
void npu_bf16_to_float(npu_path path, const uint16_t *from, float *to, ptrdiff_t count);
void npu_f16_to_float(npu_path path, const uint16_t *from, float *to, ptrdiff_t count);
void npu_fp8_to_float(npu_path path, npu_fp8 format, const uint8_t *from, float *to,
    ptrdiff_t count);

/// FP8 to BF16, which has every FP8 value; a NaN becomes the quiet NaN of its sign.
void npu_fp8_to_bf16(npu_path path, npu_fp8 format, const uint8_t *from, uint16_t *to,
    ptrdiff_t count);

/// Narrowing, rounded once to nearest even; a NaN keeps its sign. Overflow gives infinity, or NaN
/// where the format has no infinity, or with `saturates` the largest finite value (of infinities
/// too).
void npu_float_to_bf16(npu_path path, const float *from, uint16_t *to, ptrdiff_t count);
void npu_float_to_f16(npu_path path, const float *from, uint16_t *to, ptrdiff_t count);
void npu_float_to_fp8(
    npu_path path, npu_fp8 format, int32_t saturates, const float *from, uint8_t *to,
        ptrdiff_t count);

/// to[i] = a[i] ∘ b[i], of BF16 words rounded twice, to FP32 and to BF16; and to[i] = a[i] ∘ b.
/// `to` may be either source, or not overlap it.
void npu_binary_run(
    npu_path path, npu_binary operation, float *to, const float *a, const float *b,
        ptrdiff_t count);
void npu_binary_bf16_run(
    npu_path path, npu_binary operation, uint16_t *to, const uint16_t *a, const uint16_t *b,
        ptrdiff_t count);
void npu_binary_scalar_run(
    npu_path path, npu_binary operation, float *to, const float *a, float b, ptrdiff_t count);

/// MXINT8 of `count` elements of a row (OCP MX v1.0, 6.3): ⌈count/32⌉ blocks of 32 payloads, the
/// last one padded with zeros, and as many scale bytes.
void npu_encode_mx_row(
    npu_path path, const float *from, ptrdiff_t count, int8_t *payload, uint8_t *scales);

/// The same of BF16 words.
void npu_encode_mx_row_bf16(
    npu_path path, const uint16_t *from, ptrdiff_t count, int8_t *payload, uint8_t *scales);

/// One block of at most 32 rows down each column: 32 rows of payloads, those from `rows` on zero,
/// and one row of scale bytes.
void npu_encode_mx_columns(
    npu_path path, const float *from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
    int8_t *payload, ptrdiff_t payload_stride, uint8_t *scales);

/// p · 2^(B − 133) of a row in blocks of 32, and of a row whose elements have a scale each.
void npu_decode_mx_row(
    npu_path path, const int8_t *payload, const uint8_t *scales, float *to, ptrdiff_t count);
void npu_decode_mx_columns(
    npu_path path, const int8_t *payload, const uint8_t *scales, float *to, ptrdiff_t count);

/// The largest magnitude among the finite values; 0 if there is none.
float npu_finite_maximum(npu_path path, const float *values, ptrdiff_t count);

/// to[i] = the FP8 code of fl32(from[i] / divisor). With `keeps` a quotient that is not finite is
/// replaced by from[i]; otherwise a NaN is the positive one. `saturates` as in `npu_float_to_fp8`.
void npu_quantise_fp8(
    npu_path path, npu_fp8 format, int32_t saturates, int32_t keeps, float divisor,
        const float *from,
    uint8_t *to, ptrdiff_t count);

/// How the scale of an FP8 block is made from its largest finite magnitude; see `FP8Block`.
typedef enum { npu_scale_fp32 = 0, npu_scale_e8m0_up = 1, npu_scale_e8m0_down = 2 } npu_scale_rule;

/// A row of BF16 words in FP8 blocks of 128: `count` codes, and for each of ⌈count/128⌉ blocks the
/// FP32 word or the E8M0 byte of its scale.
void npu_encode_fp8_row_bf16(
    npu_path path, npu_fp8 format, npu_scale_rule rule, const uint16_t *from, ptrdiff_t count,
    uint8_t *codes, uint32_t *scales);

/// BF16 words of e^x, rounded to nearest even from the exact value; of a NaN 0x7fc0. `to` may be
/// `from`.
void npu_exp_bf16(npu_path path, const uint16_t *from, uint16_t *to, ptrdiff_t count);

/// The special functions; see `SpecialFunction`.
typedef enum {
  npu_exp = 0,
  npu_exp2 = 1,
  npu_reciprocal = 2,
  npu_rsqrt = 3,
  npu_sin = 4,
  npu_cos = 5,
  npu_sigmoid = 6,
  npu_silu = 7,
  npu_log = 8,
} npu_function;

/// Special functions of FP32 values, rounded once to nearest even from the exact value, as FP32
/// values and as BF16 words: of those elements that a quick evaluation decides. The others are left
/// as they are; `open` receives their places in ascending order, and the result is how many they
/// are. At most 65,536 elements. `to` may be `from`.
ptrdiff_t npu_special(npu_path path, npu_function function, const float *from, float *to,
    ptrdiff_t count, uint16_t *open);
ptrdiff_t npu_special_to_bf16(npu_path path, npu_function function, const float *from,
    uint16_t *to, ptrdiff_t count, uint16_t *open);

/// The same of BF16 words.
ptrdiff_t npu_special_bf16(npu_path path, npu_function function, const uint16_t *from,
    uint16_t *to, ptrdiff_t count, uint16_t *open);

/// Copies rows of `bytes` bytes, `to_pitch` and `from_pitch` apart, that do not overlap.
void npu_copy_rows(npu_path path, uint8_t *to, ptrdiff_t to_pitch, const uint8_t *from,
    ptrdiff_t from_pitch, ptrdiff_t bytes, ptrdiff_t rows);

/// to[r][c] = from[c][r] of bytes, for `rows` rows of `columns` bytes of the result, that do not
/// overlap the source.
void npu_transpose_bytes(npu_path path, uint8_t *to, ptrdiff_t to_pitch, const uint8_t *from,
    ptrdiff_t from_pitch, ptrdiff_t rows, ptrdiff_t columns);

/// Whether a word has all bits of its exponent field set: NaN or infinity. `exponent` is 0x7f80 for
/// BF16 and 0x7c00 for FP16.
int32_t npu_any_special16(npu_path path, const uint16_t *words, uint16_t exponent, ptrdiff_t count);
int32_t npu_any_special32(npu_path path, const uint32_t *words, ptrdiff_t count);

// MARK: Block MAC

/// One product of MXINT8 matrices: acc[m × n] (+)= A[m × k] · B[k × n], blocks of 32 along k.
struct npu_mac {
  /// m × n accumulators: Floats, or BF16 words. They hold BF16 values where the sums are BF16.
  void *acc;
  ptrdiff_t acc_stride;
  /// m × k payloads and m × ⌈k/32⌉ scale bytes.
  const int8_t *a;
  ptrdiff_t a_stride;
  const uint8_t *a_scale;
  ptrdiff_t a_scale_stride;
  /// k × n payloads and ⌈k/32⌉ × n scale bytes.
  const int8_t *b;
  ptrdiff_t b_stride;
  const uint8_t *b_scale;
  ptrdiff_t b_scale_stride;
  ptrdiff_t m, n, k;
  /// Whether `acc` points at BF16 words.
  int32_t acc_is_bf16;
  /// Whether every addition is rounded to BF16; always true of BF16 words.
  int32_t rounds_to_bf16;
  /// Whether the chains start at +0 instead of at what `acc` holds.
  int32_t starts_at_zero;
  /// `npu_mac_work_bytes` bytes, aligned to 64.
  void *work;
};

/// The bytes that `npu_mac_run` needs to pack its operands: proportional to m·k + k.
size_t npu_mac_work_bytes(npu_path path, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k);

/// Adds the products of all blocks to each accumulator in ascending k: for each block v = fl32(s ·
/// 2^(Ba + Bb − 266)) with s the exact integer sum of products, NaN where a scale is 0xff; acc =
/// fl32(acc + v), and its rounding to BF16 where the sums are BF16. The last block may be short.
/// With k = 0 or an empty output nothing is written.
///
/// Returns 1 if an accumulator may have become NaN or infinite, 0 if certainly none did.
int32_t npu_mac_run(npu_path path, const struct npu_mac *product);

/// Makes `rounds` rounds of the path's dot-product instructions out of registers, and returns how
/// many int8 multiply-accumulates that were: the rate that no product of the path can exceed. 0
/// where the path has no such measurement. `sum` receives what was added up.
int64_t npu_mac_peak(npu_path path, int64_t rounds, int32_t *sum);

#ifdef __cplusplus
}
#endif

#endif
