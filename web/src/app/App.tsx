/** Everything around the pages. */
import { MantineProvider, localStorageColorSchemeManager } from "@mantine/core";
import { DatesProvider } from "@mantine/dates";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { RouterProvider } from "react-router";
import { router } from "../routes";
import { queries } from "./queries";
import { theme, variables } from "./theme";

const schemes = localStorageColorSchemeManager({ key: "atoll-scheme" });

export function App() {
  const { t, i18n } = useTranslation("parts");
  return (
    <QueryClientProvider client={queries}>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        colorSchemeManager={schemes}
        defaultColorScheme="auto"
        // The stylesheet made at build has them; a <style> is not allowed.
        withCssVariables={false}
        withGlobalClasses={false}
      >
        <DatesProvider settings={{ locale: i18n.language, firstDayOfWeek: 1 }}>
          <ModalsProvider
            labels={{ confirm: t("confirm.yes"), cancel: t("confirm.no") }}
            modalProps={{ lockScroll: false, closeButtonProps: { "aria-label": t("close") } }}
          >
            <Notifications position="bottom-right" />
            <RouterProvider router={router} />
          </ModalsProvider>
        </DatesProvider>
      </MantineProvider>
    </QueryClientProvider>
  );
}
