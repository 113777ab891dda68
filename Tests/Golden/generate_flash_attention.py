"""Writes goldens of flash_attention with NumPy, ml_dtypes and mpmath.

    .venv/bin/python Tests/Golden/generate_flash_attention.py

Output: Tests/Golden/flash_attention/, the same bytes every time.
  cases.json         one entry a case: flags, schedule, machine, where its input comes from, and of
                     each tensor the CRC-32 of its little-endian words, its first and last words
  in_*.safetensors   inputs that no seed gives: infinities, NaN, subnormals, huge scores

The online form, for each query row, k = fl32(log2(e) / sqrt(d)), from m = -Inf, l = 0, O = 0, for
each kv tile in which some row of the query tile (tile-q queries from a multiple of it) sees a key,
ascending, over the keys that the product touches: from the tile's first one, whole blocks of 32 up to
the last key that some row of the query tile sees:

  S  = MXINT8(q) @ MXINT8(K)^T        blocks along d, drained in the accumulator's type
  x  = fl32(S * k), -Inf where the key is not seen
  m' = max(m, max x)
  p  = exp2(fl32(x - m')), a = exp2(fl32(m - m'));  0 and 1 where m' = -Inf
  l  = fl32(fl32(l * a) + lane sum of p)
  O  = fl32(fl32(O * a) + MXINT8(p) @ MXINT8(V))     blocks along kv, a fresh chain, drained

  r = fl32(1/l), 0 where l = 0
  out = bf16(fl32(O * r)), lse = fl32(fl32(m * ln2) + ln l);  0 and -Inf for a row that sees no key

With finite V neither tile-q nor what is touched matters. A NaN or infinity of V in a touched block
reaches every row of the query tile.

Splits take whole tiles and are joined in order: M = max m_s, w = exp2(fl32(m_s - M)) (0 where
m_s = -Inf), l = fl32(l + fl32(l_s * w)), O likewise. The unfused form takes x, m, p and l over the
whole row, P = bf16(fl32(p * fl32(1/l))), and out = bf16(MXINT8(P) @ MXINT8(V)) in one chain.
"""

import binascii
import json
import pathlib
import sys

import ml_dtypes
import mpmath
import numpy as np
from safetensors import serialize

from generate_softmax_v import (
    BF16, MASK, NAN32, bf16_words, canonical, encode, expu_steps, fnv1a64, lane_sum, seeded, widen,
)

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "flash_attention"
F32 = np.float32
LN2 = np.array(0x3F317218, np.uint32).view(np.float32)
CODES = {
    "e4m3fn": (ml_dtypes.float8_e4m3fn, 0x3B124925),
    "e5m2": (ml_dtypes.float8_e5m2, 0x37924925),
}

# --- functions of FP32 values, rounded once ------------------------------------------------------


def rounded(function, exact, x):
    """RNE of a function of FP32 values: FP64 where no boundary is near, else mpmath."""
    with np.errstate(all="ignore"):
        approximate = function(x.astype(np.float64))
        result = approximate.astype(F32)
        low = (approximate * (1 - 2.0**-44)).astype(F32)
        high = (approximate * (1 + 2.0**-44)).astype(F32)
    for index in np.argwhere((low != high) & ~np.isnan(approximate)):
        place = tuple(index)
        with mpmath.workprec(200):
            result[place] = nearest(exact(mpmath.mpf(float(x[place]))))
    return canonical(result)


def nearest(value):
    """The FP32 value nearest to an mpmath number, ties to even, with gradual underflow."""
    if value == 0:
        return F32(0)
    _, exponent = mpmath.frexp(abs(value))
    unit = max(exponent - 24, -149)
    return F32(float(mpmath.ldexp(mpmath.nint(mpmath.ldexp(value, -unit)), unit)))


def exp2(x):
    return rounded(np.exp2, lambda v: mpmath.power(2, v), x)


def log(x):
    return rounded(np.log, mpmath.log, x)


def reciprocal(x, sfu):
    if sfu == "expu":
        words = [expu_steps(v)[-1] for v in x.reshape(-1)]
        return np.array(words, np.uint32).view(F32).reshape(x.shape)
    with np.errstate(all="ignore"):
        return canonical(F32(1) / x)


# --- the datapath --------------------------------------------------------------------------------


def chain(a, a_scale, b, b_scale, accumulator):
    """a [blocks, 32] times b [blocks, 32, n]: one exact block sum and one addition a block."""
    result = np.zeros(b.shape[-1], F32)
    with np.errstate(all="ignore"):
        for k in range(a.shape[0]):
            s = a[k].astype(np.float64) @ b[k].astype(np.float64)
            power = a_scale[k].astype(np.int32) + b_scale[k].astype(np.int32) - 266
            value = np.ldexp(s, power).astype(F32)
            value = np.where((a_scale[k] == 255) | (b_scale[k] == 255), NAN32, value)
            result = canonical(result + value)
            if accumulator == "bf16":
                result = widen(bf16_words(result))
    return result


def maximum(a, b):
    """NaN if either is, and +0 over -0."""
    return canonical(np.where(a == b, a + b if a == 0 else a, np.maximum(a, b)))


def scores(q, k, accumulator):
    """q and k as (payload, scale) with blocks along d; S of one row."""
    payload = np.moveaxis(k[0], 0, -1)
    return chain(q[0], q[1], payload, k[1].T, accumulator)


def probabilities(x, m):
    with np.errstate(all="ignore"):
        return np.zeros_like(x) if m == -np.inf else exp2(canonical(x - m))


def touched(case, query):
    """Whether the products of a row touch each key: those of its query tile; 0 stands for any."""
    tile, size = case["tile"], case["tile-q"] or 1
    first = query // size * size
    rows = range(first, min(case["q"], first + size))
    seen = np.any([visible(case, row) for row in rows], axis=0)
    result = np.zeros(case["kv"], bool)
    for start in range(0, case["kv"], tile):
        keys = np.flatnonzero(seen[start : start + tile])
        if keys.size:
            result[start : min(start + tile, start + (keys[-1] // 32 + 1) * 32)] = True
    return result


def online(case, q, k, v, seen, reach, factor, tiles):
    """m, l and O of one row over some tiles, of which it touches the keys in `reach`."""
    tile, accumulator = case["tile"], case["accumulator"]
    m, l, o = F32(-np.inf), F32(0), np.zeros(v[0].shape[-1], F32)
    with np.errstate(all="ignore"):
        for start in (t * tile for t in tiles):
            end = start + int(reach[start : start + tile].sum())
            if end == start:
                continue
            s = scores(q, (k[0][start:end], k[1][start:end]), accumulator)
            x = np.where(seen[start:end], canonical(s * factor), F32(-np.inf))
            new = m
            for value in x:
                new = maximum(new, value)
            p = probabilities(x, new)
            a = F32(1) if new == -np.inf else exp2(canonical(np.array(m - new, F32)))[()]
            l = canonical(canonical(l * a) + lane_sum(p, case["lanes"]))[()]
            blocks = slice(start // 32, start // 32 + (end - start + 31) // 32)
            t = chain(*encode(p), v[0][blocks], v[1][blocks], accumulator)
            o = canonical(canonical(o * a) + t)
            m = new
    return m, l, o


def combined(parts):
    with np.errstate(all="ignore"):
        top = F32(-np.inf)
        for m, _, _ in parts:
            top = maximum(top, m)[()]
        l, o = F32(0), np.zeros_like(parts[0][2])
        for m, part, output in parts:
            w = F32(0) if m == -np.inf else exp2(canonical(np.array(m - top, F32)))[()]
            l = canonical(l + canonical(part * w))[()]
            o = canonical(o + canonical(output * w))
    return top, l, o


def finished(case, seen, m, l, o):
    if not seen.any():
        return np.zeros(o.shape, np.uint16), F32(-np.inf)
    with np.errstate(all="ignore"):
        inverse = F32(0) if l == 0 else reciprocal(np.array(l, F32), case["sfu"])
        lse = F32(-np.inf) if l == 0 else canonical(canonical(m * LN2) + log(np.array(l, F32)))[()]
        return bf16_words(canonical(o * inverse)), lse


def unfused(case, q, k, v, seen, factor):
    s = scores(q, k, case["accumulator"])
    with np.errstate(all="ignore"):
        x = np.where(seen, canonical(s * factor), F32(-np.inf))
        m = F32(-np.inf)
        for value in x:
            m = maximum(m, value)
        p = probabilities(x, m)
        l = lane_sum(p, case["lanes"])[()]
        r = reciprocal(np.array(l, F32), case["sfu"])
        words = np.zeros(p.shape, np.uint16) if l == 0 else bf16_words(canonical(p * r))
        out = bf16_words(chain(*encode(widen(words)), v[0], v[1], case["accumulator"]))
        lse = F32(-np.inf)
        if l != 0:
            lse = canonical(canonical(m * LN2) + log(np.array(l, F32)))[()]
    return s, words, out, lse


# --- inputs --------------------------------------------------------------------------------------


def words(seed, name, count):
    """The 64-bit words of the seeded generator."""
    result = []
    for index in range(count):
        z = ((seed ^ fnv1a64(name)) + index + 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        result.append(z ^ (z >> 31))
    return result


def pages_of(case, count):
    draws = words(case["seed"], "block_table", count)
    pages = list(range(count))
    for last in range(count - 1, 0, -1):
        other = draws[last] % (last + 1)
        pages[last], pages[other] = pages[other], pages[last]
    return np.array(pages).reshape(case["batch"], -1)


def through_fp8(values, kind):
    """fl32(code * scale) of rows quantised in blocks of 128 with an FP32 scale."""
    dtype, c = CODES[kind]
    c = np.array(c, np.uint32).view(F32)
    result = np.empty_like(values)
    for start in range(0, values.shape[-1], 128):
        block = values[..., start : start + 128]
        scale = (np.abs(block).max(axis=-1, keepdims=True) * c).astype(F32)
        with np.errstate(all="ignore"):
            codes = np.where(scale == 0, block, (block / scale).astype(F32)).astype(dtype)
        result[..., start : start + 128] = (codes.astype(F32) * scale).astype(F32)
    return result


def along_rows(values):
    """MXINT8 with blocks along the last axis but one: payload [.., blocks, 32, n], scale [.., blocks, n]."""
    payload, scale = encode(np.swapaxes(values, -1, -2))
    return np.moveaxis(payload, -3, -1), np.swapaxes(scale, -1, -2)


def cache(case, name, given):
    """k or v as (payload, scale) in blocks of d or of kv, keys in order: [batch, kv_heads, ...]."""
    kv, d, page = case["kv"], case["head-dim"], case["page"]
    encoder = encode if name == "k" else along_rows
    if not page:
        shape = (case["batch"], case["kv-heads"], kv, d)
        values = widen(given if given is not None else seeded(case["seed"], name, shape))
        if case["kv-format"] in CODES:
            values = through_fp8(values, case["kv-format"])
        return encoder(values)
    table = pages_of(case, case["batch"] * -(-kv // page))
    shape = (table.size, case["kv-heads"], page, d)
    values = widen(given if given is not None else seeded(case["seed"], name, shape))
    if case["kv-format"] in CODES:
        values = through_fp8(values, case["kv-format"])

    def in_order(array, rows):
        # [batch, pages, heads, page, ...] to [batch, heads, kv, ...]
        taken = np.moveaxis(array[table], 2, 1)
        return taken.reshape(taken.shape[:2] + (-1,) + taken.shape[4:])[:, :, :rows]

    if case["kv-format"] != "mxint8":
        return encoder(in_order(values, kv))
    payload, scale = encoder(values)
    if name == "k":
        return in_order(payload, kv), in_order(scale, kv)
    blocks = -(-kv // 32)
    payload, scale = in_order(payload, blocks), in_order(scale, blocks)
    payload = payload.copy()
    payload.reshape(payload.shape[:2] + (-1, d))[:, :, kv:] = 0
    return payload, scale


def visible(case, query):
    kv = case["kv"]
    keys = np.arange(kv)
    position = kv - case["q"] + query
    if case["window"]:
        return (keys <= position) & (keys > position - case["window"])
    return keys <= position if case["causal"] else np.ones(kv, bool)


def factor_of(d):
    with mpmath.workprec(200):
        return nearest(1 / (mpmath.log(2) * mpmath.sqrt(d)))


def unseen_inputs():
    """NaN and infinities at keys that some or all rows do not see: by name [q, k, v]."""
    random = np.random.default_rng(14)
    result = {}

    def put(name, q, k, v, keys, values):
        """Spoils an element of k in the rows `keys`, and a third of the columns of v in `values`."""
        arrays = [random.normal(size=shape) for shape in (q, k, v)]
        flat = [a.reshape(-1, a.shape[-1]) for a in arrays]
        for place, row in enumerate(keys):
            flat[1][row, row % 3] = [np.nan, np.inf, -np.inf][place % 3]
        for place, row in enumerate(values):
            flat[2][row, place % 5 :: 3] = [np.nan, -np.inf, np.inf][place % 3]
        result["unseen_" + name] = [bf16_words(a.astype(F32)) for a in arrays]

    # Causal rows end at keys 60 to 99, and a window of 9 begins at 52 to 91.
    put("late", (1, 1, 40, 16), (1, 1, 100, 16), (1, 1, 100, 16), [95, 99], [70, 83, 99])
    put("early", (1, 1, 40, 16), (1, 1, 100, 16), (1, 1, 100, 16), [0, 40, 66], [3, 45, 58])
    # The queries of one kv tile end in different blocks, and in different tiles.
    put("tail", (1, 2, 64, 8), (1, 1, 128, 8), (1, 1, 128, 8), [127], range(97, 128))
    # 30 of 50 queries see no key at all.
    put("blind", (1, 1, 50, 8), (1, 1, 20, 8), (1, 1, 20, 8), [19], [3, 18])
    # Pages of 32 and of 16 tokens; the last page has rows behind the last of 70 keys.
    put("paged", (1, 2, 3, 16), (3, 1, 32, 16), (3, 1, 32, 16), [], [7, 38, 71, 95])
    put("short", (1, 2, 3, 16), (5, 1, 16, 16), (5, 1, 16, 16), [], [7, 38, 71, 79])
    return result


def explicit_inputs():
    """Values that no seed gives: q, k, v of one head each."""
    random = np.random.default_rng(2026)
    result = {}

    def put(name, q, k, v):
        result[name] = [bf16_words(a.astype(F32))[None, None] for a in (q, k, v)]

    q, k, v = (random.normal(size=(n, 40)) for n in (3, 70, 70))
    nonfinite = [a.copy() for a in (q, k, v)]
    nonfinite[0][0, 5] = np.nan
    nonfinite[1][33, 7] = np.inf
    nonfinite[2][40, 3] = -np.inf
    put("nonfinite", *nonfinite)
    put("values", q, k, np.where(np.arange(70)[:, None] == 69, np.nan, v))
    put("huge", q * 1e19, k * 1e19, v * 1e30)
    put("overflow", q * 1e20, k * 1e20, v)
    put("subnormal", q, k, v * 1e-39)
    put("small", q * 1e-30, k * 1e-30, v)
    put("zeros", q * 0, k, v)
    put("large", q * 30, k * 30, v)
    return result | unseen_inputs()


# --- cases ---------------------------------------------------------------------------------------


def cases(explicit):
    def case(q, kv, heads=1, kv_heads=None, d=32, batch=1, tile=128, **more):
        base = {
            "q": q, "kv": kv, "heads": heads, "kv-heads": kv_heads or heads, "head-dim": d,
            "batch": batch, "causal": False, "window": 0, "kv-format": "bf16", "splits": 1,
            "page": 0, "tile": tile, "accumulator": "bf16", "sfu": "correctly-rounded",
            "lanes": 32, "seed": 0, "input": None, "unfused": False, "tile-q": 0,
        }
        return base | {key.replace("_", "-"): value for key, value in more.items()}

    formats = ["bf16", "mxint8", "e4m3fn", "e5m2"]
    shapes = [
        dict(q=1, kv=1), dict(q=1, kv=31, d=8), dict(q=1, kv=32, heads=2), dict(q=1, kv=33, d=64),
        dict(q=1, kv=128, heads=4, d=80), dict(q=1, kv=129, heads=4, kv_heads=2, d=33),
        dict(q=3, kv=200, heads=4, kv_heads=1, causal=True), dict(q=2, kv=300, batch=2, d=128),
        dict(q=5, kv=257, heads=3, d=16, causal=True, window=40),
        dict(q=4, kv=65, heads=2, d=7, window=1), dict(q=6, kv=3, heads=2, causal=True),
        dict(q=1, kv=260, heads=2, d=160, tile=64), dict(q=1, kv=100, heads=2, d=48, tile=32),
    ]
    for index, shape in enumerate(shapes):
        for position, kind in enumerate(formats):
            yield case(
                **shape, kv_format=kind, seed=[0, 1, 42, MASK][(index + position) % 4],
                accumulator=["bf16", "fp32"][(index + position // 2) % 2],
                lanes=[32, 64, 4][index % 3])
    for index, kind in enumerate(formats):
        for splits, shape in [(2, shapes[7]), (3, shapes[6] | {"tile": 32}), (4, shapes[8] | {"tile": 64})]:
            yield case(**shape, kv_format=kind, splits=splits, seed=7,
                       accumulator=["bf16", "fp32"][index % 2])
        for page, shape in [(32, shapes[7]), (64, shapes[6] | {"splits": 2}), (128, shapes[8])]:
            yield case(**shape, kv_format=kind, page=page, seed=9,
                       accumulator=["fp32", "bf16"][index % 2])
    for kind in ["bf16", "e4m3fn", "e5m2"]:
        yield case(**shapes[7], kv_format=kind, page=16, seed=3)
        yield case(**shapes[11], kv_format=kind, page=5, seed=4, splits=2)
    # Prefill.
    for index, shape in enumerate([
        dict(q=33, kv=33, d=64, causal=True), dict(q=40, kv=130, heads=2, kv_heads=1, d=24),
        dict(q=64, kv=64, heads=2, causal=True, tile=32), dict(q=48, kv=100, causal=True, window=17),
        dict(q=50, kv=20, causal=True, d=8),
    ]):
        for position, kind in enumerate(["bf16", "mxint8"]):
            for plain in [False, True]:
                yield case(**shape, kv_format=kind, seed=11 + index, unfused=plain,
                           accumulator=["bf16", "fp32"][(index + position) % 2])
    for plain in [False, True]:
        yield case(q=2, kv=40, d=16, sfu="expu", seed=5, unfused=plain)
        yield case(q=1, kv=70, d=16, kv_format="mxint8", sfu="expu", seed=6, unfused=plain)
        for name in (name for name in explicit if not name.startswith("unseen")):
            for accumulator in ["bf16", "fp32"]:
                yield case(q=3, kv=70, d=40, tile=64, input=f"in_{name}.safetensors",
                           accumulator=accumulator, unfused=plain)


    yield from unseen_cases(case)


def unseen_cases(case):
    """What reaches the rows that do not see a key: query tiles, kv tiles, masks and formats."""
    shapes = [
        ("late", dict(q=40, kv=100, d=16), [0], [1, 7, 16, 40]),
        ("early", dict(q=40, kv=100, d=16), [9, 33], [1, 16, 40]),
        ("tail", dict(q=64, kv=128, heads=2, kv_heads=1, d=8), [0, 33], [8, 32, 64]),
        ("blind", dict(q=50, kv=20, d=8), [0, 3], [1, 16, 50]),
    ]
    for name, shape, windows, rows in shapes:
        more = shape | dict(causal=True, input=f"in_unseen_{name}.safetensors")
        for index, tile_q in enumerate(rows):
            for tile in [32, 64, 128]:
                yield case(
                    **more, window=windows[index % len(windows)], tile_q=tile_q, tile=tile,
                    kv_format=["bf16", "mxint8"][(index + tile // 64) % 2],
                    accumulator=["bf16", "fp32"][index % 2])
        yield case(**more, window=windows[-1], unfused=True)
    for name, page, kinds in [("paged", 32, ["bf16", "mxint8"]), ("short", 16, ["bf16"])]:
        for kind in kinds:
            for more in [dict(), dict(causal=True), dict(window=2, causal=True), dict(splits=2)]:
                for tile_q in [1, 2]:
                    yield case(
                        q=3, kv=70, heads=2, kv_heads=1, d=16, tile=32, page=page, tile_q=tile_q,
                        kv_format=kind, seed=12, input=f"in_unseen_{name}.safetensors", **more)


def evaluate(case, explicit):
    """The tensors of a case by name: words."""
    batch, heads, q, d = case["batch"], case["heads"], case["q"], case["head-dim"]
    given = [None] * 3
    if case["input"]:
        given = explicit[case["input"][3:].split(".")[0]]
    shape = (batch, heads, q, d)
    queries = encode(widen(given[0] if given[0] is not None else seeded(case["seed"], "q", shape)))
    k, v = cache(case, "k", given[1]), cache(case, "v", given[2])
    factor = factor_of(d)
    tiles = -(-case["kv"] // case["tile"])
    size, rest = divmod(tiles, case["splits"])
    out = np.zeros(shape, np.uint16)
    lse = np.zeros(shape[:3], F32)
    whole = shape[:3] + (case["kv"],)
    raw, weights = np.zeros(whole, F32), np.zeros(whole, np.uint16)
    for b in range(batch):
        for h in range(heads):
            g = h // (heads // case["kv-heads"])
            keys, values = (k[0][b, g], k[1][b, g]), (v[0][b, g], v[1][b, g])
            for i in range(q):
                row = queries[0][b, h, i], queries[1][b, h, i]
                seen, reach = visible(case, i), touched(case, i)
                place = (b, h, i)
                if case["unfused"]:
                    raw[place], weights[place], out[place], lse[place] = unfused(
                        case, row, keys, values, seen, factor)
                    continue
                parts, first = [], 0
                for s in range(case["splits"]):
                    count = size + (s < rest)
                    parts.append(
                        online(case, row, keys, values, seen, reach, factor,
                               range(first, first + count)))
                    first += count
                state = combined(parts) if case["splits"] > 1 else parts[0]
                out[place], lse[place] = finished(case, seen, *state)
    tensors = {"out": out, "lse": canonical(lse).view(np.uint32)}
    if case["unfused"]:
        tensors["scores"] = (
            bf16_words(raw) if case["accumulator"] == "bf16" else canonical(raw).view(np.uint32))
        tensors["probabilities"] = weights
    return tensors


def describe(array):
    digits = 2 * array.itemsize
    text = lambda part: " ".join(f"{int(v):0{digits}x}" for v in part)
    flat = array.reshape(-1)
    data = flat.astype(f"<u{array.itemsize}").tobytes()
    return {
        "crc32": f"{binascii.crc32(data):08x}", "first": text(flat[:4]), "last": text(flat[-4:]),
    }


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    explicit = explicit_inputs()
    for name, arrays in explicit.items():
        entries = {
            key: {"dtype": "bfloat16", "shape": list(a.shape), "data": a.astype("<u2").tobytes()}
            for key, a in zip("qkv", arrays)
        }
        (OUT / f"in_{name}.safetensors").write_bytes(serialize(entries))
    lines = []
    for case in cases(explicit):
        tensors = {name: describe(array) for name, array in evaluate(case, explicit).items()}
        entry = case | {"seed": str(case["seed"]), "tensors": tensors}
        lines.append(json.dumps(entry, separators=(",", ":")))
    (OUT / "cases.json").write_text('{"cases":[\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
