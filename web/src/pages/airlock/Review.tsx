/** A reviewer's word on every file, bound to the content that was looked at. */
import { Button, Code, Fieldset, Radio, Group, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";
import classes from "./airlock.module.css";
import { refreshAirlock, type AirlockRequest } from "./request";

interface Word {
  approve?: boolean;
  reason: string;
}
const UNSAID: Word = { reason: "" };

export function Review({ request: { id, files } }: { request: AirlockRequest }) {
  const { t } = useTranslation("airlock");
  // By content: another content asks for another word.
  const [words, setWords] = useState<Record<string, Word>>({});
  const wordOn = (sha256: string, index: number) => words[`${index}/${sha256}`] ?? UNSAID;
  const say = (key: string, part: Partial<Word>) => { setWords((now) => ({ ...now, [key]: { ...(now[key] ?? UNSAID), ...part } })); };
  const review = api.useMutation("post", "/api/v1/airlock-requests/{id}/reviews", {
    onSuccess: async () => {
      toast(t("review.done"));
      await refreshAirlock();
    },
  });
  const whole = files.every(({ index, sha256 }) => {
    const { approve, reason } = wordOn(sha256, index);
    return approve !== undefined && reason.trim() !== "";
  });
  return (
    <Section title={t("review.title")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          review.mutate({
            params: { path: { id } },
            body: {
              decisions: files.map(({ index, sha256 }) => {
                const { approve, reason } = wordOn(sha256, index);
                return { index, sha256, approve: approve === true, reason: reason.trim() };
              }),
            },
          });
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">{t("review.means")}</Text>
          {files.map(({ index, name, sha256 }) => {
            const key = `${index}/${sha256}`;
            const { approve, reason } = wordOn(sha256, index);
            return (
              <Fieldset key={key} legend={<span className={classes.told}>{name}</span>}>
                <Stack gap="xs">
                  <Code className={classes.hash}>{sha256}</Code>
                  <Radio.Group label={t("review.decision")} value={approve === undefined ? "" : String(approve)} onChange={(value) => { say(key, { approve: value === "true" }); }} required>
                    <Group mt={4}>
                      <Radio value="true" label={t("review.approve")} />
                      <Radio value="false" label={t("review.refuse")} />
                    </Group>
                  </Radio.Group>
                  <Textarea label={t("review.reason")} required autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => { say(key, { reason: event.currentTarget.value }); }} />
                </Stack>
              </Fieldset>
            );
          })}
          <Problem error={review.error} />
          <Group>
            <Button type="submit" disabled={!whole} loading={review.isPending}>{t("review.send")}</Button>
            {!whole && <Text size="sm" c="dimmed">{t("review.every")}</Text>}
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
