# %% [markdown]
# # A swarm
#
# Each **node** holds data of its own and hands out none of it. Together they learn one model: every node trains on
# its own data, the models are averaged, and the average is what all go on with. Run the cells from top to bottom
# (`Shift`+`Enter`), then change what you like: each cell can be run again.

# %% [code]
# %load_ext manta_nb

# %% [code]
# %manta start --nodes 4 --data digits

# %% [markdown]
# ## Modules
#
# The text of a cell that begins with `%%module` travels to the nodes, and nothing else of this notebook does. The
# **worker** runs on all nodes: it sees its own data as `self.local`, what all share as `self.world.globals`, and
# leaves what it found in `self.world.results`.

# %% [template] worker

# %% [markdown]
# The **aggregator** runs on one node, when all workers are through: it sees their results, not their data.

# %% [template] aggregator

# %% [markdown]
# The **scheduler** comes last and says how it goes on.

# %% [template] scheduler

# %% [markdown]
# ## Run
#
# The `%%swarm` cell says what all nodes begin with and who follows whom. It returns at once, and its display moves;
# `fl.wait()` in the next cell waits for the end.

# %% [template] swarm

# %% [markdown]
# ## What came of it
#
# The last shared model, on the test data:

# %% [code]
import manta_nb
from manta_light.utils import bytes_to_numpy

model = bytes_to_numpy(fl.globals["global_model_params"])
x, y = manta_nb.data.load("digits").test
guesses = (x.reshape(len(x), -1) @ model["weights"] + model["bias"]).argmax(axis=1)
print(f"test accuracy of the shared model: {(guesses == y).mean():.3f}")

# %% [markdown]
# ## What to try next
#
# * Data that are less alike: `%manta start --nodes 8 --data digits --partition dirichlet --alpha 0.1`, then Run All.
# * `worker.try_on("node_0")` runs one module once, on one node, and shows what it read, added and printed.
# * More to begin with: **Manta ▸ Insert Cell** has FedAvg, FedProx and a robust mean that no single node can spoil.
# * `%manta`, `%%module?` and `%%swarm?` say what else there is; **Manta ▸ Open Manta Course** teaches it.
