"""Writes the golden results of softmax with NumPy and mpmath.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r Tests/Golden/requirements.txt
    /tmp/golden/bin/python Tests/Golden/generate_softmax.py

Output: Tests/Golden/softmax/, the same bytes every time.
  cases.json         one entry a case: shape, options, machine, where x comes from, and of the result the
                     CRC-32 of its little-endian words and the first and last words
  in_*.safetensors   x that no seed gives: rising and falling rows, masked columns and rows, Inf and NaN,
                     zeros, subnormals, the largest and lowest values

The steps, for a row x (BF16), with exp(d) correctly rounded to FP32, or for base-2 exp2(fl32(d * log2e)):

  3 passes: m = max x; s = sum of exp(fl32(x - m)) on `lanes` lanes, then halved
  2 passes: m = lowest finite BF16; for each tile of `tile` columns: m' = max(m, its maximum);
            each lane partial p = fl32(p * exp(fl32(m - m'))), but for the first tile;
            p takes exp(fl32(x - m')) of its lane; s = the partials halved
  out = bf16(fl32(exp(fl32(x - m)) * fl32(1 / s)))

With the EXPU functions exp takes its argument rounded to BF16 and 1 / s is the Newton reciprocal of the
FP32 word; both are those of generate_softmax_v.py.
"""

import binascii
import json
import pathlib
import sys

import mpmath
import numpy as np
from generate_softmax_v import (
    MASK, NAN32, bf16_words, canonical, expu_steps, expu_table, seeded, widen)
from safetensors import serialize

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "softmax"
LOWEST = np.array(0xFF7F0000, np.uint32).view(np.float32)
LOG2E = np.float32(1.4426950408889634)


def round_fp32(value):
    """RNE to FP32 of a positive mpf of 200 bits, gradual underflow; no tie is so near."""
    _, man, exponent, bits = value._mpf_
    lead = max(exponent + bits - 1, -126)
    shift = exponent - (lead - 23)
    if shift >= 0:
        code = int(man) << shift
    else:
        code, rest = divmod(int(man), 1 << -shift)
        half = 1 << (-shift - 1)
        assert rest == 0 or shift < -250 or abs(rest - half) << 100 > half or rest == half
        code += rest > half or (rest == half and code & 1)
    return np.float32(np.ldexp(float(code), lead - 23)) if lead < 128 else np.float32(np.inf)


class Functions:
    """exp or exp2, and the reciprocal, of one mode, over FP32 arrays."""

    table = None
    known = {}

    def __init__(self, base, sfu):
        self.base, self.sfu = base, sfu

    def exponential(self, d):
        d = np.asarray(d, np.float32)
        if self.base == "base-2":
            d = canonical(d * LOG2E)
        elif self.sfu == "expu":
            return widen(Functions.table[bf16_words(d)])
        words, places = np.unique(d.view(np.uint32), return_inverse=True)
        values = np.array([self.one(int(word)) for word in words], np.float32)
        return values[places].reshape(d.shape)

    def one(self, word):
        key = (self.base, word)
        if key not in Functions.known:
            Functions.known[key] = self.evaluate(np.array(word, np.uint32).view(np.float32))
        return Functions.known[key]

    def evaluate(self, x):
        if np.isnan(x):
            return NAN32
        if abs(x) > 200:
            return np.float32(np.inf if x > 0 else 0)
        exact = mpmath.mpf(float(x))
        return round_fp32(mpmath.exp(exact) if self.base == "base-e" else mpmath.power(2, exact))

    def reciprocal(self, s):
        if self.sfu != "expu":
            return canonical(np.float32(1) / np.float32(s))
        bits = int(np.float32(s).view(np.uint32))
        field = bits >> 23 & 255
        if np.isnan(s):
            return NAN32
        if field == 0 or field >= 254:
            return np.float32(np.inf if field == 0 else 0)
        return np.array(expu_steps(np.float32(s))[2], np.uint32).view(np.float32)


def maximum(values):
    return NAN32 if np.isnan(values).any() else np.float32(values.max())


def take(partials, e, first, lanes):
    """Elements in order, each into the lane of its place in the row."""
    for index, value in enumerate(e):
        lane = (first + index) % lanes
        if first + index < lanes:
            partials.append(value)
        else:
            partials[lane] = canonical(partials[lane] + value)


def halve(partials, lanes):
    partials = list(partials)
    distance = lanes // 2
    while distance:
        for lane in range(distance):
            if lane + distance < len(partials):
                partials[lane] = canonical(partials[lane] + partials[lane + distance])
        del partials[distance:]
        distance //= 2
    return partials[0]


def softmax(x, case):
    functions = Functions(case["exp"], case["sfu"])
    lanes = case["lanes"]
    partials = []
    if case["passes"] == 3:
        m = maximum(x)
        take(partials, functions.exponential(canonical(x - m)), 0, lanes)
    else:
        m = LOWEST
        for start in range(0, len(x), case["tile"]):
            tile = x[start : start + case["tile"]]
            both = np.array([m, maximum(tile)])
            raised = maximum(both)
            if start:
                factor = functions.exponential(canonical(m - raised))
                partials = [canonical(p * factor) for p in partials]
            m = raised
            take(partials, functions.exponential(canonical(tile - m)), start, lanes)
    inverse = functions.reciprocal(halve(partials, lanes))
    return bf16_words(canonical(functions.exponential(canonical(x - m)) * inverse))


def explicit_inputs():
    random = np.random.default_rng(7)
    sets = {}
    shape = (6, 200)
    steps = np.linspace(-80, 80, 200)
    x = random.normal(size=shape) * 10
    x[0], x[1], x[2] = steps, steps[::-1], np.where(np.arange(200) == 150, 30, x[2])
    x[3] = x[3] * 12
    sets["ranges"] = bf16_words(x.astype(np.float32))
    x = random.normal(size=(7, 200)).astype(np.float32) * 3
    x[0, :70] = -np.inf
    x[1, 130:] = -np.inf
    x[2] = -np.inf
    x[3, 1:] = -np.inf
    x[4, :-1] = -np.inf
    x[5] = np.where(random.random(200) < 0.5, -np.inf, x[5])
    sets["masked"] = bf16_words(x)
    w = bf16_words(random.normal(size=(6, 100)).astype(np.float32))
    for row, word in enumerate([0x7FC0, 0xFFC1, 0x7F80, 0xFF80, 0x7F81]):
        w[row, 20 * row + 3] = word
    sets["nonfinite"] = w
    w = np.zeros((7, 140), np.uint16)
    w[1] = random.choice([0, 0x8000], 140)
    w[2] = random.integers(0, 128, 140) | random.choice([0, 0x8000], 140)
    w[3], w[4] = 0xFF7F, 0x7F7F
    w[5] = np.where(np.arange(140) % 3, 0xFF7F, random.integers(0, 65536, 140) & 0x7BFF)
    w[6] = random.integers(0, 0x7F80, 140) | random.choice([0, 0x8000], 140)
    sets["extremes"] = w
    return sets


def describe(case, words):
    data = words.astype("<u2").tobytes()

    def text(flat):
        return " ".join(f"{v:04x}" for v in np.frombuffer(flat, "<u2"))

    return case | {
        "crc32": f"{binascii.crc32(data):08x}",
        "first": text(data[:8]),
        "last": text(data[-8:]),
    }


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    mpmath.mp.prec = 200
    Functions.table = expu_table()
    sources = []
    for name, words in explicit_inputs().items():
        file = f"in_{name}.safetensors"
        entry = {"dtype": "bfloat16", "shape": list(words.shape)}
        (OUT / file).write_bytes(serialize({"x": entry | {"data": words.astype("<u2").tobytes()}}))
        sources.append((file, 0, words))
    shapes = [(1, 1), (2, 3), (3, 31), (5, 64), (4, 65), (33, 16), (2, 1000), (3, 257), (1, 2050)]
    for index, shape in enumerate(shapes):
        seed = [0, 1, 42, MASK][index % 4]
        sources.append((None, seed, seeded(seed, "x", shape)))
    lines = []
    for file, seed, words in sources:
        rows, columns = words.shape
        for lanes in [4, 32, 64]:
            unit = max(lanes, 16)
            for sfu in ["correctly-rounded", "expu"]:
                for exp in ["base-e", "base-2"]:
                    for passes in [3, 2]:
                        factor = 1 + (len(lines) // 2) % 3
                        case = {"rows": rows, "cols": columns, "input": file, "seed": str(seed)}
                        case |= {"passes": passes, "exp": exp, "sfu": sfu, "lanes": lanes}
                        case |= {"tile": unit * factor}
                        with np.errstate(all="ignore"):
                            out = np.stack([softmax(row, case) for row in widen(words)])
                        lines.append(json.dumps(describe(case, out), separators=(",", ":")))
    (OUT / "cases.json").write_text('{"cases":[\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
