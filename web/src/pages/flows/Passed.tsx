/** What data passed, newest first, beside the graph: what is chosen here is chosen there. */
import { Text, UnstyledButton } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schema } from "../../api/atoll";
import { When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import classes from "./flows.module.css";

export function Passed({ nodes, chosen, onChoose }: { nodes: readonly Schema<"FlowNode">[]; chosen: string | undefined; onChoose: (id: string) => void }) {
  const { t } = useTranslation("flows");
  const ordered = [...nodes].sort((a, b) => (b.at ?? "").localeCompare(a.at ?? ""));
  return (
    <Section title={t("passed", { count: nodes.length })}>
      {/* A region that scrolls is reached by keyboard; its buttons are. */}
      <ul className={classes.list}>
        {ordered.map(({ id, kind, label, at }) => (
          <li key={id}>
            <UnstyledButton className={classes.thing ?? ""} aria-pressed={id === chosen} onClick={() => { onChoose(id); }}>
              <Text size="sm" fw={500} component="span">{label}</Text>
              <Text size="xs" c="dimmed" component="span" display="block">{t(`kind.${kind}`)}{at && <> · <When at={at} absolute /></>}</Text>
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </Section>
  );
}
