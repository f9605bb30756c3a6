import { Button, Menu } from "@mantine/core";
import { IconLanguage } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { LANGUAGES, setLanguage, type Language } from "../i18n";

export function LanguageMenu() {
  const { t, i18n } = useTranslation("shell");
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" color="gray" px={8} leftSection={<IconLanguage size={18} aria-hidden />} aria-label={t("language", { code: i18n.language.toUpperCase(), name: LANGUAGES[i18n.language as Language] })}>
          {i18n.language.toUpperCase()}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={i18n.language} onChange={(one) => void setLanguage(one as Language)}>
          {Object.entries(LANGUAGES).map(([one, name]) => (
            <Menu.RadioItem key={one} value={one} lang={one}>
              {name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
