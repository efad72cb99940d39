#!/usr/bin/env python3
"""Five training steps of each architecture in float64, as PyTorch computes them.

Writes tests/data/torch_steps/NAME.json, one file an architecture: the loss of each step (before its
update) and 64 values of every tensor after the fifth. Everything that goes in is given by the
formulas below, so that another program can start from the same numbers without reading any weights.
All arithmetic is float64, one rounding an operation, in the order written, with no fused
multiply-add; frac(x) = x - floor(x).

Parameters. Parameter j (from 0, in the order of named_parameters(): by child index, in a layer the
weight before the bias), entry i of it (from 0, row-major in PyTorch's shape: out x in,
out x in x kh x kw):

    u = 2 * frac((i + 1) * 0.6180339887498949 + (j + 1) * 0.4142135623730951) - 1

    weight of a convolution or dense layer    u * sqrt(6 / fan_in),  fan_in = in * kh * kw
    bias of a convolution or dense layer      u * 0.1
    weight of a batch normalization           1 + 0.1 * u
    bias of a batch normalization             0.1 * u

Running means start at 0, running variances at 1 (PyTorch's).

Samples. Sample s (from 0) has the class (7 * s + 3) mod classes; its entry p (from 0, row-major in
channels x height x width) is

    2 * frac((p + 1) * 0.7548776662466927 + (s + 1) * 0.5698402909980532) - 1 + 0.1 * class

summed from left to right. Real targets (`squared` alone): output k (from 0) of sample s has the
target frac((s + 1) * 0.32 + k * 0.7).

Steps. Step t (from 0) takes the samples t * batch, ..., (t + 1) * batch - 1. The loss is the mean
over the batch of the softmax cross-entropy, for `squared` of |f(x) - y|^2 / 2. SGD with momentum
0.9 and weight decay 5e-4 on every parameter, biases and batch normalization included:

    g = gradient + 0.0005 * w;   v = g in step 0, else 0.9 * v + g;   w = w - rate * v

The rate is 0.01; for `inception` 0.02 (at 0.05 some means near 0 move by 5e-10 of themselves with
the order of summation) and for `mixed` 0.05.

Conventions of PyTorch that the values depend on. Batch normalization: eps 1e-5 under the root; a
batch is normalized by its biased variance; running = 0.9 * running + 0.1 * batch, where the batch's
variance is the unbiased one (m / (m - 1), m = batch * height * width). Local response
normalization: a / (k + alpha / size * sum of squares over size channels)^beta, channels outside
counted as 0. Padding of a convolution is by 0, of a max-pool by -infinity.

Values stored: of a tensor of len entries, those at the flat indices floor(t * len / 64),
t = 0, ..., 63, or all of them if len <= 64.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

STEPS = 5
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
STORED = 64
OUT = Path(__file__).resolve().parents[1] / "data" / "torch_steps"


# Networks: child i of a Sequential is layer i, branch i of a Concat is its child i, so that the
# names of the parameters are paths of indices ("3.0.1.weight").


class Concat(nn.ModuleList):
    """Branches over one input, side by side in the channels."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)


def conv(i, o, k, stride=1, pad=0):
    return nn.Conv2d(i, o, k, stride, pad)


def mlp(widths):
    layers = [nn.Flatten()]
    for i, o in zip(widths, widths[1:]):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def alexnet():
    def module(i):
        pool = nn.MaxPool2d(3, 2, 1)
        return [conv(i, 64, 5, 1, 2), nn.ReLU(), pool, nn.LocalResponseNorm(9, 0.001, 0.75, 1.0)]

    return nn.Sequential(*module(3), *module(64), *mlp([64 * 7 * 7, 384, 192, 10]))


def inception(norm):
    def conv_module(i, o, k, stride=1, pad=0):
        bn = [nn.BatchNorm2d(o)] if norm else []
        return [conv(i, o, k, stride, pad), *bn, nn.ReLU()]

    layers, channels = conv_module(3, 96, 3, 1, 1), 96

    def wide(a, b):
        nonlocal channels
        one = nn.Sequential(*conv_module(channels, a, 1))
        three = nn.Sequential(*conv_module(channels, b, 3, 1, 1))
        layers.append(Concat([one, three]))
        channels = a + b

    def down(c):
        nonlocal channels
        three = nn.Sequential(*conv_module(channels, c, 3, 2, 1))
        layers.append(Concat([three, nn.Sequential(nn.MaxPool2d(3, 2, 1))]))
        channels += c

    for a, b in [(32, 32), (32, 48)]:
        wide(a, b)
    down(80)
    for a, b in [(112, 48), (96, 64), (80, 80), (48, 96)]:
        wide(a, b)
    down(96)
    for a, b in [(176, 160), (176, 160)]:
        wide(a, b)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def mixed():
    """What the others leave out: an uneven image, mean-pooling in windows, a pool of stride 1,
    batch normalization of a dense layer."""
    branches = [nn.Sequential(conv(4, 3, 1)), nn.Sequential(nn.MaxPool2d(3, 1, 1))]
    return nn.Sequential(
        conv(2, 4, 3, 2, 1),  # 9 x 7 to 5 x 4
        nn.ReLU(),
        nn.AvgPool2d(2, 1),  # to 4 x 3
        Concat(branches),
        nn.BatchNorm2d(7),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(7 * 4 * 3, 6),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Linear(6, 3),
    )


# name: (network, input, classes or outputs, batch, learning rate)
RUNS = {
    "mlp1x512": (lambda: mlp([2352, 512, 10]), (3, 28, 28), 10, 8, 0.01),
    "mlp3x512": (lambda: mlp([2352, 512, 512, 512, 10]), (3, 28, 28), 10, 8, 0.01),
    "alexnet": (alexnet, (3, 28, 28), 10, 8, 0.01),
    "inception": (lambda: inception(True), (3, 28, 28), 10, 8, 0.02),
    "inception-nobn": (lambda: inception(False), (3, 28, 28), 10, 8, 0.01),
    "mixed": (mixed, (2, 9, 7), 3, 5, 0.05),
    "squared": (lambda: mlp([4, 5, 2]), (4, 1, 1), 2, 8, 0.01),
}


# Formulas


def frac(x):
    return x - np.floor(x)


def parameter(layer, name, shape, j):
    """Initial entries of parameter number j, which is `name` (weight or bias) of `layer`."""
    i = np.arange(math.prod(shape), dtype=np.float64)
    u = 2.0 * frac((i + 1.0) * 0.6180339887498949 + (j + 1.0) * 0.4142135623730951) - 1.0
    if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
        values = 1.0 + 0.1 * u if name == "weight" else 0.1 * u
    elif name == "weight":
        values = u * math.sqrt(6.0 / math.prod(shape[1:]))
    else:
        values = u * 0.1
    return torch.from_numpy(values).reshape(shape)


def batch_of(first, count, shape, classes):
    """Images, classes and real targets of the samples first, ..., first + count - 1."""
    s = np.arange(first, first + count, dtype=np.float64)[:, None]
    p = np.arange(math.prod(shape), dtype=np.float64)[None, :]
    k = np.arange(classes, dtype=np.float64)[None, :]
    label = (7 * np.arange(first, first + count) + 3) % classes
    x = 2.0 * frac((p + 1.0) * 0.7548776662466927 + (s + 1.0) * 0.5698402909980532) - 1.0
    x = x + 0.1 * label[:, None].astype(np.float64)
    y = frac((s + 1.0) * 0.32 + k * 0.7)
    return torch.from_numpy(x).reshape(count, *shape), torch.from_numpy(label), torch.from_numpy(y)


# Training


def run(name, noise=0.0):
    """Losses and final tensors; the initial weights are multiplied by 1 + noise * (a sign each)."""
    build, shape, classes, batch, rate = RUNS[name]
    net = build().double()
    signs = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for j, (path, w) in enumerate(net.named_parameters()):
            owner, _, kind = path.rpartition(".")
            w.copy_(parameter(net.get_submodule(owner), kind, tuple(w.shape), j))
            if noise:
                sign = 2.0 * torch.randint(2, w.shape, generator=signs).double() - 1.0
                w.mul_(1.0 + noise * sign)
    sgd = torch.optim.SGD(net.parameters(), lr=rate, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    losses = []
    for step in range(STEPS):
        x, label, y = batch_of(step * batch, batch, shape, classes)
        if name == "squared":
            loss = 0.5 * ((net(x) - y) ** 2).sum(1).mean()
        else:
            loss = nn.functional.cross_entropy(net(x), label)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    state = net.state_dict()
    return losses, {n: t for n, t in state.items() if not n.endswith("num_batches_tracked")}


def stored(tensor):
    flat = tensor.reshape(-1)
    count = min(len(flat), STORED)
    return [flat[t * len(flat) // count].item() for t in range(count)]


def digits(values):
    return "[" + ",".join(f"{v:.17g}" for v in values) + "]"


def write(name):
    losses, tensors = run(name)
    if not np.isfinite(losses).all():
        raise SystemExit(f"{name}: a loss is not finite: {losses}")
    _, shape, classes, batch, rate = RUNS[name]
    head = {
        "architecture": name,
        "torch": str(torch.__version__),
        "input": shape,
        "classes": classes,
        "batch": batch,
        "learning_rate": rate,
        "momentum": MOMENTUM,
        "weight_decay": WEIGHT_DECAY,
    }
    lines = [
        f'{{"name":"{n}","shape":{json.dumps(list(t.shape), separators=(",", ":"))},'
        f'"values":{digits(stored(t))}}}'
        for n, t in tensors.items()
    ]
    text = json.dumps(head)[:-1] + f',\n"losses":{digits(losses)},\n"tensors":[\n'
    text += ",\n".join(lines) + "\n]}\n"
    json.loads(text)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(text)
    print(f"{name}: {len(text)} bytes, losses {' '.join(f'{v:.6f}' for v in losses)}", flush=True)


def sensitivity(name, noise=1e-12):
    """How far a relative change of 1e-12 in every initial weight moves what is stored."""
    losses, tensors = run(name)
    moved_losses, moved = run(name, noise)
    loss = max(abs(a - b) / abs(a) for a, b in zip(losses, moved_losses))
    # Of a tensor against its largest stored entry, and of an entry against itself.
    of_tensor, of_entry = (0.0, ""), (0.0, "")
    for n, t in tensors.items():
        a, b = np.array(stored(t)), np.array(stored(moved[n]))
        gap = np.abs(a - b)
        of_tensor = max(of_tensor, (gap.max() / np.abs(a).max(), n))
        of_entry = max(of_entry, ((gap / np.abs(a)).max(), n))
    print(
        f"{name}: loss {loss:.1e}, tensor {of_tensor[0]:.1e} ({of_tensor[1]}),"
        f" entry {of_entry[0]:.1e} ({of_entry[1]})",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RUNS)} (all)")
    parser.add_argument(
        "--sensitivity",
        action="store_true",
        help="write nothing; print how far a relative change of 1e-12 in the initial weights "
        "moves the losses and the stored values, relatively",
    )
    args = parser.parse_args()
    unknown = set(args.names) - set(RUNS)
    if unknown:
        parser.error(f"no such architecture: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in args.names or RUNS:
        if args.sensitivity:
            sensitivity(name)
        else:
            write(name)


if __name__ == "__main__":
    main()
