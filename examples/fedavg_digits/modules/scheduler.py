"""Runs on one node: is the shared model good enough?"""

from manta_light.task import Task


class Scheduler(Task):
    def run(self):
        metrics = self.world.results.select("metrics")
        worst = min(each["shared_acc"] for each in metrics.values())
        if worst >= self.world.globals["settings"]["good_enough"]:
            self.logger.info("every node is right %.1f %% of the time: done", 100 * worst)
            self.world.stop_swarm()
