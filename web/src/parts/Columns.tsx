/** Cards side by side, as many as fit. Mantine's Grid and SimpleGrid put a <style> into the page; this does not. */
import type { ReactNode } from "react";
import classes from "./Columns.module.css";

/** `least`: narrow (16rem), medium (22rem) or wide (30rem) columns. */
export function Columns({ least = "medium", children }: { least?: "narrow" | "medium" | "wide"; children: ReactNode }) {
  return <div className={[classes.columns, classes[least]].join(" ")}>{children}</div>;
}
