import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { EditorProps } from "./index";

// Colours are variables of the theme, so that both schemes share one.
const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--mantine-color-text)", backgroundColor: "var(--atoll-surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.875rem", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--mantine-color-text)" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-gutters": { backgroundColor: "var(--atoll-ground)", color: "var(--mantine-color-dimmed)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--mantine-color-gray-5) 10%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--mantine-color-lagoon-5) 30%, transparent)",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--atoll-surface)",
    color: "var(--mantine-color-text)",
    border: "1px solid var(--mantine-color-default-border)",
    borderRadius: "var(--mantine-radius-sm)",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--mantine-primary-color-filled)",
    color: "var(--mantine-color-white)",
  },
});
const WORDS = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.keyword, color: "var(--mantine-color-lagoon-text)", fontWeight: "500" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--mantine-color-green-text)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--mantine-color-violet-text)" },
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--mantine-color-blue-text)" },
    { tag: [tags.comment, tags.lineComment], color: "var(--mantine-color-dimmed)", fontStyle: "italic" },
  ]),
);

function grammar({ language = "sql", tables }: Pick<EditorProps, "language" | "tables">): Extension {
  if (language === "yaml") return yaml();
  // DuckDB's SQL is closest to PostgreSQL's.
  return sql({ dialect: PostgreSQL, upperCaseKeywords: true, ...(tables ? { schema: tables as Record<string, string[]> } : {}) });
}

/** In a shadow root, where its styles are adopted sheets: the page allows no <style>. */
export default function Editor({ value, onChange, onRun, label, language, tables, readOnly = false, height = 220 }: EditorProps) {
  const { t } = useTranslation("parts");
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const parts = useRef({ grammar: new Compartment(), fixed: new Compartment() });
  const now = useRef({ onChange, onRun });
  const told = useRef<string[]>([]);
  const phrases = t("editor.keyboard");

  useEffect(() => {
    now.current = { onChange, onRun };
  });

  useEffect(() => {
    if (host.current === null) return undefined;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const parent = document.createElement("div");
    parent.style.height = "100%";
    root.append(parent);
    const run = () => {
      now.current.onRun?.();
      return true;
    };
    const made = new EditorView({
      root,
      parent,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          highlightActiveLine(),
          EditorView.lineWrapping,
          // Tab leaves the editor, as everywhere on the page.
          keymap.of([
            { key: "Mod-Enter", run },
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            ...searchKeymap,
          ]),
          parts.current.grammar.of([]),
          parts.current.fixed.of([]),
          LOOK,
          WORDS,
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            const text = update.state.doc.toString();
            told.current.push(text);
            now.current.onChange?.(text);
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
      parent.remove();
      view.current = null;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- made once; what changes is dispatched below
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.grammar.reconfigure(grammar({ ...(language ? { language } : {}), ...(tables ? { tables } : {}) })) });
  }, [language, tables]);
  useEffect(() => {
    view.current?.dispatch({
      effects: parts.current.fixed.reconfigure([
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({ "aria-label": label, title: phrases }),
      ]),
    });
  }, [readOnly, label, phrases]);
  useEffect(() => {
    // What was typed comes back; on a busy machine later than the next letter, which must stay.
    const at = told.current.lastIndexOf(value);
    told.current = told.current.slice(at + 1);
    if (at >= 0) return;
    const shown = view.current?.state.doc.toString();
    if (view.current !== null && shown !== value) {
      view.current.dispatch({ changes: { from: 0, to: view.current.state.doc.length, insert: value } });
    }
    told.current = [];
  }, [value]);

  return (
    <div
      ref={host}
      style={{ height, border: "1px solid var(--mantine-color-default-border)", borderRadius: "var(--mantine-radius-md)", overflow: "hidden" }}
    />
  );
}
