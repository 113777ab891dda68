#!/usr/bin/env python3
"""Golden data for micro-ops with a definition of their own: FP8 blocks, attention, rotary pairs.

Independent oracles only: NumPy in FP32, ml_dtypes for the formats, mpmath for 2^x. Run in an
environment with requirements.txt; writes the files of Tests/Golden/ops (little endian).

    python3 generate_ops.py [output folder]
"""
import os
import sys

import ml_dtypes
import mpmath
import numpy as np

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "ops")
os.makedirs(OUT, exist_ok=True)
BF16 = ml_dtypes.bfloat16
CODES = {"e4m3fn": (ml_dtypes.float8_e4m3fn, 448.0, 0x3B124925),
         "e5m2": (ml_dtypes.float8_e5m2, 57344.0, 0x37924925)}
np.seterr(all="ignore")
mpmath.mp.prec = 200


def save(name, array):
    np.ascontiguousarray(array).tofile(os.path.join(OUT, name + ".bin"))


def f32(word):
    return np.array([word], dtype=np.uint32).view(np.float32)[0]


# --- FP8 with 128-element blocks ---------------------------------------------------------------


def cast(values, kind, saturating):
    dtype, largest, _ = CODES[kind]
    if saturating:
        values = np.where(np.isnan(values), values, np.clip(values, -largest, largest))
    codes = values.astype(dtype).view(np.uint8).copy()
    # A NaN is 0x7F (E4M3FN) or 0x7E (E5M2) with the sign of what was rounded.
    nan = np.isnan(values) if kind == "e5m2" else (codes & 0x7F) == 0x7F
    sign = np.where(np.signbit(values), 0x80, 0).astype(np.uint8)
    codes[nan] = sign[nan] | (0x7F if kind == "e4m3fn" else 0x7E)
    return codes


def finite_max(block):
    finite = np.abs(block[np.isfinite(block)])
    return np.float32(finite.max()) if finite.size else np.float32(0)


def fp8(block, kind, mode, round_scale=True):
    c = f32(CODES[kind][2])
    amax = finite_max(block)
    if mode == 1:
        scale = np.float32(0) if amax == 0 else np.float32(amax * c)
        q = (block / scale).astype(np.float32)
        q = np.where(np.isfinite(q), q, block)
        return scale.view(np.uint32), cast(q, kind, False)
    s = np.float32(max(amax, np.float32(1e-4)) * c)
    e, m = int(s.view(np.uint32)) >> 23, int(s.view(np.uint32)) & 0x7FFFFF
    byte = e + (m != 0) if round_scale else e
    divisor = f32(byte << 23) if round_scale else s
    return np.uint32(byte), cast((block / divisor).astype(np.float32), kind, True)


def fp8_blocks(rng):
    blocks = []
    for amax in (0, 0.5, 1, 1.75, 448, 65504, 57344, 1e-4, 9.9e-5, 1e-20, 2.0**-126, 2.0**-149):
        block = rng.uniform(-1, 1, 128) * amax
        block[rng.integers(128)] = amax
        blocks.append(block)
    for _ in range(28):
        blocks.append(rng.standard_normal(128) * 2.0 ** rng.integers(-40, 40))
    for exponent in range(-12, 12):  # maxima 1.75 * 2^k: scales that are powers of two
        block = rng.uniform(-1, 1, 128) * 1.75 * 2.0**exponent
        block[3] = -1.75 * 2.0**exponent
        blocks.append(block)
    for _ in range(4):  # subnormals
        blocks.append(rng.integers(-2**22, 2**22, 128) * 2.0**-149)
    with np.errstate(all="ignore"):
        blocks = np.array(blocks).astype(np.float32)
    extreme = rng.integers(0, 2**32, (4, 128), dtype=np.uint64).astype(np.uint32).view(np.float32)
    special = blocks[12:20].copy()
    special[:4, 5] = np.nan
    special[2:6, 7] = np.inf
    special[4:8, 9] = -np.inf
    special[7, :] = np.inf
    special[6, :] = np.array([0xFFC00001], dtype=np.uint32).view(np.float32)[0]
    return blocks, np.concatenate([extreme, special])


rng = np.random.default_rng(2024)
finite, special = fp8_blocks(rng)
save("fp8_finite", finite)
save("fp8_special", special)
for kind in CODES:
    for name, blocks, mode, up in (("mode1", np.concatenate([finite, special]), 1, True),
                                   ("mode0_round", finite, 0, True),
                                   ("mode0_exact", finite, 0, False)):
        results = [fp8(block, kind, mode, up) for block in blocks]
        save(f"fp8_{kind}_{name}_scales", np.array([r[0] for r in results], dtype=np.uint32))
        save(f"fp8_{kind}_{name}_codes", np.array([r[1] for r in results]))

# --- FP8 rows to MXINT8, and MXINT8 to values ----------------------------------------------------


def encode_mx(values):
    """MXINT8 of rows, blocks along the last axis: payload (unpadded) and scales."""
    rows, columns = values.shape
    blocks = (columns + 31) // 32
    padded = np.zeros((rows, 32 * blocks), dtype=np.float32)
    padded[:, :columns] = values
    padded = padded.reshape(rows, blocks, 32)
    scale = ((padded.view(np.uint32) & 0x7FFFFFFF) >> 23).max(axis=2)
    exact = np.ldexp(padded.astype(np.float64), 6 - (scale[:, :, None].astype(np.int64) - 127))
    payload = np.clip(np.rint(np.nan_to_num(exact, posinf=0, neginf=0)), -127, 127)
    payload[scale == 0xFF] = 0
    return (payload.astype(np.int8).reshape(rows, -1)[:, :columns], scale.astype(np.uint8))


R, D = 37, 200
for kind, (dtype, _, _) in CODES.items():
    codes = rng.integers(0, 256, (R, D)).astype(np.uint8)
    if kind == "e4m3fn":
        codes[codes & 0x7F == 0x7F] = 0x7E  # NaN only where it is wanted
    else:
        codes[codes & 0x7F >= 0x7C] = 0x7B
    codes[4, 150] = 0x7F
    scales = (2.0 ** rng.uniform(-20, 20, (R, 2))).astype(np.float32)
    values = (codes.view(dtype).astype(np.float32) * np.repeat(scales, 128, axis=1)[:, :D])
    values = values.astype(np.float32)
    save(f"requantise_{kind}_codes", codes)
    save(f"requantise_{kind}_scales", scales)
    for axis, (payload, scale) in (("columns", encode_mx(values)),
                                   ("rows", [x.T for x in encode_mx(values.T.copy())])):
        save(f"requantise_{kind}_{axis}_payload", payload)
        save(f"requantise_{kind}_{axis}_mx", scale)
    if kind == "e4m3fn":
        payload, scale = encode_mx(values)
        decoded = np.ldexp(payload.astype(np.float64),
                           np.repeat(scale.astype(np.int64) - 133, 32, axis=1)[:, :D])
        nan = np.repeat(scale == 0xFF, 32, axis=1)[:, :D]
        decoded = np.where(nan, np.nan, decoded).astype(np.float32)
        save("decode_f32", np.where(nan, f32(0x7FC00000), decoded).astype(np.float32))
        save("decode_bf16", np.where(nan, f32(0x7FC00000), decoded).astype(BF16).view(np.uint16))

# --- the online softmax step ---------------------------------------------------------------------

A = (rng.standard_normal((9, 70)) * 12).astype(BF16)
A[2, 3:9] = -np.inf
A[8, :] = -np.inf
K = np.float32(0.1275174)
scaled = (A.astype(np.float32) * K).astype(np.float32)
ROW = scaled.max(axis=1, keepdims=True).astype(np.float32)
ROW[5] += np.float32(3.25)
difference = (scaled - ROW).astype(np.float32)


def exp2(values):
    """2^x of FP32 values as FP32 and BF16, rounded once where the result is normal."""

    def rounded(bits, dtype):
        results = []
        for v in values.ravel():
            exact = mpmath.power(2, mpmath.mpf(float(v))) if np.isfinite(v) else mpmath.mpf(0)
            with mpmath.workprec(bits if exact > mpmath.mpf(2) ** -126 else 53):
                results.append(float(+exact))
        return np.array(results).astype(dtype).reshape(values.shape)

    return rounded(24, np.float32), rounded(8, BF16)


single, half = exp2(difference)
single[8, :], half[8, :] = 0, 0  # m' is -inf
save("exp2_a", A.view(np.uint16))
save("exp2_row", ROW)
save("exp2_k", np.array([K]))
save("exp2_f32", single)
save("exp2_bf16", half.view(np.uint16))

O = rng.standard_normal((6, 50)).astype(np.float32)
F = rng.uniform(0, 1, (6, 1)).astype(np.float32)
T = (rng.standard_normal((6, 50)) * 1e-3).astype(np.float32)
save("rescale_o", O)
save("rescale_f", F)
save("rescale_t", T)
save("rescale_result", ((O * F).astype(np.float32) + T).astype(np.float32))

# --- rotary pairs --------------------------------------------------------------------------------

X = (rng.standard_normal((7, 64)) * 2).astype(BF16)
angle = rng.uniform(-10, 10, (7, 32))
for kind, dtype in (("bf16", BF16), ("f32", np.float32)):
    c, s = np.cos(angle).astype(dtype), np.sin(angle).astype(dtype)
    save(f"rotate_cos_{kind}", c)
    save(f"rotate_sin_{kind}", s)
    c, s = c.astype(np.float32), s.astype(np.float32)
    x = X.astype(np.float32)
    for name, (first, second) in (("interleaved", (np.arange(0, 64, 2), np.arange(1, 64, 2))),
                                  ("half", (np.arange(32), np.arange(32, 64)))):
        a, b = x[:, first], x[:, second]
        result = np.empty_like(x)
        result[:, first] = (a * c).astype(np.float32) - (b * s).astype(np.float32)
        result[:, second] = (b * c).astype(np.float32) + (a * s).astype(np.float32)
        save(f"rotate_{name}_{kind}", result.astype(BF16).view(np.uint16))
save("rotate_x", X.view(np.uint16))

# --- the first maximum ---------------------------------------------------------------------------

V = rng.integers(-20, 20, (8, 90)).astype(np.float32)
V[1, [11, 60]] = np.nan
V[2, :] = -np.inf
V[3, [0, 44]] = np.inf
V[4, :] = np.where(np.arange(90) % 2 == 0, -0.0, 0.0)
save("argmax_a", V)
save("argmax_index", V.argmax(axis=1).astype(np.int32))
