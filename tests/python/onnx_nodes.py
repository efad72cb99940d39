"""Writes small ONNX files of one or a few nodes, drawn at random, with what ONNX Runtime makes of them.

usage: onnx_nodes.py FOLDER SEED COUNT

Writes N.onnx for N from 0, and index.json: a list of {file, operator, shape, points, outputs}. Weights and points are
small whole numbers (halves and quarters where an operator divides), so that nothing rounds and outputs are equal, not
near. The first side of inputs is a batch of any size, or 1, or is not there. Files that ONNX Runtime refuses are drawn
again. Needs numpy, onnx and onnxruntime.
"""

import json
import pathlib
import sys

import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

folder, seed, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random = numpy.random.default_rng(seed)
onnxruntime.set_default_logger_severity(4)
FLOAT = numpy.float32


def one(*choices):
    return choices[random.integers(len(choices))]


def small(*shape):
    return random.integers(-4, 5, shape).astype(FLOAT)


class Draft:
    """A graph that grows from `x`."""

    def __init__(self, batch):
        self.nodes, self.tensors = [], []
        self.batch = batch
        self.name, self.attributes = "x", {}

    def tensor(self, array):
        name = f"c{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(numpy.asarray(array), name))
        return name

    def whole(self, *numbers):
        return self.tensor(numpy.array(numbers, numpy.int64))

    def add(self, operator, *inputs, outputs=1, **attributes):
        made = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), made, **attributes))
        return made[0] if outputs == 1 else made


def windows(draft, dims):
    """Attributes of a window along so many sides."""
    found = {"strides": [int(one(1, 1, 2, 3)) for _ in range(dims)]}
    way = one("pads", "pads", "auto", "none")
    if way == "pads":
        found["pads"] = [int(one(0, 0, 1)) for _ in range(2 * dims)]
    elif way == "auto":
        found["auto_pad"] = one("SAME_UPPER", "SAME_LOWER", "VALID")
    return found


def convolution(draft, shape):
    channels, dims = shape[0], len(shape) - 1
    group = one(*[g for g in (1, 2, 3, 4) if channels % g == 0])
    outputs = group * int(one(1, 2))
    kernel = [int(one(1, 2, 3)) for _ in range(dims)]
    attributes = windows(draft, dims)
    if one(True, False) and attributes.get("auto_pad") in (None, "VALID"):
        attributes["dilations"] = [int(one(1, 2)) for _ in range(dims)]
    inputs = ["x", draft.tensor(small(outputs, channels // group, *kernel))]
    if one(True, False):
        inputs.append(draft.tensor(small(outputs)))
    return draft.add("Conv", *inputs, group=group, kernel_shape=kernel, **attributes)


def max_pool(draft, shape):
    dims = len(shape) - 1
    kernel = [int(one(2, 3)) for _ in range(dims)]
    attributes = windows(draft, dims)
    if "auto_pad" not in attributes:
        attributes["ceil_mode"] = int(one(0, 1))
        attributes["dilations"] = [int(one(1, 1, 2)) for _ in range(dims)]
    return draft.add("MaxPool", "x", kernel_shape=kernel, **attributes)


def average_pool(draft, shape):
    dims = len(shape) - 1
    attributes = windows(draft, dims)
    padded = int(one(0, 1))
    if "auto_pad" not in attributes and not padded:
        attributes["ceil_mode"] = int(one(0, 1))
    # By 1, 2 and 4, which divide without rounding; where a padding of 1 leaves 3 or 6, means are near.
    return draft.add("AveragePool", "x", kernel_shape=[int(one(1, 2)) for _ in range(dims)], count_include_pad=padded, **attributes)


def whole_shape(draft, shape):
    """The shape of x as ONNX sees it, and which of its sides is the batch."""
    return ([] if draft.batch == "none" else [1]) + list(shape), None if draft.batch == "none" else 0


def transpose(draft, shape):
    full, _ = whole_shape(draft, shape)
    return draft.add("Transpose", "x", perm=[int(k) for k in random.permutation(len(full))])


def sliced(draft, shape):
    full, batch = whole_shape(draft, shape)
    axes = [k for k in range(len(full)) if k != batch and one(True, False)] or [len(full) - 1]
    starts, ends, steps = [], [], []
    for axis in axes:
        side = full[axis]
        step = int(one(1, 1, 2, -1, -2))
        start, end = (int(random.integers(-side, side)), int(random.integers(-side - 1, side + 2)))
        if one(True, False):
            start, end = (0, one(2**31 - 1, 2**63 - 1)) if step > 0 else (side - 1, -(2**63) + 1)
        starts.append(start), ends.append(end), steps.append(step)
    axes = [axis - len(full) if one(True, False) else axis for axis in axes]
    return draft.add("Slice", "x", draft.whole(*starts), draft.whole(*ends), draft.whole(*axes), draft.whole(*steps))


def gather(draft, shape):
    full, batch = whole_shape(draft, shape)
    axis = int(one(*[k for k in range(len(full)) if k != batch]))
    indices = random.integers(-full[axis], full[axis], one((), (1,), (3,), (2, 2)))
    return draft.add("Gather", "x", draft.tensor(numpy.array(indices, numpy.int64)), axis=axis)


def split(draft, shape):
    full, batch = whole_shape(draft, shape)
    axis = int(one(*[k for k in range(len(full)) if k != batch]))
    side = full[axis]
    if side < 2:
        return draft.add("Identity", "x")
    first = int(random.integers(1, side))
    parts = draft.add("Split", "x", draft.whole(first, side - first), outputs=2, axis=axis)
    return draft.add("Concat", parts[1], parts[0], axis=axis)


def concat(draft, shape):
    full, batch = whole_shape(draft, shape)
    axis = int(one(*[k for k in range(len(full)) if k != batch]))
    other = draft.add("Neg", "x")
    third = draft.add("Slice", "x", draft.whole(0), draft.whole(1), draft.whole(axis))
    return draft.add("Concat", "x", other, third, axis=axis - len(full) if one(True, False) else axis)


def pad(draft, shape):
    full, batch = whole_shape(draft, shape)
    mode = one("constant", "constant", "reflect", "edge")
    low = -1 if mode == "constant" else 0
    sides = [0 if k == batch else min(1, full[k] - 1) for k in range(len(full))]
    pads = [int(random.integers(low if side else 0, side + 1)) for side in sides + sides]
    inputs = ["x", draft.whole(*pads)]
    if mode == "constant" and one(True, False):
        inputs.append(draft.tensor(FLOAT(one(0, 2, -1))))
    return draft.add("Pad", *inputs, mode=mode)


def squeezes(draft, shape):
    axis = int(one(1, -1)) if draft.batch != "none" else int(one(0, -1))
    made = draft.add("Unsqueeze", "x", draft.whole(axis))
    made = draft.add("Abs", made)
    return draft.add("Squeeze", made, draft.whole(axis)) if one(True, False) else made


def reshape(draft, shape):
    total = int(numpy.prod(shape))
    divisors = [d for d in range(1, total + 1) if total % d == 0]
    first = int(one(*divisors))
    if draft.batch == "none":
        wanted = one((first, -1), (-1, total // first), (0, -1))
    elif draft.batch == "one":
        wanted = one((1, -1), (1, first, -1), (0, -1), (first, total // first), (-1, first))
    else:
        wanted = one((0, -1), (-1, total), (-1, first, total // first), (0, 0, -1))
    if draft.batch == "any" and one(True, False):
        # As x.view(x.size(0), first, -1) is exported.
        size = draft.add("Gather", draft.add("Shape", "x"), draft.tensor(numpy.array(0, numpy.int64)), axis=0)
        size = draft.add("Unsqueeze", size, draft.whole(0))
        wanted = draft.add("Concat", size, draft.whole(first, -1), axis=0)
        return draft.add("Reshape", "x", wanted)
    return draft.add("Reshape", "x", draft.whole(*wanted))


def flatten(draft, shape):
    rank = len(shape) + (draft.batch != "none")
    low = 1 if draft.batch == "any" else 0
    axis = one(1, int(random.integers(low, rank + 1))) if draft.batch != "any" else one(1, 1 - rank)
    return draft.add("Flatten", "x", axis=axis)


def reduction(draft, shape):
    full, batch = whole_shape(draft, shape)
    operator = one("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin")
    axes = [k for k in range(len(full)) if k != batch and one(True, False)] or [len(full) - 1]
    if operator == "ReduceMean":  # by powers of two, nothing rounds
        axes = [axis for axis in axes if full[axis] in (1, 2, 4)]
        if not axes:
            operator, axes = "ReduceSum", [len(full) - 1]
    axes = [axis - len(full) if one(True, False) else axis for axis in axes]
    return draft.add(operator, "x", draft.whole(*axes), keepdims=int(one(0, 1)))


def constants(draft, shape):
    operator = one("Add", "Sub", "Mul", "Div")
    full, batch = whole_shape(draft, shape)
    sides = [1 if k == batch or one(True, False) else side for k, side in enumerate(full)]
    sides = sides[int(random.integers(len(sides))) :]
    c = draft.tensor(random.choice([-4, -2, -1, 1, 2, 4], sides).astype(FLOAT))
    return draft.add(operator, *(("x", c) if operator == "Div" or one(True, False) else (c, "x")))


def two_values(draft, shape):
    full, batch = whole_shape(draft, shape)
    operator = one("Add", "Sub", "Max", "Min")
    other = draft.add("Relu", "x")
    axis = int(one(*[k for k in range(len(full)) if k != batch]))
    other = draft.add("ReduceMax", other, draft.whole(axis), keepdims=1)
    return draft.add(operator, *one(("x", other), (other, "x")))


def functions(draft, shape):
    operator = one("LeakyRelu", "PRelu", "Clip", "Abs", "Neg", "HardSigmoid", "Max", "Min", "ThresholdedRelu", "Square")
    if operator == "LeakyRelu":
        return draft.add(operator, "x", alpha=one(0.25, -0.5, 2.0))
    if operator == "PRelu":
        sides = [1 if one(True, False) else side for side in shape][int(random.integers(len(shape))) :]
        return draft.add(operator, "x", draft.tensor(random.choice([-1, 0, 0.5, 2], sides).astype(FLOAT)))
    if operator == "Clip":
        bounds = one(("0", "3"), ("-1", ""), ("", "2"), ("0", ""))
        return draft.add(operator, "x", *[draft.tensor(FLOAT(bound)) if bound else "" for bound in bounds])
    if operator == "HardSigmoid":
        return draft.add(operator, "x", alpha=0.25, beta=0.5)
    if operator in ("Max", "Min"):
        return draft.add(operator, "x", draft.tensor(FLOAT(one(-1, 0, 1))))
    if operator == "ThresholdedRelu":
        return draft.add(operator, "x", alpha=0.0)
    return draft.add("Mul", "x", "x") if operator == "Square" else draft.add(operator, "x")


def products(draft, shape):
    if len(shape) > 1 and one(True, False):
        return draft.add("MatMul", draft.tensor(small(3, shape[-2])), "x") if len(shape) == 2 else draft.add("Neg", "x")
    weights = small(shape[-1]) if one(True, False, False) else small(shape[-1], 3)
    return draft.add("MatMul", "x", draft.tensor(weights))


def gemm(draft, shape):
    turned = int(one(0, 1))
    weights = small(3, shape[0]) if turned else small(shape[0], 3)
    inputs = ["x", draft.tensor(weights)]
    if one(True, False):
        inputs.append(draft.tensor(one(small(3), small(1, 3), small(1), numpy.array(2, FLOAT))))
    return draft.add("Gemm", *inputs, transB=turned, alpha=one(1.0, 0.5, -2.0), beta=one(1.0, 2.0))


IMAGES = [(2, 5, 4), (4, 4, 4), (3, 7, 2), (6, 3, 5), (4, 6), (2, 7)]
ANY = IMAGES + [(6,), (1,), (2, 1, 4), (2, 2, 2)]
KINDS = [
    (convolution, IMAGES), (convolution, IMAGES), (max_pool, IMAGES), (average_pool, IMAGES), (transpose, ANY),
    (sliced, ANY), (gather, ANY), (split, ANY), (concat, ANY), (pad, ANY), (squeezes, ANY), (reshape, ANY),
    (flatten, ANY), (reduction, ANY), (constants, ANY), (two_values, ANY), (functions, ANY), (products, ANY[4:]),
    (gemm, [(5,), (1,)]),
]  # fmt: skip


def main():
    index = []
    while len(index) < count:
        kind, shapes = KINDS[len(index) % len(KINDS)]
        shape = one(*shapes)
        batched = kind in (convolution, max_pool, average_pool, gemm)
        batch = one("any", "one") if batched or len(shape) > 1 else one("any", "one", "none")
        draft = Draft(batch)
        made = kind(draft, shape)
        sides = {"any": ["batch"], "one": [1], "none": []}[batch] + list(shape)
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, sides)
        output = helper.make_tensor_value_info(made, TensorProto.FLOAT, None)
        graph = helper.make_graph(draft.nodes, "g", [value], [output], draft.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        points = random.integers(-6, 7, (3, *shape)).astype(FLOAT)
        name = f"{len(index)}.onnx"
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            rows = [session.run(None, {"x": point if batch == "none" else point[None]})[0] for point in points]
        except Exception:  # not a valid file
            continue
        if rows[0].size == 0:
            continue
        (folder / name).write_bytes(model.SerializeToString())
        index.append({
            "file": name, "operator": kind.__name__, "batch": batch, "shape": list(shape),
            "points": [point.ravel().astype(float).tolist() for point in points],
            "outputs": [row.ravel().astype(float).tolist() for row in rows],
        })  # fmt: skip
    (folder / "index.json").write_text(json.dumps(index))


main()
