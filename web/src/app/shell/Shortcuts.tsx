/** Keys that work everywhere, and the page that tells them. */
import { Kbd, Modal, Table } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

export function useShortcuts(openHelp: () => void): void {
  const go = useNavigate();
  useHotkeys([
    ["shift+?", openHelp, { usePhysicalKeys: false }],
    ["?", openHelp, { usePhysicalKeys: false }],
    ["alt+h", () => void go("/")],
  ]);
}

const KEYS = [
  { keys: ["Ctrl/⌘", "K"], key: "palette" },
  { keys: ["?"], key: "help" },
  { keys: ["Alt", "H"], key: "home" },
  { keys: ["Ctrl/⌘", "Enter"], key: "run" },
  { keys: ["Esc"], key: "close" },
] as const;

export function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation("shell");
  return (
    <Modal opened={opened} onClose={onClose} title={t("shortcuts.title")} closeButtonProps={{ "aria-label": t("close") }}>
      <Table>
        <Table.Tbody>
          {KEYS.map(({ keys, key }) => (
            <Table.Tr key={key}>
              <Table.Th scope="row" fw={400}>
                {t(`shortcuts.${key}`)}
              </Table.Th>
              <Table.Td>
                {keys.map((one) => (
                  <Kbd key={one} mr={4}>
                    {one}
                  </Kbd>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
