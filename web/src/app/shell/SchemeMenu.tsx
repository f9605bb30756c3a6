import { ActionIcon, Menu, type MantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconMoon, IconSun, type Icon } from "@tabler/icons-react";
import { useScheme } from "../scheme";
import { useTranslation } from "react-i18next";

export const SCHEMES: readonly (readonly [MantineColorScheme, Icon])[] = [
  ["light", IconSun],
  ["dark", IconMoon],
  ["auto", IconDeviceDesktop],
];

export function SchemeMenu() {
  const { t } = useTranslation("shell");
  const { colorScheme, setColorScheme } = useScheme();
  const Now = SCHEMES.find(([scheme]) => scheme === colorScheme)?.[1] ?? IconDeviceDesktop;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("scheme.choose", { name: t(`scheme.${colorScheme}`) })}>
          <Now size={19} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(one) => {
            setColorScheme(one as MantineColorScheme);
          }}
        >
          {SCHEMES.map(([scheme]) => (
            <Menu.RadioItem key={scheme} value={scheme}>
              {t(`scheme.${scheme}`)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
