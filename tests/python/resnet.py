"""Trains a narrow ResNet-18 (3 × 3 stem, four stages of two basic blocks, batch normalization) on images of
CIFAR-10 with random labels until it has memorized them, and exports it.

usage: resnet.py FOLDER data_batch_1.bin [WIDTH [POINTS]]

Writes resnet.onnx, resnet.safetensors, x.npy and y.npy to FOLDER: WIDTH channels in the first stage (8), twice
as many in each that follows, and POINTS images (400). Needs numpy, onnx, safetensors and torch; about a minute on
one thread.
"""

import sys

import numpy
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(convolution, nn.BatchNorm2d(outputs))

    def forward(self, x):
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        blocks = []
        for stage, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            blocks += [Block(inputs, outputs, 2 if stage else 1), Block(outputs, outputs, 1)]
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(widths[-1], 10)

    def forward(self, x):
        x = self.blocks(torch.relu(self.bn1(self.conv1(x))))
        return self.linear(x.mean((2, 3)))


def main():
    folder, batch = sys.argv[1:3]
    width = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    points = int(sys.argv[4]) if len(sys.argv) > 4 else 400
    images = numpy.fromfile(batch, numpy.uint8).reshape(-1, 3073)[:points, 1:]
    images = images.reshape(points, 3, 32, 32)
    x = torch.from_numpy((images.astype(numpy.float32) / 255 - 0.5) * 2)
    y = torch.from_numpy(numpy.random.default_rng(1).integers(0, 10, points))
    net = ResNet18(width)
    optimizer = torch.optim.SGD(
        net.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    epochs, steps = 60, -(-points // 100)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=epochs * steps)
    for _ in range(epochs):
        for rows in torch.randperm(points).split(100):
            optimizer.zero_grad()
            functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    # Statistics of the whole sample.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        net(x)
        outputs = net.eval()(x)
    right = (outputs.argmax(1) == y).sum().item()
    own = outputs[torch.arange(points), y]
    margins = own - outputs.scatter(1, y[:, None], -torch.inf).max(1).values
    print(f"{right} of {points} right, margins {margins.min():.3f} to {margins.max():.3f}")
    numpy.save(f"{folder}/x.npy", x.numpy())
    numpy.save(f"{folder}/y.npy", y.numpy().astype(numpy.uint8))
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, f"{folder}/resnet.safetensors")
    torch.onnx.export(
        net,
        (x[:2],),
        f"{folder}/resnet.onnx",
        dynamo=False,
        dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        input_names=["x"],
        output_names=["y"],
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE,
    )


if __name__ == "__main__":
    main()
