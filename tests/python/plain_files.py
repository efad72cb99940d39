"""Writes one small network of PyTorch in the ways in which people save them.

usage: plain_files.py FOLDER

plain.safetensors and half.safetensors (a state_dict, in float32 and float16), plain.npz (the same arrays by numpy),
dynamo.onnx and script.onnx (both exporters), with a ReLU between two linear layers, from 2 numbers to 1.
"""

import sys
import warnings
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
folder = Path(sys.argv[1])
torch.manual_seed(1)
network = torch.nn.Sequential(
    torch.nn.Flatten(), torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
).eval()
state = network.state_dict()
save_file(state, folder / "plain.safetensors")
save_file({name: tensor.half() for name, tensor in state.items()}, folder / "half.safetensors")
numpy.savez(folder / "plain.npz", **{name: tensor.numpy() for name, tensor in state.items()})
x = torch.rand(2, 2)
batch = ({0: torch.export.Dim("batch")},)
torch.onnx.export(
    network, (x,), folder / "dynamo.onnx", dynamic_shapes=batch, external_data=False, verbose=False
)
torch.onnx.export(
    network, (x,), folder / "script.onnx", dynamo=False, verbose=False,
    input_names=["x"], dynamic_axes={"x": {0: "batch"}},
)
