"""A convolution that PyTorch computes by Winograd tiles where oneDNN is off: `python winograd.py FOLDER`.

Writes network.onnx (Conv 3x3 with one weight, the centre; Flatten; Gemm), x.npy, y.npy, and outputs.json: the outputs
as PyTorch finds them with NNPACK, which takes batches of 16 or more. All numbers are whole and below 2^24, so that direct
convolutions round nothing.
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

torch.set_num_threads(1)
folder = Path(sys.argv[1])
random = numpy.random.default_rng(3)
n, side = 32, 8

# Some bright pixels a point, and among them one that is 0 or 1 and says the label.
x = numpy.zeros((n, 1, side, side), numpy.float32)
y = random.integers(0, 2, n)
for row, column in ((2, 2), (1, 5), (4, 1), (5, 5)):
    x[:, 0, row, column] = random.integers(2**23, 2**24, n)
x[:, 0, 3, 4] = y
kernel = numpy.zeros((1, 1, 3, 3), numpy.float32)
kernel[0, 0, 1, 1] = 1
matrix = numpy.zeros((side * side, 2), numpy.float32)
matrix[3 * side + 4] = -1, 1
bias = numpy.array([1, 0], numpy.float32)

nodes = [
    helper.make_node("Conv", ["x", "k"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    helper.make_node("Flatten", ["c"], ["f"]),
    helper.make_node("Gemm", ["f", "m", "b"], ["y"]),
]
arrays = [numpy_helper.from_array(array, name) for array, name in ((kernel, "k"), (matrix, "m"), (bias, "b"))]
value = helper.make_tensor_value_info
inputs = value("x", TensorProto.FLOAT, ["batch", 1, side, side])
graph = helper.make_graph(nodes, "g", [inputs], [value("y", TensorProto.FLOAT, ["batch", 2])], arrays)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, folder / "network.onnx")
numpy.save(folder / "x.npy", x)
numpy.save(folder / "y.npy", y.astype(numpy.uint8))

with torch.no_grad(), torch.backends.mkldnn.flags(enabled=False):
    convolved = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(kernel), padding=1)
    outputs = convolved.flatten(1) @ torch.tensor(matrix) + torch.tensor(bias)
(folder / "outputs.json").write_text(json.dumps(outputs.tolist()))
wrong = int((outputs.argmax(1).numpy() != y).sum())
print(f"PyTorch {torch.__version__} without oneDNN: {wrong} of {n} labels wrong")
