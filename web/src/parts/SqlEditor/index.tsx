/** CodeMirror for SQL (and YAML, by `language`), loaded when it is needed. */
import { lazy } from "react";
import { Lazy } from "../Lazy";

const Editor = lazy(() => import("./Editor"));

/** What completion offers: `dataset.table` to the names of its columns. */
export type SqlTables = Readonly<Record<string, readonly string[]>>;

export interface EditorProps {
  value: string;
  onChange?: (text: string) => void;
  /** Ctrl/Cmd+Enter. */
  onRun?: () => void;
  /** What it is, read out. */
  label: string;
  language?: "sql" | "yaml";
  tables?: SqlTables;
  readOnly?: boolean;
  height?: number;
}

export function SqlEditor(props: EditorProps) {
  const { height = 220 } = props;
  return (
    <Lazy height={height}>
      <Editor {...props} height={height} />
    </Lazy>
  );
}
