/** A word at the corner of the page: that something was done, with an undo where there is one. */
import { notifications } from "@mantine/notifications";
import i18next from "i18next";

export function toast(message: string, color = "green"): void {
  notifications.show({ message, color, closeButtonProps: { "aria-label": i18next.t("parts:close") } });
}
