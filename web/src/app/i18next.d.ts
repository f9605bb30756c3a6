import "i18next";
import type { words } from "../locales/en";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof words;
    returnNull: false;
  }
}
