import { Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";

export function Component() {
  const { t } = useTranslation("shell");
  const { pathname } = useLocation();
  return (
    <Page title={t("nowhere.title")}>
      <Empty
        title={t("nowhere.path", { path: pathname })}
        action={
          <Anchor component={Link} to="/">
            {t("home")}
          </Anchor>
        }
      >
        {t("nowhere.todo")}
      </Empty>
    </Page>
  );
}
