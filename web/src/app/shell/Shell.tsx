/** What stands around every page: bar, navigation, palette, shortcuts. Laid out in CSS: Mantine's AppShell uses <style>. */
import { ActionIcon, Alert, Burger, Button, Drawer, Kbd, Menu, NavLink, Progress, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { spotlight } from "@mantine/spotlight";
import { IconKeyboard, IconLogout, IconPlugConnectedX, IconSearch, IconUser } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, useLocation, useNavigation } from "react-router";
import { useEvents } from "../events";
import { useSession } from "../session";
import { LanguageMenu } from "./LanguageMenu";
import { PLACES } from "./nav";
import { Palette } from "./Palette";
import { SchemeMenu } from "./SchemeMenu";
import classes from "./Shell.module.css";
import { Shortcuts, useShortcuts } from "./Shortcuts";
import { useSignOut } from "./useSignOut";
import { Wordmark } from "./Wordmark";

export function Shell() {
  const { t } = useTranslation("shell");
  const [opened, { toggle, close }] = useDisclosure(false);
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure(false);
  const going = useNavigation().state !== "idle";
  const away = useEvents();
  useShortcuts(openHelp);

  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        {t("skip")}
      </a>
      <header className={classes.bar}>
        <Burger opened={opened} onClick={toggle} size="sm" className={classes.burger} aria-label={t("menu")} aria-expanded={opened} />
        <Link to="/" className={classes.brand} aria-label={t("home")}>
          <Wordmark />
        </Link>
        <Button
          variant="default"
          className={classes.search}
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={<Kbd size="xs">{t("palette.keys")}</Kbd>}
          onClick={spotlight.open}
        >
          {t("palette.open")}
        </Button>
        <div className={classes.tools}>
          <ActionIcon variant="subtle" color="gray" size="lg" onClick={openHelp} aria-label={t("shortcuts.title")} title={t("shortcuts.title")}>
            <IconKeyboard size={20} aria-hidden />
          </ActionIcon>
          <LanguageMenu />
          <SchemeMenu />
          <AccountMenu />
        </div>
        {going && <Progress className={classes.going} value={100} animated size={3} radius={0} aria-label={t("going")} />}
      </header>
      <nav className={classes.side} aria-label={t("navigation")}>
        <Places />
      </nav>
      <Drawer
        opened={opened}
        onClose={close}
        size="17rem"
        title={<Wordmark />}
        closeButtonProps={{ "aria-label": t("close") }}
      >
        <nav aria-label={t("navigation")}>
          <Places onGo={close} />
        </nav>
      </Drawer>
      <main id="main" tabIndex={-1} className={classes.main}>
        {away && (
          <Alert color="yellow" role="status" mb="md" icon={<IconPlugConnectedX aria-hidden />} title={t("away.title")}>
            {t("away.todo")}
          </Alert>
        )}
        <Outlet />
      </main>
      <Palette />
      <Shortcuts opened={help} onClose={closeHelp} />
    </div>
  );
}

function Places({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation("shell");
  const { scopes } = useSession();
  const { pathname } = useLocation();
  return PLACES.filter((place) => place.scopes.length === 0 || place.scopes.some((scope) => scopes.includes(scope))).map(
    ({ path, label, icon: Icon }) => {
      const here = path === "/" ? pathname === "/" : pathname === path || pathname.startsWith(`${path}/`);
      return (
        <NavLink
          key={path}
          component={Link}
          to={path}
          label={t(label)}
          leftSection={<Icon size={19} stroke={1.6} aria-hidden />}
          active={here}
          aria-current={here ? "page" : undefined}
          className={classes.place}
          {...(onGo ? { onClick: onGo } : {})}
        />
      );
    },
  );
}

function AccountMenu() {
  const { t } = useTranslation("shell");
  const { display_name, login, roles } = useSession();
  const signOut = useSignOut();
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <Button variant="subtle" color="gray" leftSection={<IconUser size={18} aria-hidden />} className={classes.account} aria-label={t("account.of", { name: display_name })}>
          <span className={classes.name}>{display_name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Text size="xs" c="dimmed" px="sm" py={6} component="div">
          {login}
          <br />
          {roles.map((role) => t(`role.${role}`)).join(", ")}
        </Text>
        <Menu.Item component={Link} to="/account" leftSection={<IconUser size={16} aria-hidden />}>
          {t("account.open")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => { signOut.mutate(false); }}>
          {t("account.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
