"""Runs in a Python of its own: measures the model that a script left, with a function of the user's.

`python evaluate.py OUT FILE FUNCTION MODEL_DIR DATA_DIR`. The file is run as `__main__`, so that a model that was saved
whole (`torch.save(model)`) finds its class where it left it, if the file imports it.
"""

import json
import runpy
import sys

out, file, function, model_dir, data_dir = sys.argv[1:6]
sys.path[0] = model_dir
sys.argv = [file, model_dir, data_dir]
names = runpy.run_path(file, run_name="manta_nb_evaluate")
main = sys.modules["__main__"]
for name, value in names.items():
    if not name.startswith("__"):
        setattr(main, name, value)
if function not in names:
    sys.exit(f"there is no function {function!r} in it")
found = names[function](model_dir, data_dir)
if not isinstance(found, dict):
    sys.exit(f"{function} must return a dict of numbers, got {type(found).__name__}")
with open(out, "w", encoding="utf-8") as stream:
    json.dump({str(name): float(value) for name, value in found.items()}, stream)
