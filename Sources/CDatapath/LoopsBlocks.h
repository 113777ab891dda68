// The part of LoopsTemplate.h on blocks that share a scale, and the exponential.

// MARK: MXINT8

/// Two factors whose product is 2^(133 − B), the first one applied without rounding. The power
/// itself leaves FP32's range for B < 6; there the values are small, so 2^16 can be multiplied in
/// exactly first.
INLINE float first_factor(uint32_t field) { return field < 32 ? 0x1p16f : 1.0f; }

INLINE float second_factor(uint32_t field) {
  return float_of(((field < 32 ? 244 - field : 260 - field) & 0xff) << 23);
}

/// RNE of a value scaled to −128 < t < 128, clamped to ±127. Clamping first is the same, since
/// rounding is monotonic and keeps integers; adding 1.5 · 2^23 leaves the rounded integer in the
/// low bits. Scaling may round only where the result is far below one half.
INLINE int8_t payload_of(float value, float first, float second) {
  float scaled = value * first * second;
  scaled = scaled > 127.0f ? 127.0f : scaled;
  scaled = scaled < -127.0f ? -127.0f : scaled;
  return (int8_t)bits_of(scaled + 12582912.0f);
}

INLINE uint8_t encode_block(const float *restrict from, int8_t *restrict to) {
  // The largest magnitude word has the largest exponent field.
  int32_t largest = 0;
  for (int i = 0; i < 32; i++) {
    const int32_t magnitude = (int32_t)(bits_of(from[i]) & 0x7fffffffu);
    largest = magnitude > largest ? magnitude : largest;
  }
  const uint32_t field = (uint32_t)largest >> 23;
  if (field == 0xff) {
    memset(to, 0, 32);
    return 0xff;
  }
  const float first = first_factor(field), second = second_factor(field);
  for (int i = 0; i < 32; i++) to[i] = payload_of(from[i], first, second);
  return (uint8_t)field;
}

LOOP encode_mx_row(
    const float *restrict from, ptrdiff_t count, int8_t *restrict payload,
        uint8_t *restrict scales) {
  const ptrdiff_t whole = count > 0 ? count / 32 : 0;
  for (ptrdiff_t block = 0; block < whole; block++) {
    scales[block] = encode_block(from + 32 * block, payload + 32 * block);
  }
  if (count > 32 * whole) {
    float tail[32] = {0};
    memcpy(tail, from + 32 * whole, (size_t)(count - 32 * whole) * 4);
    scales[whole] = encode_block(tail, payload + 32 * whole);
  }
}

INLINE uint8_t encode_bf16_block(const uint16_t *restrict from, int8_t *restrict to) {
  int16_t largest = 0;
  for (int i = 0; i < 32; i++) {
    const int16_t magnitude = (int16_t)(from[i] & 0x7fff);
    largest = magnitude > largest ? magnitude : largest;
  }
  const uint32_t field = (uint32_t)largest >> 7;
  if (field == 0xff) {
    memset(to, 0, 32);
    return 0xff;
  }
  const float first = first_factor(field), second = second_factor(field);
  for (int i = 0; i < 32; i++) to[i] = payload_of(float_of((uint32_t)from[i] << 16), first, second);
  return (uint8_t)field;
}

LOOP encode_mx_row_bf16(
    const uint16_t *restrict from, ptrdiff_t count, int8_t *restrict payload,
    uint8_t *restrict scales) {
  const ptrdiff_t whole = count > 0 ? count / 32 : 0;
#ifdef HAS_QUICK_MX_GROUPS
  struct mx_group groups[2];
  ptrdiff_t next = whole < mx_group_blocks ? whole : mx_group_blocks;
  prepare_mx_group(&groups[0], from, next, scales);
  for (ptrdiff_t start = 0; start < whole;) {
    const struct mx_group *group = &groups[start / mx_group_blocks % 2];
    const ptrdiff_t end = next;
    next = whole - end < mx_group_blocks ? whole : end + mx_group_blocks;
    if (next > end) {
      prepare_mx_group(&groups[end / mx_group_blocks % 2], from + 32 * end, next - end,
          scales + end);
    }
    if (group->is_quick) {
      encode_mx_group(group, from + 32 * start, end - start, payload + 32 * start);
    } else {
      for (ptrdiff_t block = start; block < end; block++) {
        scales[block] = encode_bf16_block(from + 32 * block, payload + 32 * block);
      }
    }
    start = end;
  }
#else
  for (ptrdiff_t block = 0; block < whole; block++) {
    scales[block] = encode_bf16_block(from + 32 * block, payload + 32 * block);
  }
#endif
  if (count > 32 * whole) {
    uint16_t tail[32] = {0};
    memcpy(tail, from + 32 * whole, (size_t)(count - 32 * whole) * 2);
    scales[whole] = encode_bf16_block(tail, payload + 32 * whole);
  }
}

/// Columns that are encoded at once.
enum { column_strip = 256 };

LOOP encode_mx_columns(
    const float *restrict from, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t columns,
    int8_t *restrict payload, ptrdiff_t payload_stride, uint8_t *restrict scales) {
  for (ptrdiff_t start = 0; start < columns; start += column_strip) {
    const ptrdiff_t width = columns - start < column_strip ? columns - start : column_strip;
    int32_t largest[column_strip] = {0};
    float first[column_strip], second[column_strip];
    for (ptrdiff_t row = 0; row < rows; row++) {
      const float *line = from + row * stride + start;
      for (ptrdiff_t c = 0; c < width; c++) {
        const int32_t magnitude = (int32_t)(bits_of(line[c]) & 0x7fffffffu);
        largest[c] = magnitude > largest[c] ? magnitude : largest[c];
      }
    }
    for (ptrdiff_t c = 0; c < width; c++) {
      const uint32_t field = (uint32_t)largest[c] >> 23;
      first[c] = first_factor(field);
      second[c] = second_factor(field);
      scales[start + c] = (uint8_t)field;
    }
    for (ptrdiff_t row = 0; row < 32; row++) {
      int8_t *to = payload + row * payload_stride + start;
      if (row >= rows) {
        memset(to, 0, (size_t)width);
        continue;
      }
      const float *line = from + row * stride + start;
      for (ptrdiff_t c = 0; c < width; c++) {
        const int8_t code = payload_of(line[c], first[c], second[c]);
        to[c] = largest[c] >= 0x7f800000 ? 0 : code;
      }
    }
  }
}

/// 2^(B − 133) as FP32 (a subnormal for B < 7); NaN for B = 255.
INLINE float decode_factor(uint32_t scale) {
  const uint32_t subnormal = 1u << ((scale + 16) & 31);
  const uint32_t bits = scale < 7 ? subnormal : (scale - 6) << 23;
  return float_of(scale == 0xff ? 0x7fc00000u : bits);
}

LOOP decode_mx_row(
    const int8_t *restrict payload, const uint8_t *restrict scales, float *restrict to,
    ptrdiff_t count) {
  for (ptrdiff_t start = 0; start < count; start += 32) {
    const float factor = decode_factor(scales[start / 32]);
    const ptrdiff_t width = count - start < 32 ? count - start : 32;
    for (ptrdiff_t i = 0; i < width; i++) {
      to[start + i] = canonical((float)payload[start + i] * factor);
    }
  }
}

LOOP decode_mx_columns(
    const int8_t *restrict payload, const uint8_t *restrict scales, float *restrict to,
    ptrdiff_t count) {
  EACH(canonical((float)payload[i] * decode_factor(scales[i])));
}

// MARK: FP8 blocks

TARGET static float finite_maximum(const float *values, ptrdiff_t count) {
  // Magnitudes order as their words do.
  int32_t largest = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    int32_t word = (int32_t)(bits_of(values[i]) & 0x7fffffffu);
    word = word < 0x7f800000 ? word : 0;
    largest = word > largest ? word : largest;
  }
  return float_of((uint32_t)largest);
}

/// What is rounded to a code: the quotient, or, of `keeps` where that is not finite, the value
/// itself.
INLINE uint32_t quotient_word(float value, float divisor, const int keeps) {
  const float quotient = canonical(value / divisor);
  if (!keeps) return bits_of(quotient);
  const int is_finite = (bits_of(quotient) & 0x7f800000u) != 0x7f800000u;
  return is_finite ? bits_of(quotient) : bits_of(value);
}

LOOP quantise_fp8(
    npu_fp8 format, int32_t saturates, int32_t keeps, float divisor, const float *restrict from,
    uint8_t *restrict to, ptrdiff_t count) {
#ifdef HAS_QUICK_QUOTIENTS
  if (quick_quotients(format == npu_e4m3fn, divisor, from, to, count)) return;
#endif
  const uint32_t largest = format == npu_e4m3fn ? 0x7e : 0x7b;
  const uint32_t overflow = saturates ? largest : largest + 1;
  if (format == npu_e4m3fn && keeps) {
    EACH((uint8_t)e4m3fn_code(quotient_word(from[i], divisor, 1), overflow));
  } else if (format == npu_e4m3fn) {
    EACH((uint8_t)e4m3fn_code(quotient_word(from[i], divisor, 0), overflow));
  } else if (keeps) {
    EACH((uint8_t)e5m2_code(quotient_word(from[i], divisor, 1), overflow));
  } else {
    EACH((uint8_t)e5m2_code(quotient_word(from[i], divisor, 0), overflow));
  }
}

/// The codes of a block of BF16 words and the word of its scale.
INLINE uint32_t encode_fp8_block(npu_fp8 format, npu_scale_rule rule, const uint16_t *restrict from,
    ptrdiff_t count, uint8_t *restrict codes) {
  float values[128];
  bf16_to_float(from, values, count);
  const float largest = finite_maximum(values, count);
  const float inverse = format == npu_e4m3fn ? 0x1.24924ap-9f : 0x1.24924ap-16f;
  if (rule == npu_scale_fp32) {
    const float scale = largest * inverse;
    quantise_fp8(format, 0, 1, scale, values, codes, count);
    return bits_of(scale);
  }
  const float exact = (largest > 1e-4f ? largest : 1e-4f) * inverse;
  // The exact scale is normal: its power of two is its exponent field, or one more.
  const uint32_t field = bits_of(exact) >> 23;
  const int rises = rule == npu_scale_e8m0_up && (bits_of(exact) & 0x7fffffu) != 0;
  const uint32_t scale = field + (uint32_t)rises;
  const float divisor = rule == npu_scale_e8m0_up ? float_of(scale << 23) : exact;
  quantise_fp8(format, 1, 0, divisor, values, codes, count);
  return scale;
}

LOOP encode_fp8_row_bf16(
    npu_fp8 format, npu_scale_rule rule, const uint16_t *restrict from, ptrdiff_t count,
    uint8_t *restrict codes, uint32_t *restrict scales) {
  const ptrdiff_t whole = count > 0 ? count / 128 : 0;
#ifdef HAS_QUICK_FP8_GROUPS
  struct fp8_group groups[2];
  ptrdiff_t next = whole < fp8_group_blocks ? whole : fp8_group_blocks;
  prepare_fp8_group(&groups[0], format, rule, from, next, scales);
  for (ptrdiff_t start = 0; start < whole;) {
    const struct fp8_group *group = &groups[start / fp8_group_blocks % 2];
    const ptrdiff_t end = next;
    next = whole - end < fp8_group_blocks ? whole : end + fp8_group_blocks;
    if (next > end) {
      prepare_fp8_group(&groups[end / fp8_group_blocks % 2], format, rule, from + 128 * end,
          next - end, scales + end);
    }
    if (group->is_quick) {
      encode_fp8_group(group, format, from + 128 * start, end - start, codes + 128 * start);
    } else {
      for (ptrdiff_t block = start; block < end; block++) {
        scales[block] =
            encode_fp8_block(format, rule, from + 128 * block, 128, codes + 128 * block);
      }
    }
    start = end;
  }
#else
  for (ptrdiff_t block = 0; block < whole; block++) {
    scales[block] = encode_fp8_block(format, rule, from + 128 * block, 128, codes + 128 * block);
  }
#endif
  if (count > 128 * whole) {
    scales[whole] = encode_fp8_block(
        format, rule, from + 128 * whole, count - 128 * whole, codes + 128 * whole);
  }
}

// MARK: Exponential

#ifndef HAS_EXPONENTIAL

/// e^x of a BF16 value, rounded to BF16.
///
/// x = n·ln 2 + r in two steps, the first exact: n has at most 8 bits and the first part of ln 2
/// has 9. The Taylor polynomial of degree 6 in |r| ≤ 0.35 and its roundings are off by less than
/// 2^-21; that is nearer than any of the 65,536 results comes to a rounding boundary, which the
/// tests show by trying them all. Two factors carry 2^n, so that a subnormal result is rounded by
/// the second one.
INLINE uint32_t exp_word(uint32_t word) {
  const float x = float_of(word << 16);
  // Below −93 the result is 0. Doing without the tiny product spares the processor's slow way.
  const int is_zero = x < -93.0f;
  float near = x > 100.0f ? 100.0f : x;
  near = is_zero ? 0.0f : near;
  const float shifted = near * 1.44269504f + 12582912.0f;
  const int32_t n = (int32_t)(bits_of(shifted) - bits_of(12582912.0f));
  const float whole = shifted - 12582912.0f;
  const float r = (near - whole * 0.693359375f) - whole * -2.12194440e-4f;
  float p = 0.00138888892f;
  p = p * r + 0.00833333377f;
  p = p * r + 0.0416666679f;
  p = p * r + 0.166666672f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t half = n >> 1;
  const float low = float_of((uint32_t)(half + 127) << 23);
  const float high = float_of((uint32_t)(n - half + 127) << 23);
  const uint32_t bits = bits_of(p * low * high);
  const uint32_t rounded = is_zero ? 0 : (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
  return x == x ? rounded : 0x7fc0u;
}

LOOP exp_bf16(const uint16_t *from, uint16_t *to, ptrdiff_t count) {
  EACH((uint16_t)exp_word(from[i]));
}

#endif
