#!/usr/bin/env python3
"""Writes src/symbols.rs: every driver function that cust_raw declares, and the status codes that it
knows. Run it in this folder after cust_raw was changed in Cargo.toml."""

import json
import pathlib
import re
import subprocess

here = pathlib.Path(__file__).parent
metadata = subprocess.run(
    ["cargo", "metadata", "--format-version", "1"],
    cwd=here, check=True, capture_output=True, text=True,
)
packages = json.loads(metadata.stdout)["packages"]
manifest = next(p["manifest_path"] for p in packages if p["name"] == "cust_raw")
version = next(p["version"] for p in packages if p["name"] == "cust_raw")
source = (pathlib.Path(manifest).parent / "src/cuda.rs").read_text()

functions = {}
for match in re.finditer(r"pub fn (cu\w+)\(\s*(.*?)\s*\)\s*->\s*CUresult;", source, re.S):
    name, arguments = match.groups()
    arguments = re.sub(r"\s+", " ", arguments).rstrip(", ")
    arguments = arguments.replace("::std::os::raw::", "core::ffi::")
    functions.setdefault(name, f"    fn {name}({arguments});")
codes = re.search(r"pub enum cudaError_enum \{(.*?)\}", source, re.S).group(1)
codes = sorted({int(code) for code in re.findall(r"= (\d+),", codes)})

lines = [
    f"// Written by generate.py from cust_raw {version}.",
    "",
    "/// The status codes that cust_raw's enumeration has.",
    "const KNOWN: &[i32] = &[",
    *(f"    {', '.join(map(str, codes[i:i + 12]))}," for i in range(0, len(codes), 12)),
    "];",
    "",
    "forward! {",
    *functions.values(),
    "}",
]
(here / "src/symbols.rs").write_text("\n".join(lines) + "\n")
