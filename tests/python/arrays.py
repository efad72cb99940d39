"""Compares network.npz, network.safetensors and network.json of a folder, number by number."""

import json
import pathlib
import sys
from fractions import Fraction

import numpy
from safetensors import safe_open

folder = pathlib.Path(sys.argv[1])
archive = numpy.load(folder / "network.npz")
text = json.loads((folder / "network.json").read_text())
with safe_open(folder / "network.safetensors", "numpy") as tensors:
    assert tensors.metadata() == json.loads(archive["metadata.json"]) == text["metadata"]
    assert sorted(tensors.keys()) == sorted(text["arrays"])
    for name, array in text["arrays"].items():
        exact = [Fraction(value) for value in array["values"]]
        for held in (archive[name], tensors.get_tensor(name)):
            assert list(held.shape) == array["shape"], name
            assert [Fraction(x) for x in held.ravel().tolist()] == exact, name
print("equal")
