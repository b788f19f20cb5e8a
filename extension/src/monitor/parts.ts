/** What the monitor of a run with a kernel is made of. */
import { chartsPanel } from './charts';
import { disagreementPanel } from './disagreement';
import { eventsPanel } from './events';
import { globalsPanel } from './globals';
import { graphPanel } from './graph';
import { logsPanel } from './logs';
import { nodesPanel } from './nodes';
import type { Kernel, Part } from './panel';
import { resultsPanel } from './results';

export function liveParts(kernel: Kernel): Part[] {
  return [
    { tab: 'Overview', panels: [graphPanel(kernel), chartsPanel()], past: true },
    { tab: 'Nodes', panels: [nodesPanel(kernel)] },
    { tab: 'Globals', panels: [globalsPanel(kernel)], past: true },
    { tab: 'Results', panels: [resultsPanel(kernel)], past: true },
    { tab: 'Disagreement', panels: [disagreementPanel()], past: true },
    { tab: 'Logs', panels: [logsPanel(kernel)] },
    { tab: 'Events', panels: [eventsPanel(kernel)] },
  ];
}
