/** What can be inserted into a notebook: each a file of cells, see `src/notebooks/template.ts`. */
import aggregator from './aggregator.py';
import fedavg from './fedavg.py';
import fedprox from './fedprox.py';
import notebook from './notebook.py';
import robust from './robust.py';
import scheduler from './scheduler.py';
import swarm from './swarm.py';
import worker from './worker.py';

export interface Template {
  readonly id: string;
  readonly label: string;
  /** what it is, in a sentence */
  readonly caption: string;
  readonly text: string;
}

/** The parts of a swarm, then whole ones; in the order of the menu. */
export const TEMPLATES: readonly Template[] = [
  { id: 'worker', label: 'Worker', caption: 'A module that trains on every node', text: worker },
  { id: 'aggregator', label: 'Aggregator', caption: 'A module that averages the models', text: aggregator },
  { id: 'scheduler', label: 'Scheduler', caption: 'A module that says when it is over', text: scheduler },
  { id: 'swarm', label: 'Swarm', caption: 'Runs worker, aggregator and scheduler', text: swarm },
  {
    id: 'fedavg',
    label: 'FedAvg',
    caption: 'Federated averaging (McMahan et al., 2017), whole',
    text: fedavg,
  },
  { id: 'fedprox', label: 'FedProx', caption: 'For unlike data (Li et al., 2020), whole', text: fedprox },
  {
    id: 'robust',
    label: 'Robust Mean',
    caption: 'Survives nodes that lie (Yin et al., 2018), whole',
    text: robust,
  },
];

/** Those of them that are modules or swarms of their own, before those that are whole algorithms. */
export const PARTS = 4;

/** The cells of a new swarm notebook. */
export const NOTEBOOK = notebook;
