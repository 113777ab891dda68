"""Writes the golden tensor files with NumPy, ml_dtypes and safetensors.

    python -m venv .venv && .venv/bin/pip install -r Tests/Golden/requirements.txt
    .venv/bin/python Tests/Golden/generate_tensors.py

Output: Tests/Golden/tensors/, the same bytes every time.
  reference.safetensors  every dtype, written by the safetensors library
  padded.safetensors     a header that needs no padding, no metadata, a scalar, an empty tensor
  *.npy                  arrays written by numpy.save and numpy.lib.format
  tensors.json           for each: dtype, shape, bytes, and the values as FP32 words
  seeded.json            elements of the seeded input generator
"""

import json
import pathlib

import ml_dtypes
import numpy as np
from numpy.lib import format as npy_format
from safetensors import serialize

OUT = pathlib.Path(__file__).parent / "tensors"

# our name, NumPy type, the name that safetensors.serialize takes
DTYPES = [
    ("BF16", ml_dtypes.bfloat16, "bfloat16"),
    ("F16", np.float16, "float16"),
    ("F32", np.float32, "float32"),
    ("F64", np.float64, "float64"),
    ("I8", np.int8, "int8"),
    ("I32", np.int32, "int32"),
    ("I64", np.int64, "int64"),
    ("F8_E4M3", ml_dtypes.float8_e4m3fn, "float8_e4m3fn"),
    ("F8_E5M2", ml_dtypes.float8_e5m2, "float8_e5m2"),
    ("F8_E8M0", ml_dtypes.float8_e8m0fnu, "float8_e8m0fnu"),
]


def words(dtype):
    """All words of a one-byte type; for the others the specials and a spread of the rest."""
    size = np.dtype(dtype).itemsize
    if size == 1:
        return np.arange(256, dtype=np.uint8).reshape(2, 4, 32)
    if np.dtype(dtype) == np.float64:
        # Values that FP32 holds exactly, its specials among them.
        with np.errstate(invalid="ignore"):
            return words(np.float32).view(np.float32).astype(np.float64).view(np.uint64)
    if np.dtype(dtype) == np.int64:
        wide = words(np.int32).view(np.int32).astype(np.int64)
        wide[0, :2] = [1 << 62, -(1 << 63)]
        return wide.view(np.uint64)
    spread = np.random.default_rng(size).integers(0, 2 ** (8 * size), 56)
    if np.dtype(dtype) == np.int32:
        # Integers that FP32 holds exactly, up to the largest.
        spread = (spread >> 8) - (1 << 23)
        special = [0, 1, -1, 1 << 24, -(1 << 24), -(1 << 31), 1 << 30, 127]
        return np.array(special + list(spread), np.int64).astype(np.int32).view(np.uint32).reshape(4, 16)
    top = 8 * size - 1
    inf = {2: {"bfloat16": 0x7F80, "float16": 0x7C00}, 4: {"float32": 0x7F800000}}[size][
        np.dtype(dtype).name
    ]
    special = [0, 1 << top, 1, inf, inf | 1 << top, inf + 1, inf - 1, (1 << top) - 1]
    return np.array(special + list(spread), np.uint64).astype(f"u{size}").reshape(4, 16)


def describe(name, array):
    with np.errstate(invalid="ignore"):
        values = array.astype(np.float32)
    return {
        "dtype": name,
        "shape": list(array.shape),
        "bytes": array.tobytes().hex(),
        "floats": values.view(np.uint32).byteswap().tobytes().hex() if array.size else "",
    }


def tensors():
    described, reference = {}, {}
    for name, dtype, library_name in DTYPES:
        array = words(dtype).view(dtype)
        described["t." + name] = describe(name, array)
        reference["t." + name] = {
            "dtype": library_name,
            "shape": list(array.shape),
            "data": array.tobytes(),
        }
        if dtype.__module__ == "numpy":
            np.save(OUT / f"{name}.npy", array)
        else:
            # As ml_dtypes saves itself, and as raw words.
            np.save(OUT / f"{name}.ml_dtypes.npy", array)
            np.save(OUT / f"{name}.npy", array.view(f"u{np.dtype(dtype).itemsize}"))
    second = {
        "dtype": "float32",
        "shape": [3],
        "data": np.array([1, 2, 3], np.float32).tobytes(),
    }
    reference["é \"quoted\"\n"] = second
    blob = serialize(reference, {"t.I8.axis": "-2"})
    (OUT / "reference.safetensors").write_bytes(blob)
    padded = {
        "scalar": {"dtype": "float32", "shape": [], "data": np.float32(2.5).tobytes()},
        "empty": {"dtype": "bfloat16", "shape": [0, 3], "data": b""},
    }
    (OUT / "padded.safetensors").write_bytes(serialize(padded, None))
    for shape in [(), (0,), (7,), (2, 3, 4)]:
        array = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
        name = "shape" + "".join(f"_{d}" for d in shape)
        np.save(OUT / f"{name}.npy", array)
        described[name] = describe("F32", array)
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    for version in [(2, 0), (3, 0)]:
        with open(OUT / f"version_{version[0]}.npy", "wb") as file:
            npy_format.write_array(file, array, version=version)
    described["version"] = describe("I32", array)
    np.save(OUT / "fortran.npy", np.asfortranarray(array))
    np.save(OUT / "big_endian.npy", array.astype(">i4"))
    np.save(OUT / "complex.npy", array.astype(np.complex64))
    np.save(OUT / "structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    (OUT / "tensors.json").write_text(json.dumps(described, indent=1) + "\n")


MASK = (1 << 64) - 1


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def splitmix64(state):
    z = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def seeded():
    # Published values: the FNV-1a test vectors, and splitmix64.c seeded with 1234567.
    assert fnv1a64("") == 0xCBF29CE484222325 and fnv1a64("foobar") == 0x85944171F73967E8
    gamma = 0x9E3779B97F4A7C15
    stream = [splitmix64((1234567 + i * gamma) & MASK) for i in range(3)]
    assert stream == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    cases = []
    for seed in [0, 1, 42, MASK]:
        for name in ["", "a", "input", "softmaxed_v.v", "é"]:
            start = seed ^ fnv1a64(name)
            for first, count in [(0, 40), ((1 << 40) + 5, 8)]:
                out = [splitmix64((start + first + i) & MASK) for i in range(count)]
                unit = np.array([w >> 40 for w in out], np.float64) * 2.0**-24
                values = (4 * unit - 2).astype(np.float32)
                assert np.array_equal(values.astype(np.float64), 4 * unit - 2)
                bf16 = values.astype(ml_dtypes.bfloat16).view(np.uint16)
                cases.append(
                    {
                        "seed": seed,
                        "name": name,
                        "first": first,
                        "word": out[0],
                        "bf16": "".join(f"{w:04x}" for w in bf16),
                    }
                )
    # A checksum over many elements: the sum of the words, each times its index plus one.
    start = fnv1a64("bulk")
    index = np.arange(1 << 20, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = index + np.uint64((start + gamma) & MASK)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        top = (z >> np.uint64(40)).astype(np.float64)
        bf16 = (4 * top * 2.0**-24 - 2).astype(np.float32).astype(ml_dtypes.bfloat16)
        checksum = int(np.sum(bf16.view(np.uint16).astype(np.uint64) * (index + np.uint64(1))))
    text = json.dumps({"cases": cases, "bulk": {"count": 1 << 20, "checksum": checksum}}, indent=1)
    (OUT / "seeded.json").write_text(text + "\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    tensors()
    seeded()
