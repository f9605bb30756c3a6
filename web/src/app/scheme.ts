/** Light, dark, or as the system: `useScheme`. Mantine's own hook would switch transitions off by a <style>. */
import { useMantineColorScheme } from "@mantine/core";

export const useScheme = () => useMantineColorScheme({ keepTransitions: true });
