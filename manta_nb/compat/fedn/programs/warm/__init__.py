"""Calls of Python programs by fork, from a process that has their imports ready.

* `caller.Warm` is what a node uses; `program.PythonProgram` says what is to run.
* `imports` reads from a program's text what it imports, `meeting` finds or starts the process that has that ready.
* `inside` is that process and what is forked from it: a clean Python of its own, started with the programs' flags and
  environment, so that there is nothing of ours to hide from them. It runs in any Python, also in one without manta_nb.
"""
