"""Trains a small network in PyTorch and leaves it as a user would, with PyTorch's own verdicts.

usage: pytorch_network.py mlp|convolution FOLDER

Writes x.npy (float32) and y.npy, the points and labels; network.onnx (torch.onnx) and
network.safetensors (the state_dict of an nn.Sequential); fits.json, a 0 or 1 for each point: whether
PyTorch's largest logit is the label's. Labels are random, so that some points are not fitted.
Needs torch, safetensors and onnxscript.
"""

import json
import pathlib
import sys

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
torch.manual_seed(1)
torch.set_num_threads(1)
if kind == "mlp":
    x = torch.randn(600, 20)
    network = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 4))
else:
    x = torch.rand(200, 2, 8, 8)
    network = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8, eps=0.001), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(8, 4),
    )  # fmt: skip
y = torch.randint(4, (len(x),))
optimizer = torch.optim.Adam(network.parameters(), 0.01)
for _ in range(30 if kind == "mlp" else 120):
    optimizer.zero_grad()
    nn.functional.cross_entropy(network(x), y).backward()
    optimizer.step()
network.eval()
with torch.no_grad():
    fits = (network(x).argmax(1) == y).int().tolist()
numpy.save(folder / "x.npy", x.numpy())
numpy.save(folder / "y.npy", y.numpy().astype(numpy.uint8))
(folder / "fits.json").write_text(json.dumps(fits))
save_file(network.state_dict(), folder / "network.safetensors")
batch = {0: torch.export.Dim("batch")}
torch.onnx.export(
    network, (x[:2],), folder / "network.onnx", dynamic_shapes=(batch,), external_data=False
)
