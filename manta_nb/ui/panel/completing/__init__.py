"""What may stand at the cursor of a cell: on the line of a magic, and in the body below it.

* `line`: verbs, options, and their values;
* `body`: tags, metrics, datasets, nodes and runs inside quotes, modules in a flow;
* `known`: the names there are.
"""
