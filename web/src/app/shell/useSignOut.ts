import { useMutation } from "@tanstack/react-query";
import { atoll } from "../../api/atoll";
import { signedOut } from "../session";

/** `mutate(true)` signs out of every browser, `mutate(false)` of this one. */
export function useSignOut() {
  return useMutation({
    mutationFn: async (everywhere: boolean) => {
      await (everywhere ? atoll.DELETE("/api/v1/sessions") : atoll.DELETE("/api/v1/session"));
    },
    onSuccess: signedOut,
  });
}
