/** When a page breaks: what to do next, with the rest of the application still there. */
import { Anchor, Button, Container, Group, Stack, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";
import { Problem } from "../../parts/Problem";

export function PageError() {
  const { t } = useTranslation("shell");
  const error = useRouteError();
  return (
    <Container size="sm" py="xl">
      <Stack>
        <Title order={1}>{t("broken.title")}</Title>
        <Problem error={error} />
        <Group>
          <Button
            onClick={() => {
              location.reload();
            }}
          >
            {t("broken.reload")}
          </Button>
          <Anchor component={Link} to="/">
            {t("home")}
          </Anchor>
        </Group>
      </Stack>
    </Container>
  );
}
