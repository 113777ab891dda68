"""Writes goldens of flash_attention's scalar rung with NumPy, ml_dtypes and mpmath.

    .venv/bin/python Tests/Golden/generate_flash_scalar.py

Output: Tests/Golden/flash_scalar/cases.json, the same bytes every time: one entry a case with its
flags, its schedule, the lanes, the seed, and the words of out and lse.

q, k and v are numbers, c = fl32(log2(e)). For each query, from m = -Inf, l = 0, O = 0, for each block
of keys in which the query sees one, ascending:

  x  = fl32(fl32(q * k) * c), -Inf where the key is not seen
  m' = max(m, max x)
  p  = exp2(fl32(x - m')), a = exp2(fl32(m - m'));  0 and 1 where m' = -Inf
  l  = fl32(fl32(l * a) + lane sum of p)
  O  = fl32(fl32(O * a) + lane sum of fl32(p * v))

  out = bf16(fl32(O * fl32(1/l))), lse = fl32(fl32(m * ln2) + ln l);  0 and -Inf where l = 0
"""

import json
import pathlib
import sys

import numpy as np

from generate_flash_attention import (
    F32, exp2, factor_of, finished, maximum, probabilities, visible,
)
from generate_softmax_v import canonical, lane_sum, seeded, widen

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "flash_scalar"


def cases():
    shapes = [
        (1, 1, 1, False, 0), (3, 5, 4, False, 0), (8, 8, 8, True, 0), (20, 70, 32, False, 0),
        (33, 65, 16, True, 0), (40, 100, 33, False, 9), (10, 4, 2, True, 0), (64, 200, 64, True, 0),
        (5, 130, 128, False, 0), (17, 90, 7, False, 30),
    ]
    for index, (q, kv, tile, causal, window) in enumerate(shapes):
        for lanes in [4, 32, 64]:
            yield {
                "q": q, "kv": kv, "tile": tile, "causal": causal, "window": window,
                "lanes": lanes, "seed": 100 + index, "sfu": "correctly-rounded", "head-dim": 1,
            }


def evaluate(case):
    q, kv, tile = case["q"], case["kv"], case["tile"]
    queries, keys, values = (
        widen(seeded(case["seed"], name, (count,)))
        for name, count in [("q", q), ("k", kv), ("v", kv)])
    factor = factor_of(1)
    out, lse = [], []
    for i in range(q):
        seen = visible(case, i)
        m, l, o = F32(-np.inf), F32(0), np.zeros(1, F32)
        for start in range(0, kv, tile):
            block = slice(start, min(start + tile, kv))
            if not seen[block].any():
                continue
            s = canonical(queries[i] * keys[block])
            x = np.where(seen[block], canonical(s * factor), F32(-np.inf))
            new = m
            for value in x:
                new = maximum(new, value)
            p = probabilities(x, new)
            a = F32(1) if new == -np.inf else exp2(canonical(np.array(m - new, F32)))[()]
            l = canonical(canonical(l * a) + lane_sum(p, case["lanes"]))[()]
            t = lane_sum(canonical(p * values[block]), case["lanes"])
            o = canonical(canonical(o * a) + t)
            m = new
        words, log_sum = finished(case, m, l, o)
        out.append(int(words[0]))
        lse.append(int(np.array(log_sum, F32).view(np.uint32)))
    return out, lse


def main():
    OUT.mkdir(exist_ok=True)
    entries = []
    for case in cases():
        out, lse = evaluate(case)
        kept = {key: case[key] for key in ["q", "kv", "tile", "causal", "window", "lanes", "seed"]}
        entries.append(
            kept | {
                "out": " ".join(f"{word:04x}" for word in out),
                "lse": " ".join(f"{word:08x}" for word in lse),
            })
    text = ",\n".join("    " + json.dumps(entry) for entry in entries)
    (OUT / "cases.json").write_text('{\n  "cases": [\n' + text + "\n  ]\n}\n")


main()
