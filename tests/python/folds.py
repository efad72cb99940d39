"""Random networks whose products, additions and normalizations a runtime folds, and their outputs in ONNX
Runtime at every level of optimization, held against certificates.

usage: folds.py make FOLDER COUNT     writes x.npy, y.npy and network0.onnx, …
       folds.py hold FOLDER COUNT     reads certificate0.txt, …, and prints how many margins were held
       folds.py lost FOLDER           writes lost.onnx, x.npy, y.npy; prints its outputs at each level

Numbers are small multiples of powers of two in many networks, so that much is exact until something is
folded, and terms cancel. Needs numpy, onnx and onnxruntime.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

task, folder = sys.argv[1], pathlib.Path(sys.argv[2])
count = int(sys.argv[3]) if len(sys.argv) > 3 else 0
POINTS, CLASSES = 40, 3
LEVELS = onnxruntime.GraphOptimizationLevel
LEVELS = [LEVELS.ORT_DISABLE_ALL, LEVELS.ORT_ENABLE_BASIC, LEVELS.ORT_ENABLE_EXTENDED, LEVELS.ORT_ENABLE_ALL]


def network(seed):
    random = numpy.random.default_rng(seed)
    nodes, constants = [], []

    def constant(name, *shape, positive=False):
        kind = random.integers(3)
        if kind == 0:
            values = random.standard_normal(shape)
        else:
            values = random.integers(-4, 5, shape) * 2.0 ** random.integers(-12, 13, shape)
        if positive:
            values = abs(values) + 0.1
        constants.append(numpy_helper.from_array(values.astype(numpy.float32), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def normalized(x, name, channels):
        parts = [constant(f"{name}_{k}", channels) for k in range(3)]
        variance = constant(f"{name}_variance", channels, positive=True)
        return node("BatchNormalization", [x, *parts, variance], name)

    def added(x, name, channels):
        return node("Add", [x, constant(f"{name}_by", channels, 1, 1)], name)

    x = "x"
    if random.integers(2):
        x = normalized(x, "first", 2)
    weights = constant("w", 4, 2, 3, 3)
    x = node("Conv", [x, weights] + [constant("b", 4)] * int(random.integers(2)), "c", pads=[1] * 4)
    for step in range(random.integers(3)):
        x = (added if random.integers(2) else normalized)(x, f"s{step}", 4)
    skip = node("Relu", [x], "r")
    x = node("Conv", [skip, constant("v", 4, 4, 1, 1)], "d")
    if random.integers(2):
        x = node("Add", [x, skip], "skip")
    if random.integers(2):
        x = added(normalized(x, "n", 4), "a", 4)
    if random.integers(2):
        x = node("Relu", [x], "q")
    x = node("AveragePool" if random.integers(2) else "MaxPool", [x], "p", kernel_shape=[2, 2], strides=[2, 2])
    x = node("Flatten", [x], "f")
    x = node("MatMul", [x, constant("u", 16, CLASSES)], "m")
    x = node("Add", [x, constant("e", CLASSES)], "g")
    if random.integers(2):
        x = normalized(x, "last", CLASSES)
    node("Identity", [x], "y")
    shape = ["batch", 2, 4, 4]
    graph = helper.make_graph(
        nodes, "folds",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", CLASSES])],
        constants,
    )  # fmt: skip
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


def number(text):
    if text.endswith("inf"):
        return float(text)
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    mantissa, _, exponent = text.partition("p")
    return sign * int(mantissa, 16) * 2.0 ** int(exponent or 0)


def outputs(path, x, level):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0].astype(float)


def margins(path, x, y, level):
    found = outputs(path, x, level)
    own = found[numpy.arange(len(y)), y]
    found[numpy.arange(len(y)), y] = -numpy.inf
    return own - found.max(1)


def lost():
    """±2^20 a thousand times, and 2^-6 that is added: to a sum of 0, or to one that is still large."""
    weights = numpy.zeros((1024, 2), numpy.float32)
    weights[:512, 0], weights[512:, 0] = 2**20, -(2**20)
    by = numpy.array([2.0**-6, 2.0**-7], numpy.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])], "lost",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1024])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(by, "b")],
    )  # fmt: skip
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


if task == "lost":
    x = numpy.ones((2, 1024), numpy.float32)
    numpy.save(folder / "x.npy", x)
    numpy.save(folder / "y.npy", numpy.array([0, 1], numpy.uint8))
    onnx.save(lost(), folder / "lost.onnx")
    print([outputs(folder / "lost.onnx", x, level)[0].tolist() for level in LEVELS])
    sys.exit()
if task == "make":
    random = numpy.random.default_rng(0)
    x = random.integers(-9, 10, (POINTS, 2, 4, 4)) * 2.0 ** random.integers(-3, 4, (POINTS, 1, 1, 1))
    numpy.save(folder / "x.npy", x.astype(numpy.float32))
    numpy.save(folder / "y.npy", random.integers(CLASSES, size=POINTS).astype(numpy.uint8))
    for seed in range(count):
        model = network(seed)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, folder / f"network{seed}.onnx")
    sys.exit()
x, y = numpy.load(folder / "x.npy"), numpy.load(folder / "y.npy")
held = differing = 0
for seed in range(count):
    lines = (folder / f"certificate{seed}.txt").read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("verdicts "))
    lines = [line.split() for line in lines[at + 1 : at + 1 + len(x)]]
    found = [margins(folder / f"network{seed}.onnx", x, y, level) for level in LEVELS]
    differing += sum(len(set(column)) > 1 for column in zip(*found))
    for i, (verdict, *numbers) in enumerate(lines):
        numbers = [number(text) for text in numbers]
        rounding = numbers[-1]
        low = {"margin": numbers[0], "undecided": numbers[0], "exact": 1.0}.get(verdict, -numpy.inf)
        high = {"misfit": numbers[0], "undecided": numbers[-2], "exact": 1.0}.get(verdict, numpy.inf)
        for margin in (column[i] for column in found):
            # One more rounding, of the margin in binary64.
            slack = 1e-15 * (abs(margin) + rounding)
            assert low - rounding - slack <= margin <= high + rounding + slack, (seed, i, lines[i], margin)
            held += 1
print(f"{held} margins held, {differing} points differ between levels")
assert differing > 0, "nothing is folded"
