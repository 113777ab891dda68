"""Trains a model as docs/examples/made-up-42 was: a Llama on the language of corpus.py.

    python -m venv /tmp/train && /tmp/train/bin/pip install jax==0.4.38 optax==0.2.4 numpy
    /tmp/train/bin/python Tests/Golden/made_up_42_training/train.py OUT.npz [SECONDS]

Nine minutes on two processors make 0.384 nats a byte on texts that it has not seen, most of which are
random words. Training is no function of its seed alone: another machine makes other weights, so the ones
that are committed are the model, and this shows where they come from. OUT.npz has FP32 arrays by layer and
part; the checkpoint is these in BF16 in the names of Hugging Face, and in Meta's with the rows of q and k
in the order of their pairs.
"""

import random
import sys
import time

import corpus
import jax
import jax.numpy as jnp
import numpy as np
import optax

HIDDEN, LAYERS, HEADS, KV, D, FFN, VOCABULARY = 128, 4, 4, 2, 32, 256, 128
THETA, EPS, CONTEXT = 10000.0, 1e-5, 256
BATCH, LENGTH, STEPS = 16, 128, 4000

INVERSE = 1.0 / THETA ** (np.arange(0, D, 2) / D)
ANGLES = np.outer(np.arange(CONTEXT), INVERSE)
COSINE, SINE = jnp.array(np.cos(ANGLES), jnp.float32), jnp.array(np.sin(ANGLES), jnp.float32)


def initial(key):
    """Random weights [out, in]; what ends in the residual stream is smaller."""
    keys = iter(jax.random.split(key, 100))

    def normal(*shape, scale):
        return jax.random.normal(next(keys), shape) * scale

    layers = {}
    embedding = normal(VOCABULARY, HIDDEN, scale=0.05)
    for layer in range(LAYERS):
        layers[f"{layer}"] = {
            "an": jnp.ones(HIDDEN), "fn": jnp.ones(HIDDEN),
            "q": normal(HEADS * D, HIDDEN, scale=0.06), "k": normal(KV * D, HIDDEN, scale=0.06),
            "v": normal(KV * D, HIDDEN, scale=0.06), "o": normal(HIDDEN, HEADS * D, scale=0.03),
            "w1": normal(FFN, HIDDEN, scale=0.06), "w3": normal(FFN, HIDDEN, scale=0.06),
            "w2": normal(HIDDEN, FFN, scale=0.03),
        }
    return {"emb": embedding, "norm": jnp.ones(HIDDEN), **layers}


def rms_norm(x, weight):
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + EPS) * weight


def rope(x):
    """Columns i and i + d/2 of each head, as Hugging Face pairs them."""
    count, half = x.shape[1], D // 2
    a, b = x[..., :half], x[..., half:]
    c, s = COSINE[:count, None], SINE[:count, None]
    return jnp.concatenate([a * c - b * s, b * c + a * s], -1)


def logits(weights, tokens):
    batch, count = tokens.shape
    x = weights["emb"][tokens]
    mask = jnp.triu(jnp.full((count, count), -1e9), 1)
    for layer in range(LAYERS):
        w = weights[f"{layer}"]
        h = rms_norm(x, w["an"])
        q = rope((h @ w["q"].T).reshape(batch, count, HEADS, -1))
        k = rope((h @ w["k"].T).reshape(batch, count, KV, -1))
        v = (h @ w["v"].T).reshape(batch, count, KV, -1)
        k, v = jnp.repeat(k, HEADS // KV, 2), jnp.repeat(v, HEADS // KV, 2)
        scores = jnp.einsum("bthd,bshd->bhts", q, k) / np.sqrt(D) + mask
        heads = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, -1), v)
        x = x + heads.reshape(batch, count, -1) @ w["o"].T
        h = rms_norm(x, w["fn"])
        x = x + (jax.nn.silu(h @ w["w1"].T) * (h @ w["w3"].T)) @ w["w2"].T
    return rms_norm(x, weights["norm"]) @ weights["emb"].T


def loss(weights, tokens):
    """Nats a byte."""
    return optax.softmax_cross_entropy_with_integer_labels(
        logits(weights, tokens[:, :-1]), tokens[:, 1:]
    ).mean()


def batch(source):
    return np.array([list(corpus.text(source, LENGTH + 1).encode()) for _ in range(BATCH)], np.int32)


def main():
    out, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 540
    schedule = optax.warmup_cosine_decay_schedule(0, 3e-3, 100, STEPS, 1e-4)
    optimizer = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, b2=0.98, weight_decay=0.01))
    weights = initial(jax.random.PRNGKey(0))
    state = optimizer.init(weights)

    @jax.jit
    def step(weights, state, tokens):
        value, gradient = jax.value_and_grad(loss)(weights, tokens)
        updates, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state, value

    source, start = random.Random(0), time.time()
    for index in range(STEPS):
        weights, state, value = step(weights, state, batch(source))
        if index % 100 == 0:
            print(index, float(value), flush=True)
        if time.time() - start > seconds:
            break
    unseen = random.Random(99)
    print("unseen", np.mean([float(loss(weights, batch(unseen))) for _ in range(8)]))
    parts = {
        f"{layer}.{name}": np.array(array)
        for layer in range(LAYERS) for name, array in weights[f"{layer}"].items()
    }
    np.savez(out, emb=weights["emb"], norm=weights["norm"], **parts)


if __name__ == "__main__":
    main()
