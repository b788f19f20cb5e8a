"""How the programs of a package are called: which words, which environment, warm or cold."""
