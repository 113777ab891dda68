"""Writes the golden products of gemm, gevm and dot_product with NumPy and ml_dtypes.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r Tests/Golden/requirements.txt
    /tmp/golden/bin/python Tests/Golden/generate_gemm.py

Output: Tests/Golden/gemm/, the same bytes every time.
  cases.json         one entry a case: kernel, shape, type of the output, accumulator, where its input
                     comes from, and of the output the CRC-32 of its little-endian words and the
                     first and last words
  in_*.safetensors   BF16 operands of gemm that no seed gives: zeros, subnormals, overflow, Inf and NaN

Both kinds of operands have the same result: BF16 values are encoded by the same rule before the run
or on chip. The steps, for a row a of the first operand and a column b of the second:

  MXINT8 encode of a and b along k, in blocks of 32, the last one padded with zeros
  acc = 0; for each block, ascending: s = sum of a_i b_i, exact; v = fl32(s 2^(Ba + Bb - 266));
  acc = fl32(acc + v), or bf16(fl32(acc + v))
  output = acc rounded once to bf16 or f32

A NaN that an operation makes is 0x7FC00000, whatever the host makes of it.
"""

import binascii
import json
import pathlib
import sys

import ml_dtypes
import numpy as np
from safetensors import serialize

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "gemm"
NAN32 = np.array(0x7FC00000, np.uint32).view(np.float32)
MASK = (1 << 64) - 1


def bf16_words(values):
    words = values.astype(ml_dtypes.bfloat16).view(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), words)


def widen(words):
    return (words.astype(np.uint32) << 16).view(np.float32)


def canonical(values):
    return np.where(np.isnan(values), NAN32, values).astype(np.float32)


def seeded(seed, name, count):
    """BF16 words of the seeded generator: SplitMix64 of the seed, the name's hash and the index."""
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    state = np.uint64(seed ^ base) + np.arange(count, dtype=np.uint64)
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2**24
    return bf16_words((4 * u - 2).astype(np.float32))


def encode(values):
    """Payloads [lines, blocks, 32] and scale bytes [lines, blocks] of [lines, k] values."""
    blocks = np.pad(values, [(0, 0), (0, -values.shape[1] % 32)])
    blocks = blocks.reshape(values.shape[0], -1, 32)
    scale = ((blocks.view(np.uint32) & 0x7FFFFFFF) >> 23).max(axis=-1).astype(np.int32)
    with np.errstate(over="ignore", invalid="ignore"):
        shift = (6 - (scale - 127))[..., None]
        scaled = np.ldexp(blocks.astype(np.float64), shift)
        rounded = np.clip(np.rint(scaled), -127, 127)
    payload = np.where((scale == 255)[..., None] | np.isnan(rounded), 0, rounded)
    return payload, scale


def product(a, b, accumulator):
    """FP32 values of the accumulators after the last block. a [m, k], b [k, n], FP32."""
    (pa, sa), (pb, sb) = encode(a), encode(np.ascontiguousarray(b.T))
    acc = np.zeros((a.shape[0], b.shape[1]), np.float32)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for k in range(pa.shape[1]):
            s = pa[:, k] @ pb[:, k].T
            left, right = sa[:, k][:, None], sb[:, k][None, :]
            # s 2^n is exact in FP64; the one rounding is the conversion.
            value = np.ldexp(s, left + right - 266).astype(np.float32)
            value = np.where((left == 255) | (right == 255), NAN32, value)
            acc = canonical(acc + value)
            if accumulator == "bf16":
                acc = widen(bf16_words(acc))
    return acc


def explicit_inputs():
    """Operands that no seed gives: name -> (m, n, k, input words, other words)."""
    sets = {}

    def words(values):
        return bf16_words(np.asarray(values, np.float64).astype(np.float32))

    random = np.random.default_rng(1)
    m, n, k = 5, 7, 97
    a = random.normal(size=(m, k)) * (random.random((m, k)) < 0.4)
    b = random.normal(size=(k, n)) * (random.random((k, n)) < 0.4)
    a[1], b[32:64], b[:, 2] = -0.0, 0, 0
    sets["zeros"] = (m, n, k, words(a), words(b))
    m, n, k = 6, 9, 70
    a = np.exp2(random.uniform(-140, -50, (m, k))) * random.choice([-1, 1], (m, k))
    b = np.exp2(random.uniform(-90, -60, (k, n))) * random.choice([-1, 1], (k, n))
    sets["subnormals"] = (m, n, k, words(a), words(b))
    m, n, k = 8, 8, 130
    a = np.exp2(random.uniform(40, 127, (m, k))) * random.choice([-1, 1], (m, k))
    b = np.exp2(random.uniform(-60, 64, (k, n))) * random.choice([-1, 1], (k, n))
    b[:, 3:] *= 2.0**-60
    sets["huge"] = (m, n, k, words(a), words(b))
    m, n, k = 6, 6, 65
    a, b = words(random.normal(size=(m, k))), words(random.normal(size=(k, n)))
    a[0, 3], a[1, 64], a[2, 40], b[7, 0], b[64, 1] = 0x7FC0, 0x7F80, 0xFF80, 0xFFC1, 0x7F80
    sets["nonfinite"] = (m, n, k, a, b)
    m, n, k = 16, 12, 96
    a = random.integers(0, 0x7F80, (m, k)) | random.choice([0, 0x8000], (m, k))
    b = (random.integers(100, 150, (k, n)) << 7) | random.integers(0, 128, (k, n))
    sets["words"] = (m, n, k, a.astype(np.uint16), b.astype(np.uint16))
    m, n, k = 4, 5, 64
    a = random.integers(-255, 256, (m, k)) / 2.0
    b = random.integers(-255, 256, (k, n)) / 2.0 * np.exp2(random.integers(-3, 3, (1, n)))
    sets["ties"] = (m, n, k, words(a), words(b))
    return sets


def describe(case, acc):
    if case["output"] == "bf16":
        data, width = bf16_words(acc).astype("<u2").tobytes(), 2
    else:
        data, width = canonical(acc).astype("<f4").tobytes(), 4

    def text(flat):
        return " ".join(f"{w:0{2 * width}x}" for w in np.frombuffer(flat, f"<u{width}"))

    return case | {
        "crc32": f"{binascii.crc32(data):08x}",
        "first": text(data[: 4 * width]),
        "last": text(data[-4 * width :]),
    }


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    sources = []
    for name, (m, n, k, a, b) in explicit_inputs().items():
        entries = {
            key: {"dtype": "bfloat16", "shape": list(v.shape), "data": v.astype("<u2").tobytes()}
            for key, v in {"input": a, "other": b}.items()
        }
        (OUT / f"in_{name}.safetensors").write_bytes(serialize(entries))
        sources.append(("gemm", m, n, k, f"in_{name}.safetensors", 0, a, b))
    shapes = [(1, 1, 1), (1, 1, 33), (2, 3, 4), (16, 16, 32), (17, 9, 31), (32, 32, 32)]
    shapes += [(33, 65, 97), (64, 48, 128), (1, 64, 96), (64, 1, 96), (127, 61, 251), (128, 128, 128)]
    shapes += [(129, 130, 131), (7, 300, 1000), (200, 5, 33)]
    for index, (m, n, k) in enumerate(shapes):
        seed = [0, 1, 42, MASK][index % 4]
        a, b = seeded(seed, "input", m * k), seeded(seed, "other", k * n)
        sources.append(("gemm", m, n, k, None, seed, a.reshape(m, k), b.reshape(k, n)))
    for n, k in [(1, 1), (31, 33), (96, 128), (257, 1000), (512, 512)]:
        a, b = seeded(5, "vector", k), seeded(5, "matrix", k * n)
        sources.append(("gevm", 1, n, k, None, 5, a.reshape(1, k), b.reshape(k, n)))
    for k in [1, 31, 32, 33, 1000, 4096]:
        a, b = seeded(3, "a", k), seeded(3, "b", k)
        sources.append(("dot_product", 1, 1, k, None, 3, a.reshape(1, k), b.reshape(k, 1)))
    lines = []
    for kernel, m, n, k, file, seed, a, b in sources:
        for accumulator in ["bf16", "fp32"]:
            acc = product(widen(a), widen(b), accumulator)
            for output in ["bf16", "f32"]:
                case = {"kernel": kernel, "m": m, "n": n, "k": k, "input": file, "seed": str(seed)}
                case |= {"accumulator": accumulator, "output": output}
                lines.append(json.dumps(describe(case, acc), separators=(",", ":")))
    text = '{"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    (OUT / "cases.json").write_text(text)


if __name__ == "__main__":
    main()
