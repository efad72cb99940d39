"""Runs an exported construction in ONNX Runtime and compares it with the targets of its certificate.

usage: onnx_error.py MODEL.onnx CERTIFICATE POINTS... [--first N]

POINTS are one .npy file, one IDX file of images (.gz or not), or CIFAR-10's data_batch_*.bin. The
file is held against ONNX's own checker first. Prints one JSON object. Needs onnx and onnxruntime.
"""

import argparse
import gzip
import json

import numpy
import onnx
import onnxruntime

ROWS = 1000


def points(paths):
    if paths[0].endswith(".npy"):
        return numpy.load(paths[0])
    if paths[0].endswith(".bin"):
        rows = [numpy.fromfile(path, numpy.uint8).reshape(-1, 3073)[:, 1:] for path in paths]
        return numpy.concatenate(rows)
    read = gzip.open if paths[0].endswith(".gz") else open
    with read(paths[0], "rb") as file:
        data = file.read()
    sides = numpy.frombuffer(data, ">u4", data[3], 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(sides[0], -1)


def number(text):
    """A number of a certificate: hexadecimal mantissa, p, binary exponent; or a fraction."""
    if "/" in text:
        raise SystemExit("a target is no binary number")
    mantissa, _, exponent = text.partition("p")
    return float(int(mantissa, 16)) * 2.0 ** int(exponent or 0)


def targets(path):
    with open(path) as file:
        lines = file.read().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("targets "))
    count = int(lines[at].split()[1])
    return numpy.array([[number(x) for x in line.split()] for line in lines[at + 1 : at + 1 + count]])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("certificate")
    parser.add_argument("points", nargs="+")
    parser.add_argument("--first", type=int)
    arguments = parser.parse_args()
    onnx.checker.check_model(arguments.model, full_check=True)
    metadata = {entry.key: entry.value for entry in onnx.load(arguments.model).metadata_props}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    x = points(arguments.points)[: arguments.first]
    wanted = targets(arguments.certificate)
    assert len(x) == len(wanted), f"{len(x)} points, {len(wanted)} targets"
    x = x.reshape(len(x), -1)
    kind = numpy.float64 if session.get_inputs()[0].type == "tensor(double)" else numpy.float32
    largest, wrong = 0.0, 0
    for begin in range(0, len(x), ROWS):
        found = session.run(None, {"x": x[begin : begin + ROWS].astype(kind)})[0]
        error = abs(found.astype(numpy.float64) - wanted[begin : begin + ROWS])
        assert not numpy.isnan(error).any()
        largest = max(largest, float(error.max()))
        wrong += int((error.max(axis=1) > 0).sum())
    report = {"points": len(x), "largest_error": largest, "wrong": wrong, "type": kind.__name__}
    print(json.dumps({**report, "construction": metadata.get("construction")}))


main()
