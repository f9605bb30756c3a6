/** While a heavy part comes: its place, kept. */
import { Skeleton } from "@mantine/core";
import { Suspense, type ReactNode } from "react";

export function Lazy({ height, children }: { height: number; children: ReactNode }) {
  return <Suspense fallback={<Skeleton h={height} />}>{children}</Suspense>;
}
