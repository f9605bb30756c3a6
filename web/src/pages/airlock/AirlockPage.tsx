/** Requests for files to leave a project or to enter it, by state, project and direction. */
import { Anchor, Button, Select, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { api } from "../../api/atoll";
import { useListing } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import classes from "./airlock.module.css";
import { STATES, type AirlockRequest } from "./request";

const DIRECTIONS = ["out", "in"] as const;
const WHOSE = ["mine", "review"] as const;

export function Component() {
  const { t } = useTranslation("airlock");
  const { t: common } = useTranslation("common");
  const may = useMay();
  const { projects: own } = useSession();
  const [search, setSearch] = useSearchParams();
  const set = (name: string, value: string | null) => {
    setSearch((now) => {
      if (value === null || value === "") now.delete(name);
      else now.set(name, value);
      return now;
    }, { replace: true });
  };
  const state = STATES.find((one) => one === search.get("state"));
  const direction = DIRECTIONS.find((one) => one === search.get("direction"));
  const whose = WHOSE.find((one) => one === search.get("whose"));
  const project = search.get("project") ?? "";
  const asks = may("airlock:request") && own.length > 0;
  const known = api.useQuery("get", "/api/v1/projects", { params: { query: { limit: 1000 } } }, { enabled: may("projects:read") });
  const names = [...new Set([...own.map(({ name }) => name), ...(known.data?.items.map(({ name }) => name) ?? []), ...(project === "" ? [] : [project])])].sort();
  const listing = useListing("/api/v1/airlock-requests", {
    query: { ...(project && { project }), ...(state && { state }), ...(direction && { direction }), ...(whose === "mine" && { mine: true }), ...(whose === "review" && { to_review: true }) },
  }, { inAddress: true });
  const columns = useMemo<Column<AirlockRequest>[]>(
    () => [
      {
        key: "purpose",
        title: t("field.purpose"),
        sort: "purpose",
        value: ({ purpose }) => purpose,
        cell: ({ id, purpose, destination }) => (
          <>
            <Anchor component={Link} to={`/airlock/${id}`} size="sm" fw={500} className={classes.told} lineClamp={2}>{purpose}</Anchor>
            <Text size="xs" c="dimmed" className={classes.told} lineClamp={1}>{destination}</Text>
          </>
        ),
      },
      { key: "direction", title: t("field.direction"), sort: "direction", value: (one) => t(`direction.${one.direction}`), cell: (one) => t(`direction.${one.direction}`) },
      { key: "project", title: t("field.project"), sort: "project", value: (one) => one.project, cell: (one) => one.project },
      { key: "requester", title: t("field.requester"), sort: "requester", value: ({ requester }) => requester, cell: ({ requester, mine }) => (mine ? t("me") : requester) },
      { key: "state", title: t("field.state"), sort: "state", value: (one) => one.state, cell: (one) => <StateBadge state={one.state} reason={one.to_review ? t("waitsForYou") : ""} /> },
      { key: "files", title: t("field.files"), sort: "files", figure: true, value: ({ files }) => files.length, cell: ({ files }) => <Count value={files.length} /> },
      { key: "when", title: t("field.changed"), sort: "changed_at", value: ({ changed_at }) => changed_at, cell: ({ changed_at }) => <When at={changed_at} /> },
    ],
    [t],
  );
  const filtered = [project, state, direction, whose].some(Boolean);
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={asks && <Button component={Link} to="/airlock/new" leftSection={<IconPlus size={16} aria-hidden />}>{t("new.open")}</Button>}
    >
      <Section title={t("list")}>
        <DataTable
          title={t("list")}
          listing={listing}
          columns={columns}
          rowKey={({ id }) => id}
          empty={<Empty title={t(filtered ? "noneSuch" : "none")}>{t(filtered ? "noneSuchTeach" : asks ? "teach" : "teachOthers")}</Empty>}
          filters={
            <>
              <Choice label={t("field.state")} value={state} all={t("filter.anyState")} onChange={(value) => { set("state", value); }} data={STATES.map((value) => ({ value, label: common(`state.${value}`) }))} />
              <Choice label={t("field.direction")} value={direction} all={t("filter.bothWays")} onChange={(value) => { set("direction", value); }} data={DIRECTIONS.map((value) => ({ value, label: t(`direction.${value}`) }))} />
              <Choice label={t("field.project")} value={project || undefined} all={t("filter.anyProject")} onChange={(value) => { set("project", value); }} data={names.map((value) => ({ value, label: value }))} />
              <Choice
                label={t("filter.whose")}
                value={whose}
                all={t("filter.anybody")}
                onChange={(value) => { set("whose", value); }}
                data={WHOSE.filter((one) => may(one === "mine" ? "airlock:request" : "airlock:review")).map((value) => ({ value, label: t(`filter.${value}`) }))}
              />
            </>
          }
        />
      </Section>
    </Page>
  );
}

interface ChoiceProps {
  label: string;
  value: string | undefined;
  /** The word on the button that takes the choice back. */
  all: string;
  data: { value: string; label: string }[];
  onChange: (value: string | null) => void;
}

function Choice({ label, value, all, data, onChange }: ChoiceProps) {
  if (data.length === 0) return null;
  return (
    <Select w={170} aria-label={label} placeholder={label} clearable clearButtonProps={{ "aria-label": all }} value={value ?? null} onChange={onChange} data={data} searchable={data.length > 10} />
  );
}
