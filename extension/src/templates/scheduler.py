# %% [code]
# %%module scheduler
from manta_light.task import Task

GOOD_ENOUGH = 0.95


class Scheduler(Task):
    """On one node, last of all: ends the swarm when the shared model is good enough."""

    def run(self):
        found = self.world.results.select("accuracy")
        mean = sum(found.values()) / len(found)
        print(f"iteration {self.world.iteration}: right in {mean:.1%}")
        if mean >= GOOD_ENOUGH:
            self.world.stop_swarm()
