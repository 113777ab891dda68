"""Writes the golden words of a Llama block's other kernels with NumPy, ml_dtypes and mpmath.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r Tests/Golden/requirements.txt
    /tmp/golden/bin/python Tests/Golden/generate_llama.py

Output: Tests/Golden/llama/, the same bytes every time.
  cases.json         one entry a case: kernel, flags, lanes, accumulator, where its input comes from,
                     and of each tensor the CRC-32 of its little-endian words and its ends
  in_*.safetensors   inputs that no seed gives: raw words, ties, zeros, Inf and NaN, odd frequencies

The steps, one rounding each; fl32 is IEEE binary32, lane sums as in docs/numerics.md:

  residual_add  out = bf16(fl32(x + residual))
  rms_norm      ss = lane sum of fl32(x x); inv = fl32(1/sqrt(fl32(fl32(ss fl32(1/n)) + eps)));
                out = bf16(fl32(fl32(x inv) weight)), in the form llama x inv rounded to bf16 before
  argmax        the first NaN, or else the first maximum
  embedding     out[t] = table[ids[t]]
  cache_store   out = x, or MXINT8(x) with blocks along a row, or along 32 rows that end with zeros
  rope          inv_i = fl32(theta^(-2i/d)), freq = fl32(m inv_i), BF16 tables rounded once more;
                cos, sin exact, rounded once; a' = bf16(fl32(fl32(a c) - fl32(b s))), b' alike
  linear        out = the block product of MXINT8(x) with weight, rounded to the output's type;
                with a residual rounded again: fl32(out + residual)
  swiglu        a, u = bf16 of the block products with w1, w3; g = bf16(silu(a)); h = bf16(fl32(g u));
                out = bf16 of the block product of MXINT8(h) with w2

A NaN that an operation makes is 0x7FC00000, or 0x7FC0.
"""

import binascii
import json
import pathlib
import sys

import ml_dtypes
import mpmath
import numpy as np
from generate_gemm import MASK, NAN32, bf16_words, canonical, encode, seeded, widen
from safetensors import serialize

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "llama"
NUMERICS = HERE / "numerics"


def words_of(seed, name, count):
    """The 64-bit words of the seeded generator."""
    base = 0xCBF29CE484222325
    for byte in name.encode():
        base = ((base ^ byte) * 0x100000001B3) & MASK
    state = np.uint64(seed ^ base) + np.arange(count, dtype=np.uint64)
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def bf16(values):
    """FP32 values rounded to BF16 and back."""
    return widen(bf16_words(np.asarray(values, np.float32)))


def table(name):
    """A function over all BF16 words, from the golden files of the numerics.

    Sine and cosine are stored for positive words; the other half follows by symmetry.
    """
    words = np.fromfile(NUMERICS / f"bf16_{name}.bin", "<u2")
    if len(words) == 65536:
        return words
    is_nan = widen(words) != widen(words)
    mirrored = words if name == "cos" else np.where(is_nan, words, words ^ 0x8000)
    return np.concatenate([words, mirrored])


def nearest32(value):
    """The FP32 nearest to an mpmath number inside the normal range, in one rounding."""
    with mpmath.workprec(24):
        return np.float32(float(+value))


# --- kernels: dictionaries of named arrays of words ---------------------------------------------


def residual_add(x, residual):
    return {"out": bf16_words(canonical(widen(x) + widen(residual)))}


def lane_sum(values, lanes):
    partials = values[:, :lanes].copy()
    for first in range(lanes, values.shape[1], lanes):
        count = min(lanes, values.shape[1] - first)
        partials[:, :count] = canonical(partials[:, :count] + values[:, first : first + count])
    half = lanes // 2
    while half:
        upper = partials[:, half : 2 * half]
        partials[:, : upper.shape[1]] = canonical(partials[:, : upper.shape[1]] + upper)
        partials = partials[:, :half]
        half //= 2
    return canonical(partials[:, 0])


def rsqrt(value):
    if np.isnan(value) or value < 0:
        return NAN32
    if value == 0:
        return np.float32(np.copysign(np.inf, value))
    if np.isinf(value):
        return np.float32(0)
    with mpmath.workprec(300):
        return nearest32(1 / mpmath.sqrt(mpmath.mpf(float(value))))


def rms_norm(x, weight, eps, lanes, form="torch"):
    values = widen(x)
    ss = lane_sum(canonical(values * values), lanes)
    mean = canonical(ss * (np.float32(1) / np.float32(x.shape[1])))
    inverse = np.array([rsqrt(v) for v in canonical(mean + np.float32(eps))], np.float32)
    y = canonical(values * inverse[:, None])
    if form == "llama":
        y = bf16(y)
    out = canonical(y * widen(weight)[None, :])
    return {"ss": ss, "inv": inverse, "out": bf16_words(out)}


def argmax(x):
    # NumPy's rule: the first NaN, or the first maximum.
    values = widen(x)
    index = np.argmax(values, axis=1).astype(np.int32)
    best = values[np.arange(len(values)), index]
    return {"index": index, "maximum": best}


def frequencies(dim, theta, factor):
    result = []
    for i in range(dim // 2):
        with mpmath.workprec(300):
            inverse = mpmath.power(mpmath.mpf(theta), -mpmath.mpf(2 * i) / dim)
            exact = nearest32(inverse)
            double = np.float64(float(inverse))
        wavelength = 2 * np.pi / double
        if factor is None or wavelength < 8192 / 4.0:
            result.append(exact)
        elif wavelength > 8192 / 1.0:
            result.append(np.float32(double / factor))
        else:
            share = (8192 / wavelength - 1.0) / (4.0 - 1.0)
            result.append(np.float32((1 - share) * double / factor + share * double))
    return np.array(result, np.float32)


def exact_table(function, values):
    def one(value):
        if np.isnan(value) or np.isinf(value):
            return NAN32
        if value == 0:
            return np.float32(1 if function is mpmath.cos else value)
        with mpmath.workprec(300):
            return nearest32(function(mpmath.mpf(float(value))))

    # By their bits: the two zeros are equal, and NaNs are not.
    unique, where = np.unique(values.view(np.uint32), return_inverse=True)
    made = [one(v) for v in unique.view(np.float32)]
    return np.array(made, np.float32)[where].reshape(values.shape)


def rope(inverses, x, kind, layout, start=0):
    positions, _, dim = x.shape
    position = np.arange(start, start + positions).astype(np.float32)
    phase = canonical(position[:, None] * inverses[None, :])
    if kind == "bf16":
        phase = bf16_words(phase)
        cosine, sine = table("cos")[phase], table("sin")[phase]
        c, s = widen(cosine), widen(sine)
    else:
        cosine, sine = exact_table(mpmath.cos, phase), exact_table(mpmath.sin, phase)
        c, s = cosine, sine
    first = slice(0, dim // 2) if layout == "half" else slice(0, dim, 2)
    second = slice(dim // 2, dim) if layout == "half" else slice(1, dim, 2)
    values = widen(x)
    a, b = values[..., first], values[..., second]
    c, s = c[:, None, :], s[:, None, :]
    out = np.zeros_like(values)
    out[..., first] = canonical(canonical(a * c) - canonical(b * s))
    out[..., second] = canonical(canonical(b * c) + canonical(a * s))
    return {
        "rope.inv_freq": inverses,
        f"rope.freq_{kind}": phase[None],
        f"rope.cos_{kind}": cosine[None],
        f"rope.sin_{kind}": sine[None],
        "out": bf16_words(out),
    }


def sums(left, right, accumulator):
    """Accumulators of left [m] times right [n] transposed, both (payload, scale)."""
    (pa, sa), (pb, sb) = left, right
    acc = np.zeros((len(pa), len(pb)), np.float32)
    for k in range(pa.shape[1]):
        s = pa[:, k] @ pb[:, k].T
        first, second = sa[:, k][:, None], sb[:, k][None, :]
        value = np.ldexp(s, first + second - 266).astype(np.float32)
        value = np.where((first == 255) | (second == 255), NAN32, value)
        acc = canonical(acc + value)
        if accumulator == "bf16":
            acc = bf16(acc)
    return acc


def chains(left, right, accumulator):
    return bf16_words(sums(left, right, accumulator))


def linear(x, weight, residual, output, accumulator):
    def rounded(values):
        return bf16_words(values) if output == "bf16" else canonical(values)

    product = rounded(sums(encode(widen(x)), weight, accumulator))
    if residual is None:
        return {"out": product}
    values = widen(product) if output == "bf16" else product
    return {"product": product, "out": rounded(canonical(values + widen(residual)))}


def swiglu(x, w1, w2, w3, accumulator):
    row = encode(widen(x))
    a, u = chains(row, w1, accumulator), chains(row, w3, accumulator)
    g = table("silu")[a]
    h = bf16_words(canonical(widen(g) * widen(u)))
    out = chains(encode(widen(h)), w2, accumulator)
    return {"a": a, "u": u, "g": g, "h": h, "out": out}


# --- files --------------------------------------------------------------------------------------


def digest(array):
    width = array.dtype.itemsize
    data = np.ascontiguousarray(array).tobytes()

    def text(part):
        return " ".join(f"{w:0{2 * width}x}" for w in np.frombuffer(part, f"<u{width}"))

    crc = f"{binascii.crc32(data):08x}"
    return {"crc32": crc, "first": text(data[: 4 * width]), "last": text(data[-4 * width :])}


class Cases:
    def __init__(self):
        self.lines = []

    def add(self, kernel, flags, tensors, seed=0, file=None, lanes=32, accumulator="bf16"):
        case = {"kernel": kernel, "arguments": {k: str(v) for k, v in flags.items()}}
        case |= {"lanes": lanes, "accumulator": accumulator, "input": file, "seed": str(seed)}
        case["tensors"] = {name: digest(array) for name, array in tensors.items()}
        self.lines.append(json.dumps(case, separators=(",", ":")))

    def file(self, name, tensors):
        kinds = {"uint16": "bfloat16", "float32": "float32", "int32": "int32"}
        kinds |= {"int8": "int8", "uint8": "float8_e8m0fnu"}
        entries = {
            key: {"dtype": kinds[v.dtype.name], "shape": list(v.shape), "data": v.tobytes()}
            for key, v in tensors.items()
        }
        (OUT / f"in_{name}.safetensors").write_bytes(serialize(entries))
        return f"in_{name}.safetensors"


def any_words(random, shape):
    return random.integers(0, 65536, shape).astype(np.uint16)


def to_words(values):
    return bf16_words(np.asarray(values, np.float64).astype(np.float32))


def row_cases(cases, random):
    for index, (rows, cols) in enumerate([(1, 1), (3, 5), (7, 128), (2, 4096), (33, 97)]):
        seed = [0, 1, 42, MASK][index % 4]
        x = seeded(seed, "x", rows * cols).reshape(rows, cols)
        y = seeded(seed, "residual", rows * cols).reshape(rows, cols)
        weight = seeded(seed, "weight", cols)
        flags = {"rows": rows, "cols": cols}
        cases.add("residual_add", flags, residual_add(x, y), seed)
        cases.add("argmax", flags, argmax(x), seed)
        for lanes in [4, 32, 64]:
            for eps in [1e-5, 0.25]:
                made = rms_norm(x, weight, eps, lanes)
                cases.add("rms_norm", flags | {"eps": eps}, made, seed, lanes=lanes)
            made = rms_norm(x, weight, 1e-5, lanes, "llama")
            cases.add("rms_norm", flags | {"form": "llama"}, made, seed, lanes=lanes)
    x, y = any_words(random, (16, 200)), any_words(random, (16, 200))
    y[0], y[1] = x[0] ^ 0x8000, x[1]
    flags = {"rows": 16, "cols": 200}
    file = cases.file("add", {"x": x, "residual": y})
    cases.add("residual_add", flags, residual_add(x, y), file=file)
    x = to_words(random.normal(size=(10, 70)) * np.exp2(random.integers(-60, 60, (10, 1))))
    x[0], x[1, 3], x[2, 60], x[3, 5] = 0, 0x7FC0, 0xFF80, 0xFFC1
    x[4], x[5] = 0x0001, to_words(1e30)
    x[6, ::2], weight = 0x8000, to_words(random.normal(size=70))
    weight[7], weight[8], weight[9] = 0x7F80, 0x7FC0, 0
    file = cases.file("norm", {"x": x, "weight": weight})
    for lanes in [4, 32, 64]:
        for eps in [0, 1e-5]:
            made = rms_norm(x, weight, eps, lanes)
            flags = {"rows": 10, "cols": 70, "eps": eps}
            cases.add("rms_norm", flags, made, file=file, lanes=lanes)
        made = rms_norm(x, weight, 0, lanes, "llama")
        flags = {"rows": 10, "cols": 70, "eps": 0, "form": "llama"}
        cases.add("rms_norm", flags, made, file=file, lanes=lanes)
    x = to_words(random.integers(-3, 4, (12, 300)))
    x[0], x[1], x[2, ::2] = 0xFF80, 0x7F80, 0x8000
    x[3, 299], x[4, 17], x[4, 40], x[5] = 0x7F80, 0xFFC0, 0x7FC1, 0x8000
    x[5, 9] = 0
    x[6], x[7, 250] = any_words(random, 300), 0x7F80
    file = cases.file("ties", {"x": x})
    cases.add("argmax", {"rows": 12, "cols": 300}, argmax(x), file=file)


def cache_store(x, kind, along="columns"):
    """x [slots, rows, cols] as a cache keeps it."""
    if kind == "bf16":
        return {"out": x}
    slots, rows, cols = x.shape
    values = widen(x)
    if along == "rows":
        values = np.pad(values, [(0, 0), (0, -rows % 32), (0, 0)])
        payload, scale = encode(np.swapaxes(values, 1, 2).reshape(slots * cols, -1))
        payload = payload.reshape(slots, cols, -1)
        scale = scale.reshape(slots, cols, -1)
        payload, scale = np.swapaxes(payload, 1, 2), np.swapaxes(scale, 1, 2)
    else:
        payload, scale = encode(values.reshape(slots * rows, cols))
        payload = payload.reshape(slots, rows, -1)[:, :, :cols]
        scale = scale.reshape(slots, rows, -1)
    return {"out": payload.astype(np.int8), "out.scale": scale.astype(np.uint8)}


def store_cases(cases, random):
    shapes = [(1, 1, 1), (2, 33, 40), (3, 7, 97), (1, 64, 128), (5, 31, 32)]
    for index, (slots, rows, cols) in enumerate(shapes):
        seed = [0, 1, 42, MASK][index % 4]
        x = seeded(seed, "x", slots * rows * cols).reshape(slots, rows, cols)
        flags = {"slots": slots, "rows": rows, "cols": cols}
        cases.add("cache_store", flags, cache_store(x, "mxint8"), seed)
        cases.add("cache_store", flags | {"along": "rows"}, cache_store(x, "mxint8", "rows"), seed)
        cases.add("cache_store", flags | {"format": "bf16"}, cache_store(x, "bf16"), seed)
    x = any_words(random, (2, 70, 100))
    x[0, 0], x[0, 1], x[1, :, 3] = 0, 0x8000, 0x0001
    file = cases.file("store", {"x": x})
    flags = {"slots": 2, "rows": 70, "cols": 100}
    cases.add("cache_store", flags, cache_store(x, "mxint8"), file=file)
    cases.add("cache_store", flags | {"along": "rows"}, cache_store(x, "mxint8", "rows"), file=file)
    cases.add("cache_store", flags | {"format": "bf16"}, cache_store(x, "bf16"), file=file)


def embedding_cases(cases, random):
    for seed, (tokens, vocab, hidden) in enumerate([(1, 1, 1), (5, 7, 33), (40, 100, 130)]):
        ids = (words_of(seed, "ids", tokens) % np.uint64(vocab)).astype(np.int32)
        rows = seeded(seed, "table", vocab * hidden).reshape(vocab, hidden)
        flags = {"tokens": tokens, "vocab": vocab, "hidden": hidden}
        cases.add("embedding", flags, {"ids": ids, "out": rows[ids]}, seed)
    rows = any_words(random, (50, 40))
    ids = random.integers(0, 50, 60).astype(np.int32)
    ids[:4] = [0, 49, 49, 0]
    file = cases.file("table", {"table": rows, "ids": ids})
    flags = {"tokens": 60, "vocab": 50, "hidden": 40}
    cases.add("embedding", flags, {"out": rows[ids]}, file=file)


def rope_cases(cases, random):
    shapes = [(1, 1, 2), (5, 2, 6), (33, 3, 64), (130, 1, 128), (20, 4, 80)]
    for index, (positions, heads, dim) in enumerate(shapes):
        x = seeded(index, "x", positions * heads * dim).reshape(positions, heads, dim)
        for kind in ["bf16", "fp32"]:
            for layout in ["interleaved", "half"]:
                theta, factor = (10000, None) if index % 2 == 0 else (500000, 32)
                flags = {"positions": positions, "heads": heads, "head-dim": dim, "theta": theta}
                flags |= {"table": kind, "layout": layout}
                if factor:
                    flags |= {"scaling": "llama3", "factor": factor}
                made = rope(frequencies(dim, theta, factor), x, kind, layout)
                cases.add("rope", flags, made, index)
    # All 4,096 positions, where BF16 collapses; and the tables of a model by its name.
    x = seeded(0, "x", 4096 * 128).reshape(4096, 1, 128)
    made = rope(frequencies(128, 10000, None), x, "bf16", "interleaved")
    cases.add("rope", {}, made)
    x = seeded(0, "x", 40 * 64).reshape(1, 40, 64)
    made = rope(frequencies(64, 500000, 32), x, "fp32", "half")
    flags = {"model": "llama-3.2-1b", "positions": 1, "table": "fp32", "layout": "half"}
    cases.add("rope", flags, made)
    for theta, factor, dim in [(1, None, 8), (65536, None, 32), (1e12, 8, 256), (123.456, 8, 10)]:
        x = seeded(0, "x", 3 * dim).reshape(3, 1, dim)
        flags = {"positions": 3, "head-dim": dim, "theta": theta, "table": "fp32"}
        if factor:
            flags |= {"scaling": "llama3", "factor": factor}
        made = rope(frequencies(dim, theta, factor), x, "fp32", "interleaved")
        cases.add("rope", flags, made)
    for start, positions in [(4096, 1), (4090, 9), (131071, 2), (2**24 - 3, 3)]:
        for kind in ["bf16", "fp32"]:
            x = seeded(start, "x", positions * 2 * 64).reshape(positions, 2, 64)
            flags = {"positions": positions, "first-position": start, "heads": 2, "head-dim": 64}
            flags |= {"theta": 500000, "table": kind, "layout": "half"}
            made = rope(frequencies(64, 500000, None), x, kind, "half", start)
            cases.add("rope", flags, made, start)
    x = any_words(random, (40, 2, 32))
    inverses = np.array([1, 0, 3e38, 1e-45, np.inf, np.nan, -1, 0.5] * 2, np.float32)
    file = cases.file("frequencies", {"x": x, "rope.inv_freq": inverses})
    flags = {"positions": 40, "heads": 2, "head-dim": 32}
    for kind in ["bf16", "fp32"]:
        made = rope(canonical(inverses), x, kind, "half")
        del made["rope.inv_freq"]
        cases.add("rope", flags | {"table": kind, "layout": "half"}, made, file=file)


def swiglu_cases(cases, random):
    def weights(seed, name, rows, depth):
        return encode(widen(seeded(seed, name, rows * depth)).reshape(rows, depth))

    shapes = [(1, 1, 1), (1, 33, 70), (2, 64, 96), (5, 100, 37), (17, 96, 130), (1, 512, 700)]
    for seed, (tokens, hidden, ffn) in enumerate(shapes):
        x = seeded(seed, "x", tokens * hidden).reshape(tokens, hidden)
        w = [weights(seed, n, *s) for n, s in [("w1", (ffn, hidden)), ("w2", (hidden, ffn))]]
        w.append(weights(seed, "w3", ffn, hidden))
        flags = {"tokens": tokens, "hidden": hidden, "ffn": ffn}
        for mode in ["bf16", "fp32"]:
            cases.add("swiglu", flags, swiglu(x, *w, mode), seed, accumulator=mode)
    tokens, hidden, ffn = 8, 70, 100
    x = to_words(random.normal(size=(tokens, hidden)))
    x[0], x[1, 3], x[2, 64], x[3, :32] = 0, 0x7FC0, 0x7F80, 0
    x[4], x[5] = to_words(random.normal(size=hidden) * 1e25), 0x0003
    tensors, w = {"x": x}, {}
    for name, rows, depth in [("w1", ffn, hidden), ("w2", hidden, ffn), ("w3", ffn, hidden)]:
        blocks = -(-depth // 32)
        payload = random.integers(-128, 128, (rows, depth)).astype(np.int8)
        scale = random.integers(118, 126, (rows, blocks)).astype(np.uint8)
        scale[5], scale[6] = 0, 200
        if name == "w2":
            scale[7, 1] = 255
        tensors[name], tensors[f"{name}.scale"] = payload, scale
        padded = np.pad(payload, [(0, 0), (0, blocks * 32 - depth)]).astype(np.float64)
        w[name] = (padded.reshape(rows, blocks, 32), scale.astype(np.int32))
    file = cases.file("weights", tensors)
    flags = {"tokens": tokens, "hidden": hidden, "ffn": ffn}
    for mode in ["bf16", "fp32"]:
        made = swiglu(x, w["w1"], w["w2"], w["w3"], mode)
        cases.add("swiglu", flags, made, file=file, accumulator=mode)


def linear_cases(cases, random):
    shapes = [(1, 1, 1), (1, 33, 70), (3, 64, 96), (5, 100, 37), (17, 130, 96), (1, 700, 512)]
    for seed, (tokens, depth, width) in enumerate(shapes):
        x = seeded(seed, "x", tokens * depth).reshape(tokens, depth)
        weight = encode(widen(seeded(seed, "weight", width * depth)).reshape(width, depth))
        residual = seeded(seed, "residual", tokens * width).reshape(tokens, width)
        for mode in ["bf16", "fp32"]:
            for output in ["bf16", "f32"]:
                flags = {"tokens": tokens, "in": depth, "out": width, "output": output}
                made = linear(x, weight, None, output, mode)
                cases.add("linear", flags, made, seed, accumulator=mode)
                made = linear(x, weight, residual, output, mode)
                cases.add("linear", flags | {"residual": "true"}, made, seed, accumulator=mode)
    tokens, depth, width = 8, 70, 100
    x, residual = to_words(random.normal(size=(tokens, depth))), any_words(random, (tokens, width))
    x[0], x[1, 3], x[2, 64], x[3, :32] = 0, 0x7FC0, 0x7F80, 0
    x[4], x[5] = to_words(random.normal(size=depth) * 1e25), 0x0003
    payload = random.integers(-128, 128, (width, depth)).astype(np.int8)
    scale = random.integers(118, 126, (width, 3)).astype(np.uint8)
    scale[5], scale[6], scale[7, 1] = 0, 200, 255
    tensors = {"x": x, "weight": payload, "weight.scale": scale, "residual": residual}
    file = cases.file("layer", tensors)
    padded = np.pad(payload, [(0, 0), (0, 26)]).astype(np.float64).reshape(width, 3, 32)
    weight = (padded, scale.astype(np.int32))
    for mode in ["bf16", "fp32"]:
        for output in ["bf16", "f32"]:
            made = linear(x, weight, residual, output, mode)
            flags = {"tokens": tokens, "in": depth, "out": width, "output": output}
            cases.add(
                "linear", flags | {"residual": "true"}, made, file=file, accumulator=mode)


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    cases, random = Cases(), np.random.default_rng(1)
    with np.errstate(all="ignore"):
        row_cases(cases, random)
        embedding_cases(cases, random)
        rope_cases(cases, random)
        swiglu_cases(cases, random)
        linear_cases(cases, random)
        store_cases(cases, random)
    (OUT / "cases.json").write_text('{"cases":[\n' + ",\n".join(cases.lines) + "\n]}\n")


if __name__ == "__main__":
    main()
