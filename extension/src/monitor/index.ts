/** The run monitor as an anywidget: what is known of the run belongs to the model, a view only shows it. */
import { h } from './dom';
import { Feed } from './feed';
import { Frame, STYLE } from './frame';
import type { WidgetModel } from './model';
import { liveParts } from './parts';

interface Setting {
  model: WidgetModel;
}

export default () => {
  let feed: Feed | null = null;
  return {
    initialize({ model }: Setting) {
      const own = (feed = new Feed(model));
      return () => {
        own.dispose();
      };
    },
    render({ model, el }: Setting & { el: HTMLElement }) {
      const own = (feed ??= new Feed(model));
      const frame = new Frame(own, liveParts(own));
      // with each view: some front ends put each output into a document of its own
      frame.el.prepend(h('style', {}, STYLE));
      el.append(frame.el);
      return () => {
        frame.dispose();
      };
    },
  };
};
