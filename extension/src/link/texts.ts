/** Why a link has nothing to say, and what to do about it. */
export const ELSEWHERE =
  'This page talks to this kernel through another notebook or console: close both, and open this one again.';
/** JupyterLab gives the comms to a connection when it is made, and never to one that is there. */
export const LEFT =
  'The notebook through which this page talked to this kernel is closed: close this one, too, and open it again.';
export const ABSENT = 'The kernel has not loaded manta_nb: run %load_ext manta_nb';
export const ANEW = 'The kernel is being asked for manta_nb anew: try it again in a moment.';
export const ENDED = 'The kernel has ended.';
