"""Evaluates a network of dense layers and ReLUs in 200-bit arithmetic, and holds every claim of a
certificate against it.

usage: margins.py NETWORK.safetensors X.npy Y.npy CERTIFICATE

Prints how many claims of each kind were confirmed. Needs mpmath, numpy and safetensors.
"""

import collections
import sys

import numpy
from mpmath import mp, mpf
from safetensors.numpy import load_file

mp.prec = 200
weights, x, y, certificate = sys.argv[1:]
arrays = load_file(weights)
layers = sorted({int(name.split(".")[0]) for name in arrays})
layers = [(arrays[f"{k}.weight"].astype(float), arrays[f"{k}.bias"].astype(float)) for k in layers]
x, y = numpy.load(x).astype(float), numpy.load(y)


def outputs(point):
    values = [mpf(v) for v in point]
    for k, (weight, bias) in enumerate(layers):
        values = [mp.fsum(mpf(w) * v for w, v in zip(row, values)) + mpf(b) for row, b in zip(weight, bias)]
        if k + 1 < len(layers):
            values = [max(v, mpf(0)) for v in values]
    return values


def number(text):
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    mantissa, _, exponent = text.partition("p")
    return sign * mpf(int(mantissa, 16)) * mpf(2) ** int(exponent or 0)


with open(certificate) as file:
    lines = file.read().splitlines()
at = next(k for k, line in enumerate(lines) if line.startswith("verdicts "))
count = int(lines[at].split()[1])
assert count == len(x)
confirmed = collections.Counter()
for i, line in enumerate(lines[at + 1 : at + 1 + count]):
    logits = outputs(x[i])
    margin = logits[y[i]] - max(v for k, v in enumerate(logits) if k != y[i])
    verdict, *numbers = line.split()
    numbers = [number(text) for text in numbers]
    if verdict == "margin":
        assert margin >= numbers[0] > numbers[1] >= 0, (i, line, margin)
    elif verdict == "misfit":
        assert margin <= numbers[0] < -numbers[1], (i, line, margin)
    elif verdict == "undecided":
        assert numbers[0] <= margin <= numbers[1], (i, line, margin)
    else:
        raise SystemExit(f"point {i}: {line}")
    confirmed[verdict] += 1
print(dict(confirmed))
