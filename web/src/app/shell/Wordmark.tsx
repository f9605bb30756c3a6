/** The name with its mark: a ring of land around open water. */
import classes from "./Wordmark.module.css";

export function Wordmark() {
  return (
    <span className={classes.wordmark}>
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="8" className={classes.ground} />
        <path d="M16 6a10 10 0 1 1-8.7 5.1" className={classes.ring} />
        <circle cx="16" cy="16" r="3.2" className={classes.water} />
      </svg>
      Atoll
    </span>
  );
}
