"""Integer streams for trying the checker: zigzag networks on samples.

    streams.py random N D SEED      integer points up to 1000, labels -5 .. 9
    streams.py data N D SEED        such a sample over thirds, with an output
                                    constant and the thresholds of the rule `data`
    streams.py idx IMAGES N         the first N rows of a gzipped IDX file of
                                    images, random labels 1 .. 10, |a_k| <= 2^18
    streams.py spoil PLACE          the certificate on standard input with one digit
                                    changed, at PLACE sixths of the digits after the
                                    first line, or (PLACE exchange) with the first two
                                    thresholds exchanged; the digest is made anew
    streams.py alter WHAT           the stream on standard input with one number
                                    changed: label, threshold, weight, direction,
                                    constant, point, count, extra or short

It prints the stream that theories/CheckerDef.v documents.  Unless the rule is
`data`, the network is that of theories/Zigzag.v with SA = 1, SX = 2, SW = 1: the
direction is an integer and the thresholds are half integers.
"""
import array
import gzip
import hashlib
import itertools
import random
import re
import struct
import sys
from fractions import Fraction
from math import gcd


def zigzag(points, labels, direction):
    """The lines of the stream, or None if two projections agree."""
    d = len(direction)
    proj = [sum(p * q for p, q in zip(direction, z)) for z in points]
    order = sorted(range(len(points)), key=proj.__getitem__)
    x = [proj[i] for i in order]
    y = [labels[i] for i in order]
    n = len(x)
    if any(x[i] == x[i + 1] for i in range(n - 1)):
        return None
    scale = 1
    while any(abs(y[i + 1] - y[i]) >= scale * (x[i + 1] - x[i]) for i in range(n - 1)):
        scale *= 2
    a = [scale * v for v in direction]
    x = [scale * v for v in x]
    sign = 1 if y[0] >= 0 else -1
    pairs = [(2 * (x[0] - abs(y[0])), sign)]
    for i in range(n - 1):
        pairs.append((x[i] + x[i + 1] + sign * (y[i + 1] - y[i]), -2 * sign))
        sign = -sign
    lines = ["1 %d %d %d 1 2 1" % (d, n, n), " ".join(map(str, a))]
    lines += ["%d %d" % p for p in pairs]
    lines.append("0")
    for i, t in zip(order, y):
        lines.append(" ".join([str(2 * v) for v in points[i]] + [str(2 * t)]))
    return lines


def data(points, labels, direction):
    """The same for b_1 = x_1 - 1, b_(i+1) = x_i and the output constant 5/7."""
    proj = [sum(p * q for p, q in zip(direction, z)) for z in points]
    order = sorted(range(len(points)), key=proj.__getitem__)
    x = [proj[i] for i in order]
    y = [labels[i] - Fraction(5, 7) for i in order]
    n = len(x)
    if any(x[i] == x[i + 1] for i in range(n - 1)):
        return None
    slopes = [y[0]] + [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(n - 1)]
    w = [slopes[0]] + [slopes[i] - slopes[i - 1] for i in range(1, n)]
    sa, sx = 2, 3
    # A = direction and X = points, so that x is scaled by sa * sx
    sw = 7
    for t in w:
        sw = sw * t.denominator // gcd(sw, t.denominator)
    b = [x[0] - 1] + x[:-1]
    lines = ["1 %d %d %d %d %d %d" % (len(direction), n, n, sa, sx, sw)]
    lines.append(" ".join(map(str, direction)))
    lines += ["%d %d" % (p, q * sw) for p, q in zip(b, w)]
    lines.append(str(Fraction(5, 7) * sw))
    for i, t in zip(order, y):
        lines.append(" ".join(map(str, list(points[i]) + [(t + Fraction(5, 7)) * sw])))
    return lines


def sample(argv):
    rule = data if argv[0] == "data" else zigzag
    if argv[0] in ("random", "data"):
        n, d, seed = map(int, argv[1:4])
        rng = random.Random(seed)
        points = [[rng.randint(-1000, 1000) for _ in range(d)] for _ in range(n)]
        labels = [rng.randint(-5, 9) for _ in range(n)]
        reach = 2 ** 20
    else:
        rng = random.Random(1)
        with gzip.open(argv[1]) as f:
            _, total, rows, cols = struct.unpack(">IIII", f.read(16))
            d = rows * cols
            points = [array.array("B", f.read(d)) for _ in range(min(int(argv[2]), total))]
        labels = [rng.randint(1, 10) for _ in points]
        reach = 2 ** 18
    while True:
        direction = [rng.randint(-reach, reach) for _ in range(d)]
        lines = rule(points, labels, direction)
        if lines is not None:
            return lines


def alter(what, text):
    """The text with one number changed, in the middle of the part named."""
    numbers = re.finditer(r"\S+", text)
    header = [next(numbers) for _ in range(7)]
    d, m, n = (int(header[i].group()) for i in (1, 2, 3))
    if what == "extra":
        return text + "0\n"
    if what == "short":
        text = text.rstrip()
        end = len(text)
        while not text[end - 1].isspace():
            end -= 1
        return text[:end]
    if what == "count":
        at = header[3]
        new = int(at.group()) + 1
    else:
        thresholds = 7 + d
        constant = thresholds + 2 * m
        row = constant + 1 + (n // 2) * (d + 1)
        middle = thresholds + 2 * (m // 2)
        index = {"label": row + d, "threshold": middle, "weight": middle + 1,
                 "direction": 7 + d // 2, "constant": constant, "point": row + d // 2}
        at = next(itertools.islice(numbers, index[what] - 7, None))
        new = int(at.group()) ^ 1
    return text[:at.start()] + str(new) + text[at.end():]


def spoil(place, text):
    """A certificate with one digit changed, or two thresholds exchanged, and a fresh digest."""
    body = text[:text.rindex("digest ")]
    if place == "exchange":
        lines = body.split("\n")
        at = next(i for i, line in enumerate(lines) if line.startswith("units ")) + 1
        (b, w), (c, v) = lines[at].split(" "), lines[at + 1].split(" ")
        lines[at], lines[at + 1] = c + " " + w, b + " " + v
        body = "\n".join(lines)
    else:
        start = text.find("\n") + 1
        at = [i for i in range(start, len(body)) if body[i].isdigit()]
        i = at[len(at) * int(place) // 6]
        body = body[:i] + str((int(body[i]) + 1) % 10) + body[i + 1:]
    return body + "digest " + hashlib.sha256(body.encode()).hexdigest() + "\n"


def main(argv):
    if argv and argv[0] == "spoil":
        sys.stdout.write(spoil(argv[1], sys.stdin.read()))
        return
    if argv and argv[0] == "alter":
        sys.stdout.write(alter(argv[1], sys.stdin.read()))
        return
    for line in sample(argv):
        sys.stdout.write(line + "\n")


main(sys.argv[1:])
