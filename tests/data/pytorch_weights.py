"""Writes pytorch_weights.safetensors, which tests/train/checkpoints.rs reads: a state_dict of PyTorch,
written by the reference implementation of the format. Number k of the tensors one after the other
is (k - 64)/16, and the running variances are 1 and 2. Needs torch and safetensors."""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

network = nn.Sequential(
    nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)
)
state = network.state_dict()
k = 0
for name, tensor in state.items():
    if name.endswith("num_batches_tracked"):
        tensor.fill_(7)
        continue
    count = tensor.numel()
    tensor.copy_(((torch.arange(k, k + count) - 64) / 16).reshape(tensor.shape))
    k += count
state["1.running_var"].copy_(torch.tensor([1.0, 2.0]))
save_file(state, pathlib.Path(__file__).with_suffix(".safetensors"))
