/** One view of the monitor: head, tabs, and the panels in them, drawn at most once a frame. */
import uplotStyle from 'uplot/dist/uPlot.min.css';
import { chartsPanel } from './charts';
import chartStyle from './charts.css';
import controlStyle from './controls.css';
import { disagreementPanel } from './disagreement';
import { h, show } from './dom';
import { eventsPanel } from './events';
import type { Feed } from './feed';
import { integer } from './format';
import { globalsPanel } from './globals';
import { graphPanel } from './graph';
import headStyle from './head.css';
import { Header } from './header';
import { logsPanel } from './logs';
import { nodesPanel } from './nodes';
import type { Panel } from './panel';
import panelStyle from './panels.css';
import { resultsPanel } from './results';
import { Slider } from './slider';
import { SECTIONS } from './store';
import type { Section, State } from './store';
import style from './style.css';
import { Tabs } from './tabs';
import { followTheme } from './theme';
import themeStyle from './theme.css';

/** A panel, where it is, and what changed since it was drawn last. */
interface Place {
  readonly tab: string;
  readonly panel: Panel & { repaint?(): void };
  readonly changed: Set<Section>;
  moved: boolean;
}

/** The parts of a run in which one can look back. */
const LOOKING_BACK = ['Overview', 'Globals', 'Results', 'Disagreement'];

export class Frame {
  readonly el: HTMLElement;
  private readonly header: Header;
  private readonly slider = new Slider(() => this.moved());
  private readonly tabs = new Tabs(() => this.chosen());
  private readonly places: Place[];
  private readonly changed = new Set<Section>();
  private readonly leave: () => void;
  private readonly unfollow: () => void;
  private frame = 0;

  constructor(private readonly feed: Feed) {
    this.header = new Header(feed);
    this.places = this.panels();
    const styles = [uplotStyle, themeStyle, style, headStyle, controlStyle, chartStyle, panelStyle].join(
      '\n',
    );
    this.el = h(
      'section',
      { class: 'manta-monitor', 'aria-label': 'Run monitor' },
      h('style', {}, styles),
      this.header.el,
      this.tabs.list,
      this.slider.el,
      this.tabs.panels,
    );
    // shortcuts of the notebook must not fire while somebody types or moves in here
    this.el.dataset.lmSuppressShortcuts = 'true';
    this.leave = feed.register({
      changed: (sections) => this.soon(sections),
      told: (message) => this.header.told(message),
    });
    this.unfollow = followTheme(this.el, () => this.repaint());
    if (feed.state.known) this.soon(new Set(SECTIONS));
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.leave();
    this.unfollow();
    this.header.dispose();
    for (const { panel } of this.places) panel.dispose();
    this.el.remove();
  }

  private panels(): Place[] {
    const places: Place[] = [];
    const add = (tab: string, ...panels: Panel[]): void => {
      this.tabs.add(tab, ...panels.map((panel) => panel.el));
      for (const panel of panels) places.push({ tab, panel, changed: new Set(), moved: false });
    };
    add('Overview', graphPanel(this.feed), chartsPanel());
    add('Nodes', nodesPanel(this.feed));
    add('Globals', globalsPanel(this.feed));
    add('Results', resultsPanel(this.feed));
    add('Disagreement', disagreementPanel());
    add('Logs', logsPanel(this.feed));
    add('Events', eventsPanel(this.feed));
    return places;
  }

  /** Many messages between two frames are drawn once. */
  private soon(sections: ReadonlySet<Section>): void {
    for (const section of sections) this.changed.add(section);
    this.request();
  }

  private request(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private moved(): void {
    for (const place of this.places) place.moved = true;
    this.request();
  }

  private chosen(): void {
    show(this.slider.el, LOOKING_BACK.includes(this.tabs.shown));
    this.request();
  }

  private repaint(): void {
    for (const { panel } of this.places) panel.repaint?.();
  }

  private draw(): void {
    const { state } = this.feed;
    if (!state.known) return;
    if (this.changed.size) {
      this.header.update(state, this.changed);
      if (this.changed.has('run')) this.follow(state);
      this.count(state);
    }
    for (const place of this.places) {
      for (const section of this.changed) place.changed.add(section);
      if (place.tab === this.tabs.shown && (place.moved || place.changed.size)) this.update(place, state);
    }
    this.changed.clear();
    this.el.dataset.seq = String(state.seq);
  }

  /** "now" moves on with the run; where somebody looks back, it stays. */
  private follow(state: State): void {
    const before = this.slider.moment.at;
    this.slider.update(state);
    if (this.slider.moment.at !== before) for (const place of this.places) place.moved = true;
  }

  private update(place: Place, state: State): void {
    const changed = new Set(place.changed);
    place.changed.clear();
    place.moved = false;
    place.panel.update(state, changed, this.slider.moment);
  }

  private count(state: State): void {
    const away = state.run ? state.run.nodes_total - state.run.nodes_alive : 0;
    this.tabs.count('Nodes', away ? `${integer(away)} away` : '');
    this.tabs.count('Events', state.events.length ? integer(state.events.length) : '');
  }
}
