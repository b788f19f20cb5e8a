# %% [code]
# %%swarm fl --iterations 20
import numpy as np

first_model = {"weights": np.zeros((64, 10)), "bias": np.zeros(10)}
set_global("global_model_params", numpy_to_bytes(first_model))
worker >> aggregator >> scheduler

# %% [code]
fl.wait()
fl.metrics.plot("accuracy")
