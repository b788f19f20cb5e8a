/** The run monitor as an anywidget: what is known of the run belongs to the model, a view only shows it. */
import { Feed } from './feed';
import { Frame } from './frame';
import type { WidgetModel } from './model';

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
      const frame = new Frame((feed ??= new Feed(model)));
      el.append(frame.el);
      return () => {
        frame.dispose();
      };
    },
  };
};
