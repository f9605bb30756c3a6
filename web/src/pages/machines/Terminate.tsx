import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { Confirm } from "../../parts/Confirm";
import { refreshMachines, type Machine, type useDeeds } from "./deeds";

/** Asked before a machine and its home are taken away. */
export function Terminate({ machine, onClose }: { machine: Machine | null; onClose: () => void }) {
  const { t } = useTranslation("machines");
  const terminate = api.useMutation("post", "/api/v1/workspaces/{id}/terminate", {
    onSuccess: async () => {
      onClose();
      await refreshMachines();
    },
  });
  return (
    <Confirm
      opened={machine !== null}
      onClose={() => {
        terminate.reset();
        onClose();
      }}
      title={t("terminate.sure", { name: machine?.name ?? "" })}
      label={t("deed.terminate")}
      typed={machine?.name ?? ""}
      onConfirm={() => {
        if (machine !== null) terminate.mutate({ params: { path: { id: machine.id } } });
      }}
      busy={terminate.isPending}
      error={terminate.error}
    >
      {t("terminate.means")}
    </Confirm>
  );
}

/** Asked before what is in memory is lost. */
export function Stop({ machine, deeds, onClose }: { machine: Machine | null; deeds: ReturnType<typeof useDeeds>; onClose: () => void }) {
  const { t } = useTranslation("machines");
  return (
    <Confirm
      opened={machine !== null}
      onClose={onClose}
      title={t("stop.sure", { name: machine?.name ?? "" })}
      label={t("deed.stop")}
      onConfirm={() => {
        if (machine !== null) deeds.stop(machine.id);
        onClose();
      }}
    >
      {t("stop.means")}
    </Confirm>
  );
}
