"""What a person sees in Jupyter: magics, completion and the display of runs. Only this folder imports Jupyter."""
