"""Exports common modules of torch.nn and small networks as people do, with PyTorch's own answers.

usage: torch_modules.py FOLDER [NAME ...]

Writes for each of the networks below, or for those named, NAME.x.npy (points) and NAME.y.npy (labels: PyTorch's
argmax in float64 of the same numbers), and three files, one a way to export:

    NAME.dynamo.onnx   torch.onnx.export(model, (x[:1],), file): a batch of 1, weights in NAME.dynamo.onnx.data
    NAME.script.onnx   the same with dynamo=False
    NAME.batch.onnx    with a dynamic batch (dynamic_shapes)

and index.json: a list of {name, way, file, points, labels, outputs, runtime, probabilities} where `outputs` are
PyTorch's in the network's own type, `runtime` those of ONNX Runtime (null where it does not run the file), and
`probabilities` says that the network ends in a softmax. Of 64 points those 12 are kept that are furthest from a
tie. Needs torch, onnx, onnxruntime and onnxscript.
"""

import copy
import json
import logging
import pathlib
import sys
import warnings

import numpy
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
onnxruntime.set_default_logger_severity(4)

CANDIDATES, POINTS = 64, 12


class Function(nn.Module):
    """Modules and what is done with them."""

    def __init__(self, function, *modules):
        super().__init__()
        self.parts = nn.ModuleList(modules)
        self.function = function

    def forward(self, x):
        return self.function(x, *self.parts)


class Standardized(nn.Module):
    """(x - mean) / std, a number a channel, before a network."""

    def __init__(self, mean, std, network):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))
        self.network = network

    def forward(self, x):
        return self.network((x - self.mean) / self.std)


class Residual(nn.Module):
    """A basic block; its way around is a 1 x 1 convolution where shapes change."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip
        self.around = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.around = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return functional.relu(self.way(x) + self.around(x))


class Inverted(nn.Module):
    """An inverted residual of MobileNetV2."""

    def __init__(self, inputs, outputs, stride, times):
        super().__init__()
        hidden = inputs * times
        self.around = stride == 1 and inputs == outputs
        self.way = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(),
            nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
        )  # fmt: skip

    def forward(self, x):
        return x + self.way(x) if self.around else self.way(x)


def perceptron(activation, last=None):
    layers = [nn.Linear(6, 16), activation, nn.Linear(16, 4)]
    return nn.Sequential(*layers, *([last] if last else []))


def image(*layers, features, classes=4):
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, classes))


def shuffled(x):
    batch, channels, height, width = x.shape
    x = x.view(batch, 2, channels // 2, height, width)
    return x.transpose(1, 2).contiguous().view(batch, channels, height, width)


def halves(x, first, second, last):
    left, right = torch.chunk(first(x), 2, dim=1)
    return last(torch.cat((functional.relu(left), second(right)), dim=1))


def inception(x, one, three, pooled, last):
    branches = (one(x), three(x), pooled(functional.max_pool2d(x, 3, 1, 1)))
    return last(torch.flatten(functional.relu(torch.cat(branches, 1)), 1))


def dense_block(x, one, two, last):
    x = torch.cat((x, functional.relu(one(x))), 1)
    x = torch.cat((x, functional.relu(two(x))), 1)
    return last(x.mean((2, 3)))


def networks():
    """Name, network and shape of a point; a scale where points are not standard normal."""
    flat, picture = (6,), (3, 8, 8)
    conv = nn.Conv2d
    yield "linear", nn.Linear(6, 4), flat
    yield "relu", perceptron(nn.ReLU()), flat
    yield "leaky_relu", perceptron(nn.LeakyReLU(0.1)), flat
    yield "prelu", perceptron(nn.PReLU()), flat
    yield "prelu_channels", image(conv(3, 4, 3), nn.PReLU(4), features=144), picture
    yield "relu6", perceptron(nn.ReLU6()), flat
    yield "hardtanh", perceptron(nn.Hardtanh()), flat
    yield "hardsigmoid", perceptron(nn.Hardsigmoid()), flat
    yield "softmax", perceptron(nn.ReLU(), nn.Softmax(dim=1)), flat
    yield "log_softmax", perceptron(nn.ReLU(), nn.LogSoftmax(dim=1)), flat
    yield "dropout", nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 4)), flat
    yield "identity", nn.Sequential(nn.Identity(), nn.Linear(6, 16), nn.Identity(), nn.ReLU(), nn.Linear(16, 4)), flat
    yield "abs", Function(lambda x, a, b: b(torch.abs(a(x))), nn.Linear(6, 16), nn.Linear(16, 4)), flat
    yield "neg", Function(lambda x, a, b: -b(functional.relu(-a(x))), nn.Linear(6, 16), nn.Linear(16, 4)), flat
    yield "clamp", Function(lambda x, a, b: b(a(x).clamp(-0.5, 1.5)), nn.Linear(6, 16), nn.Linear(16, 4)), flat
    yield "maximum", Function(
        lambda x, a, b: b(torch.maximum(a(x), torch.tensor(0.25))), nn.Linear(6, 16), nn.Linear(16, 4)
    ), flat
    yield "scaled", Function(lambda x, a: a(x / 255), perceptron(nn.ReLU())), flat, 255
    yield "scaled_outputs", Function(lambda x, a: 0.5 * a(2 * x - 1) + 3, perceptron(nn.ReLU())), flat
    yield "standardized", Standardized(
        [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], image(conv(3, 4, 3), nn.ReLU(), features=144)
    ), picture
    yield "unflatten", nn.Sequential(
        nn.Linear(6, 16), nn.ReLU(), nn.Unflatten(1, (1, 4, 4)), conv(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4)
    ), flat
    yield "view", Function(
        lambda x, a, b: b(functional.relu(a(x)).view(x.size(0), -1)), conv(3, 4, 3), nn.Linear(144, 4)
    ), picture
    yield "reshape", Function(
        lambda x, a, b: b(functional.relu(a(x)).reshape(-1, 4 * 6 * 6)), conv(3, 4, 3), nn.Linear(144, 4)
    ), picture
    yield "permute", Function(
        lambda x, a, b: b(functional.relu(a(x)).permute(0, 2, 3, 1).flatten(1)), conv(3, 4, 3), nn.Linear(144, 4)
    ), picture
    yield "transpose", Function(lambda x, a, b: b(a(x.transpose(1, 2)).flatten(1)), nn.Linear(5, 7), nn.Linear(28, 4)), (5, 4)
    yield "squeeze", Function(
        lambda x, a, b: b(functional.relu(a(x.unsqueeze(1))).mean(3, keepdim=True).squeeze(3).flatten(1)),
        conv(1, 3, 3), nn.Linear(9, 4),
    ), (5, 5)  # fmt: skip
    yield "chunk", Function(halves, nn.Linear(6, 16), nn.ReLU6(), nn.Linear(16, 4)), flat
    yield "slices", Function(
        lambda x, a, b: a(x[:, :3]) + b(functional.relu(x[:, 3:])), nn.Linear(3, 4), nn.Linear(3, 4)
    ), flat
    yield "conv1d", image(nn.Conv1d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), features=20), (2, 10)
    yield "conv1d_dilated", image(
        nn.Conv1d(2, 4, 3, dilation=2), nn.ReLU(), nn.BatchNorm1d(4), nn.AvgPool1d(2), features=12
    ), (2, 10)
    yield "conv2d_groups", image(conv(4, 6, 3, groups=2), nn.ReLU(), features=216), (4, 8, 8)
    yield "conv2d_separable", image(
        conv(3, 6, 3, padding=1, groups=3), conv(6, 5, 1), nn.ReLU(), features=320
    ), picture
    yield "conv2d_dilated", image(conv(3, 4, 3, dilation=(2, 1)), nn.ReLU(), features=96), picture
    yield "conv2d_same", image(
        conv(3, 4, 3, padding="same"), nn.ReLU(), conv(4, 2, (2, 4), padding="same"), features=128
    ), picture
    yield "zero_pad", image(nn.ZeroPad2d((1, 2, 0, 1)), conv(3, 4, 3), nn.ReLU(), features=252), picture
    yield "constant_pad", image(
        conv(3, 4, 3), nn.ReLU(), nn.ConstantPad2d((1, 0, 1, 0), 0.0), nn.MaxPool2d(3, 2), features=36
    ), picture
    yield "max_pool_ceil", image(conv(3, 4, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1, ceil_mode=True), features=64), picture
    yield "avg_pool_padded", image(
        conv(3, 4, 3), nn.ReLU(), nn.AvgPool2d(3, 2, 1, count_include_pad=False), features=36
    ), picture
    yield "avg_pool_ceil", image(nn.AvgPool2d(3, 2, 1, ceil_mode=True), features=75), picture
    yield "adaptive_pool", image(conv(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), features=8), picture
    yield "adaptive_pool_2", image(conv(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), features=16), picture
    yield "batch_norm_1d", nn.Sequential(
        nn.BatchNorm1d(6), nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 4)
    ), flat
    yield "batch_norm_2d", image(conv(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.MaxPool2d(2), features=36), picture
    yield "inception", Function(
        inception, conv(3, 2, 1), conv(3, 3, 3, padding=1), conv(3, 2, 1), nn.Linear(448, 4)
    ), picture
    yield "dense_block", Function(
        dense_block, conv(3, 4, 3, padding=1), conv(7, 4, 3, padding=1), nn.Linear(11, 4)
    ), picture
    yield "shuffle", Function(
        lambda x, a, b, c: c(functional.relu(b(shuffled(functional.relu(a(x))))).mean((2, 3))),
        conv(4, 8, 1, groups=2), conv(8, 8, 3, groups=4), nn.Linear(8, 4),
    ), (4, 6, 6)  # fmt: skip
    yield "lenet", nn.Sequential(
        conv(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), conv(6, 8, 3), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 24), nn.ReLU(), nn.Linear(24, 10),
    ), (1, 12, 12)  # fmt: skip
    yield "vgg", nn.Sequential(
        conv(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(True), nn.MaxPool2d(2, 2),
        conv(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(True), nn.MaxPool2d(2, 2),
        nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(), nn.Linear(48, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 4),
    ), picture  # fmt: skip
    yield "resnet", nn.Sequential(
        conv(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True), nn.MaxPool2d(3, 2, 1),
        Residual(8, 8, 1), Residual(8, 12, 2), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(1), nn.Linear(12, 4),
    ), picture  # fmt: skip
    yield "mobilenet", nn.Sequential(
        conv(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU6(),
        Inverted(6, 6, 1, 2), Inverted(6, 8, 2, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(8, 4),
    ), picture  # fmt: skip
    yield "float64", perceptron(nn.ReLU()).double(), flat
    yield "float16", perceptron(nn.ReLU()).half(), flat
    yield "bfloat16", perceptron(nn.ReLU()).bfloat16(), flat
    yield "sigmoid", perceptron(nn.Sigmoid()), flat
    yield "tanh", perceptron(nn.Tanh()), flat
    yield "gelu", perceptron(nn.GELU()), flat
    yield "layer_norm", nn.Sequential(nn.Linear(6, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 4)), flat


def trained_alike(network):
    """Statistics and scales of normalizations as after training, none of them 0 or 1."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, 0.0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.2)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.3, 0.6)
    return network.eval()


def chosen(network, shape, scale):
    """The points furthest from a tie, in the network's type, and their labels."""
    dtype = next(network.parameters()).dtype
    x = torch.randn(CANDIDATES, *shape, dtype=torch.float64)
    x = (x.abs() * scale / 3).round() if scale != 1 else x
    x = x.to(dtype)
    # Constants that a function makes for itself have the type that torch makes them in.
    wide = copy.deepcopy(network).double()(x.double())
    top = wide.topk(2, dim=1).values
    margins = (top[:, 0] - top[:, 1]) / wide.abs().amax(1)
    keep = margins.argsort(descending=True)[:POINTS].sort().values
    return x[keep], wide.argmax(1)[keep]


def export(way, network, x, file):
    if way == "dynamo":
        torch.onnx.export(network, (x[:1],), file, verbose=False)
    elif way == "script":
        torch.onnx.export(network, (x[:1],), file, dynamo=False, verbose=False)
    else:
        batch = ({0: torch.export.Dim("batch")},)
        torch.onnx.export(network, (x[:2],), file, dynamic_shapes=batch, verbose=False)


def in_runtime(file, x):
    """What ONNX Runtime makes of the points, one by one as batches may be fixed."""
    try:
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return [session.run(None, {name: row[None].numpy()})[0][0].astype(float).tolist() for row in x]
    except Exception:  # it has no kernels of this type
        return None


def main(folder, wanted):
    index = []
    for number, (name, network, shape, *scale) in enumerate(networks()):
        if wanted and name not in wanted:
            continue
        torch.manual_seed(number)
        for module in network.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        network = trained_alike(network)
        with torch.no_grad():
            x, y = chosen(network, shape, scale[0] if scale else 1)
            outputs = torch.cat([network(row[None]) for row in x]).double().tolist()
        wide = x.numpy() if x.dtype in (torch.float32, torch.float64) else x.float().numpy()
        numpy.save(folder / f"{name}.x.npy", wide)
        numpy.save(folder / f"{name}.y.npy", y.numpy().astype(numpy.uint8))
        for way in ("dynamo", "script", "batch"):
            file = folder / f"{name}.{way}.onnx"
            export(way, copy.deepcopy(network), x, str(file))
            index.append({
                "name": name, "way": way, "file": file.name,
                "points": f"{name}.x.npy", "labels": f"{name}.y.npy",
                "outputs": outputs, "runtime": in_runtime(str(file), x),
                "probabilities": name in ("softmax", "log_softmax"),
            })  # fmt: skip
    (folder / "index.json").write_text(json.dumps(index))


main(pathlib.Path(sys.argv[1]), sys.argv[2:])
