"""The command line, `manta-nb`: data on stdout, everything else on stderr.

* `grammar`: the commands and their options; `main` finds and calls them;
* `run`, `demo`, `doctor`, `lab`: one command each, `main(options, console) -> exit code`;
* `progress`, `outcome`: what is said while a run goes on, and when it is over.
"""
