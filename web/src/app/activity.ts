/** Whether somebody is here: what pages ask by themselves keeps no session alive. */
const AWAY_AFTER_MS = 60_000;

let last = Date.now();
for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, () => (last = Date.now()), { passive: true, capture: true });
}

export function nobodyHere(): boolean {
  return Date.now() - last > AWAY_AFTER_MS;
}
