"""Evaluates the network of resnet.py in fixed-point arithmetic of 250 binary digits, and holds the claims of a
certificate against it.

usage: resnet_margins.py FOLDER CERTIFICATE [POINTS]

Prints how many claims of each kind were confirmed, of the first POINTS points (30). Needs numpy and safetensors;
some seconds a point.
"""

import collections
import math
import sys
from fractions import Fraction

import numpy
from safetensors.numpy import load_file

BITS = 250
folder, certificate = sys.argv[1:3]
points = int(sys.argv[3]) if len(sys.argv) > 3 else 30
arrays = load_file(f"{folder}/resnet.safetensors")
x, y = numpy.load(f"{folder}/x.npy"), numpy.load(f"{folder}/y.npy")


def fixed(array):
    """Numbers of an array as integers, times 2^-BITS; they are exact."""
    whole = numpy.empty(array.size, object)
    for at, number in enumerate(array.astype(numpy.float64).ravel().tolist()):
        numerator, denominator = number.as_integer_ratio()
        whole[at] = (numerator << BITS) // denominator
    return whole.reshape(array.shape)


def root(whole):
    return math.isqrt(whole << BITS)


def convolution(x, name, stride, padding):
    weight = fixed(arrays[f"{name}.weight"])
    outputs, channels, size, _ = weight.shape
    side = x.shape[1]
    padded = numpy.zeros((channels, side + 2 * padding, side + 2 * padding), object)
    padded[:, padding : padding + side, padding : padding + side] = x
    places = (side + 2 * padding - size) // stride + 1
    end = (places - 1) * stride + 1
    result = numpy.zeros((outputs, places, places), object)
    for dy in range(size):
        for dx in range(size):
            part = padded[:, dy : dy + end : stride, dx : dx + end : stride].reshape(channels, -1)
            result += weight[:, :, dy, dx].dot(part).reshape(result.shape)
    return result >> BITS


def normalized(x, name):
    scale, shift, mean, variance = (
        fixed(arrays[f"{name}.{part}"]) for part in ("weight", "bias", "running_mean", "running_var")
    )
    # The epsilon of the file is the nearest number of binary32.
    epsilon = fixed(numpy.array([numpy.float32(1e-5)]))[0]
    factor = numpy.array([(a << BITS) // root(v + epsilon) for a, v in zip(scale, variance)], object)
    return ((x - mean[:, None, None]) * factor[:, None, None] >> BITS) + shift[:, None, None]


def relu(x):
    return numpy.where(x > 0, x, 0)


def outputs(point):
    x = relu(normalized(convolution(fixed(point), "conv1", 1, 1), "bn1"))
    for block in range(8):
        name = f"blocks.{block}"
        stride = 2 if block in (2, 4, 6) else 1
        inner = relu(normalized(convolution(x, f"{name}.conv1", stride, 1), f"{name}.bn1"))
        inner = normalized(convolution(inner, f"{name}.conv2", 1, 1), f"{name}.bn2")
        if f"{name}.shortcut.0.weight" in arrays:
            x = normalized(convolution(x, f"{name}.shortcut.0", stride, 0), f"{name}.shortcut.1")
        x = relu(inner + x)
    mean = x.reshape(x.shape[0], -1).sum(1) // (x.shape[1] * x.shape[2])
    return (fixed(arrays["linear.weight"]).dot(mean) >> BITS) + fixed(arrays["linear.bias"])


def number(text):
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    mantissa, _, exponent = text.partition("p")
    return sign * int(mantissa, 16) * Fraction(2) ** int(exponent or 0)


with open(certificate) as file:
    lines = file.read().splitlines()
at = next(k for k, line in enumerate(lines) if line.startswith("verdicts "))
confirmed = collections.Counter()
for i, line in enumerate(lines[at + 1 : at + 1 + min(points, len(x))]):
    logits = outputs(x[i])
    margin = Fraction(logits[y[i]] - max(v for k, v in enumerate(logits) if k != y[i]), 1 << BITS)
    verdict, *numbers = line.split()
    numbers = [number(text) for text in numbers]
    if verdict == "margin":
        assert margin >= numbers[0] > numbers[1] >= 0, (i, line, float(margin))
    elif verdict == "misfit":
        assert margin <= numbers[0] < -numbers[1], (i, line, float(margin))
    elif verdict == "undecided":
        assert numbers[0] <= margin <= numbers[1], (i, line, float(margin))
    else:
        raise SystemExit(f"point {i}: {line}")
    confirmed[verdict] += 1
print(dict(confirmed))
