#!/usr/bin/env python3
"""Golden data for the number formats, MXINT8, the block MAC and the special functions.

Independent oracles only: ml_dtypes and NumPy for conversions and chains, exact integers and
fractions for block values, mpmath at several hundred bits for the special functions. Run in an
environment with requirements.txt; writes the files of Tests/Golden/numerics (little endian).

    python3 generate_numerics.py [output folder]
"""
import os
import sys
from fractions import Fraction

import ml_dtypes
import mpmath
import numpy as np

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "numerics")
os.makedirs(OUT, exist_ok=True)
BF16 = ml_dtypes.bfloat16
E4M3 = ml_dtypes.float8_e4m3fn
E5M2 = ml_dtypes.float8_e5m2


def save(name, array):
    np.ascontiguousarray(array).tofile(os.path.join(OUT, name + ".bin"))


# --- exact rounding of a rational or an mpf, from the definition of the format -----------------


def round_exact(sign, man, exp, fraction_bits, bias):
    """Magnitude code of man * 2^exp, RNE, unbounded above (the caller maps overflow)."""
    if man == 0:
        return 0
    lead = man.bit_length() - 1 + exp
    if lead > 2 * bias + 10:
        return 1 << 40
    if lead < -bias - fraction_bits - 10:
        return 0
    unit = max(lead, 1 - bias) - fraction_bits
    shift = unit - exp
    if shift <= 0:
        kept = man << -shift
    else:
        kept, rest = man >> shift, man & ((1 << shift) - 1)
        half = 1 << (shift - 1)
        if rest > half or (rest == half and kept & 1):
            kept += 1
    return ((max(lead, 1 - bias) - (1 - bias)) << fraction_bits) + kept


def word32(value):
    """FP32 word of an mpf, or of one of the strings nan, inf, -inf, -0."""
    return word(value, 23, 0x7F800000, 31, 0x7FC00000)


def word16(value):
    return word(value, 7, 0x7F80, 15, 0x7FC0)


def word(value, fraction_bits, inf, sign_shift, nan):
    if isinstance(value, str):
        return {"nan": nan, "inf": inf, "-inf": inf | 1 << sign_shift, "-0": 1 << sign_shift,
                "0": 0}[value]
    sign, man, exp, _ = value._mpf_
    code = min(round_exact(sign, int(man), int(exp), fraction_bits, 127), inf)
    return code | (sign << sign_shift)


# --- special functions -------------------------------------------------------------------------

FUNCTIONS = ["exp", "exp2", "reciprocal", "rsqrt", "sin", "cos", "sigmoid", "silu", "log"]


def exact(name, x):
    """The true value at a Python float x, as an mpf good to hundreds of bits, or a string."""
    if x != x:
        return "nan"
    inf = float("inf")
    negative = np.signbit(x)
    # Near zero x and f(x) agree to twice as many bits as the exponent says: keep them all.
    mpmath.mp.prec = 800 if abs(x) < 2.0**-40 else 320
    m = mpmath.mpf(x) if abs(x) != inf else None
    if name in ("exp", "exp2"):
        if x > 1000:
            return "inf"
        if x < -1000:
            return "0"
        return mpmath.exp(m) if name == "exp" else mpmath.power(2, m)
    if name == "reciprocal":
        if x == 0:
            return "-inf" if negative else "inf"
        if abs(x) == inf:
            return "-0" if negative else "0"
        return 1 / m
    if name == "rsqrt":
        if x == 0:
            return "-inf" if negative else "inf"
        if x < 0:
            return "nan"
        return "0" if x == inf else 1 / mpmath.sqrt(m)
    if name in ("sin", "cos"):
        if abs(x) == inf:
            return "nan"
        if name == "sin" and x == 0:
            return "-0" if negative else "0"
        return mpmath.sin(m) if name == "sin" else mpmath.cos(m)
    if name == "sigmoid":
        if x > 1000:
            return mpmath.mpf(1)
        return "0" if x < -1000 else 1 / (1 + mpmath.exp(-m))
    if name == "silu":
        if x == inf:
            return "inf"
        if x == 0:
            return "-0" if negative else "0"
        if x < -1000:
            return "-0"
        if x > 150:  # below x by less than any rounding boundary
            return m - mpmath.ldexp(m, -200)
        return m / (1 + mpmath.exp(-m))
    if name == "log":
        if x == 0:
            return "-inf"
        if x < 0:
            return "nan"
        return "inf" if x == inf else mpmath.log(m)
    raise ValueError(name)


def floats(words):
    return np.asarray(words, dtype=np.uint32).view(np.float32).astype(np.float64)


def bf16_tables():
    # Even, odd or NaN for negative arguments: the test asserts that and reads half a table.
    half = {"reciprocal", "rsqrt", "sin", "cos", "log"}
    for name in FUNCTIONS:
        count = 0x8000 if name in half else 0x10000
        xs = floats(np.arange(count, dtype=np.uint32) << 16)
        save(f"bf16_{name}", np.array([word16(exact(name, float(x))) for x in xs], np.uint16))


# The arguments whose results lie nearest to a rounding boundary of FP32 or BF16, from a search over
# all FP32 arguments (|x| >= 2^-40; Double first, then mpmath for the few thousand left).
HARDEST = {
    "exp": [
        0xC16912CD, 0xBBF0EDF1, 0xBAE0E25C, 0xB3000000, 0x377EFF81, 0x40315B33, 0x4001B249, 0x39C6BE5B,
        0x38E69CC1, 0x383A3EF1, 0xBC2A461A, 0x3D1A274E, 0x4288942B, 0xBBB70EE8, 0x3FE67199, 0xC13D6631,
    ],
    "exp2": [
        0xB52D1F9A, 0xBCF3A937, 0xB8D3D026, 0x3B429D37, 0xBAEC2B40, 0x3A07857C, 0xBE1F29DE, 0x3C02A9AD,
        0x36879CF7, 0xB466D4CB, 0xB338AA3B, 0xB8BBD3A2, 0x33B8AA3B, 0xB5160A52, 0x3DC9ABE2, 0xBCAF4D02,
    ],
    "sin": [
        0x2B808000, 0x2B818000, 0x2B828000, 0x2B838000, 0x2B848000, 0x2B858000, 0x2B868000, 0x2B878000,
        0x2B888000, 0x2B898000, 0x2B8A8000, 0x2B8B8000, 0x2B8C8000, 0x2B8D8000, 0x2B8E8000, 0x2B8F8000,
    ],
    "cos": [
        0x6115CB11, 0x5F18B878, 0x59443C0A, 0x7A4B1A27, 0x7908CD73, 0x3C107FE6, 0x61703976, 0x5922AA80,
        0x39800000, 0x3A544395, 0x424790CE, 0x55E5235D, 0x7A38AB34, 0x52D9D3FE, 0x7C69AE1E, 0x47A0E238,
    ],
    "sigmoid": [
        0xB3800000, 0x34000000, 0xB4400000, 0xB4A00000, 0x34C00000, 0xB4E00000, 0xB5100000, 0x35200000,
        0xB5300000, 0xB5500000, 0x35600000, 0xB5700000, 0xB5880000, 0x35900000, 0xB5980000, 0xB5A80000,
    ],
    "silu": [
        0x43158000, 0x43148000, 0x43138000, 0x43128000, 0x43118000, 0x43108000, 0x430F8000, 0x430E8000,
        0x430D8000, 0x430C8000, 0x430B8000, 0x43168000, 0x43178000, 0x43188000, 0x43198000, 0x431A8000,
    ],
    "log": [
        0x65D890D3, 0x4C5D65A5, 0x4D604EBE, 0x66A8C860, 0x1F116AB8, 0x41178FEB, 0x3C413D3A, 0x6F31A8EC,
        0x38DCBE38, 0x5EE8984E, 0x4665A9A6, 0x3BF86EF0, 0x79E7EC37, 0x2C4C24B7, 0x0DC8BBA4, 0x1A8446CB,
    ],
}


def fp32_cases():
    """Inputs, FP32 results and BF16 results per function: random, extreme, and hard to round."""
    approx = {
        "exp": np.exp, "exp2": np.exp2, "reciprocal": lambda v: 1 / v,
        "rsqrt": lambda v: 1 / np.sqrt(v), "sin": np.sin, "cos": np.cos,
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "silu": lambda v: v / (1 + np.exp(-v)),
        "log": np.log,
    }
    edges = [0, 0x80000000, 1, 0x80000001, 2, 3, 0x80000003, 0x007FFFFF, 0x00800000, 0x80800000,
             0x3F800000, 0xBF800000, 0x3F7FFFFF, 0x3F800001, 0xBF7FFFFF, 0xBF800001, 0x7F7FFFFF,
             0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001, 0x40490FDB,
             0x3FC90FDB, 0x3F490FDB, 0x3F490FDA, 0x3F490FDC, 0x7E800000, 0x7F000000, 0x00400000,
             0x00200000, 0x00200001, 0x35000000, 0xB5000000, 0x34800000, 0x5F5E7F92]
    edges += [int(w) + d for w in np.array(
        [88.72284, -87.33655, -103.97208, -92.8, -93.6, 128, -126, -149, -150, -133, -134, 88.7229,
         17.32868, -104, -88, 4, 0.25, 16, 2.0**-148, 2.0**100, 50, 60, -50, 200, -200],
        np.float32).view(np.uint32) for d in (-1, 0, 1)]
    # Midpoints of BF16, small and large: sin and silu of these depend on the side they lie on.
    edges += [e << 23 | 0x8000 | f << 16 | s << 31 for e in (0, 1, 20, 80, 86, 87, 88, 100, 132, 135,
              150, 200) for f in (1, 2) for s in (0, 1)]
    rng = np.random.default_rng(20)
    everything = {}
    for name in FUNCTIONS:
        words = [rng.integers(0, 1 << 32, 400, dtype=np.uint64).astype(np.uint32)]
        spread = rng.uniform(-100, 100, 200) if name != "log" else rng.uniform(0, 3, 200)
        words.append(spread.astype(np.float32).view(np.uint32))
        # Hard cases: those nearest to a rounding boundary among many, by 64-bit long double.
        many = np.concatenate([
            rng.uniform(-90, 90, 1 << 20), rng.normal(size=1 << 20),
            np.exp2(rng.uniform(-60, 100, 1 << 19))]).astype(np.float32)
        with np.errstate(all="ignore"):
            values = approx[name](many.astype(np.longdouble))
            for bits, keep in ((24, 100), (8, 60)):
                fraction, _ = np.frexp(np.abs(values))
                scaled = np.ldexp(fraction, bits)
                distance = np.abs(scaled - np.floor(scaled) - 0.5)
                distance[~np.isfinite(distance)] = 1
                chosen = many[np.argsort(distance)[:keep]]
                words.append(chosen.view(np.uint32))
        words.append(np.array(edges + HARDEST.get(name, []), np.uint32))
        w = np.concatenate(words)
        values = [exact(name, float(x)) for x in floats(w)]
        save(f"fp32_{name}", np.concatenate([
            w, np.array([word32(v) for v in values], np.uint32),
            np.array([word16(v) for v in values], np.uint32)]))
        everything[name] = len(w)
    print("FP32 cases", everything)


# --- conversions -------------------------------------------------------------------------------


def narrow(x, dtype, largest=None):
    """ml_dtypes' cast of float32; saturating by clipping first if `largest` is given."""
    if largest is not None:
        x = np.where(np.isnan(x), x, np.clip(x, -largest, largest)).astype(np.float32)
    return x.astype(dtype)


def conversion_tables():
    halves = np.arange(0x8000, dtype=np.uint16)
    sources = {"bf16": halves.view(BF16).astype(np.float32),
               "fp16": halves.view(np.float16).astype(np.float32)}
    save("fp16_to_fp32", sources["fp16"])
    save("fp16_to_bf16", narrow(sources["fp16"], BF16).view(np.uint16))
    # NumPy keeps the upper payload bits of a NaN; the contract's NaN is 0x7E00.
    to_fp16 = narrow(sources["bf16"], np.float16)
    save("bf16_to_fp16", np.where(np.isnan(to_fp16), 0x7E00, to_fp16.view(np.uint16))
         .astype(np.uint16))
    for name, x in sources.items():
        save(f"{name}_to_e4m3fn", narrow(x, E4M3).view(np.uint8))
        save(f"{name}_to_e4m3fn_saturating", narrow(x, E4M3, 448).view(np.uint8))
        save(f"{name}_to_e5m2", narrow(x, E5M2).view(np.uint8))
        save(f"{name}_to_e5m2_saturating", narrow(x, E5M2, 57344).view(np.uint8))
    all8 = np.arange(256, dtype=np.uint8)
    save("e4m3fn_to_fp32", all8.view(E4M3).astype(np.float32))
    save("e5m2_to_fp32", all8.view(E5M2).astype(np.float32))
    save("e8m0_to_fp32", all8.view(ml_dtypes.float8_e8m0fnu).astype(np.float32))


def boundaries():
    """For codes i and i+1 (finite, non-negative): what the midpoint and its two FP32 neighbours
    round to, as bits 0...2 of a byte (below, at, above): 0 is code i, 1 is code i+1."""
    for name, dtype, unsigned, last in (("bf16", BF16, np.uint16, 0x7F80),
                                        ("fp16", np.float16, np.uint16, 0x7C00),
                                        ("e4m3fn", E4M3, np.uint8, 0x7F),
                                        ("e5m2", E5M2, np.uint8, 0x7C)):
        codes = np.arange(last + 1, dtype=unsigned)
        values = codes.view(dtype).astype(np.float64)
        # The overflow boundary lies half a unit above the largest finite value.
        values[last] = 2 * values[last - 1] - values[last - 2]
        middle = (values[:-1] + values[1:]) / 2
        packed = np.zeros(last, np.uint8)
        for bit, step in enumerate((-1, 0, 1)):
            words = middle.astype(np.float32).view(np.uint32).astype(np.int64) + step
            x = words.astype(np.uint32).view(np.float32)
            got = x.astype(dtype).view(unsigned).astype(np.int64)
            offset = got - codes[:-1].astype(np.int64)
            assert np.array_equal(middle.astype(np.float32).astype(np.float64), middle), name
            assert set(np.unique(offset)) <= {0, 1}, (name, np.unique(offset))
            packed |= (offset << bit).astype(np.uint8)
        save(f"boundaries_{name}", packed)


def e8m0_cases():
    words = []
    for exponent in range(-149, 128):
        for factor in (1.0, 1.5):
            base = int(np.float32(np.ldexp(factor, exponent)).view(np.uint32))
            words += [max(base - 1, 0), base, base + 1]
    words += [0, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0xBF800000, 0xFF800000, 0x80000000]
    rng = np.random.default_rng(3)
    words += [int(w) for w in rng.integers(0, 1 << 32, 500)]
    rows = []
    for w in words:
        x = abs(float(np.uint32(w).view(np.float32)))
        if x != x or x == float("inf"):
            rows.append((w, 255, 255, 255))
            continue
        value = Fraction(x)
        if value < Fraction(1, 1 << 127):
            rows.append((w, 0, 0, 0))
            continue
        if value > 1 << 127:
            rows.append((w, 254, 254, 254))
            continue
        k = -127
        while Fraction(2) ** (k + 1) <= value:
            k += 1
        low = Fraction(2) ** k
        rows.append((w, k + 127, k + 127 + (value != low), k + 127 + (value >= low * 3 / 2)))
    save("e8m0_cases", np.array(rows, np.uint32))


# --- MXINT8, the block MAC, the vector unit ----------------------------------------------------


def interesting(rng, count):
    """Floats of many magnitudes, with zeros, subnormals and repeats of the same binade."""
    kind = rng.integers(0, 4)
    if kind == 0:
        return rng.normal(size=count).astype(np.float32)
    if kind == 1:
        return (rng.normal(size=count) * np.exp2(rng.integers(-150, 127, count))).astype(np.float32)
    if kind == 2:
        scale = np.exp2(float(rng.integers(-149, -120)))
        return (rng.normal(size=count) * scale).astype(np.float32)
    x = np.ldexp(rng.integers(-256, 257, count) / 2.0, int(rng.integers(-140, 110)))
    return x.astype(np.float32)


def mx_encode(v):
    """One block by the letter of the definition, in float64 and with NumPy's rint."""
    v = np.asarray(v, np.float32)
    field = int(((v.view(np.uint32) & 0x7FFFFFFF) >> 23).max())
    if field == 255:
        return 255, np.zeros(len(v), np.int8)
    e = field - 127
    p = np.rint(np.ldexp(v.astype(np.float64), 6 - e))
    return field, np.clip(p, -127, 127).astype(np.int8)


def mx_cases():
    rng = np.random.default_rng(7)
    blocks = [interesting(rng, 32) for _ in range(240)]
    blocks.append(np.zeros(32, np.float32))
    for special in (np.inf, -np.inf, np.nan):
        block = rng.normal(size=32).astype(np.float32)
        block[int(rng.integers(32))] = special
        blocks.append(block)
    # Values just above and at ties, and 2 - 2^-23, which rounds to 128 and is clamped.
    blocks.append(np.array([np.nextafter(np.float32(2), np.float32(0))] * 31 + [1.9921875],
                           np.float32))
    blocks.append(np.full(32, np.finfo(np.float32).max, np.float32))
    with np.errstate(all="ignore"):
        data = np.stack([np.nan_to_num(b, nan=np.nan, posinf=np.inf, neginf=-np.inf)
                         for b in blocks])
    encoded = [mx_encode(b) for b in data]
    save("mx_values", data)
    save("mx_scales", np.array([s for s, _ in encoded], np.uint8))
    save("mx_payloads", np.stack([p for _, p in encoded]))


def block_value(s, ba, bb):
    """FP32 word of s * 2^(ba + bb - 266) by exact integers."""
    if ba == 255 or bb == 255:
        return 0x7FC00000
    code = round_exact(s < 0, abs(s), ba + bb - 266, 23, 127)
    return min(code, 0x7F800000) | (0x80000000 if s < 0 else 0)


def mac_values():
    rng = np.random.default_rng(11)
    rows = []
    for _ in range(2500):
        s = int(rng.integers(-524288, 524289)) >> int(rng.integers(0, 20))
        rows.append((s, int(rng.integers(0, 256)), int(rng.integers(0, 256))))
    # Around underflow (2^-149) and overflow (2^128), and the extremes.
    for s in (1, -1, 3, 5, 127, 255, 524288, -524288, 349525, 524287, -262145, 0):
        for total in list(range(95, 145)) + list(range(360, 400)) + [0, 508]:
            a = min(total, 254)
            rows.append((s, a, total - a))
        rows += [(s, 255, 7), (s, 7, 255), (s, 255, 255)]
    save("mac_values", np.array([(s & 0xFFFFFFFF, a, b, block_value(s, a, b))
                                 for s, a, b in rows], np.uint32))


def as_float(word_):
    return np.uint32(word_).view(np.float32)


def chain(a, sa, b, sb, mode):
    acc = np.float32(0)
    for block in range((len(a) + 31) // 32):
        part = slice(block * 32, block * 32 + 32)
        s = int(np.dot(a[part].astype(np.int64), b[part].astype(np.int64)))
        with np.errstate(all="ignore"):
            acc = acc + as_float(block_value(s, int(sa[block]), int(sb[block])))
            if mode == "bf16":
                acc = np.float32(np.array(acc, np.float32).astype(BF16).astype(np.float32))
        if np.isnan(acc):
            acc = as_float(0x7FC00000)
    return int(np.array(acc, np.float32).view(np.uint32))


def mac_products():
    """Products A[m,k] * B[k,n]: per case a header m, n, k and then all operands and results."""
    rng = np.random.default_rng(13)
    shapes = [(1, 1, 0), (1, 1, 1), (2, 3, 31), (3, 5, 32), (2, 17, 33), (5, 7, 64), (4, 33, 100),
              (1, 40, 256), (7, 16, 96), (3, 64, 160), (6, 9, 320)]
    out = []
    for index, (m, n, k) in enumerate(shapes * 3):
        kb = (k + 31) // 32
        a = rng.integers(-128, 128, (m, k)).astype(np.int8)
        b = rng.integers(-128, 128, (k, n)).astype(np.int8)
        if index % 3 == 0:
            sa, sb = rng.integers(120, 134, (m, kb)), rng.integers(120, 134, (kb, n))
        elif index % 3 == 1:  # overflow, underflow and NaN scales
            sa, sb = rng.integers(0, 256, (m, kb)), rng.integers(0, 256, (kb, n))
        else:  # subnormal sums, the largest products
            sa, sb = rng.integers(50, 64, (m, kb)), rng.integers(50, 66, (kb, n))
            a[rng.random((m, k)) < 0.5] = -128
            b[rng.random((k, n)) < 0.5] = -128
        results = {mode: [chain(a[i], sa[i], b[:, j], sb[:, j], mode)
                          for i in range(m) for j in range(n)] for mode in ("bf16", "fp32")}
        out.append(np.array([m, n, k], np.uint32).tobytes())
        out.append(a.tobytes() + sa.astype(np.uint8).tobytes())
        out.append(b.tobytes() + sb.astype(np.uint8).tobytes())
        for mode in ("bf16", "fp32"):
            out.append(np.array(results[mode], np.uint32).tobytes())
    with open(os.path.join(OUT, "mac_products.bin"), "wb") as file:
        file.write(b"".join(out))


def canonical(x):
    x = np.asarray(x, np.float32)
    return np.where(np.isnan(x), as_float(0x7FC00000), x)


SPECIALS = np.array(
    [0, 0x80000000, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x3F800000, 0xBF800000,
     0x3F800001, 0x4B800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000,
     0xFFC00000, 0x7F800001, 0xFF812345, 0x34000000], np.uint32).view(np.float32)


def maximum(a, b):
    if a != a or b != b:
        return as_float(0x7FC00000)
    if a == 0 and b == 0:
        return as_float(0x80000000 if np.signbit(a) and np.signbit(b) else 0)
    return a if a > b else b


def vector_cases():
    rng = np.random.default_rng(17)
    a = np.repeat(SPECIALS, len(SPECIALS))
    b = np.tile(SPECIALS, len(SPECIALS))
    extra = rng.integers(0, 1 << 32, (2, 300), dtype=np.uint64).astype(np.uint32).view(np.float32)
    a, b = np.concatenate([a, extra[0]]), np.concatenate([b, extra[1]])
    with np.errstate(all="ignore"):
        results = [a + b, a - b, a * b, a / b,
                   np.array([maximum(x, y) for x, y in zip(a, b)], np.float32)]
    save("vector_cases", np.concatenate(
        [a.view(np.uint32), b.view(np.uint32)] + [canonical(r).view(np.uint32) for r in results]))


def lane_sum(values, lanes):
    held = [[] for _ in range(lanes)]
    for i, v in enumerate(values):
        held[i % lanes].append(v)
    with np.errstate(all="ignore"):
        partial = []
        for lane in held:
            if not lane:
                partial.append(None)
                continue
            acc = lane[0]
            for v in lane[1:]:
                acc = np.float32(acc + v)
            partial.append(acc)
        h = lanes // 2
        while h >= 1:
            for i in range(h):
                if partial[i] is not None and partial[i + h] is not None:
                    partial[i] = np.float32(partial[i] + partial[i + h])
            h //= 2
    return np.float32(0) if partial[0] is None else partial[0]


def lane_cases():
    rng = np.random.default_rng(19)
    values = (rng.normal(size=300) * np.exp2(rng.integers(-20, 20, 300))).astype(np.float32)
    values[0] = -0.0
    save("lane_values", values)
    rows = []
    for lanes in (1, 2, 4, 16, 64, 128):
        for n in list(range(0, 20)) + [31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 299, 300]:
            result = lane_sum(values[:n], lanes)
            rows.append((lanes, n, int(np.array(result, np.float32).view(np.uint32))))
    save("lane_sums", np.array(rows, np.uint32))


if __name__ == "__main__":
    conversion_tables()
    boundaries()
    e8m0_cases()
    mx_cases()
    mac_values()
    mac_products()
    vector_cases()
    lane_cases()
    fp32_cases()
    bf16_tables()
