"""Writes the golden words of a whole model, docs/examples/made-up-42, with NumPy, ml_dtypes and mpmath.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r Tests/Golden/requirements.txt
    /tmp/golden/bin/python Tests/Golden/generate_made_up_42.py

Output: Tests/Golden/made_up_42/cases.json, the same bytes every time: for each run the lanes, the
accumulator, the format of the caches, whose names the checkpoint has, the
prompt, the tokens that come out, and the CRC-32 of the logits' words behind the prompt and each token.

A pass runs some tokens from a position on: a prompt at once. Where pages of a cache lie changes no
word, so there are none here.

  x      = embedding rows
  n      = rms_norm(x), rounded to BF16 before the weight, too
  q, k, v = bf16 of the block products of MXINT8(n) with MXINT8 weights [out, in], blocks along in
  q, k   = rope of their heads at their positions, FP32 tables
  K, V   = all rows so far: BF16, FP8 codes with an FP32 scale a head, or MXINT8: K along a head's
           columns, V along 32 tokens, which is done again for each token until there are 32
  o      = attention of each head over K and V, online over tiles of 128 keys, causal
  x      = bf16(fl32(bf16(o wo^T) + x))
  x      = bf16(fl32(swiglu(rms_norm(x)) + x))

and of the last token logits = bf16 of the product of MXINT8(rms_norm(x)) with the embedding in MXINT8.
The next token is the first of the largest. Each step is that of its kernel: see the other generators.
"""

import binascii
import json
import pathlib
import sys

import mpmath
import numpy as np

import generate_flash_attention as flash
import generate_llama as llama
from generate_gemm import bf16_words, canonical, encode, widen

HERE = pathlib.Path(__file__).parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "made_up_42"
MODEL = HERE.parent.parent / "docs/examples/made-up-42"
HIDDEN, LAYERS, HEADS, KV, D, EPS, THETA, CONTEXT = 128, 4, 4, 2, 32, 1e-5, 10000, 256
TILE = 128

NAMES = {
    "hugging_face": dict(
        folder="huggingface", file="model.safetensors", layout="half", embed="model.embed_tokens",
        norm="model.norm", layer="model.layers.{}.",
        parts=["input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
               "self_attn.o_proj", "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj",
               "mlp.down_proj"]),
    "meta": dict(
        folder="meta", file="consolidated.00.safetensors", layout="interleaved",
        embed="tok_embeddings", norm="norm", layer="layers.{}.",
        parts=["attention_norm", "attention.wq", "attention.wk", "attention.wv", "attention.wo",
               "ffn_norm", "feed_forward.w1", "feed_forward.w3", "feed_forward.w2"]),
}


def weights(naming):
    """Words by name: BF16 of the norms and the embedding, MXINT8 pairs of matrices."""
    names = NAMES[naming]
    path = MODEL / names["folder"] / names["file"]
    words = {k: v.view(np.uint16) for k, v in load_words(path).items()}
    layers = []
    for layer in range(LAYERS):
        part = [words[names["layer"].format(layer) + p + ".weight"] for p in names["parts"]]
        layers.append([p if p.ndim == 1 else encode(widen(p)) for p in part])
    embedding = words[names["embed"] + ".weight"]
    return dict(layers=layers, embed=embedding, head=encode(widen(embedding)),
                norm=words[names["norm"] + ".weight"], layout=names["layout"])


def load_words(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    result = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        raw = np.frombuffer(data[8 + size + first : 8 + size + last], "<u2")
        result[name] = raw.reshape(entry["shape"])
    return result


def tables():
    inverses = llama.frequencies(D, THETA, None)
    phase = canonical(np.arange(CONTEXT, dtype=np.float32)[:, None] * inverses[None, :])
    return llama.exact_table(mpmath.cos, phase), llama.exact_table(mpmath.sin, phase)


class Run:
    """One model with its caches."""

    def __init__(self, model, cosine, sine, case):
        self.model, self.cosine, self.sine, self.case = model, cosine, sine, case
        self.keys = [np.zeros((0, KV, D), np.float32) for _ in range(LAYERS)]
        self.values = [np.zeros((0, KV, D), np.float32) for _ in range(LAYERS)]
        # MXINT8 by head: pairs of payload and scales; of V whole blocks, and BF16 rows of an open one.
        self.encoded = [[None] * KV for _ in range(LAYERS)]
        self.blocks = [[None] * KV for _ in range(LAYERS)]
        self.open = [np.zeros((0, KV, D), np.float32) for _ in range(LAYERS)]
        self.position = 0

    def norm(self, x, weight):
        return llama.rms_norm(x, weight, EPS, self.case["lanes"], "llama")["out"]

    def linear(self, x, weight):
        return llama.chains(encode(widen(x)), weight, self.case["accumulator"])

    def rope(self, words):
        values = widen(words)
        places = slice(self.position, self.position + len(words))
        c, s = self.cosine[places][:, None, :], self.sine[places][:, None, :]
        half = self.model["layout"] == "half"
        first = slice(0, D // 2) if half else slice(0, D, 2)
        second = slice(D // 2, D) if half else slice(1, D, 2)
        a, b = values[..., first], values[..., second]
        out = np.zeros_like(values)
        out[..., first] = canonical(canonical(a * c) - canonical(b * s))
        out[..., second] = canonical(canonical(b * c) + canonical(a * s))
        return bf16_words(out)

    def cached(self, words):
        values = widen(words)
        kind = self.case["cache"]
        return values if kind == "bf16" else flash.through_fp8(values, kind)

    def keep(self, layer, k, v):
        """Takes the rows of a pass into the caches."""
        if self.case["cache"] != "mxint8":
            self.keys[layer] = np.concatenate([self.keys[layer], self.cached(k)])
            self.values[layer] = np.concatenate([self.values[layer], self.cached(v)])
            return
        rows = np.concatenate([self.open[layer], widen(v)])
        whole = len(rows) // 32 * 32
        for group in range(KV):
            self.encoded[layer][group] = joined(
                self.encoded[layer][group], flash.encode(widen(k)[:, group]))
            if whole:
                self.blocks[layer][group] = joined(
                    self.blocks[layer][group], flash.along_rows(rows[:whole, group]))
        self.open[layer] = rows[whole:]

    def kept(self, layer, group):
        """K and V of a head as the matrix unit takes them."""
        if self.case["cache"] != "mxint8":
            return (flash.encode(self.keys[layer][:, group]),
                    flash.along_rows(self.values[layer][:, group]))
        v = self.blocks[layer][group]
        if len(self.open[layer]):
            v = joined(v, flash.along_rows(self.open[layer][:, group]))
        return self.encoded[layer][group], v

    def attention(self, q, layer):
        count = len(q)
        kv = self.position + count
        case = {"kv": kv, "q": count, "tile": TILE, "tile-q": 1, "window": 0, "causal": True,
                "accumulator": self.case["accumulator"], "lanes": self.case["lanes"], "sfu": "correct"}
        factor = flash.factor_of(D)
        out = np.zeros((count, HEADS, D), np.uint16)
        for head in range(HEADS):
            group = head // (HEADS // KV)
            k, v = self.kept(layer, group)
            rows = flash.encode(widen(q[:, head]))
            for row in range(count):
                seen, reach = flash.visible(case, row), flash.touched(case, row)
                state = flash.online(case, (rows[0][row], rows[1][row]), k, v, seen, reach, factor,
                                     range(-(-kv // TILE)))
                out[row, head], _ = flash.finished(case, seen, *state)
        return out.reshape(count, HEADS * D)

    def forward(self, tokens):
        """The words of the logits behind some tokens."""
        x = self.model["embed"][tokens]
        count = len(tokens)
        for layer, (an, wq, wk, wv, wo, fn, w1, w3, w2) in enumerate(self.model["layers"]):
            n = self.norm(x, an)
            q = self.rope(self.linear(n, wq).reshape(count, HEADS, D))
            k = self.rope(self.linear(n, wk).reshape(count, KV, D))
            v = self.linear(n, wv).reshape(count, KV, D)
            self.keep(layer, k, v)
            o = self.linear(self.attention(q, layer), wo)
            x = bf16_words(canonical(widen(o) + widen(x)))
            ffn = llama.swiglu(self.norm(x, fn), w1, w2, w3, self.case["accumulator"])["out"]
            x = bf16_words(canonical(widen(ffn) + widen(x)))
        self.position += count
        return self.linear(self.norm(x[-1:], self.model["norm"]), self.model["head"])[0]


def joined(a, b):
    """Two pairs of payload and scales, one behind the other; `a` may be None."""
    return b if a is None else tuple(np.concatenate([x, y]) for x, y in zip(a, b))


def digest(words):
    return f"{binascii.crc32(words.astype('<u2').tobytes()):08x}"


def evaluate(case, models, cosine, sine):
    run = Run(models[case["names"]], cosine, sine, case)
    logits = run.forward(case["prompt"])
    tokens, digests = [], [digest(logits)]
    for step in range(case["steps"]):
        tokens.append(int(llama.argmax(logits[None])["index"][0]))
        if step + 1 < case["steps"]:
            logits = run.forward(tokens[-1:])
            digests.append(digest(logits))
    return {**case, "tokens": tokens, "logits": digests}


def main():
    models = {naming: weights(naming) for naming in NAMES}
    cosine, sine = tables()
    prompts = {p: a for p, a in json.loads((MODEL / "greedy.json").read_text()).items()}
    cases = []
    for number, (prompt, answer) in enumerate(prompts.items()):
        for cache in ["bf16", "mxint8", "e4m3fn", "e5m2"]:
            for accumulator in ["bf16", "fp32"]:
                lanes = [32, 64][(number + (accumulator == "fp32")) % 2]
                long = number == 3
                cases.append(dict(
                    names="meta" if number == 1 else "hugging_face", lanes=lanes,
                    accumulator=accumulator, cache=cache,
                    prompt=list(prompt.encode()), steps=64 if long else len(answer)))
    OUT.mkdir(exist_ok=True)
    made = [evaluate(case, models, cosine, sine) for case in cases]
    for case in made:
        answer = prompts[bytes(case["prompt"]).decode()]
        case["answer"] = case["tokens"][: len(answer)] == answer
    text = ",\n".join(json.dumps(case) for case in made)
    (OUT / "cases.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
