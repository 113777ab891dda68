"""Writes the golden caches of compress_epilog with NumPy and ml_dtypes.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r Tests/Golden/requirements.txt
    /tmp/golden/bin/python Tests/Golden/generate_compress_epilog.py

Output: Tests/Golden/compress_epilog/, the same bytes every time.
  cases.json         one entry a case: shape, options, where x and slot_mapping come from, and of the
                     cache and the scales after the run the CRC-32 of their little-endian words and
                     the first and last words
  in_*.safetensors   x and slot_mapping that no seed gives: blocks of zeros and of one element, NaN and
                     Inf, maxima of 1.75 * 2^k, maxima below 1e-4, subnormals, raw words; rows that are
                     left out and slots that are named twice

The steps, for a block of 128 elements of a row that has a slot (the last block may be short):

  amax  = largest |x| of the finite elements, 0 without one
  mode 1: scale = fl32(amax * C); q = fl32(x / scale), x where that is not finite; code = RNE(q)
  mode 0: s = fl32(max(amax, 1e-4) * C); the stored byte is the exponent field of s, plus one where
          its mantissa is not zero and scales are rounded; x is divided by the power of two, or by s;
          code = RNE clamped to the largest finite value
  C is 1 / 448 or 1 / 57344 as FP32. The last row that names a slot wins; -1 names none.
"""

import binascii
import json
import pathlib
import sys

import ml_dtypes
import numpy as np
from safetensors import serialize

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "compress_epilog"
MASK = (1 << 64) - 1
FORMATS = {
    "e4m3fn": (ml_dtypes.float8_e4m3fn, 448.0, 0x3B124925, 0x7F),
    "e5m2": (ml_dtypes.float8_e5m2, 57344.0, 0x37924925, 0x7E),
}


def as_float(word):
    return np.array(word, np.uint32).view(np.float32)


# --- seeded tensors ------------------------------------------------------------------------------


def words(seed, name, count):
    """The generator's 64-bit words: SplitMix64 of the seed, the name's hash and the index."""
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    z = np.uint64(seed ^ base) + np.arange(count, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def seeded_x(seed, shape):
    u = (words(seed, "x", shape[0] * shape[1]) >> np.uint64(40)).astype(np.float64) / 2**24
    return (4 * u - 2).astype(np.float32).astype(ml_dtypes.bfloat16).astype(np.float32).reshape(shape)


def seeded_slots(seed, tokens, slots):
    """A Fisher-Yates shuffle of the slots; rows beyond them have none."""
    order = list(range(slots))
    draw = words(seed, "slot_mapping", tokens)
    result = []
    for row in range(tokens):
        if row >= slots:
            result.append(-1)
            continue
        other = row + int(draw[row]) % (slots - row)
        order[row], order[other] = order[other], order[row]
        result.append(order[row])
    return np.array(result, np.int32)


def seeded_cache(seed, slots, dim):
    draw = words(seed, "cache", (slots * dim + 7) // 8).astype("<u8").view(np.uint8)
    return (draw[: slots * dim] & 0xBF).reshape(slots, dim)


def seeded_scale(seed, slots, blocks, mode):
    draw = words(seed, "scale", slots * blocks)
    if mode == 1:
        values = 0x3B800000 | (draw >> np.uint64(41)).astype(np.uint32)
        return values.reshape(slots, blocks)
    return (112 + (draw >> np.uint64(60))).astype(np.uint8).reshape(slots, blocks)


# --- the conversion ------------------------------------------------------------------------------


def cast(q, name, saturating):
    dtype, largest, _, nan = FORMATS[name]
    clamped = np.clip(q, -largest, largest) if saturating else q
    codes = clamped.astype(np.float32).astype(dtype).view(np.uint8)
    sign = np.where(np.signbit(q), np.uint8(0x80), np.uint8(0))
    is_nan = np.isnan(q)
    if name == "e4m3fn" and not saturating:
        is_nan |= np.abs(q) > 464
    return np.where(is_nan, sign | np.uint8(nan), codes)


def convert(block, name, mode, rounds):
    """Codes and the scale word of a block of FP32 values."""
    _, _, c, _ = FORMATS[name]
    finite = np.isfinite(block)
    amax = np.float32(np.abs(np.where(finite, block, 0)).max())
    if mode == 1:
        scale = np.float32(amax * as_float(c))
        q = block / scale
        q = np.where(np.isfinite(q), q, block).astype(np.float32)
        return cast(q, name, False), int(scale.view(np.uint32))
    s = np.float32(np.maximum(amax, np.float32(1e-4)) * as_float(c))
    word = int(s.view(np.uint32))
    byte = word >> 23
    divisor = s
    if rounds:
        byte += word & 0x7FFFFF != 0
        divisor = np.float32(np.ldexp(1.0, byte - 127))
    return cast((block / divisor).astype(np.float32), name, True), byte


def check_vectors():
    table = {
        "e4m3fn": [(0, 0, 105), (0.5, 0x3A924925, 118), (1, 0x3B124925, 119), (1.75, 0x3B800000, 119)]
        + [(448, 0x3F800000, 127), (65504, 0x431236DC, 135)],
        "e5m2": [(0, 0, 98), (1, 0x37924925, 112), (57344, 0x3F800000, 127)],
    }
    for name, rows in table.items():
        for amax, scale, byte in rows:
            block = np.array([amax], np.float32)
            with np.errstate(invalid="ignore"):
                assert convert(block, name, 1, True)[1] == scale, (name, amax)
                assert convert(block, name, 0, True)[1] == byte, (name, amax)


def run(x, mapping, cache, scale, name, mode, rounds):
    cache, scale = cache.copy(), scale.copy()
    for row, slot in enumerate(mapping):
        if slot == -1:
            continue
        for block in range(scale.shape[1]):
            part = slice(block * 128, min(block * 128 + 128, x.shape[1]))
            cache[slot, part], scale[slot, block] = convert(x[row, part], name, mode, rounds)
    return cache, scale


# --- inputs that no seed gives -------------------------------------------------------------------


def bf16(values):
    return values.astype(np.float32).astype(ml_dtypes.bfloat16).view(np.uint16)


def f16(values):
    with np.errstate(over="ignore"):
        return values.astype(np.float16).view(np.uint16)


def explicit_inputs():
    """name -> (words of x, whether BF16, slot mapping, slots, whether all finite)."""
    sets = {}
    random = np.random.default_rng(1)
    for kind, store, low, high in [("bf16", bf16, -40, 40), ("f16", f16, -14, 14)]:
        tokens, dim = 20, 300
        shape = (tokens, dim)
        x = random.normal(size=shape) * np.exp2(random.integers(low, high, (tokens, 1)))
        x[0] = 0
        x[1, :128], x[1, 128:256] = 0, -0.0
        x[2] = np.where(np.arange(dim) % 128 == 5, 3.0, 0)
        for block, k in enumerate([-3, 0, 4]):
            part = slice(block * 128, block * 128 + 128)
            x[3, part] = np.clip(x[3, part], -1, 1)
            x[3, block * 128 + 7] = 1.75 * 2.0**k
            x[4, part] = np.clip(random.normal(size=x[4, part].shape), -1.7, 1.7)
            x[4, block * 128 + 9] = -1.75 * 2.0 ** (k - 4)
        x[5] = random.uniform(-1, 1, dim) * 9e-5
        x[6] = random.uniform(-1, 1, dim) * 2.0**-20
        # Quotients that are ties of the codes: x over its maximum is a ratio of small integers.
        x[7] = random.integers(-448, 449, dim)
        x[7, ::128] = 448
        x[8] = random.integers(-57344, 57345, dim)
        x[8, ::128] = 57344
        x[9] = random.integers(-31, 32, dim) / 2.0 * np.exp2(random.integers(-9, 5, dim))
        x[9, ::128] = 448
        w = store(x)
        # Subnormal words, alone and under a normal maximum.
        w[10] = random.integers(1, 128 if kind == "bf16" else 1024, dim)
        w[10] |= random.choice([0, 0x8000], dim).astype(np.uint16)
        w[11] = w[10]
        w[11, ::128] = store(np.array([1.0]))[0]
        mapping = random.permutation(30)[:tokens].astype(np.int32)
        mapping[[13, 17]] = -1
        mapping[14] = mapping[15] = mapping[4]
        mapping[16] = mapping[12]
        sets[f"blocks_{kind}"] = (w, kind, mapping, 30, True)

        infinity = 0x7F80 if kind == "bf16" else 0x7C00
        quiet = 0x40 if kind == "bf16" else 0x200
        w = store(random.normal(size=(9, 257)))
        w[0, 3], w[0, 130], w[0, 256] = infinity, infinity | 0x8000, infinity | quiet
        w[1, 0], w[1, 200] = infinity | quiet | 0x8000, infinity | 1
        w[2, :128], w[2, 128:] = infinity, infinity | quiet
        w[3, :128] = 0
        w[3, 64] = infinity
        w[4, :128] = 0x8000
        w[4, 65] = infinity | quiet
        w[5] = random.integers(0, 65536, 257)
        w[6] = random.integers(0, 65536, 257)
        sets[f"nonfinite_{kind}"] = (w, kind, np.arange(9, dtype=np.int32)[::-1].copy(), 9, False)

    # The least maxima: scales that are subnormal or zero, codes that overflow by the rule.
    w = np.zeros((6, 130), np.uint16)
    w[0, 0], w[0, 129] = 1, 0x8002
    w[1, :5] = [1, 2, 3, 0x8003, 0]
    w[2, :4] = [4, 3, 0x8001, 2]
    w[3, :3] = [0x7F7F, 0x0001, 0xFF7F]
    w[4] = random.integers(0, 0x300, 130) | random.choice([0, 0x8000], 130)
    w[5] = 0x0080
    sets["least_bf16"] = (w, "bf16", np.array([5, 4, 3, 2, 1, 0], np.int32), 8, True)
    w = random.integers(0, 0x7C00, (7, 129)) | random.choice([0, 0x8000], (7, 129))
    mapping = np.array([0, 0, -1, 2, 2, 2, -1], np.int32)
    sets["words_f16"] = (w.astype(np.uint16), "f16", mapping, 3, True)
    return sets


def widen(w, kind):
    if kind == "bf16":
        return (w.astype(np.uint32) << 16).view(np.float32)
    return w.view(np.float16).astype(np.float32)


def describe(array):
    width = array.dtype.itemsize
    data = np.ascontiguousarray(array).astype(f"<u{width}").tobytes()

    def text(flat):
        return " ".join(f"{v:0{2 * width}x}" for v in np.frombuffer(flat, f"<u{width}"))

    return {
        "crc32": f"{binascii.crc32(data):08x}",
        "first": text(data[: 4 * width]),
        "last": text(data[-4 * width :]),
    }


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    check_vectors()
    sources = []
    for name, (w, kind, mapping, slots, finite) in explicit_inputs().items():
        dtype = "bfloat16" if kind == "bf16" else "float16"
        entries = {
            "x": {"dtype": dtype, "shape": list(w.shape), "data": w.astype("<u2").tobytes()},
            "slot_mapping": {
                "dtype": "int32", "shape": [len(mapping)], "data": mapping.astype("<i4").tobytes(),
            },
        }
        file = f"in_{name}.safetensors"
        (OUT / file).write_bytes(serialize(entries))
        sources.append((file, 11, kind, widen(w, kind), mapping, slots, finite))
    shapes = [(1, 1, 1), (3, 127, 3), (5, 128, 9), (7, 129, 7), (4, 1000, 4), (33, 64, 20)]
    shapes += [(40, 256, 100), (9, 4096, 9)]
    for index, (tokens, dim, slots) in enumerate(shapes):
        seed = [0, 1, 42, MASK][index % 4]
        mapping = seeded_slots(seed, tokens, slots)
        for kind in ["bf16", "f16"]:
            x = seeded_x(seed, (tokens, dim))
            sources.append((None, seed, kind, x, mapping, slots, True))
    lines = []
    for file, seed, kind, x, mapping, slots, finite in sources:
        tokens, dim = x.shape
        blocks = -(-dim // 128)
        for name in FORMATS:
            for mode, rounds in [(1, True), (0, True), (0, False)]:
                if mode == 0 and not finite:
                    continue
                with np.errstate(all="ignore"):
                    cache, scale = run(
                        x, mapping, seeded_cache(seed, slots, dim),
                        seeded_scale(seed, slots, blocks, mode), name, mode, rounds)
                case = {"tokens": tokens, "dim": dim, "slots": slots, "input": file}
                case |= {"seed": str(seed), "type": kind, "format": name, "mode": mode}
                case |= {"rounds": rounds, "cache": describe(cache), "scale": describe(scale)}
                lines.append(json.dumps(case, separators=(",", ":")))
    (OUT / "cases.json").write_text('{"cases":[\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
