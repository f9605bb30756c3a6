/**
 * Questions in SQL. The address holds the project, the query that is shown (`?query=`) and a text that differs from it
 * (behind `#`, where no server logs it), so that a link opens what somebody else sees.
 */
import { Skeleton } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavigationType, useLocation, useNavigate, useNavigationType, useSearchParams } from "react-router";
import { api } from "../../api/atoll";
import { useMay, useSession } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Library } from "./Library";
import { Result } from "./Result";
import { Statement } from "./Statement";

/** How often a query that runs is asked how far it is: of its progress no event tells. */
const FOLLOW_MS = 1000;
const KEEP_MS = 400;
/** Longer texts are not put into the address. */
const LONGEST = 8000;

export function Component() {
  const { t } = useTranslation("sql");
  const { projects } = useSession();
  const may = useMay();
  return (
    <Page title={t("title")} about={t("about")}>
      {!may("queries:run", "queries:read:own") ? (
        <Empty title={t("closed.title")}>{t("closed.teach")}</Empty>
      ) : projects.length === 0 ? (
        <Empty title={t("noProject.title")}>{t("noProject.teach")}</Empty>
      ) : (
        <Workbench />
      )}
    </Page>
  );
}

function textOf(hash: string): string | null {
  if (hash.length < 2) return null;
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return null;
  }
}

function Workbench() {
  const { projects } = useSession();
  const [params] = useSearchParams();
  const location = useLocation();
  const navigate = useNavigate();
  const way = useNavigationType();
  const id = params.get("query") ?? "";
  const shown = api.useQuery(
    "get",
    "/api/v1/queries/{id}",
    { params: { path: { id } } },
    {
      enabled: id !== "",
      refetchInterval: ({ state }) => (state.data?.state === "queued" || state.data?.state === "running" ? FOLLOW_MS : false),
    },
  );
  const record = id === "" ? undefined : shown.data;
  const wanted = record?.project ?? params.get("project");
  const project = projects.find(({ name }) => name === wanted)?.name ?? projects[0]?.name ?? "";

  // What is in the editor, where it is not the text of the query that is shown.
  const [draft, setDraft] = useState(() => textOf(location.hash));
  const [at, setAt] = useState(location.key);
  if (location.key !== at) {
    setAt(location.key);
    if (way === NavigationType.Pop) setDraft(textOf(location.hash));
  }
  const text = draft ?? record?.sql ?? "";

  useEffect(() => {
    const hash = draft === null || draft === record?.sql || draft.length > LONGEST ? "" : encodeURIComponent(draft);
    const timer = setTimeout(() => {
      if (hash !== encodeURIComponent(textOf(window.location.hash) ?? "")) {
        void navigate({ search: window.location.search, hash }, { replace: true });
      }
    }, KEEP_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [draft, record?.sql, navigate]);

  const go = (next: Record<string, string>, hash = "") => {
    const tab = params.get("tab");
    const search = new URLSearchParams({ project, ...(tab === null ? {} : { tab }), ...next }).toString();
    void navigate({ search, hash });
  };

  if (id !== "" && shown.isPending) return <Skeleton h={420} />;
  return (
    <>
      <Statement
        project={project}
        onProject={(name) => {
          // The text goes along to the other project.
          setDraft(text);
          go({ project: name }, text.length > LONGEST ? "" : encodeURIComponent(text));
        }}
        text={text}
        onText={setDraft}
        onAsked={(asked) => {
          setDraft(null);
          go({ query: asked });
        }}
      />
      {id !== "" && <Problem error={shown.error} onRetry={() => void shown.refetch()} />}
      {record !== undefined && <Result key={record.id} query={record} onAsked={(asked) => { go({ query: asked }); }} />}
      <Library
        key={project}
        project={project}
        text={text}
        onOpen={(one) => {
          setDraft(null);
          go({ query: one });
        }}
        onText={(sql) => {
          setDraft(sql);
          go({}, encodeURIComponent(sql.length > LONGEST ? "" : sql));
        }}
      />
    </>
  );
}
