/** Who may fetch which file, once, until when; a reviewer lets somebody of the project fetch one once more. */
import { Button, Group, Modal, Select, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { useMay } from "../../app/session";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";
import classes from "./airlock.module.css";
import { refreshAirlock, type AirlockRequest, type AirlockRights } from "./request";

export function Releases({ request, rights }: { request: AirlockRequest; rights: AirlockRights }) {
  const { t } = useTranslation("airlock");
  const [asking, setAsking] = useState(false);
  const { grants, files, state } = request;
  return (
    <Section
      title={t("release.title")}
      aside={rights.reviewer && state === "released" && <Button size="xs" variant="default" onClick={() => { setAsking(true); }}>{t("release.again")}</Button>}
    >
      <Table>
        <caption className="hush">{t("release.title")}</caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t("field.file")}</Table.Th>
            <Table.Th scope="col">{t("release.person")}</Table.Th>
            <Table.Th scope="col">{t("release.until")}</Table.Th>
            <Table.Th scope="col">{t("release.fetched")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {grants.map(({ id, index, person, granted_by, expires_at, fetched_at }) => (
            <Table.Tr key={id}>
              <Table.Td className={classes.told}>{files[index]?.name}</Table.Td>
              <Table.Td>{person} <Text span inherit c="dimmed">{t("release.by", { login: granted_by })}</Text></Table.Td>
              <Table.Td><When at={expires_at} absolute /></Table.Td>
              <Table.Td>{fetched_at === null ? t("release.notYet") : <When at={fetched_at} absolute />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Modal opened={asking} onClose={() => { setAsking(false); }} title={t("release.again")} closeButtonProps={{ "aria-label": t("close") }}>
        <Again request={request} onDone={() => { setAsking(false); }} />
      </Modal>
    </Section>
  );
}

function Again({ request: { id, files, project, requester }, onDone }: { request: AirlockRequest; onDone: () => void }) {
  const { t } = useTranslation("airlock");
  const may = useMay();
  const through = files.filter(({ approved }) => approved === true);
  const [index, setIndex] = useState(String(through[0]?.index ?? 0));
  const [login, setLogin] = useState(requester);
  const of = api.useQuery("get", "/api/v1/projects/{name}", { params: { path: { name: project } } }, { enabled: may("projects:read") });
  const grant = api.useMutation("post", "/api/v1/airlock-requests/{id}/grants", {
    onSuccess: async () => {
      toast(t("release.given"));
      onDone();
      await refreshAirlock();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        grant.mutate({ params: { path: { id } }, body: { index: Number(index), login } });
      }}
    >
      <Stack>
        <Text size="sm">{t("release.means")}</Text>
        <Select label={t("field.file")} allowDeselect={false} data={through.map((file) => ({ value: String(file.index), label: file.name }))} value={index} onChange={(one) => { setIndex(one ?? index); }} />
        <Select label={t("release.person")} allowDeselect={false} searchable data={[...new Set([requester, ...(of.data?.members ?? [])])]} value={login} onChange={(one) => { setLogin(one ?? login); }} />
        <Problem error={grant.error ?? of.error} />
        <Group justify="flex-end"><Button type="submit" loading={grant.isPending}>{t("release.give")}</Button></Group>
      </Stack>
    </form>
  );
}
