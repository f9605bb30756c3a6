/** The month's records as files, exact to the last digit, under what is chosen. */
import { Button, Menu } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { raw } from "../../api/atoll";
import { save } from "../../parts/DataTable/csv";
import { Problem } from "../../parts/Problem";
import { useAsked } from "./asked";

const FORMATS = ["csv", "focus"] as const;

export function Export() {
  const { t } = useTranslation("costs");
  const { month, filter } = useAsked();
  const download = useMutation({
    mutationFn: async (format: (typeof FORMATS)[number]) => {
      const query = new URLSearchParams({ month, format });
      for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
      const answer = await raw(`/costs/export?${query.toString()}`);
      save(`atoll-${format}-${month}.csv`, await answer.blob());
    },
  });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={download.isPending}>
            {t("export.title")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {FORMATS.map((format) => (
            <Menu.Item key={format} onClick={() => { download.mutate(format); }}>
              {t(`export.${format}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Problem error={download.error} />
    </>
  );
}
