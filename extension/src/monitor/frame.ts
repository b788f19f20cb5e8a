/** One view of the monitor: head, tabs, and the panels in them, drawn at most once a frame. */
import uplotStyle from 'uplot/dist/uPlot.min.css';
import chartStyle from './charts.css';
import controlStyle from './controls.css';
import { h, show } from './dom';
import { integer } from './format';
import headStyle from './head.css';
import { Header } from './header';
import type { Panel, Part, Source } from './panel';
import panelStyle from './panels.css';
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
  readonly panel: Panel;
  readonly changed: Set<Section>;
  moved: boolean;
}

/** The style of all that is in a frame; whoever puts one on a page sees to it that it is there. */
export const STYLE = [uplotStyle, themeStyle, style, headStyle, controlStyle, chartStyle, panelStyle].join(
  '\n',
);

export class Frame {
  readonly el: HTMLElement;
  private readonly header: Header;
  private readonly slider = new Slider(() => this.moved());
  private readonly tabs = new Tabs(() => this.chosen());
  private readonly places: readonly Place[];
  private readonly changed = new Set<Section>();
  private readonly leave: () => void;
  private readonly unfollow: () => void;
  private frame = 0;

  constructor(
    private readonly source: Source,
    private readonly parts: readonly Part[],
  ) {
    this.header = new Header(source);
    this.places = parts.flatMap(({ tab, panels }) => {
      this.tabs.add(tab, ...panels.map((panel) => panel.el));
      return panels.map((panel) => ({ tab, panel, changed: new Set<Section>(), moved: false }));
    });
    this.el = h(
      'section',
      { class: 'manta-monitor', 'aria-label': 'Run monitor' },
      this.header.el,
      this.tabs.list,
      this.slider.el,
      this.tabs.panels,
    );
    // shortcuts of the notebook must not fire while somebody types or moves in here
    this.el.dataset.lmSuppressShortcuts = 'true';
    this.leave = source.register({
      changed: (sections) => this.soon(sections),
      told: (message) => this.header.told(message),
    });
    this.unfollow = followTheme(this.el, () => this.repaint());
    show(this.slider.el, this.lookingBack());
    if (!source.state.known) return;
    this.header.update(source.state, new Set(SECTIONS));
    this.refresh();
  }

  /** Draw all of it anew, as where it has come into sight. */
  refresh(): void {
    this.soon(new Set(SECTIONS));
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.leave();
    this.unfollow();
    this.header.dispose();
    for (const { panel } of this.places) panel.dispose();
    this.el.remove();
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
    show(this.slider.el, this.lookingBack());
    this.request();
  }

  private lookingBack(): boolean {
    return this.parts.some(({ tab, past }) => past && tab === this.tabs.shown);
  }

  private repaint(): void {
    for (const { panel } of this.places) panel.repaint?.();
  }

  private draw(): void {
    const { state } = this.source;
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
