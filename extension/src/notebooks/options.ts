/** The settings as data: their defaults, and what is taken of a file that anybody may have written. */

export interface Settings {
  nodes: number;
  data: string;
  partition: string;
  alpha: number;
  confirmStop: boolean;
  badges: boolean;
  closeBrackets: boolean;
  statusBar: boolean;
}

/** The same as in `schema/settings.json`: a test compares them. */
export const DEFAULTS: Settings = Object.freeze({
  nodes: 4,
  data: 'digits',
  partition: 'iid',
  alpha: 0.5,
  confirmStop: true,
  badges: true,
  closeBrackets: true,
  statusBar: true,
});

const PARTITIONS = ['iid', 'dirichlet', 'shards'];

const GOOD: { [K in keyof Settings]: (value: Settings[K]) => boolean } = {
  nodes: (value) => Number.isInteger(value) && value >= 1,
  data: (value) => value.length <= 1000,
  partition: (value) => PARTITIONS.includes(value),
  alpha: (value) => Number.isFinite(value) && value > 0,
  confirmStop: () => true,
  badges: () => true,
  closeBrackets: () => true,
  statusBar: () => true,
};

/** Settings of an object: each that is missing or wrong is the default. */
export function readSettings(composite: unknown): Settings {
  const given =
    composite !== null && typeof composite === 'object' ? (composite as Record<string, unknown>) : {};
  const pick = <K extends keyof Settings>(key: K): Settings[K] => {
    const value = given[key];
    return typeof value === typeof DEFAULTS[key] && GOOD[key](value as Settings[K])
      ? (value as Settings[K])
      : DEFAULTS[key];
  };
  return {
    nodes: pick('nodes'),
    data: pick('data'),
    partition: pick('partition'),
    alpha: pick('alpha'),
    confirmStop: pick('confirmStop'),
    badges: pick('badges'),
    closeBrackets: pick('closeBrackets'),
    statusBar: pick('statusBar'),
  };
}
