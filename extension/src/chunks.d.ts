/** What the container gives the code beside `require`: files that are loaded when they are needed. */
declare module 'manta-nb/chunks' {
  export function load(name: 'viewer'): Promise<typeof import('./saved/viewer')>;
}
