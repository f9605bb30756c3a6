import { Button, Chip, Group, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import type { Machine } from "./deeds";

type Span = Schema<"Hours">;
type Week = Schema<"WeeklyHours">;

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const WORKING: Span = { weekdays: [1, 2, 3, 4, 5], start: "08:00", end: "18:00" };
const MOST = 20;

/** When it is woken by itself, and outside of which it rests. */
export function Hours({ machine, maySet }: { machine: Machine; maySet: boolean }) {
  const { t } = useTranslation("machines");
  const asked = api.useQuery("get", "/api/v1/workspaces/{id}/hours", { params: { path: { id: machine.id } } });
  const [editing, setEditing] = useState(false);
  const week = asked.data?.hours ?? null;
  const set = api.useMutation("put", "/api/v1/workspaces/{id}/hours", {
    onSuccess: async () => {
      await refresh("/api/v1/workspaces/{id}/hours");
      setEditing(false);
    },
  });
  const put = (hours: Week | null) => { set.mutate({ params: { path: { id: machine.id } }, body: { hours } }); };
  return (
    <Section title={t("hours.title")}>
      {asked.data === undefined ? (
        asked.error === null ? <Skeleton h={80} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : editing ? (
        <Edit week={week} busy={set.isPending} onSave={put} onCancel={() => { setEditing(false); }} />
      ) : (
        <Stack gap="sm">
          <Shown week={week} />
          {maySet && (
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => { setEditing(true); }}>{t(week === null ? "hours.set" : "hours.change")}</Button>
              {week !== null && <Button size="xs" variant="default" loading={set.isPending} onClick={() => { put(null); }}>{t("hours.take")}</Button>}
            </Group>
          )}
        </Stack>
      )}
      <Problem error={set.error} />
    </Section>
  );
}

function useDays(): (day: number, style?: "short" | "long") => string {
  const { language } = useTranslation().i18n;
  // The first of January 2024 was a Monday.
  return (day, style = "short") => new Intl.DateTimeFormat(language, { weekday: style, timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, day)));
}

function Shown({ week }: { week: Week | null }) {
  const { t } = useTranslation("machines");
  const named = useDays();
  if (week === null) return <Text size="sm" c="dimmed">{t("hours.none")}</Text>;
  return (
    <Stack gap={4}>
      {week.hours.map((span) => {
        const days = [...span.weekdays].sort().map((day) => named(day)).join(", ");
        return <Text key={`${days} ${span.start}`} size="sm">{t("hours.span", { days, start: span.start.slice(0, 5), end: span.end.slice(0, 5) })}</Text>;
      })}
      <Text size="xs" c="dimmed">{t("hours.zone", { zone: week.zone })}</Text>
    </Stack>
  );
}

interface EditProps {
  week: Week | null;
  busy: boolean;
  onSave: (week: Week) => void;
  onCancel: () => void;
}

function Edit({ week, busy, onSave, onCancel }: EditProps) {
  const { t } = useTranslation("machines");
  const named = useDays();
  const [spans, setSpans] = useState<Span[]>(() => [...(week?.hours ?? [WORKING])]);
  const [zone, setZone] = useState(week?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const change = (index: number, to: Partial<Span>) => { setSpans(spans.map((one, at) => (at === index ? { ...one, ...to } : one))); };
  const ready = spans.length > 0 && spans.every(({ weekdays, start, end }) => weekdays.length > 0 && start !== "" && end !== "");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onSave({ zone, hours: spans });
      }}
    >
      <Stack gap="sm">
        {spans.map((span, index) => (
          <Stack key={index} gap="xs" role="group" aria-label={t("hours.number", { number: index + 1 })}>
            <Chip.Group multiple value={span.weekdays.map(String)} onChange={(days) => { change(index, { weekdays: days.map(Number) }); }}>
              <Group gap={4}>
                {DAYS.map((day) => <Chip key={day} value={String(day)} size="xs" aria-label={named(day, "long")}>{named(day)}</Chip>)}
              </Group>
            </Chip.Group>
            <Group gap="xs" align="flex-end">
              <TextInput type="time" label={t("hours.from")} required value={span.start.slice(0, 5)} onChange={(event) => { change(index, { start: event.currentTarget.value }); }} />
              <TextInput type="time" label={t("hours.to")} required value={span.end.slice(0, 5)} onChange={(event) => { change(index, { end: event.currentTarget.value }); }} />
              {spans.length > 1 && (
                <Button size="xs" variant="default" onClick={() => { setSpans(spans.filter((_one, at) => at !== index)); }}>{t("hours.remove")}</Button>
              )}
            </Group>
          </Stack>
        ))}
        <TextInput label={t("hours.zoneLabel")} required value={zone} onChange={(event) => { setZone(event.currentTarget.value); }} />
        <Group gap="xs">
          {spans.length < MOST && <Button size="xs" variant="default" onClick={() => { setSpans([...spans, WORKING]); }}>{t("hours.add")}</Button>}
          <Button size="xs" variant="default" onClick={onCancel}>{t("cancel")}</Button>
          <Button size="xs" type="submit" disabled={!ready} loading={busy}>{t("hours.save")}</Button>
        </Group>
      </Stack>
    </form>
  );
}
