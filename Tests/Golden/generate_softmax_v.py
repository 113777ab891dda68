"""Writes the golden steps of softmax_v with NumPy, ml_dtypes and mpmath.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r Tests/Golden/requirements.txt
    /tmp/golden/bin/python Tests/Golden/generate_softmax_v.py

Output: Tests/Golden/softmax_v/, the same bytes every time.
  cases.json          one entry a case: shape, options, machine, where its input comes from, and of
                      each step tensor the shape, the CRC-32 of its little-endian words, and its
                      first and last words
  in_*.safetensors    inputs that no seed gives: zeros, subnormals, Inf, NaN, raw words, MXINT8 v
  out_*.safetensors   all step tensors of a few small cases

The steps, for a row of scores x (BF16) and one head's values v (MXINT8, blocks along kv):

  exp-bf16   = bf16(exp(x)), or with "stable" bf16(exp(bf16(fl32(x - max x))))
  exp_sum    = bf16(sum of exp-bf16): FP32 partials on `lanes` lanes, then halved
  exp_mxint8 = MXINT8 encode of exp-bf16 along kv
  scaled_v   = bf16(exp_mxint8 @ v): one exact block product, then one addition, a block
  inv        = bf16(1 / exp_sum)
  out        = bf16(fl32(scaled_v * inv))

A NaN that an operation makes is 0x7FC0 in BF16, whatever the host makes of it.
"""

import binascii
import json
import pathlib
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np
from safetensors import serialize

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "softmax_v"
BF16 = ml_dtypes.bfloat16
NAN16 = 0x7FC0
NAN32 = np.array(0x7FC00000, np.uint32).view(np.float32)
PREFIX = "softmaxed_v."

# --- rounding ----------------------------------------------------------------------------------


def bf16_words(values):
    """BF16 words of FP32 values: RNE by ml_dtypes, NaN canonical."""
    words = values.astype(BF16).view(np.uint16)
    return np.where(np.isnan(values), np.uint16(NAN16), words)


def widen(words):
    """FP32 values of BF16 words, exact."""
    return (words.astype(np.uint32) << 16).view(np.float32)


def canonical(values):
    return np.where(np.isnan(values), NAN32, values).astype(np.float32)


def round_ratio(numerator, denominator, sticky_bits=None):
    """BF16 word of a positive rational, RNE with gradual underflow and overflow to Inf.

    With sticky_bits the ratio is an approximation good to that many bits, and the distance to
    every rounding boundary must exceed its error.
    """
    lead = numerator.bit_length() - denominator.bit_length()
    if numerator << max(-lead, 0) < denominator << max(lead, 0):
        lead -= 1
    unit = max(lead, -126) - 7
    top, bottom = numerator << max(-unit, 0), denominator << max(unit, 0)
    code, rest = divmod(top, bottom)
    if sticky_bits is not None:
        assert abs(2 * rest - bottom) << sticky_bits > bottom
    code += 2 * rest > bottom or (2 * rest == bottom and code & 1)
    return min(((max(lead, -126) + 126) << 7) + code, 0x7F80)


def split(word):
    """Mantissa and exponent of the magnitude of a finite BF16 word: mantissa * 2**exponent."""
    field, mantissa = (word >> 7) & 255, word & 127
    return (mantissa | (128 if field else 0)), max(field, 1) - 134


# --- the special functions, as tables over all BF16 words ----------------------------------------


def exp_table():
    """RNE of the exact exponential: mpmath at 256 bits, rounded once from its integers."""
    mpmath.mp.prec = 256
    table = np.zeros(65536, np.uint16)
    for word in range(65536):
        mantissa, exponent = split(word)
        negative = word >> 15
        if word & 0x7F80 == 0x7F80:
            table[word] = NAN16 if word & 127 else (0 if negative else 0x7F80)
        elif mantissa == 0:
            table[word] = 0x3F80
        elif mantissa * 2.0**exponent > 128:
            # e^128 is above every finite BF16, e^-128 below half of the least one.
            table[word] = 0 if negative else 0x7F80
        else:
            x = mpmath.ldexp(-mantissa if negative else mantissa, exponent)
            _, man, exp, _ = mpmath.exp(x)._mpf_
            table[word] = round_ratio(int(man) << max(exp, 0), 1 << max(-exp, 0), 160)
    return table


def reciprocal_table():
    """RNE of the exact reciprocal, in integers."""
    table = np.zeros(65536, np.uint16)
    for word in range(65536):
        mantissa, exponent = split(word)
        sign = word & 0x8000
        if word & 0x7F80 == 0x7F80:
            table[word] = NAN16 if word & 127 else sign
        elif mantissa == 0:
            table[word] = sign | 0x7F80
        else:
            ratio = (1 << max(-exponent, 0)), mantissa << max(exponent, 0)
            table[word] = sign | round_ratio(*ratio)
    return table


def expu_table():
    """The integer exponential of VEXP and SoftEx: BF16 to BF16."""
    table = np.zeros(65536, np.uint16)
    for word in range(65536):
        s, e, m = word >> 15, (word >> 7) & 255, word & 127
        p = (128 | m) * 23637
        shift = 133 - e
        t = 0 if e > 133 or shift >= 32 else (p >> 7) >> shift
        r = ((t >> 1) + (t & 1)) & 0x7FFF
        g = (-r) & 0x7FFF if s else r
        overflow = e > 133 or (
            e == 133 and (p >> 22 & 1 == 1 or (s == 1 and (p >> 14) & 255 == 255))
        )
        flush = s == 1 and e == 133 and g >> 7 == 0x81
        if overflow or flush:
            exponent, mantissa = (0 if s else 255), 0
        else:
            exponent, n = ((g >> 7) + 127) & 255, g & 127
            if n < 64:
                mantissa = (8 * n * (n + 363)) >> 12
            else:
                mantissa = ~(((255 - 2 * n) * 7 * (n + 278)) >> 12) & 127
        table[word] = exponent << 7 | mantissa
    assert binascii.crc32(table.astype("<u2").tobytes()) == 0xCE392524
    assert [int(table[w]) for w in (0x0000, 0x3F80, 0xBF80)] == [0x3F80, 0x402E, 0x3EBC]
    return table


def expu_steps(x):
    """The three FP32 values of the Newton reciprocal of a normal FP32 x, as FP32 words."""
    bits = int(np.float32(x).view(np.uint32))
    field, h = bits >> 23 & 255, bits >> 16 & 127
    if h == 0:
        start = (254 - field) << 23
    else:
        n = 127 - h
        start = (253 - field) << 23 | (((n >> 1) * n) >> 6) << 16
    y = np.array(bits & 0x80000000 | start, np.uint32).view(np.float32)
    steps = [int(y.view(np.uint32))]
    for _ in range(2):
        # fma: x has 24 significant bits, y has 24, and |x y| <= 2, so the sum is exact in FP64.
        difference = 2 - np.float64(x) * np.float64(y)
        assert 2 - Fraction(float(x)) * Fraction(float(y)) == Fraction(float(difference))
        t = np.float32(difference)
        y = np.float32(y * t)
        steps.append(int(y.view(np.uint32)))
    return steps


def expu_reciprocal_table():
    """The Newton reciprocal of the widened word, rounded to BF16."""
    table = np.zeros(65536, np.uint16)
    for word in range(65536):
        field, mantissa, sign = word >> 7 & 255, word & 127, word & 0x8000
        if field == 255 and mantissa:
            table[word] = NAN16
        elif field == 0:
            table[word] = sign | 0x7F80
        elif field >= 254:
            table[word] = sign
        else:
            x = widen(np.array(word, np.uint16))
            y = np.array(expu_steps(x)[2], np.uint32).view(np.float32)
            table[word] = bf16_words(y)
    assert expu_steps(np.float32(3)) == [0x3E9E0000, 0x3EA9BA00, 0x3EAAA957]
    return table


# --- MXINT8, the block product, the lane reduction ------------------------------------------------


def encode(values):
    """MXINT8 of FP32 values along the last axis, which is padded with zeros to blocks of 32.

    Returns payloads [..., blocks, 32] (int8) and scale bytes [..., blocks] (uint8).
    """
    length = values.shape[-1]
    padding = [(0, 0)] * (values.ndim - 1) + [(0, -length % 32)]
    blocks = np.pad(values.astype(np.float32), padding)
    blocks = blocks.reshape(*values.shape[:-1], -1, 32)
    fields = (blocks.view(np.uint32) & 0x7FFFFFFF) >> 23
    scale = fields.max(axis=-1).astype(np.int64)
    bad = scale == 255
    with np.errstate(over="ignore", invalid="ignore"):
        # |V| 2^(6 - e) is a scaling by a power of two, exact in FP64.
        shift = (6 - (scale - 127))[..., None].astype(np.int32)
        scaled = np.ldexp(blocks.astype(np.float64), shift)
        rounded = np.clip(np.rint(scaled), -127, 127)
    payload = np.where(bad[..., None], 0, np.where(np.isnan(rounded), 0, rounded)).astype(np.int8)
    return payload, scale.astype(np.uint8)


def block_product(a, a_scale, b, b_scale, accumulator):
    """FP32 or BF16 chain of a [..., q, blocks, 32] with b [..., blocks, 32, d]; BF16 words.

    One exact integer sum, one value, one addition a block, in ascending order from +0.
    """
    blocks = a.shape[-2]
    result = np.zeros(a.shape[:-2] + (b.shape[-1],), np.float32)
    for k in range(blocks):
        # Sums of 32 products of bytes: exact in FP64, whose matrix product is fast.
        s = np.matmul(a[..., k, :].astype(np.float64), b[..., k, :, :].astype(np.float64))
        assert np.all(np.abs(s) <= 524288)
        left = a_scale[..., k].astype(np.int32)[..., :, None]
        right = b_scale[..., k, :].astype(np.int32)[..., None, :]
        # s 2^n is exact in FP64; the one rounding is the conversion.
        value = np.ldexp(s, left + right - 266).astype(np.float32)
        value = np.where((left == 255) | (right == 255), NAN32, value)
        result = canonical(result + value)
        if accumulator == "bf16":
            result = widen(bf16_words(result))
    return bf16_words(result)


def lane_sum(values, lanes):
    """FP32 sum over the last axis: lane j takes elements j, j + lanes, ...; then halving."""
    length = values.shape[-1]
    present = min(length, lanes)
    partial = values[..., :present].astype(np.float32)
    for first in range(lanes, length, lanes):
        count = min(lanes, length - first)
        partial[..., :count] = canonical(partial[..., :count] + values[..., first : first + count])
    half = lanes // 2
    while half:
        count = max(min(present - half, half), 0)
        if count:
            partial[..., :count] = canonical(
                partial[..., :count] + partial[..., half : half + count]
            )
        present = min(present, half)
        half //= 2
    return partial[..., 0]


def check_vectors():
    """Published examples of the format, and exactness checks of this host's FP32."""
    def one(values):
        payload, scale = encode(np.array(values, np.float32))
        return int(scale[0]), [int(p) for p in payload[0][: len(values)]]

    assert one([1, 1 / 128, 3 / 128, -0.5, 0.99609375]) == (127, [64, 0, 2, -32, 64])
    assert one([1.9921875, -1.9921875, 1.984375]) == (127, [127, -127, 127])
    assert one([0.75, 0.7519531, 2.0**-8]) == (126, [96, 96, 0])
    assert one([1e-40]) == (0, [1])
    assert one([np.finfo(np.float32).max]) == (254, [127])
    assert one([1, np.inf]) == (255, [0, 0]) and one([0.0, -0.0]) == (0, [0, 0])
    least = np.array([1], np.uint32).view(np.float32)
    assert (least + least).view(np.uint32)[0] == 2, "this host flushes subnormals"


# --- the steps -----------------------------------------------------------------------------------


def steps(case, qk, v_payload, v_scale, tables):
    """The eight step tensors. qk: BF16 words [bs, heads, q, kv]; v by blocks, see encode()."""
    shape, kv = case["shape"], case["shape"]["kv"]
    batch, heads, q = shape["batch"], shape["heads"], shape["q"]
    group = heads // shape["kvHeads"]
    exp, reciprocal = tables[case["sfu"]]
    x = widen(qk)
    argument = qk
    if case["stable"]:
        row_max = np.max(x, axis=-1, keepdims=True)
        argument = bf16_words(canonical(x - row_max))
    exp_bf16 = exp[argument]
    exp_sum = bf16_words(lane_sum(widen(exp_bf16), case["lanes"]))
    payload, scale = encode(widen(exp_bf16))
    # [bs, kv heads, blocks, 32, d], repeated for the heads that share it
    keys = np.repeat(np.moveaxis(v_payload, 2, 4), group, axis=1)
    key_scale = np.repeat(np.moveaxis(v_scale, 2, 3), group, axis=1)
    scaled_v = block_product(payload, scale, keys, key_scale, case["accumulator"])
    inv = reciprocal[exp_sum]
    out = bf16_words(canonical(widen(scaled_v) * widen(inv)[..., None]))
    flat = v_payload.reshape(*v_payload.shape[:3], -1)[..., :kv]
    return {
        "qk_T": ("BF16", qk),
        "exp-bf16": ("BF16", exp_bf16),
        "exp_sum": ("BF16", exp_sum.reshape(batch, heads, q, 1)),
        "v": ("I8", np.moveaxis(flat, 2, 3)),
        "v.scale": ("F8_E8M0", np.moveaxis(v_scale, 2, 3)),
        "exp_mxint8": ("I8", payload.reshape(batch, heads, q, -1)[..., :kv]),
        "exp_mxint8.scale": ("F8_E8M0", scale),
        "scaled_v": ("BF16", scaled_v),
        "inv": ("BF16", inv.reshape(batch, heads, q, 1)),
        "out": ("BF16", out),
    }


def blocks_of_v(values):
    """MXINT8 of float v [bs, kv heads, kv, d] along kv: payload [bs, h, d, blocks, 32]."""
    return encode(np.ascontiguousarray(np.moveaxis(values, 2, 3)))


def blocks_of_payload(payload, scale):
    """The same layout from an MXINT8 v given as payload and scale."""
    moved = np.moveaxis(payload, 2, 3)
    moved = np.pad(moved, [(0, 0)] * 3 + [(0, -moved.shape[-1] % 32)])
    return moved.reshape(*moved.shape[:3], -1, 32), np.moveaxis(scale, 2, 3)


# --- inputs --------------------------------------------------------------------------------------

MASK = (1 << 64) - 1


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def seeded(seed, name, shape):
    """BF16 words of the seeded input generator: bf16(4 u - 2), u the top 24 bits of a word."""
    start = (seed ^ fnv1a64(name)) + 0x9E3779B97F4A7C15
    with np.errstate(over="ignore"):
        z = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(start & MASK)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    values = 4 * (z >> np.uint64(40)).astype(np.float64) * 2.0**-24 - 2
    return bf16_words(values.astype(np.float32)).reshape(shape)


def shape_of(kv, heads=2, kv_heads=None, q=1, head_dim=8, batch=1):
    return {
        "kv": kv,
        "heads": heads,
        "kvHeads": kv_heads or heads,
        "q": q,
        "headDim": head_dim,
        "batch": batch,
    }


def shapes(shape):
    qk = (shape["batch"], shape["heads"], shape["q"], shape["kv"])
    v = (shape["batch"], shape["kvHeads"], shape["kv"], shape["headDim"])
    return qk, v


def words_of(values):
    return bf16_words(np.asarray(values, np.float64).astype(np.float32))


def signs(random, shape):
    return random.choice([-1.0, 1.0], shape)


def explicit_inputs():
    """Input sets that no seed gives: name -> (shape, qk words, v as ("dtype", array[, scale]))."""
    sets = {}

    def add(name, shape, qk, v):
        assert qk.shape == shapes(shape)[0] and v[1].shape == shapes(shape)[1]
        sets[name] = (shape, qk.astype(np.uint16), v)

    # Scores of both zeros, values with whole zero blocks and zero columns.
    random = np.random.default_rng(1)
    shape = shape_of(70, heads=3, head_dim=5)
    qk, v = shapes(shape)
    values = random.normal(size=v) * (random.random(v) < 0.3)
    values[:, :, 32:64] = 0
    values[:, :, :, 1] = -0.0
    zeros = np.where(random.random(qk) < 0.5, 0x8000, 0).astype(np.uint16)
    zeros[:, 1] = words_of(random.normal(size=qk) * (random.random(qk) < 0.5))[:, 1]
    zeros[:, 2] = 0xC2D2  # e^-105 is below every BF16: all exponentials 0, their sum 0, inv Inf
    add("zeros", shape, zeros, ("BF16", words_of(values)))

    # Subnormal scores, exponentials that are subnormal, values that are, products that become so.
    random = np.random.default_rng(2)
    shape = shape_of(65, heads=7, head_dim=7)
    qk, v = shapes(shape)
    scores = np.zeros(qk, np.uint16)
    scores[:, 0] = random.integers(0, 128, qk)[:, 0] | random.choice([0, 0x8000], qk)[:, 0]
    scores[:, 1] = words_of(-random.uniform(86, 94, qk))[:, 1]
    scores[:, 2] = words_of(-random.uniform(60, 94, qk))[:, 2]
    scores[:, 3] = words_of(random.uniform(-1, 1, qk))[:, 3]
    scores[:, 4] = words_of(-random.uniform(91, 92.5, qk))[:, 4]
    # Products below half of the least BF16: zeros of either sign.
    scores[:, 5] = words_of(-random.uniform(9, 12, qk))[:, 5]
    scores[:, 6] = words_of(np.where(np.arange(qk[3]), -random.uniform(6, 9, qk), 3))[:, 6]
    tiny = random.integers(0, 128, v) | random.choice([0, 0x8000], v)
    small = words_of(signs(random, v) * np.exp2(random.uniform(-133, -110, v)))
    values = np.where(np.arange(v[-1]) % 2, small, tiny).astype(np.uint16)
    values[..., 5] = words_of(random.normal(size=v))[..., 5]
    values[:, 5:, :, 6] = (random.integers(0, 3, v) | random.choice([0, 0x8000], v))[:, 5:, :, 6]
    values[:, 6, 0, :] = 0
    add("subnormals", shape, scores, ("BF16", values))

    # Overflow: exponentials near the largest BF16 and beyond it, sums and products that overflow.
    random = np.random.default_rng(3)
    shape = shape_of(100, heads=5, head_dim=6)
    qk, v = shapes(shape)
    scores = words_of(random.uniform(80, 89, qk))
    scores[:, 1] = words_of(random.uniform(70, 85, qk))[:, 1]
    scores[:, 2] = words_of(random.uniform(-200, 200, qk))[:, 2]
    scores[:, 3] = words_of(random.uniform(87, 88.5, qk))[:, 3]
    scores[:, 4] = words_of(random.normal(0, 20, qk).clip(-80, 80))[:, 4]
    values = words_of(signs(random, v) * np.exp2(random.uniform(-20, 127.9, v)))
    values[..., 3] = words_of(random.normal(size=v))[..., 3]
    values[..., 4] = words_of(signs(random, v) * np.exp2(random.uniform(-120, -100, v)))[..., 4]
    add("huge", shape, scores, ("BF16", values))

    # Inf and NaN of both signs, at most a few a row or a column, some rows and columns free.
    random = np.random.default_rng(4)
    shape = shape_of(97, heads=8, kv_heads=2, head_dim=6)
    qk, v = shapes(shape)
    scores = words_of(random.normal(size=qk) * 2)
    for head, word in enumerate([0x7FC0, 0xFFC1, 0x7F80, 0xFF80, 0x7F81, 0xFFFF]):
        scores[0, head, 0, random.integers(0, qk[3])] = word
    scores[0, 6] = 0xFF80
    values = words_of(random.normal(size=v))
    for column, word in enumerate([0x7FC0, 0xFF80, 0x7F80, 0xFFA5]):
        values[0, column % 2, random.integers(0, v[2]), column] = word
    add("nonfinite", shape, scores, ("BF16", values))

    # Raw words: any BF16 at all in v; scores whose exponent field is below Inf's.
    random = np.random.default_rng(5)
    shape = shape_of(129, heads=6, kv_heads=3, q=2, head_dim=9)
    qk, v = shapes(shape)
    scores = random.integers(0, 65536, qk)
    moderate = (random.integers(90, 134, qk) << 7) | random.integers(0, 128, qk)
    moderate |= random.choice([0, 0x8000], qk, p=[0.2, 0.8])
    scores[:, 1:] = moderate[:, 1:]
    values = random.integers(0, 0x7F80, v) | random.choice([0, 0x8000], v)
    values[:, 0] = random.integers(0, 65536, v)[:, 0]
    add("words", shape, scores, ("BF16", values.astype(np.uint16)))

    # An MXINT8 v: every payload byte with -128, scale bytes from end to end, NaN blocks, and
    # payloads that no encoder makes.
    random = np.random.default_rng(6)
    shape = shape_of(96, heads=4, kv_heads=2, q=3, head_dim=16)
    qk, v = shapes(shape)
    payload = random.integers(-128, 128, v).astype(np.int8)
    payload[:, :, :, 0] = -128
    scale = random.integers(110, 140, (1, 2, 3, 16))
    scale[0, 0, 0, :6] = [0, 1, 254, 255, 253, 128]
    scale[0, 1, 2, :6] = [255, 0, 2, 20, 240, 250]
    add("mxint8", shape, words_of(random.normal(0, 3, qk)), ("MX", payload, scale.astype(np.uint8)))
    shape = shape_of(45, heads=2, head_dim=3, batch=2)
    qk, v = shapes(shape)
    payload = random.integers(-128, 128, v).astype(np.int8)
    scale = random.integers(100, 150, (2, 2, 2, 3)).astype(np.uint8)
    add("mxint8_ragged", shape, words_of(random.normal(0, 3, qk)), ("MX", payload, scale))

    # v in other float types: FP32 with bits that BF16 has not, and FP16 with its subnormals.
    random = np.random.default_rng(7)
    shape = shape_of(50, heads=2, head_dim=4)
    qk, v = shapes(shape)
    exponents = random.choice([-149, -130, -126, -60, 0, 60, 120], v[:2] + (1,) + v[3:])
    values = np.ldexp(random.normal(size=v), exponents).astype(np.float32)
    add("v_f32", shape, words_of(random.normal(0, 2, qk)), ("F32", values))
    bits = random.integers(0, 0x7C00, v) | random.choice([0, 0x8000], v)
    bits[..., 0] = random.integers(0, 0x400, v)[..., 0]
    halves = bits.astype(np.uint16).view(np.float16)
    add("v_f16", shape, words_of(random.normal(0, 2, qk)), ("F16", halves))

    # Ties of the encoder: halves between payloads, largest values that clamp at 127.
    random = np.random.default_rng(8)
    shape = shape_of(64, heads=2, head_dim=8)
    qk, v = shapes(shape)
    values = (random.integers(-255, 256, v) / 2.0) * np.exp2(random.integers(-3, 3, v[:2] + (1, 8)))
    scores = words_of(np.log(random.integers(1, 255, qk) / 2.0))
    add("ties", shape, scores, ("BF16", words_of(values)))
    return sets


# --- cases ---------------------------------------------------------------------------------------

ACCUMULATORS = ["bf16", "fp32"]
SFUS = ["correctly-rounded", "expu"]
LANES = [4, 32, 64]


def cases(explicit):
    """Every case: name, shape, input, options, machine; `full` marks those that take long."""
    made = []

    def add(source, shape, seed, stable, accumulator, sfu, lanes, full=False, keep=False):
        name = f"{source}_{accumulator}_{sfu}_{lanes}" + ("_stable" if stable else "")
        made.append(
            {
                "name": name,
                "input": None if source not in explicit else f"in_{source}.safetensors",
                "seed": seed,
                "shape": shape,
                "stable": stable,
                "accumulator": accumulator,
                "sfu": sfu,
                "lanes": lanes,
                "full": full,
                "keep": keep,
            }
        )

    every = [
        (stable, accumulator, sfu, lanes)
        for stable in [False, True]
        for accumulator in ACCUMULATORS
        for sfu in SFUS
        for lanes in LANES
    ]
    # A covering choice for the larger ones: each value of each option, most pairs.
    some = [
        (False, "bf16", "correctly-rounded", 64),
        (True, "fp32", "correctly-rounded", 32),
        (False, "fp32", "expu", 4),
        (True, "bf16", "expu", 64),
    ]
    for kv in [1, 4, 31, 32, 33]:
        for number, options in enumerate(every):
            add(f"kv{kv}", shape_of(kv, heads=3, head_dim=8), 0, *options, keep=number in (1, 22))
    for source, (shape, _, _) in explicit.items():
        for options in every:
            add(source, shape, 0, *options)
    for seed in [1, 42, MASK]:
        for kv, head_dim in [(1, 1), (4, 80), (31, 64), (32, 128), (33, 1), (128, 64)]:
            for options in some:
                shape = shape_of(kv, heads=2, head_dim=head_dim)
                add(f"kv{kv}_d{head_dim}_seed{seed}", shape, seed, *options)
    for name, shape in {
        "gqa_kv33": shape_of(33, heads=8, kv_heads=2, head_dim=64),
        "gqa_q3_kv128": shape_of(128, heads=8, kv_heads=2, q=3, head_dim=80),
        "mqa_q5_kv32": shape_of(32, heads=8, kv_heads=1, q=5, head_dim=1),
        "batch3_kv31": shape_of(31, heads=4, kv_heads=2, q=2, head_dim=128, batch=3),
        "q130_kv40": shape_of(40, heads=1, q=130, head_dim=64),
    }.items():
        for options in some:
            add(name, shape, 5, *options)
    for kv in [1000, 4096]:
        for options in some:
            add(f"kv{kv}", shape_of(kv, heads=2, head_dim=64), 3, *options)
        options = some[0 if kv == 1000 else 1]
        gqa = shape_of(kv, heads=8, kv_heads=2, q=2, head_dim=80)
        add(f"gqa_kv{kv}", gqa, 9, *options, full=kv == 4096)
    # The shapes of the default command.
    for kv in [1, 4, 31, 32, 33, 128, 1000, 4096]:
        for options in some[:2]:
            shape = shape_of(kv, heads=32, head_dim=128)
            first = kv == 128 and not options[0]
            add(f"default_kv{kv}", shape, 0, *options, full=not first)
    return made


NAMES = {"BF16": ("bfloat16", "<u2"), "I8": ("int8", "|i1"), "F8_E8M0": ("float8_e8m0fnu", "|u1"),
         "F32": ("float32", "<f4"), "F16": ("float16", "<f2")}


def write(path, tensors, metadata):
    entries = {}
    for name, (dtype, array) in tensors.items():
        library, layout = NAMES[dtype]
        entries[PREFIX + name] = {
            "dtype": library,
            "shape": list(array.shape),
            "data": np.ascontiguousarray(array).astype(layout).tobytes(),
        }
    path.write_bytes(serialize(entries, metadata))


def describe(dtype, array):
    data = np.ascontiguousarray(array).astype(NAMES[dtype][1]).tobytes()
    width = 2 if dtype == "BF16" else 1

    def words(flat):
        return " ".join(f"{w:0{2 * width}x}" for w in np.frombuffer(flat, f"<u{width}"))

    return {
        "shape": list(array.shape),
        "crc32": f"{binascii.crc32(data):08x}",
        "first": words(data[: 4 * width]),
        "last": words(data[-4 * width :]),
    }


AXIS = {PREFIX + "v.axis": "-2"}


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    check_vectors()
    tables = {
        "correctly-rounded": (exp_table(), reciprocal_table()),
        "expu": (expu_table(), expu_reciprocal_table()),
    }
    explicit = explicit_inputs()
    inputs = {}
    for name, (shape, qk, v) in explicit.items():
        tensors = {"qk_T": ("BF16", qk)}
        if v[0] == "MX":
            tensors |= {"v": ("I8", v[1]), "v.scale": ("F8_E8M0", v[2])}
            inputs[name] = (qk, *blocks_of_payload(v[1], v[2]))
        else:
            tensors["v"] = v
            values = widen(v[1]) if v[0] == "BF16" else v[1].astype(np.float32)
            inputs[name] = (qk, *blocks_of_v(values))
        write(OUT / f"in_{name}.safetensors", tensors, AXIS if v[0] == "MX" else None)
    lines, seen, last = [], set(), None
    for case in cases(explicit):
        assert case["name"] not in seen, case["name"]
        seen.add(case["name"])
        if case["input"]:
            source = inputs[case["input"][3 : -len(".safetensors")]]
        else:
            key = (case["seed"], json.dumps(case["shape"]))
            if last is None or last[0] != key:
                qk_shape, v_shape = shapes(case["shape"])
                v = widen(seeded(case["seed"], PREFIX + "v", v_shape))
                qk = seeded(case["seed"], PREFIX + "qk_T", qk_shape)
                last = (key, (qk, *blocks_of_v(v)))
            source = last[1]
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            results = steps(case, *source, tables)
        case["seed"] = str(case["seed"])  # 64 bits, more than a JSON number is sure to keep
        case["output"] = None
        if case.pop("keep"):
            case["output"] = f"out_{case['name']}.safetensors"
            write(OUT / case["output"], results, AXIS)
        case["tensors"] = {name: describe(*tensor) for name, tensor in results.items()}
        lines.append(json.dumps(case, separators=(",", ":")))
    text = '{"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    (OUT / "cases.json").write_text(text)


if __name__ == "__main__":
    main()
