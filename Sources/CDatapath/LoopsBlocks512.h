// The part of LoopsAVX512.c on BF16 words in blocks that share a scale. The scales of a group of
// blocks are found while the group before is encoded, so that no block waits for its own.

// Without it an array of registers would live in memory.
#define UNROLL _Pragma("clang loop unroll(full)")

/// The largest magnitude word of each of `blocks` blocks, at most `npu_most_blocks`, of 32 · `registers`
/// BF16 words; 0 for the others. Two blocks' words are put side by side and the larger ones kept,
/// then four blocks', and so on: three instructions a block instead of a reduction for each.
INLINE __m512i largest_words(const uint16_t *from, ptrdiff_t blocks, const int registers) {
  __m512i most[npu_most_blocks];
  UNROLL
  for (int block = 0; block < npu_most_blocks; block++) {
    most[block] = _mm512_setzero_si512();
    if (block >= blocks) continue;
    UNROLL
    for (int i = 0; i < registers; i++) {
      const __m512i words = _mm512_loadu_si512(from + 32 * (registers * block + i));
      const __m512i magnitude = _mm512_and_si512(words, _mm512_set1_epi16(0x7fff));
      most[block] = i == 0 ? magnitude : _mm512_max_epi16(most[block], magnitude);
    }
  }
#define MERGE(count, unit)                                                                         \
  UNROLL                                                                                           \
  for (int i = 0; i < count; i++) {                                                                \
    most[i] = _mm512_max_epi16(_mm512_unpacklo_##unit(most[2 * i], most[2 * i + 1]),               \
        _mm512_unpackhi_##unit(most[2 * i], most[2 * i + 1]));                                     \
  }
  MERGE(8, epi16)
  MERGE(4, epi32)
  MERGE(2, epi64)
#undef MERGE
  // Each lane of the first has words of blocks 0 to 7, of the second those of 8 to 15.
  const __m512i lanes = _mm512_max_epi16(_mm512_shuffle_i64x2(most[0], most[1], 0x44),
      _mm512_shuffle_i64x2(most[0], most[1], 0xee));
  const __m512i both = _mm512_max_epi16(lanes, _mm512_shuffle_i64x2(lanes, lanes, 0xb1));
  return _mm512_cvtepu16_epi32(
      _mm512_castsi512_si256(_mm512_shuffle_i64x2(both, both, 0x08)));
}

/// The bytes that a packing of two registers puts lane by lane, in the order of the words.
INLINE __m512i in_order(__m512i packed) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}

// MARK: MXINT8

/// Groups of blocks of BF16 words that are neither special nor near FP32's least exponent.
#define HAS_QUICK_MX_GROUPS

enum { mx_group_blocks = 16 };

/// 2^(133 − B) of each block.
struct mx_group {
  int is_quick;
  float factors[mx_group_blocks];
};

/// Looks at `blocks` blocks, and writes their scales if they are quick.
INLINE void prepare_mx_group(
    struct mx_group *group, const uint16_t *from, ptrdiff_t blocks, uint8_t *scales) {
  const __m512i largest = blocks == mx_group_blocks ? largest_words(from, mx_group_blocks, 1)
                                                    : largest_words(from, blocks, 1);
  const __mmask16 present = (__mmask16)((1u << blocks) - 1);
  const __mmask16 is_quick = _mm512_cmplt_epu32_mask(
      _mm512_sub_epi32(largest, _mm512_set1_epi32(32 << 7)), _mm512_set1_epi32((255 - 32) << 7));
  group->is_quick = (is_quick & present) == present;
  if (!group->is_quick) return;
  const __m512i field = _mm512_srli_epi32(largest, 7);
  _mm_mask_storeu_epi8(scales, present, _mm512_cvtepi32_epi8(field));
  _mm512_storeu_si512(group->factors,
      _mm512_slli_epi32(_mm512_sub_epi32(_mm512_set1_epi32(260), field), 23));
}

/// Scaled values as integers. The block's largest is below 2^7, but rounding may give 128.
INLINE __m512i scaled_integers(__m512i value, __m512 factor) {
  return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_castsi512_ps(value), factor));
}

/// The scaled values of 32 words as 16-bit integers.
INLINE __m512i scaled_words(const uint16_t *from, float by) {
  const __m512i words = _mm512_loadu_si512(from), top = _mm512_set1_epi32((int)0xffff0000);
  const __m512 factor = _mm512_set1_ps(by);
  const __m512i even = scaled_integers(_mm512_slli_epi32(words, 16), factor);
  const __m512i odd = scaled_integers(_mm512_and_si512(words, top), factor);
  // top ? odd : even
  return _mm512_ternarylogic_epi32(top, _mm512_slli_epi32(odd, 16), even, 0xca);
}

INLINE void encode_mx_group(
    const struct mx_group *group, const uint16_t *from, ptrdiff_t blocks, int8_t *to) {
  for (ptrdiff_t block = 0; block < blocks; block += 2) {
    const ptrdiff_t last = block + 1 < blocks ? block + 1 : block;
    const __m512i first = scaled_words(from + 32 * block, group->factors[block]);
    const __m512i second = scaled_words(from + 32 * last, group->factors[last]);
    // Packing saturates at 127 above; below −127 is clamped.
    __m512i both = in_order(_mm512_packs_epi16(first, second));
    both = _mm512_max_epi8(both, _mm512_set1_epi8(-127));
    if (block == last) {
      _mm256_storeu_si256((__m256i *)(to + 32 * block), _mm512_castsi512_si256(both));
    } else {
      _mm512_storeu_si512(to + 32 * block, both);
    }
  }
}

// MARK: FP8

/// Groups of blocks of BF16 words that are finite, under divisors far inside FP32's range.
#define HAS_QUICK_FP8_GROUPS

enum { fp8_group_blocks = 8 };

/// The reciprocals of the blocks' divisors, and what those lack of the exact ones.
struct fp8_group {
  int is_quick;
  float reciprocals[npu_most_blocks], rests[npu_most_blocks];
};

/// Looks at `blocks` blocks, and writes their scales if they are quick. Quotients by the scale of a
/// block's largest do not overflow.
INLINE void prepare_fp8_group(struct fp8_group *group, npu_fp8 format, npu_scale_rule rule,
    const uint16_t *from, ptrdiff_t blocks, uint32_t *scales) {
  const __m512i largest = blocks == fp8_group_blocks ? largest_words(from, fp8_group_blocks, 4)
                                                     : largest_words(from, blocks, 4);
  const __mmask16 present = (__mmask16)((1u << blocks) - 1);
  __m512 most = _mm512_castsi512_ps(_mm512_slli_epi32(largest, 16));
  if (rule != npu_scale_fp32) most = _mm512_max_ps(most, _mm512_set1_ps(1e-4f));
  const float inverse = format == npu_e4m3fn ? 0x1.24924ap-9f : 0x1.24924ap-16f;
  __m512 divisor = _mm512_mul_ps(most, _mm512_set1_ps(inverse));
  __m512i scale = _mm512_castps_si512(divisor);
  if (rule != npu_scale_fp32) {
    // The exact scale is normal: its power of two is its exponent field, or one more.
    const __mmask16 between = _mm512_test_epi32_mask(scale, _mm512_set1_epi32(0x7fffff));
    scale = _mm512_srli_epi32(scale, 23);
    if (rule == npu_scale_e8m0_up) {
      scale = _mm512_mask_add_epi32(scale, between, scale, _mm512_set1_epi32(1));
      divisor = _mm512_castsi512_ps(_mm512_slli_epi32(scale, 23));
    }
  }
  const __mmask16 is_quick =
      _mm512_cmp_ps_mask(divisor, _mm512_set1_ps(0x1p-50f), _CMP_GE_OQ)
      & _mm512_cmp_ps_mask(divisor, _mm512_set1_ps(0x1p60f), _CMP_LE_OQ)
      & _mm512_cmplt_epi32_mask(largest, _mm512_set1_epi32(0x7f80));
  group->is_quick = (is_quick & present) == present;
  if (!group->is_quick) return;
  _mm512_mask_storeu_epi32(scales, present, scale);
  // The remainder is exact, so what the reciprocal lacks is rounded once.
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 reciprocal = _mm512_div_ps(one, divisor);
  _mm512_storeu_ps(group->reciprocals, reciprocal);
  const __m512 remainder = _mm512_fnmadd_ps(divisor, reciprocal, one);
  _mm512_storeu_ps(group->rests, _mm512_div_ps(remainder, divisor));
}

/// The reciprocal of a divisor, and what that lacks of the exact one.
struct quotients {
  __m512 reciprocal, rest;
};

/// x / divisor, of a BF16 value, off by less than 2^-45 of it before it is rounded to FP32. Of all
/// quotients of 8 by 24 bits none but one comes nearer than 2^-34 to a place where that rounding
/// decides about a tie of the format; that one, 1 / (1 − 2^-24), comes out exact.
INLINE __m512 quotient(__m512 x, const struct quotients *by) {
  return _mm512_fmadd_ps(x, by->reciprocal, _mm512_mul_ps(x, by->rest));
}

/// The codes of the magnitudes of 32 words, as 16-bit integers.
INLINE __m512i quotient_words(
    __m512i words, const struct quotients *by, const struct binades *binades) {
  const __m512i magnitude = _mm512_and_si512(words, _mm512_set1_epi16(0x7fff));
  const __m512 even = _mm512_castsi512_ps(_mm512_slli_epi32(magnitude, 16));
  const __m512 odd = _mm512_castsi512_ps(
      _mm512_and_si512(magnitude, _mm512_set1_epi32((int)0xffff0000)));
  const __m512i right = codes_of(quotient(even, by), binades);
  // The odd codes as the third bytes of words that are 0 elsewhere.
  const __m512i third = _mm512_broadcast_i32x4(_mm_setr_epi8(
      -1, -1, 0, -1, -1, -1, 4, -1, -1, -1, 8, -1, -1, -1, 12, -1));
  const __m512i left = _mm512_shuffle_epi8(codes_of(quotient(odd, by), binades), third);
  // left | right & 0xff
  return _mm512_ternarylogic_epi32(left, right, _mm512_set1_epi32(0xff), 0xf8);
}

/// The codes of a block of 128 words.
INLINE void quotient_block(
    const uint16_t *from, uint8_t *to, const struct quotients *by, const struct binades *binades) {
  for (int i = 0; i < 128; i += 64) {
    const __m512i first = _mm512_loadu_si512(from + i), second = _mm512_loadu_si512(from + i + 32);
    const __m512i codes = _mm512_packus_epi16(
        quotient_words(first, by, binades), quotient_words(second, by, binades));
    // Saturation keeps signs. codes | signs & 0x80
    const __m512i signs = _mm512_packs_epi16(first, second);
    const __m512i both =
        _mm512_ternarylogic_epi32(codes, signs, _mm512_set1_epi8((char)0x80), 0xf8);
    _mm512_storeu_si512(to + i, in_order(both));
  }
}

INLINE void encode_fp8_group(const struct fp8_group *group, npu_fp8 format, const uint16_t *from,
    ptrdiff_t blocks, uint8_t *to) {
  const struct binades binades = binades_of(format == npu_e4m3fn);
  for (ptrdiff_t block = 0; block < blocks; block++) {
    const struct quotients by = {
        _mm512_set1_ps(group->reciprocals[block]), _mm512_set1_ps(group->rests[block])};
    quotient_block(from + 128 * block, to + 128 * block, &by, &binades);
  }
}
