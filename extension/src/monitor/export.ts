/** What a chart shows, as a file: a picture, or its numbers. */
import type { Content } from './content';
import type { Palette } from './palette';

/** Numbers of a chart as comma separated values: one row a point, or a row an iteration with many nodes. */
export function csv(content: Content, names: readonly string[]): string {
  const { band, curve, metric } = content;
  if (band) {
    const core = band.p10.view().some((value) => !Number.isNaN(value));
    const header = `iteration,nodes,mean,low,high${core ? ',p10,p90' : ''}`;
    const columns = [
      curve.x,
      curve.n,
      curve.mean,
      curve.low,
      curve.high,
      ...(core ? [band.p10, band.p90] : []),
    ];
    return lines(header, curve.length, (row) => columns.map((column) => column.at(row)));
  }
  const rows: (string | number)[][] = [];
  for (const [node, line] of [...(metric?.lines ?? [])].sort(([a], [b]) => a - b)) {
    const name = quoted(names[node] ?? `${node}`);
    for (let point = 0; point < line.length; point += 1) {
      rows.push([name, Math.floor(line.x.at(point) + 1e-9), line.x.at(point), line.value.at(point)]);
    }
  }
  return lines('node,iteration,x,value', rows.length, (row) => rows[row] ?? []);
}

function lines(header: string, length: number, row: (index: number) => readonly (string | number)[]): string {
  return [header, ...Array.from({ length }, (_, index) => row(index).join(','))].join('\r\n') + '\r\n';
}

/** A spreadsheet takes a text that begins like a formula for one, wherever it came from: an apostrophe stops that. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** The plot with its title on the page's background. */
export function picture(plot: HTMLCanvasElement, title: string, palette: Palette): Promise<Blob | null> {
  const ratio = devicePixelRatio;
  const head = Math.round(28 * ratio);
  const canvas = document.createElement('canvas');
  canvas.width = plot.width;
  canvas.height = plot.height + head;
  const context = canvas.getContext('2d');
  if (!context) return Promise.resolve(null);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = palette.text;
  context.font = `600 ${13 * ratio}px ${palette.font}`;
  context.textBaseline = 'middle';
  context.fillText(title, 10 * ratio, head / 2 + 2 * ratio, canvas.width - 20 * ratio);
  context.drawImage(plot, 0, head);
  return new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/png');
  });
}

export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(/[^\w.-]+/g, '_').slice(0, 80);
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 1000);
}
