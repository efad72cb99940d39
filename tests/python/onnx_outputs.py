"""Runs an exported trained network in ONNX Runtime and compares its logits with outputs.csv.

usage: onnx_outputs.py MODEL.onnx IMAGES.npy OUTPUTS.csv

Prints the largest difference relative to the largest logit of its image, and in how many images
the largest logit is another one. Needs onnx and onnxruntime.
"""

import json
import sys

import numpy
import onnx
import onnxruntime

model, images, outputs = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
x = numpy.load(images)
kinds = {"tensor(uint8)": numpy.uint8, "tensor(float)": numpy.float32, "tensor(double)": numpy.float64}
taken = session.get_inputs()[0]
x = x.reshape([len(x), *taken.shape[1:]]).astype(kinds[taken.type])
with open(outputs) as file:  # a label, and the logits
    wanted = numpy.array([[float(x) for x in line.split(",")[1:]] for line in file.readlines()[1:]])
found = numpy.concatenate([session.run(None, {"x": x[k : k + 100]})[0] for k in range(0, len(x), 100)])
assert found.shape == wanted.shape and numpy.isfinite(found).all()
error = abs(found - wanted).max(axis=1) / abs(wanted).max(axis=1)
others = int((found.argmax(axis=1) != wanted.argmax(axis=1)).sum())
print(json.dumps({"images": len(x), "relative": float(error.max()), "other_class": others}))
