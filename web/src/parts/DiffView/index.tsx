/** Two texts and what differs: a line each, told by sign and by colour. `added` and `removed` lines as unified diffs have them. */
import classes from "./DiffView.module.css";
import { useTranslation } from "react-i18next";

/** `diff`: lines that begin with `+`, `-`, ` ` or `@@`, as the API tells differences. */
export function DiffView({ diff, title }: { diff: string; title: string }) {
  const { t } = useTranslation("parts");
  const lines = diff.split("\n");
  return (
    // A scrollable region must be reached by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={classes.frame} role="region" aria-label={title} tabIndex={0}>
      <pre className={classes.lines}>
        {lines.map((line, index) => {
          const kind = kindOf(line);
          return (
            <code key={index} className={[classes.line, classes[kind]].join(" ")}>
              {kind === "added" && <span className="hush">{t("diff.added")}</span>}
              {kind === "removed" && <span className="hush">{t("diff.removed")}</span>}
              {line === "" ? " " : line}
            </code>
          );
        })}
      </pre>
    </div>
  );
}

function kindOf(line: string): "place" | "added" | "removed" | "same" {
  if (line.startsWith("@@")) return "place";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "same";
}
