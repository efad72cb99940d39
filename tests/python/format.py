"""Reads a certificate, draws its sample and its labels, and evaluates its network in fractions, as FORMAT.md says.

usage: format.py CERTIFICATE

The sample must be a synthetic one. Prints one JSON object, with the two fingerprints; ends with an AssertionError where
something is not as FORMAT.md says. Needs nothing but Python.
"""

import hashlib
import json
import math
import re
import struct
import sys
from decimal import Context, Decimal
from fractions import Fraction

MASK = 2**64 - 1


def words(seed, stream):
    """The 64-bit words of a random stream."""
    key, state = [], seed
    for _ in range(8):
        state = (state * 0x5851F42D4C957F2D + 0xA17654E46FBE17F3) & MASK
        x, turn = ((state >> 18 ^ state) >> 27) & 0xFFFFFFFF, state >> 59
        key.append((x >> turn | x << (32 - turn)) & 0xFFFFFFFF)
    for block in range(2**64):
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key]
        start += [block & 0xFFFFFFFF, block >> 32, stream & 0xFFFFFFFF, stream >> 32]
        x = start[:]
        for _ in range(4):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for one, other, into, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    x[one] = (x[one] + x[other]) & 0xFFFFFFFF
                    y = x[into] ^ x[one]
                    x[into] = (y << turn | y >> (32 - turn)) & 0xFFFFFFFF
        x = [(one + other) & 0xFFFFFFFF for one, other in zip(x, start)]
        yield from (low | high << 32 for low, high in zip(x[::2], x[1::2]))


def below(stream, bound):
    while True:
        product = next(stream) * bound
        if product & MASK >= (2**64 - bound) % bound:
            return product >> 64


def tables():
    """X and F of the ziggurat."""
    wide = Context(prec=50)
    f = lambda x: float(wide.exp(-Decimal(x * x) / 2))
    x = [0.00492867323399 / f(3.654152885361008796), 3.654152885361008796]
    while len(x) < 256:
        y = 0.00492867323399 / x[-1] + f(x[-1])
        x.append(math.sqrt(-2 * float(wide.ln(Decimal(y)))))
    x.append(0.0)
    return x, [float(wide.quantize(Decimal(f(x)), Decimal(10) ** -18)) for x in x]


X, F = tables()


def normal(stream):
    while True:
        u = next(stream)
        i, v = u % 256, ((u >> 12) * 2.0**-51 + 2) - 3
        x = v * X[i]
        if abs(x) < X[i + 1]:
            return x
        if i == 0:
            while True:
                g, h = next(stream), next(stream)
                a = math.log((g >> 12) * 2.0**-52 + 2.0**-53) / X[1]
                b = math.log((h >> 12) * 2.0**-52 + 2.0**-53)
                if not -2 * b < a * a:
                    return a - X[1] if v < 0 else X[1] - a
        if F[i + 1] + (F[i] - F[i + 1]) * ((next(stream) >> 11) * 2.0**-53) < math.exp(-x * x / 2):
            return x


def sample(text):
    """Points and labels as they are drawn, duplicates included; the number of classes, 0 for real labels."""
    kind, _, rest = text.partition(":")
    options = dict(part.split("=") for part in rest.split(","))
    n, d, seed = (int(options[key]) for key in ("n", "d", "seed"))
    assert set(options) <= {"n", "d", "seed", "range", "clusters", "classes", "target"}, text
    stream = words(seed, 1)
    if kind in ("gaussian", "close"):
        points = [[normal(stream) for _ in range(d)] for _ in range(n)]
        for i in range(1, n if kind == "close" else 0, 2):
            points[i], k = points[i - 1][:], below(stream, d)
            points[i][k] = math.nextafter(points[i][k], math.inf)
    elif kind == "clustered":
        c = min(n, int(options.get("clusters", 10)))
        centres = [[normal(stream) for _ in range(d)] for _ in range(c)]
        points = []
        for _ in range(n):
            centre = centres[below(stream, c)]
            points.append([x + 0.001 * normal(stream) for x in centre])
    elif kind == "lattice":
        points = [[below(stream, int(options.get("range", 1024))) for _ in range(d)] for _ in range(n)]
    elif kind == "collinear":
        origin = [below(stream, 201) - 100 for _ in range(d)]
        step = [below(stream, 9) + 1 for _ in range(d)]
        points = [[o + t * s for o, s in zip(origin, step)] for t in range(n)]
    else:
        assert kind == "moment", text
        points = [[t**k for k in range(1, d + 1)] for t in range(n)]
    stream, classes = words(seed, 2), int(options.get("classes", 10))
    if options.get("target") == "number":
        return points, [normal(stream) for _ in range(n)], 0
    return points, [below(stream, classes) for _ in range(n)], classes


def relabelled(rule, seed, own, classes):
    stream = words(seed, 3)
    if rule == "true":
        return own
    if rule == "alternating":
        return [i % 2 for i in range(len(own))]
    if rule == "random":
        return [below(stream, classes) if classes else normal(stream) for _ in own]
    assert classes, rule
    share = float(rule.removeprefix("corrupted:"))
    labels = []
    for label in own:
        hit = (next(stream) >> 11) * 2.0**-53 < share
        other = below(stream, classes)
        labels.append(other if hit else label)
    return labels


def number(text):
    """The number that has this spelling, which is its only one."""
    if text == "0":
        return Fraction(0)
    sign, m, p, q = re.fullmatch("(-?)([1-9a-f][0-9a-f]*)(?:p(-?[1-9][0-9]*)|/([1-9a-f][0-9a-f]*))?", text).groups()
    m = int(sign + m, 16)
    if q is None:
        assert m % 2 == 1 and abs(int(p or 0)) <= 2**20, text
        return m * Fraction(2) ** int(p or 0)
    q = int(q, 16)
    assert q & (q - 1) and math.gcd(m, q) == 1, text
    return Fraction(m, q)


def bits(x):
    return abs(x.numerator).bit_length() + x.denominator.bit_length() + 1


ACTIVATIONS = {
    "identity": lambda t: t,
    "relu": lambda t: max(t, Fraction(0)),
    "threshold": lambda t: Fraction(t > 0),
    "softsign": lambda t: t / (1 + abs(t)),
    "sine": lambda t: Fraction(t.denominator > 1 and math.floor(t) % 2 == 0),
    "square": lambda t: t * t,
    "reciprocal": lambda t: 1 / t if t else t,
}


def two_layer(take):
    """The network, and its counts."""
    a = [number(take()) for _ in range(int(take("direction")))]
    units = [[number(word) for word in take().split(" ")] for _ in range(int(take("units")))]
    c = number(take("bias"))
    d, m, w = len(a), len(units), [w for _, w in units]
    zigzag = m > 0 and abs(w[0]) == 1 and all(w[j] == (-2 * w[0] if j % 2 else 2 * w[0]) for j in range(1, m))
    sizes = [bits(x) for x in [*a, *(x for unit in units for x in unit), *([c] if c else [])]]
    nonzero = m * sum(x != 0 for x in a) + sum(x != 0 for unit in units for x in unit) + (c != 0)
    counts = {"depth": 2, "units": m, "free": d + (c != 0) + (m if zigzag else 2 * m), "signs": int(zigzag),
              "nonzero": nonzero, "slots": m * (d + 2) + (c != 0), "dense": m * (d + 2) + 1,
              "bits": sum(sizes), "max-bits": max(sizes, default=0)}

    def outputs(x):
        z = sum(one * other for one, other in zip(a, x))
        return [sum((w * max(z - b, 0) for b, w in units), c)]

    return outputs, d, 1, counts


def layered(take):
    inputs, layers = int(take("inputs")), []
    width = inputs
    for _ in range(int(take("layers"))):
        layer = []
        for _ in range(int(take("layer"))):
            activation, bias, *rest = take().split(" ")
            weights = [(int(i), number(w)) for i, w in (word.split(":") for word in rest)]
            indices = [i for i, _ in weights]
            assert indices == sorted(set(indices)) and all(i < width and w for i, w in weights)
            layer.append((activation, number(bias), weights))
        layers.append(layer)
        width = len(layer)
    sizes = [bits(x) for layer in layers for _, bias, weights in layer
             for x in [*(w for _, w in weights), *([bias] if bias else [])]]
    hidden = layers[:-1]
    counts = {"depth": len(layers), "units": sum(unit[0] != "identity" for layer in hidden for unit in layer),
              "width": max(map(len, hidden), default=0), "nonzero": len(sizes), "bits": sum(sizes),
              "max-bits": max(sizes, default=0)}

    def outputs(x):
        for layer in layers:
            x = [ACTIVATIONS[name](sum((w * x[i] for i, w in weights), bias)) for name, bias, weights in layer]
        return x

    return outputs, inputs, width, counts


def main():
    data = open(sys.argv[1], "rb").read()
    end = data.rstrip(b"\n").rfind(b"\n") + 1
    assert data[end:] == b"digest %s\n" % hashlib.sha256(data[:end]).hexdigest().encode(), "digest"
    lines = data[:end].decode("ascii").split("\n")[:-1]

    def take(key=None):
        line = lines.pop(0)
        assert key is None or line.startswith(key + " "), (key, line)
        return line if key is None else line[len(key) + 1 :]

    form = {"shatter certificate 1": two_layer, "shatter layered certificate 1": layered}[take()]
    text, header, sha256 = take("sample"), take("points"), take("points-sha256")
    rule, seed, classes = re.fullmatch(r"(\S+) seed=(\d+) classes=(\d+)", take("labels")).groups()
    take("construction")
    claimed = dict(part.split("=") for part in take("counts").split(" "))
    outputs, d, width, counts = form(take)
    assert {key: str(value) for key, value in counts.items()} == claimed, counts
    n, _, target = take("targets").partition(" ")
    targets = [[number(word) for word in take().split(" ")] for _ in range(int(n))]
    assert not lines, lines

    points, own, count = sample(text)
    kind = "i64" if isinstance(points[0][0], int) else "f64"
    packed = lambda rows: b"".join(struct.pack("<q" if kind == "i64" else "<d", x) for row in rows for x in row)
    fingerprint = lambda rows: hashlib.sha256(
        f"shatter points 1 {kind} {len(rows)} {len(rows[0])}\n".encode() + packed(rows)).hexdigest()
    described = f"shatter classes {count}\n" if count else "shatter real 1\n"
    labelled = hashlib.sha256(
        fingerprint(points).encode() + described.encode() + struct.pack(f"<{len(own)}{'I' if count else 'd'}", *own))
    first = {}
    for point, label in zip(points, own):
        assert first.setdefault(tuple(point), label) == label or rule in ("random", "alternating"), point
    points, own = list(first), list(first.values())
    assert (header, sha256) == (f"{kind} {len(points)} {d}", fingerprint(points))
    assert int(classes) == (2 if rule == "alternating" else count)
    labels = relabelled(rule, int(seed), own, count)
    said = {
        "": lambda y: [Fraction(y)],
        "value": lambda y: [Fraction(y)],
        "one-hot": lambda y: [int(k == y) for k in range(int(classes))],
        "bits": lambda y: [y >> k & 1 for k in range(max(1, (int(classes) - 1).bit_length()))],
    }[target]
    for point, label, row in zip(points, labels, targets, strict=True):
        assert row == said(label) == outputs([Fraction(x) for x in point]) and len(row) == width, point
    print(json.dumps({"points": len(points), "points_sha256": sha256, "labelled_sha256": labelled.hexdigest()}))


main()
