/** A request of the airlock, and which deeds to offer; the API decides. */
import { refresh, type Schema } from "../../api/atoll";
import { useMay, useSession } from "../../app/session";

export type AirlockRequest = Schema<"AirlockRequestAnswer">;
export type AirlockFile = Schema<"AirlockFileAnswer">;
export type State = Schema<"AirlockState">;

export const STATES: readonly State[] = ["draft", "checking", "returned", "review", "refused", "released", "placing", "placed", "withdrawn", "expired"];
const OPEN: readonly State[] = ["draft", "returned", "refused"];
const OVER: readonly State[] = ["placing", "placed", "withdrawn", "expired"];

export function refreshAirlock(): Promise<void> {
  return refresh("/api/v1/airlock-requests", "/api/v1/airlock-requests/{id}");
}

export interface AirlockRights {
  change: boolean;
  submit: boolean;
  withdraw: boolean;
  review: boolean;
  look: boolean;
  revoke: boolean;
  /** A reviewer of it, whatever its state. */
  reviewer: boolean;
}

export function useAirlockRights(): (request: AirlockRequest) => AirlockRights {
  const may = useMay();
  const asks = may("airlock:request");
  const reviews = may("airlock:review");
  const { projects } = useSession();
  return ({ mine, state, files, to_review, project }) => {
    const own = mine && asks;
    const reviewer = reviews && !mine && projects.every(({ name }) => name !== project);
    return {
      change: own && OPEN.includes(state),
      submit: own && state === "draft" && files.length > 0,
      withdraw: own && !OVER.includes(state),
      review: to_review,
      look: own || (reviewer && state !== "draft" && state !== "returned"),
      revoke: reviewer && state === "released",
      reviewer,
    };
  };
}
